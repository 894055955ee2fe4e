import HostFuzzing
import MartletCore
import MartletWire
import Testing

@Suite("Redirects")
struct RedirectTests {
  @Test(
    "A router passes on what goes back to the link it came from, and tells its sender of the better way",
    .rfc(1812, "RR-8"))
  func fromRouter4() throws {
    var bench = try RouterBench()
    let packet = Routed.v4(to: RouterBench.detour4)
    let sent = bench.fromLeft(packet)
    #expect(sent.count == 2)
    #expect(sent.last?.mac == Frames.bytes(of: RouterBench.macN))
    #expect(sent.last?.packet == Routed.oneHopOn(packet.bytes))
    let redirect = try #require(sent.errors.first)
    #expect(redirect.type == 5)
    #expect(redirect.code == 1)
    #expect(redirect.word == RouterBench.n4.value)
    #expect(redirect.source == IPAddress(RouterBench.left4))
    #expect(redirect.body == packet.bytes)
    #expect(sent.first?.mac == Frames.bytes(of: RouterBench.macA))
    #expect(bench.router.forwardingCounters.sentRedirects == 1)
    #expect(bench.router.forwardingCounters.sentErrors == 0)
    // Not to somebody who is not on the link himself.
    #expect(bench.fromLeft(Routed.v4(to: RouterBench.detour4, from: "192.0.3.1")).count == 1)
  }

  @Test("So it does over IPv6", .rfc(4861, section: "8.2"))
  func fromRouter6() throws {
    var bench = try RouterBench()
    let packet = Routed.v6(to: RouterBench.detour6)
    let sent = bench.fromLeft(packet)
    #expect(sent.count == 2)
    #expect(sent.last?.packet == Routed.oneHopOn(packet.bytes))
    let redirect = try #require(sent.first?.packet)
    #expect(redirect[7] == 255)
    #expect(redirect[8] == 0xfe && redirect[9] == 0x80)
    #expect(redirect[40] == 137)
    #expect(redirect.rawBytes.ipv6Address(at: 48) == RouterBench.n6)
    #expect(redirect.rawBytes.ipv6Address(at: 64) == RouterBench.detour6)
    #expect(Array(redirect[80..<88]) == [2, 1] + Frames.bytes(of: RouterBench.macN))
    let quoted = packet.bytes.count & ~7
    #expect(Array(redirect[88..<90]) == [4, UInt8(1 + quoted / 8)])
    #expect(Array(redirect[96...]) == Array(packet.bytes.prefix(quoted)))
    #expect(hasValidTransportChecksum(redirect))
    #expect(bench.router.forwardingCounters.sentRedirects == 1)
  }

  @Test("They are limited, and can be turned off", .rfc(4861, section: "8.2"))
  func limited() throws {
    var forwarding = Host.Configuration.Forwarding.router
    forwarding.redirectBurst = 3
    var bench = try RouterBench(forwarding: forwarding)
    for _ in 0..<10 { _ = bench.fromLeft(Routed.v4(to: RouterBench.detour4)) }
    #expect(bench.router.forwardingCounters.sentRedirects == 3)
    #expect(bench.router.forwardingCounters.forwardedPackets == 10)
    forwarding.sendsRedirects = false
    bench.router.setForwarding(forwarding)
    #expect(bench.fromLeft(Routed.v4(to: RouterBench.detour4)).count == 1)
  }

  /// A host at 192.0.2.2 and 2001:db8::2 with routers C and A on its link, its default route by way of C.
  private static func hostBench(forwards: Bool = false) throws -> Bench {
    var configuration = Host.Configuration()
    if forwards { configuration.forwarding = .router }
    var bench = try Bench(configuration: configuration)
    try bench.b.addRoute(to: "0.0.0.0/0", via: IPAddress(Bench.c4), on: Bench.eth)
    try bench.b.addRoute(to: "::/0", via: "fe80::c", on: Bench.eth)
    return bench
  }

  /// The Ethernet destination of what the host sends to `destination`.
  private static func way(_ bench: inout Bench, to destination: IPAddress) throws -> [UInt8]? {
    let socket = try bench.b.openDatagram(on: SocketAddress(.any(destination.version), port: 0))
    defer { bench.b.close(socket, at: bench.now) }
    bench.sent = []
    let payload = Routed.payload
    try unsafe bench.b.send(
      payload.span.bytes, to: SocketAddress(destination, port: 9), from: socket, at: bench.now)
    bench.exchange()
    return bench.sent.first { SentFrame(bytes: $0).protocol == 17 }.map { Array($0.prefix(6)) }
  }

  private static let far: IPv4Address = "203.0.115.5"

  private static func redirect4(
    from router: IPv4Address = Bench.c4, to gateway: IPv4Address = Bench.a4, of destination: IPv4Address = far,
    quotedSource: IPv4Address = Bench.b4
  ) -> [UInt8] {
    let quote = IPv4Frame(from: quotedSource, to: destination, protocol: 17, [UInt8](repeating: 0, count: 8))
    let message = ICMPFrame(type: 5, code: 1, word: gateway.value, quote.bytes)
    return Bench.frame(
      IPv4Frame(
        from: router, to: Bench.b4, protocol: 1, message.bytes(from: IPAddress(router), to: IPAddress(Bench.b4))))
  }

