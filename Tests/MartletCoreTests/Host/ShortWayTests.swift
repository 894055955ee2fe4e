import HostFuzzing
import MartletCore
import MartletWire
import Testing

@Suite("The short ways of packets, and the long ones")
struct ShortWayTests {
  @Test(
    "Good and damaged frames come to the same bytes and the same drops by either way",
    arguments: 1...12 as ClosedRange<UInt64>)
  func sameOutcome(seed: UInt64) throws {
    let short = FuzzBatch.run(seed: seed, count: 3_000)
    let long = FuzzBatch.run(seed: seed, count: 3_000, takesShortWays: false)
    #expect(short.complaint == nil)
    #expect(short.digest == long.digest)
    #expect(short.drops == long.drops)
    #expect(try #require(short.drops).total > 1_000)
  }

  /// Frames that cross when datagrams of many sizes and a stream go both ways.
  private func traffic(_ version: IPVersion, offloads: LinkOffloads, takesShortWays: Bool) throws -> [[UInt8]] {
    var net = try TwoHosts(offloads: offloads)
    net.a.takesShortWays = takesShortWays
    net.b.takesShortWays = takesShortWays
    let there = version == .v4 ? TwoHosts.b4 : TwoHosts.b6
    let server = try net.b.openDatagram(on: SocketAddress(.any(.v6), port: 7))
    let client = try net.a.openDatagram(on: SocketAddress(.any(.v6), port: 5_000))
    for size in [0, 1, 2, 7, 8, 63, 64, 97, 1_451, 1_452, 1_472, 1_473, 3_000] {
      let payload = String(repeating: "m", count: size)
      try net.a.send(payload, to: SocketAddress(there, port: 7), from: client, at: net.now)
      net.exchange()
      let received = try net.b.receiveAll(server)
      #expect(received.map(\.0) == [payload])
      let source = try #require(received.first?.1.source)
      try net.b.send(payload, to: source, from: server, at: net.now)
      net.exchange()
      #expect(try net.a.receiveAll(client).map(\.0) == [payload])
    }
    let listener = try net.b.listen(on: SocketAddress(.any(.v6), port: 80))
    let socket = try net.a.connect(to: SocketAddress(there, port: 80), at: net.now)
    net.exchange()
    let pending = try net.b.accept(from: listener)
    let accepted = try #require(pending)
    let bytes = [UInt8](repeating: 0x61, count: 20_000)
    let written = try net.a.write(unsafe bytes.span.bytes, to: socket, at: net.now)
    #expect(written == bytes.count)
    net.run(for: .seconds(1))
    let readiness = net.b.readiness(of: accepted)
    #expect(readiness.contains(.readable))
    net.a.close(socket, at: net.now)
    net.b.close(accepted, at: net.now)
    net.run(for: .seconds(1))
    let isShort = net.a.hasShortWay(from: version == .v4 ? TwoHosts.a4 : TwoHosts.a6, to: there)
    #expect(isShort == takesShortWays)
    return net.frames.map(\.bytes)
  }

  @Test(
    "The short way out writes what the long one writes", arguments: [IPVersion.v4, .v6],
    [[], [.transmitChecksum], [.transmitChecksum, .segmentTCPv4, .segmentTCPv6]] as [LinkOffloads])
  func sameBytes(version: IPVersion, offloads: LinkOffloads) throws {
    let short = try traffic(version, offloads: offloads, takesShortWays: true)
    let long = try traffic(version, offloads: offloads, takesShortWays: false)
    #expect(short == long)
    #expect(short.count > 30)
  }

  @Test("A way is forgotten when an address, a route or the neighbour's own address changes")
  func forgetting() throws {
    var net = try TwoHosts()
    let client = try net.a.openDatagram(on: SocketAddress(TwoHosts.a4, port: 5_000))
    let there = SocketAddress(TwoHosts.b4, port: 7)
    func isKnown(_ net: borrowing TwoHosts) -> Bool { net.a.hasShortWay(from: TwoHosts.a4, to: TwoHosts.b4) }
    func send(_ net: inout TwoHosts) throws {
      // The first may have to wait for the neighbour's address, and then takes no way of its own.
      for _ in 0..<2 {
        try net.a.send("x", to: there, from: client, at: net.now)
        net.exchange()
      }
      let isShort = isKnown(net)
      #expect(isShort)
    }
    try send(&net)
    try net.a.addAddress("198.51.100.1/24", to: net.eth)
    let afterAddress = isKnown(net)
    #expect(!afterAddress)
    try send(&net)
    try net.a.addRoute(to: "203.0.113.0/24", via: TwoHosts.b4, on: net.eth)
    let afterRoute = isKnown(net)
    #expect(!afterRoute)
    try send(&net)
    // The neighbour's entry becomes stale.
    net.run(for: .seconds(120))
    let afterTwoMinutes = isKnown(net)
    #expect(!afterTwoMinutes)
  }
}
