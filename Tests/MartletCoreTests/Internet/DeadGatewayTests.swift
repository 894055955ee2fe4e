import HostFuzzing
import MartletCore
import MartletWire
import Testing

/// A host with two routers on its link, of which one falls silent.
@Suite("Dead gateways")
struct DeadGatewayTests {
  /// The first default route leads by way of C, the second by way of A.
  private static func bench() throws -> Bench {
    var bench = try Bench()
    try bench.b.addRoute(to: "0.0.0.0/0", via: IPAddress(Bench.c4), on: Bench.eth, metric: 1)
    try bench.b.addRoute(to: "0.0.0.0/0", via: IPAddress(Bench.a4), on: Bench.eth, metric: 2)
    try bench.b.addRoute(to: "::/0", via: IPAddress(Bench.c6), on: Bench.eth, metric: 1)
    try bench.b.addRoute(to: "::/0", via: IPAddress(Bench.a6), on: Bench.eth, metric: 2)
    return bench
  }

  /// The Ethernet destination of a datagram that the host sends to somebody far away; nil if it waits.
  private static func way(_ bench: inout Bench, _ version: IPVersion) throws -> [UInt8]? {
    let socket = try bench.b.openDatagram(on: SocketAddress(.any(version), port: 0))
    defer { bench.b.close(socket, at: bench.now) }
    bench.sent = []
    let far: IPAddress = version == .v4 ? "203.0.115.5" : "2001:db8:77::5"
    let payload: [UInt8] = [1, 2, 3]
    try unsafe bench.b.send(payload.span.bytes, to: SocketAddress(far, port: 9), from: socket, at: bench.now)
    bench.exchange()
    return bench.sent.first { SentFrame(bytes: $0).protocol == 17 }.map { Array($0.prefix(6)) }
  }

  @Test(
    "One that answers no more is replaced by the other, without being asked while nobody needs it",
    .rfc(1122, "HR3-34"), .rfc(4861, section: "6.3.6"), arguments: [IPVersion.v4, .v6])
  func replaced(_ version: IPVersion) throws {
    var bench = try Self.bench()
    #expect(try Self.way(&bench, version) == Frames.bytes(of: Bench.macC))
    // C is only a place on the link: it never answers when asked whether it is still there.
    bench.run(for: .seconds(60))
    _ = try Self.way(&bench, version)
    bench.run(for: .seconds(20))
    #expect(try Self.way(&bench, version) == Frames.bytes(of: Bench.macA))
    bench.sent = []
    bench.run(for: .seconds(300))
    let asked = bench.sent.filter { Array($0.prefix(6)) == Frames.bytes(of: Bench.macC) }
    #expect(asked.isEmpty)
    let steps = bench.b.explainRoute(to: version == .v4 ? "203.0.115.5" : "2001:db8:77::5").steps
    #expect(steps.map(\.verdict).contains(.gatewaySilent))
  }

  @Test("Once it is heard again, it is used again", .rfc(1122, section: "3.3.1.4"), arguments: [IPVersion.v4, .v6])
  func heardAgain(_ version: IPVersion) throws {
    var bench = try Self.bench()
    _ = try Self.way(&bench, version)
    bench.run(for: .seconds(20))
    _ = try Self.way(&bench, version)
    bench.run(for: .seconds(20))
    #expect(try Self.way(&bench, version) == Frames.bytes(of: Bench.macA))
    bench.introduceC()
    #expect(try Self.way(&bench, version) == Frames.bytes(of: Bench.macC))
  }

  @Test("When no gateway answers each is tried in its turn", .rfc(4861, section: "6.3.6"))
  func inTurn() throws {
    var bench = try Bench()
    for last: UInt8 in 201...203 {
      let gateway = IPAddress(IPv4Address(192, 0, 2, last))
      try bench.b.addRoute(to: "0.0.0.0/0", via: gateway, on: Bench.eth, metric: UInt32(last))
    }
    var asked: [UInt8] = []
    for _ in 0..<6 {
      #expect(try Self.way(&bench, .v4) == nil)
      let request = try #require(bench.sent.first { $0[12...13].elementsEqual([0x08, 0x06]) })
      asked.append(request[41])
      bench.run(for: .seconds(10))
    }
    #expect(asked == [201, 202, 203, 201, 202, 203])
  }
}
