import MartletCore
import MartletWire
import Testing

@Suite("TCP between two hosts")
struct TCPSocketTests {
  static let versions = [IPVersion.v4, .v6]
  static func b(_ version: IPVersion) -> IPAddress { version == .v4 ? TwoHosts.b4 : TwoHosts.b6 }

  @Test("A client connects, both ends write and read, and both close", arguments: versions)
  func conversation(version: IPVersion) throws {
    var net = try TwoHosts()
    let listener = try net.b.listen(on: SocketAddress(.any(.v6), port: 80))
    let client = try net.a.connect(to: SocketAddress(Self.b(version), port: 80), at: net.now)
    net.exchange()
    let server = try #require(try net.b.accept(from: listener))
    #expect(net.b.remoteAddress(of: server) == net.a.localAddress(of: client))
    try net.a.write("hello", to: client, at: net.now)
    net.exchange()
    #expect(try net.b.readText(server, at: net.now) == "hello")
    try net.b.write("HELLO", to: server, at: net.now)
    net.exchange()
    #expect(try net.a.readText(client, at: net.now) == "HELLO")
    try net.a.shutdownWrite(client, at: net.now)
    net.exchange()
    #expect(try net.b.readText(server, at: net.now) == nil)
    net.b.close(server, at: net.now)
    net.exchange()
    #expect(try net.a.readText(client, at: net.now) == nil)
    net.a.close(client, at: net.now)
    net.run(for: .seconds(120))
    #expect(net.a.socketTable().isEmpty)
    #expect(net.b.socketTable().map(\.state) == ["LISTEN"])
    #expect(net.pool.statistics.blocksInUse == 0)
    #expect(net.pool.statistics.smallRegionsInUse == 0 && net.pool.statistics.largeRegionsInUse == 0)
  }

  @Test("A port without a listener refuses at once", arguments: versions)
  func refused(version: IPVersion) throws {
    var net = try TwoHosts()
    let client = try net.a.connect(to: SocketAddress(Self.b(version), port: 81), at: net.now)
    net.exchange()
    #expect(net.a.takeError(of: client) == .refused)
    #expect(net.b.drops[.tcpNoSocket] == 1)
  }

  @Test(
    "A million bytes arrive as they were sent, over links with and without offload", arguments: versions, [false, true])
  func bulk(version: IPVersion, offload: Bool) throws {
    var net = try TwoHosts(offloads: offload ? [.transmitChecksum, .segmentTCPv4, .segmentTCPv6] : [])
    let listener = try net.b.listen(on: SocketAddress(.any(.v6), port: 80))
    let client = try net.a.connect(to: SocketAddress(Self.b(version), port: 80), at: net.now)
    net.exchange()
    let server = try #require(try net.b.accept(from: listener))
    var random = RandomStream(seed: 7)
    let sent = (0..<1_000_000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    var received: [UInt8] = []
    var offset = 0
    var turns = 0
    while received.count < sent.count, turns < 10_000 {
      turns += 1
      if offset < sent.count {
        offset += try net.a.write(Array(sent[offset..<min(offset + 50_000, sent.count)]), to: client, at: net.now)
      }
      net.run(for: .milliseconds(1))
      received += try net.b.readBytes(server, at: net.now)
    }
    #expect(received == sent)
  }

  @Test("The most specific listener gets the connection")
  func mostSpecificListener() throws {
    var net = try TwoHosts()
    var options = ListenerOptions()
    options.ipv6Only = true
    let any = try net.b.listen(on: SocketAddress(.any(.v6), port: 80), options: options)
    let exact = try net.b.listen(on: SocketAddress(TwoHosts.b4, port: 80))
    _ = try net.a.connect(to: SocketAddress(TwoHosts.b4, port: 80), at: net.now)
    _ = try net.a.connect(to: SocketAddress(TwoHosts.b6, port: 80), at: net.now)
    net.exchange()
    #expect(try net.b.accept(from: exact) != nil)
    #expect(try net.b.accept(from: any) != nil)
    #expect(try net.b.accept(from: exact) == nil)
  }

  @Test("A steady stream asks the system for no memory")
  func noAllocation() throws {
    var net = try TwoHosts()
    net.delivers = { _, _ in true }
    let listener = try net.b.listen(on: SocketAddress(.any(.v6), port: 80))
    let client = try net.a.connect(to: SocketAddress(TwoHosts.b4, port: 80), at: net.now)
    net.exchange()
    let server = try #require(try net.b.accept(from: listener))
    let block = [UInt8](repeating: 1, count: 60_000)
    var before = 0
    for turn in 0..<400 {
      if turn == 200 { before = net.pool.statistics.systemAllocations }
      _ = try net.a.write(block, to: client, at: net.now)
      net.exchange()
      _ = try net.b.readBytes(server, at: net.now)
      net.frames.removeAll(keepingCapacity: true)
    }
    #expect(net.pool.statistics.systemAllocations == before)
  }
}

extension Host {
  mutating func write(_ text: String, to socket: SocketID, at now: Instant) throws {
    let bytes = Array(text.utf8)
    let count = try write(bytes, to: socket, at: now)
    #expect(count == bytes.count)
  }

  mutating func write(_ bytes: [UInt8], to socket: SocketID, at now: Instant) throws -> Int {
    unsafe try write(bytes.span.bytes, to: socket, at: now)
  }

  /// All bytes that can be read.
  mutating func readBytes(_ socket: SocketID, at now: Instant) throws -> [UInt8] {
    var result: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      var span = buffer.mutableSpan
      var raw = unsafe span.mutableBytes
      guard case .bytes(let count) = try read(from: socket, into: &raw, at: now) else { return result }
      result += buffer.prefix(count)
    }
  }

  /// The text that can be read, nil at the end of the stream.
  mutating func readText(_ socket: SocketID, at now: Instant) throws -> String? {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    var span = buffer.mutableSpan
    var raw = unsafe span.mutableBytes
    switch try read(from: socket, into: &raw, at: now) {
    case .bytes(let count): return String(decoding: buffer.prefix(count), as: UTF8.self)
    case .wouldBlock: return ""
    case .endOfStream: return nil
    }
  }
}
