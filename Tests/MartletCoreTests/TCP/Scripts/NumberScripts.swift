import MartletCore
import MartletWire
import Testing

/// Where numbers begin, as a peer sees it (RFC 6528, RFC 7323 section 5.4, RFC 6056).
@Suite("TCP: first numbers of whole hosts")
struct TCPNumberScripts {
  /// The SYNs of `count` opens from one port, `pause` apart; each is forgotten before the next.
  private static func syns(
    _ version: IPVersion, count: Int, pause: Duration, seed: UInt64 = 1
  ) throws -> [WireSegment] {
    var net = try TwoHosts(seed: seed)
    let remote = SocketAddress(version == .v4 ? TwoHosts.b4 : TwoHosts.b6, port: 80)
    let local = SocketAddress(version == .v4 ? TwoHosts.a4 : TwoHosts.a6, port: 1_234)
    _ = try net.b.listen(on: SocketAddress(.any(.v6), port: 80))
    var syns: [WireSegment] = []
    for _ in 0..<count {
      net.frames = []
      let client = try net.a.connect(to: remote, from: local, at: net.now)
      net.exchange()
      syns += net.segments(fromA: true).filter { $0.flags == .syn }
      net.a.abort(client, at: net.now)
      net.run(for: pause)
    }
    return syns
  }

  @Test(
    "The same flow begins later the later it opens, by 250,000 a second", .rfc(9293, "MUST-8"), .rfc(9293, "SHLD-1"),
    .rfc(6528, section: "3"), arguments: IPVersion.allCases)
  func clock(version: IPVersion) throws {
    let numbers = try Self.syns(version, count: 4, pause: .seconds(1)).map(\.sequence)
    #expect(numbers.count == 4)
    for (first, second) in zip(numbers, numbers.dropFirst()) {
      // The frames between take some microseconds.
      #expect((250_000..<250_100).contains(second &- first))
    }
  }

  @Test(
    "Another secret, another number", .rfc(9293, "MUST-9"), .rfc(6528, section: "3"), arguments: IPVersion.allCases)
  func secret(version: IPVersion) throws {
    let numbers = try (1...20).map { try Self.syns(version, count: 1, pause: .zero, seed: UInt64($0)).map(\.sequence) }
    #expect(Set(numbers).count == 20)
  }

  @Test(
    "The timestamps of one flow go on from connection to connection", .rfc(7323, section: "5.4"),
    arguments: IPVersion.allCases)
  func timestamps(version: IPVersion) throws {
    let times = try Self.syns(version, count: 3, pause: .seconds(10)).compactMap(\.options.timestamps?.value)
    #expect(times.count == 3)
    for (first, second) in zip(times, times.dropFirst()) { #expect((10_000...10_001).contains(second &- first)) }
  }

  @Test(
    "Flows to different ports begin at numbers that have nothing to do with each other", .rfc(9293, "MUST-9"),
    .rfc(7323, section: "5.4"), arguments: IPVersion.allCases)
  func otherFlows(version: IPVersion) throws {
    var net = try TwoHosts()
    let remote = version == .v4 ? TwoHosts.b4 : TwoHosts.b6
    for port in 1...32 as ClosedRange<UInt16> {
      _ = try net.a.connect(to: SocketAddress(remote, port: port), at: net.now)
    }
    net.exchange()
    let syns = net.segments(fromA: true).filter { $0.flags == .syn }
    #expect(syns.count == 32)
    // Within a window of each other lie only few of 32 numbers drawn from all.
    let sorted = syns.map(\.sequence).sorted()
    #expect(zip(sorted, sorted.dropFirst()).count { $1 - $0 < 65_536 } < 3)
    #expect(Set(syns.compactMap(\.options.timestamps?.value)).count == 32)
    #expect(Set(syns.map(\.header.sourcePort)).count > 16)
  }

  @Test(
    "A connection that takes the place of TIME-WAIT begins beyond its numbers", .rfc(9293, "MAY-2"),
    arguments: IPVersion.allCases)
  func afterTimeWait(version: IPVersion) throws {
    var net = try TwoHosts()
    let pair = try net.connection(version)
    let local = try #require(net.segments(fromA: true).first).header.sourcePort
    // The listener's end closes first and waits.
    net.b.close(pair.server, at: net.now)
    net.exchange()
    net.a.close(pair.client, at: net.now)
    net.exchange()
    let last = try #require(net.segments(fromA: false).map(\.sequence).max())
    net.frames = []
    net.run(for: .seconds(1))
    let client = try net.a.connect(
      to: SocketAddress(version == .v4 ? TwoHosts.b4 : TwoHosts.b6, port: 80),
      from: SocketAddress(version == .v4 ? TwoHosts.a4 : TwoHosts.a6, port: local), at: net.now)
    net.exchange()
    #expect(try net.a.info(of: client).state == .established)
    let found = net.segments(fromA: false).first { $0.flags == [.syn, .ack] }
    let answer = try #require(found)
    #expect(Int32(bitPattern: answer.sequence &- last) >= 65_536)
    let accepted = try net.b.accept(from: pair.listener)
    #expect(accepted != nil)
  }
}