  @Test("A host heeds its router", .rfc(1122, "HR3-23"), .rfc(1122, section: "3.2.2.2"))
  func heeded4() throws {
    var bench = try Self.hostBench()
    #expect(try Self.way(&bench, to: IPAddress(Self.far)) == Frames.bytes(of: Bench.macC))
    bench.inject(Self.redirect4())
    #expect(try Self.way(&bench, to: IPAddress(Self.far)) == Frames.bytes(of: Bench.macA))
    // It is about one destination, and ends with the next change of routes.
    #expect(try Self.way(&bench, to: "203.0.115.6") == Frames.bytes(of: Bench.macC))
    try bench.b.addRoute(to: "198.51.100.0/24", via: IPAddress(Bench.a4), on: Bench.eth)
    #expect(try Self.way(&bench, to: IPAddress(Self.far)) == Frames.bytes(of: Bench.macC))
    #expect(bench.b.drops[.icmpRedirectInvalid] == 0)
  }

  @Test("A host heeds nobody else, and nothing that leads nowhere", .rfc(1122, section: "3.2.2.2"))
  func notHeeded4() throws {
    var bench = try Self.hostBench()
    let bad: [[UInt8]] = [
      // From somebody who is not the first hop.
      Self.redirect4(from: "192.0.2.99"), Self.redirect4(of: "192.0.2.77"),
      // To a gateway that is not on the link, is the host, nobody or everybody.
      Self.redirect4(to: "203.0.113.1"), Self.redirect4(to: Bench.b4), Self.redirect4(to: "192.0.2.255"),
      Self.redirect4(to: "224.0.0.9"), Self.redirect4(to: Bench.c4),
      // About a packet of somebody else's.
      Self.redirect4(quotedSource: "192.0.2.50"),
    ]
    for (index, frame) in bad.enumerated() {
      bench.inject(frame)
      #expect(bench.b.drops[.icmpRedirectInvalid] == UInt64(index + 1))
    }
    #expect(try Self.way(&bench, to: IPAddress(Self.far)) == Frames.bytes(of: Bench.macC))
  }

  @Test("A router heeds no redirects", .rfc(1812, "RR-8"), .rfc(4861, "ND-15"))
  func routersDoNot() throws {
    var bench = try Self.hostBench(forwards: true)
    bench.inject(Self.redirect4())
    bench.inject(Self.redirect6())
    #expect(bench.b.drops[.icmpRedirectInvalid] == 2)
    #expect(try Self.way(&bench, to: IPAddress(Self.far)) == Frames.bytes(of: Bench.macC))
  }

  private static let far6: IPv6Address = "2001:db8:77::5"

  private static func redirect6(
    from router: IPv6Address = "fe80::c", to target: IPv6Address = "fe80::a", hops: UInt8 = 255,
    mac: MACAddress = Bench.macA
  ) -> [UInt8] {
    let body =
      Frames.bytes(of: IPAddress(target)) + Frames.bytes(of: IPAddress(far6)) + [2, 1] + Frames.bytes(of: mac)
    let message = ICMPFrame(type: 137, body).bytes(from: IPAddress(router), to: IPAddress(Bench.b6))
    var packet = IPv6Frame(from: router, to: Bench.b6, protocol: 58, message)
    packet.hopLimit = hops
    return Bench.frame(packet)
  }

  /// Makes fe80::c known to the host.
  private static func introduceRouter(_ bench: inout Bench) {
    let option = [1, 1] + Frames.bytes(of: Bench.macC)
    var question = IPv6Frame(from: "fe80::c", to: Bench.b6, protocol: 58, [])
    question.hopLimit = 255
    question.payload = ICMPFrame(type: 135, Frames.bytes(of: IPAddress(Bench.b6)) + option)
      .bytes(from: "fe80::c", to: IPAddress(Bench.b6))
    bench.inject(Bench.frame(question))
  }

  @Test("A host heeds its router over IPv6, and learns the better one's address", .rfc(4861, section: "8.3"))
  func heeded6() throws {
    var bench = try Self.hostBench()
    Self.introduceRouter(&bench)
    #expect(try Self.way(&bench, to: IPAddress(Self.far6)) == Frames.bytes(of: Bench.macC))
    bench.inject(Self.redirect6())
    #expect(try Self.way(&bench, to: IPAddress(Self.far6)) == Frames.bytes(of: Bench.macA))
    #expect(bench.b.drops[.icmpRedirectInvalid] == 0)
  }

  @Test("Not if it crossed a router, or comes from another one", .rfc(4861, "ND-14"))
  func notHeeded6() throws {
    var bench = try Self.hostBench()
    Self.introduceRouter(&bench)
    bench.inject(Self.redirect6(hops: 254))
    #expect(bench.b.drops[.neighborDiscoveryInvalid] == 1)
    bench.inject(Self.redirect6(from: "fe80::d"))
    bench.inject(Self.redirect6(from: Bench.c6))
    #expect(bench.b.drops[.icmpRedirectInvalid] == 2)
    #expect(try Self.way(&bench, to: IPAddress(Self.far6)) == Frames.bytes(of: Bench.macC))
  }

  @Test("A better way whose router does not answer is forgotten", .rfc(1122, section: "3.3.1.4"))
  func silentGateway() throws {
    var bench = try Self.hostBench()
    bench.inject(Self.redirect4(to: "192.0.2.200"))
    #expect(try Self.way(&bench, to: IPAddress(Self.far)) == nil)
    bench.run(for: .seconds(10))
    #expect(try Self.way(&bench, to: IPAddress(Self.far)) == Frames.bytes(of: Bench.macC))
  }
}
