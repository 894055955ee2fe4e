import MartletWire
import Testing

@testable import MartletCore

@Suite("TCP between two hosts: urgent data, corking, marks, hints")
struct UrgentSocketTests {
  private static func pair(_ net: inout TwoHosts) throws -> (client: SocketID, server: SocketID) {
    let listener = try net.b.listen(on: SocketAddress(.any(.v6), port: 80))
    let client = try net.a.connect(to: SocketAddress(TwoHosts.b4, port: 80), at: net.now)
    net.exchange()
    return (client, try #require(try net.b.accept(from: listener)))
  }

  @Test(
    "Urgent data is announced and read in its place", .rfc(9293, "MUST-30"), .rfc(9293, "MUST-32"),
    .rfc(9293, "MUST-33"), .rfc(6093, section: "4"))
  func urgent() throws {
    var net = try TwoHosts()
    let (client, server) = try Self.pair(&net)
    while net.b.nextEvent() != nil {}
    try net.a.write("plain ", to: client, at: net.now)
    let bytes = Array("urgent".utf8)
    #expect(try unsafe net.a.writeUrgent(bytes.span.bytes, to: client, at: net.now) == 6)
    net.exchange()
    var changes: SocketEvent.Changes = []
    while let event = net.b.nextEvent() { changes.formUnion(event.changes) }
    #expect(changes.contains(.urgent))
    #expect(try net.b.urgentByteCount(of: server) == 12)
    #expect(try net.b.readText(server, at: net.now) == "plain urgent")
    #expect(try net.b.urgentByteCount(of: server) == 0)
  }

  @Test("A corked connection keeps small segments until it is uncorked")
  func corked() throws {
    var net = try TwoHosts()
    let (client, server) = try Self.pair(&net)
    try net.a.setCorked(true, of: client)
    #expect(try net.a.isCorked(client))
    try net.a.write("a", to: client, at: net.now)
    try net.a.write("b", to: client, at: net.now)
    net.run(for: .seconds(1))
    #expect(try net.b.readText(server, at: net.now) == "")
    try net.a.setCorked(false, of: client)
    net.exchange()
    #expect(try net.b.readText(server, at: net.now) == "ab")
  }

  @Test("Data in progress keeps the neighbor reachable without probes", .rfc(4861, section: "7.3.1"))
  func reachability() throws {
    var net = try TwoHosts()
    let (client, server) = try Self.pair(&net)
    net.frames = []
    for _ in 0..<200 {
      try net.a.write("x", to: client, at: net.now)
      net.run(for: .seconds(1))
      _ = try net.b.readText(server, at: net.now)
    }
    let questions = net.frames.filter { $0.bytes[12] == 8 && $0.bytes[13] == 6 }
    #expect(questions.isEmpty)
  }

  @Test("What was agreed on is in the IP header, and a router's mark slows the sender down", .rfc(3168, section: "5"))
  func marks() throws {
    var configuration = Host.Configuration()
    configuration.tcp.ecn = .on
    var net = try TwoHosts(configuration: configuration)
    let (client, server) = try Self.pair(&net)
    net.frames = []
    let block = [UInt8](repeating: 1, count: 40_000)
    _ = try net.a.write(block, to: client, at: net.now)
    net.exchange()
    _ = try net.b.readBytes(server, at: net.now)
    let data = net.frames.filter { $0.fromA && $0.bytes.count > 1_000 }
    #expect(!data.isEmpty && data.allSatisfy { $0.bytes[15] & 3 == 2 })
    #expect(net.frames.filter { !$0.fromA }.allSatisfy { $0.bytes[15] & 3 == 0 })
    #expect(try net.a.info(of: client).slowStartThreshold > 1 << 30)
    // One more segment, marked on its way.
    _ = try net.a.write(block, to: client, at: net.now)
    net.now.nanoseconds += 1_000
    var batch = PacketQueue()
    net.a.advance(to: net.now)
    net.a.transmit(from: net.eth, at: net.now) { batch.append($0) }
    let count = batch.count
    while let packet = batch.popFirst() {
      var bytes = packet.allBytes
      bytes[15] |= 3
      // The header's sum changes by as much.
      let sum = (UInt16(bytes[24]) << 8 | UInt16(bytes[25])) &- 1
      bytes[24] = UInt8(sum >> 8)
      bytes[25] = UInt8(sum & 0xff)
      if let marked = net.pool.packet(bytes) { net.b.receive(marked, on: net.eth, at: net.now) }
    }
    net.frames = []
    net.exchange()
    let echoes = net.frames.filter { !$0.fromA && $0.bytes[47] & 0x40 != 0 }.count
    #expect(echoes > 0, "\(count) segments, \(net.frames.count) answers")
    // Half of what the window had grown to.
    let info = try net.a.info(of: client)
    #expect(info.slowStartThreshold < 40_000)
    #expect(net.b.drops[.ipHeaderChecksum] == 0)
  }
}
