import HostFuzzing
import MartletCore
import MartletWire
import Testing

@Suite("A router")
struct ForwardingTests {
  @Test(
    "A packet for another link leaves there with one hop less, and is the same otherwise, the first and the next ones",
    .rfc(1812, "RR-2", "RR-12"), .rfc(1812, "RR-4"), .rfc(8200, section: "3"), .rfc(1624, section: "3"),
    arguments: IPVersion.allCases)
  func passesOn(version: IPVersion) throws {
    var bench = try RouterBench()
    let packet = version == .v4 ? Routed.v4().bytes : Routed.v6().bytes
    for _ in 0..<3 {
      let sent = bench.send(version)
      #expect(sent.map(\.interface) == [RouterBench.right])
      #expect(sent.first?.packet == Routed.oneHopOn(packet))
      #expect(sent.first?.mac == Frames.bytes(of: RouterBench.macB))
      #expect(sent.first.map { Array($0.bytes[6..<12]) } == Frames.bytes(of: RouterBench.macRight))
    }
    #expect(bench.router.forwardingCounters.forwardedPackets == 3)
    #expect(bench.router.forwardingCounters.forwardedBytes == UInt64(3 * packet.count))
    #expect(bench.dropReasons == [])
  }

  @Test("A packet for a network behind a gateway goes to the gateway", .rfc(1812, "RR-13", "RR-24"))
  func gateway() throws {
    var bench = try RouterBench()
    let v4 = bench.fromLeft(Routed.v4(to: RouterBench.far4))
    let v6 = bench.fromLeft(Routed.v6(to: RouterBench.far6))
    #expect(v4.map(\.mac) == [Frames.bytes(of: RouterBench.macG)])
    #expect(v6.map(\.mac) == [Frames.bytes(of: RouterBench.macG)])
  }

  @Test("A host that does not forward drops what is for others", .rfc(1122, "HR3-1"), arguments: IPVersion.allCases)
  func hostsDoNot(version: IPVersion) throws {
    var bench = try RouterBench(forwarding: .off)
    #expect(bench.send(version) == [])
    #expect(bench.dropReasons == [.ipNotForUs])
  }

  @Test("Forwarding is switched by version, by interface, and while the host runs", arguments: IPVersion.allCases)
  func switches(version: IPVersion) throws {
    var only = Host.Configuration.Forwarding.off
    if version == .v4 { only.ipv6 = true } else { only.ipv4 = true }
    var bench = try RouterBench(forwarding: only)
    #expect(bench.send(version) == [])
    bench.router.setForwarding(.router)
    #expect(bench.send(version).count == 1)
    #expect(bench.send(version).count == 1)
    bench.router.setForwarding(false, on: RouterBench.left)
    #expect(bench.send(version) == [])
    bench.router.setForwarding(true, on: RouterBench.left)
    #expect(bench.send(version).count == 1)
    bench.router.setForwarding(.off)
    #expect(bench.send(version) == [])
    #expect(bench.dropReasons == [.ipNotForUs, .ipNotForUs, .ipNotForUs])
  }

  @Test("A packet for the router's address on another link is the router's", .rfc(1812, "RR-10", "RR-21"))
  func otherAddress() throws {
    var bench = try RouterBench()
    let ping4 = ICMPFrame(type: 8, word: 1).bytes(from: IPAddress(RouterBench.a4), to: IPAddress(RouterBench.right4))
    let ping6 = ICMPFrame(type: 128, word: 1).bytes(from: IPAddress(RouterBench.a6), to: IPAddress(RouterBench.right6))
    // With its last hop used up: that only counts for those that go on (RFC 1812 section 5.3.1).
    var v4 = IPv4Frame(from: RouterBench.a4, to: RouterBench.right4, protocol: 1, ping4)
    v4.timeToLive = 1
    var v6 = IPv6Frame(from: RouterBench.a6, to: RouterBench.right6, protocol: 58, ping6)
    v6.hopLimit = 1
    let errors = bench.fromLeft(v4).errors + bench.fromLeft(v6).errors
    #expect(errors.map(\.type) == [0, 129])
    #expect(errors.map(\.source) == [IPAddress(RouterBench.right4), IPAddress(RouterBench.right6)])
  }

  @Test(
    "A packet without hops left is answered by time exceeded, from the side it came from",
    .rfc(1812, "RR-4"), .rfc(1812, "RR-6"), .rfc(4443, section: "3.3"),
    arguments: IPVersion.allCases, [0, 1] as [UInt8])
  func hopLimit(version: IPVersion, hops: UInt8) throws {
    var bench = try RouterBench()
    // Also when the way is known already.
    _ = bench.send(version)
    let packet = version == .v4 ? Routed.v4(hops: hops).bytes : Routed.v6(hops: hops).bytes
    let errors = bench.send(version, hops: hops).errors
    #expect(errors.map(\.type) == [version == .v4 ? 11 : 3])
    #expect(errors.first?.code == 0)
    #expect(errors.first?.interface == RouterBench.left)
    #expect(errors.first?.source == (version == .v4 ? IPAddress(RouterBench.left4) : IPAddress(RouterBench.left6)))
    #expect(errors.first?.body == packet)
    #expect(bench.dropReasons == [.forwardHopLimit])
    #expect(bench.router.forwardingCounters.sentErrors == 1)
  }

  @Test(
    "A packet to nowhere is answered by network unreachable", .rfc(1812, "RR-7"), .rfc(4443, section: "3.1")
  )
  func noRoute() throws {
    var bench = try RouterBench()
    let v4 = bench.fromLeft(Routed.v4(to: "203.0.114.1")).errors
    let v6 = bench.fromLeft(Routed.v6(to: "2001:db8:ffff::1")).errors
    #expect(v4.map(\.type) == [3])
    #expect(v4.map(\.code) == [0])
    #expect(v6.map(\.type) == [1])
    #expect(v6.map(\.code) == [0])
    #expect(bench.dropReasons == [.ipNoRoute, .ipNoRoute])
    #expect(bench.router.explainRoute(to: "203.0.114.1").route == nil)
  }

  @Test(
    "Who is behind a neighbour that does not answer is told that the host is unreachable",
    .rfc(1812, "RR-7"), .rfc(4443, section: "3.1"), .rfc(4861, section: "7.2.2"),
    arguments: IPVersion.allCases)
  func silentNeighbor(version: IPVersion) throws {
    var bench = try RouterBench(introducesNeighbors: false)
    bench.introduce(RouterBench.macA, RouterBench.a4, RouterBench.a6, on: RouterBench.left)
    let first = bench.send(version)
    // Only the question.
    #expect(first.map(\.interface) == [RouterBench.right])
    #expect(first.errors.isEmpty)
    let errors = bench.run(for: .seconds(10)).errors.filter { $0.interface == RouterBench.left && $0.type < 128 }
    #expect(errors.map(\.type) == [version == .v4 ? 3 : 1])
    #expect(errors.map(\.code) == [version == .v4 ? 1 : 3])
    #expect(errors.first?.body == Routed.oneHopOn(version == .v4 ? Routed.v4().bytes : Routed.v6().bytes))
    #expect(bench.dropReasons == [.neighborUnresolved])
  }

  @Test("Packets wait for the neighbour's address, and then go in order", arguments: IPVersion.allCases)
  func waiting(version: IPVersion) throws {
    var bench = try RouterBench(introducesNeighbors: false)
    for index in 0..<3 { _ = bench.send(version, [UInt8(index)]) }
    var ready: [RouterBench.Sent] = []
    let isV4 = version == .v4
    if isV4 {
      ready = bench.inject(
        Frames.ethernet(
          to: RouterBench.macRight, from: RouterBench.macB, type: 0x0806,
          Frames.arp(
            operation: 2, senderMAC: RouterBench.macB, sender: RouterBench.b4, targetMAC: RouterBench.macRight,
            target: RouterBench.right4)), on: RouterBench.right)
    } else {
      let body = Frames.bytes(of: IPAddress(RouterBench.b6)) + [2, 1] + Frames.bytes(of: RouterBench.macB)
      var answer = IPv6Frame(from: RouterBench.b6, to: RouterBench.right6, protocol: 58, [])
      answer.hopLimit = 255
      answer.payload = ICMPFrame(type: 136, word: 0x6000_0000, body)
        .bytes(from: IPAddress(RouterBench.b6), to: IPAddress(RouterBench.right6))
      ready = bench.inject(
        Frames.ethernet(to: RouterBench.macRight, from: RouterBench.macB, type: 0x86dd, answer.bytes),
        on: RouterBench.right)
    }
    #expect(ready.map { $0.bytes.last } == [0, 1, 2])
    #expect(ready.allSatisfy { $0.interface == RouterBench.right && $0.mac == Frames.bytes(of: RouterBench.macB) })
  }

  @Test(
    "A router is one of all routers, and says that it is one", .rfc(4861, section: "7.2.4"), .rfc(4291, section: "2.8"))
  func isRouter() throws {
    for (forwarding, isRouter) in [(Host.Configuration.Forwarding.router, true), (.off, false)] {
      var bench = try RouterBench(forwarding: forwarding)
      let target = IPAddress(RouterBench.left6)
      var question = IPv6Frame(from: RouterBench.a6, to: RouterBench.left6, protocol: 58, [])
      question.hopLimit = 255
      question.payload = ICMPFrame(type: 135, Frames.bytes(of: target)).bytes(
        from: IPAddress(RouterBench.a6), to: target)
      let answer = bench.fromLeft(question).first
      #expect(answer.map { $0.bytes[54] } == 136)
      #expect(answer.map { $0.bytes[58] & 0x80 != 0 } == isRouter)

      let everyRouter: IPv6Address = "ff02::2"
      let ping = ICMPFrame(type: 128, word: 7).bytes(from: IPAddress(RouterBench.a6), to: IPAddress(everyRouter))
      let answers = bench.inject(
        Frames.ethernet(
          to: "33:33:00:00:00:02", from: RouterBench.macA, type: 0x86dd,
          IPv6Frame(from: RouterBench.a6, to: everyRouter, protocol: 58, ping).bytes), on: RouterBench.left)
      #expect(answers.errors.map(\.type) == (isRouter ? [129] : []))
    }
  }

  @Test("A router that offers no sockets says so to every program that wants one")
  func sockets() throws {
    var bench = try RouterBench { $0.offersSockets = false }
    let now = bench.now
    #expect(throws: SocketError.offersNoSockets) {
      try bench.router.openDatagram(on: SocketAddress(.any(.v6), port: 7))
    }
    #expect(throws: SocketError.offersNoSockets) { try bench.router.listen(on: SocketAddress(.any(.v6), port: 7)) }
    #expect(throws: SocketError.offersNoSockets) { try bench.router.openEcho(version: .v4) }
    #expect(throws: SocketError.offersNoSockets) {
      try bench.router.connect(to: SocketAddress(IPAddress(RouterBench.b4), port: 7), at: now)
    }
  }
}

@Suite("What a router does not pass on")
struct NotForwardedTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var reason: Drop.Reason
    var packet: IPv4Frame
    var testDescription: String { name }
  }

  static let v4: [Case] = [
    Case(name: "to a subnet's broadcast address", reason: .forwardBroadcast, packet: Routed.v4(to: "198.51.100.255")),
    Case(name: "to everybody", reason: .udpNoSocket, packet: Routed.v4(to: "255.255.255.255")),
    Case(name: "to a group", reason: .forwardDestination, packet: Routed.v4(to: "239.1.2.3")),
    Case(name: "to this network", reason: .forwardDestination, packet: Routed.v4(to: "0.1.2.3")),
    Case(name: "to nobody", reason: .forwardDestination, packet: Routed.v4(to: "250.1.2.3")),
    Case(name: "to a loopback address", reason: .ipLoopbackFromWire, packet: Routed.v4(to: "127.1.2.3")),
    Case(name: "to a link-local address", reason: .forwardDestination, packet: Routed.v4(to: "169.254.1.1")),
    Case(name: "from a link-local address", reason: .forwardSource, packet: Routed.v4(from: "169.254.1.1")),
    Case(name: "from everybody", reason: .ipSourceInvalid, packet: Routed.v4(from: "255.255.255.255")),
    Case(name: "from this network", reason: .ipSourceInvalid, packet: Routed.v4(from: "0.0.0.0")),
    Case(name: "from a group", reason: .ipSourceInvalid, packet: Routed.v4(from: "224.0.0.5")),
    Case(name: "from a loopback address", reason: .ipLoopbackFromWire, packet: Routed.v4(from: "127.0.0.1")),
    Case(name: "from the router", reason: .ipSourceSpoofed, packet: Routed.v4(from: RouterBench.right4)),
    Case(
      name: "along a source route", reason: .ipSourceRouted, packet: Routed.v4(options: [131, 7, 4, 203, 0, 113, 1, 0])),
  ]

  @Test(
    "IPv4 packets that are nobody's are dropped, each with its reason, and nobody is told",
    .rfc(1812, "RR-5"), .rfc(1812, "RR-16"), .rfc(1812, "RR-1"),
    .rfc(2644, section: "2"), .rfc(3927, section: "7"), arguments: v4)
  func martians(test: Case) throws {
    var bench = try RouterBench()
    #expect(bench.fromLeft(test.packet) == [])
    #expect(bench.dropReasons == [test.reason])
    #expect(bench.pool.statistics.blocksInUse == 0)
  }

  @Test(
    "IPv6 packets stay in their scope", .rfc(4007, section: "9"), .rfc(4291, section: "2.5.2"),
    .rfc(4291, section: "2.5.3"), .rfc(4291, section: "2.5.6"))
  func scopes() throws {
    var bench = try RouterBench()
    // The sender of a link-local one is told, as the answer would not find it (RFC 4007 section 9).
    let errors = bench.fromLeft(Routed.v6(from: RouterBench.n6), mac: RouterBench.macN).errors
    #expect(errors.map(\.type) == [1])
    #expect(errors.map(\.code) == [2])
    #expect(bench.fromLeft(Routed.v6(to: "fe80::77")) == [])
    #expect(bench.fromLeft(Routed.v6(to: "ff0e::77")) == [])
    #expect(bench.fromLeft(Routed.v6(to: "::1")) == [])
    #expect(bench.fromLeft(Routed.v6(from: "::1")) == [])
    #expect(bench.fromLeft(Routed.v6(from: "::")) == [])
    #expect(
      bench.dropReasons == [
        .ipSourceInvalid, .ipLoopbackFromWire, .ipLoopbackFromWire, .forwardSource, .forwardDestination,
        .forwardDestination,
      ])
  }

  @Test("What the link sent to everybody is not spread", .rfc(1812, "RR-15"), arguments: IPVersion.allCases)
  func linkBroadcast(version: IPVersion) throws {
    var bench = try RouterBench()
    let packet = version == .v4 ? Routed.v4().bytes : Routed.v6().bytes
    let frame = Frames.ethernet(to: .broadcast, from: RouterBench.macA, type: version == .v4 ? 0x0800 : 0x86dd, packet)
    #expect(bench.inject(frame, on: RouterBench.left) == [])
    #expect(bench.dropReasons == [.ipBroadcastMismatch])
  }

  @Test(
    "With a reverse path check a packet has to come from where answers go", .rfc(1812, "RR-17"),
    .rfc(3704, section: "2.2"))
  func reversePath() throws {
    for checks in [true, false] {
      var forwarding = Host.Configuration.Forwarding.router
      forwarding.checksReversePath = checks
      var bench = try RouterBench(forwarding: forwarding)
      #expect(bench.fromLeft(Routed.v4(from: RouterBench.far4)).count == (checks ? 0 : 1))
      #expect(bench.fromLeft(Routed.v6(from: RouterBench.far6)).count == (checks ? 0 : 1))
      #expect(bench.fromLeft(Routed.v4()).count == 1)
      #expect(bench.fromLeft(Routed.v6(from: RouterBench.detour6)).count == 1)
      #expect(bench.dropReasons == (checks ? [.forwardReversePath, .forwardReversePath] : []))
    }
  }

  @Test(
    "No error is sent about an ICMP error", .rfc(1812, "RR-6"), .rfc(4443, section: "2.4"),
    arguments: IPVersion.allCases)
  func aboutErrors(version: IPVersion) throws {
    var bench = try RouterBench()
    let body = [UInt8](repeating: 0, count: 48)
    let sent: [RouterBench.Sent]
    if version == .v4 {
      var packet = Routed.v4(hops: 1)
      packet.protocol = 1
      packet.payload = ICMPFrame(type: 3, code: 1, body)
        .bytes(from: IPAddress(packet.source), to: IPAddress(packet.destination))
      sent = bench.fromLeft(packet)
    } else {
      var packet = Routed.v6(hops: 1)
      packet.protocol = 58
      packet.payload = ICMPFrame(type: 1, code: 3, body)
        .bytes(from: IPAddress(packet.source), to: IPAddress(packet.destination))
      // Behind an extension header too.
      packet.extensions = [(60, IPv6Frame.optionsBody([]))]
      sent = bench.fromLeft(packet)
    }
    #expect(sent == [])
    #expect(bench.dropReasons == [.forwardHopLimit])
    #expect(bench.router.forwardingCounters.sentErrors == 0)
  }

  @Test("No error is sent about a later fragment", .rfc(1812, "RR-6"))
  func aboutFragments() throws {
    var bench = try RouterBench()
    #expect(bench.fromLeft(Routed.v4(hops: 1, fragmentField: 0x2000)).errors.map(\.type) == [11])
    #expect(bench.fromLeft(Routed.v4(hops: 1, fragmentField: 0x2001)) == [])
    #expect(bench.dropReasons == [.forwardHopLimit, .forwardHopLimit])
  }

  @Test("Errors are not sent more often than the bound", .rfc(1812, "RR-6"), .rfc(4443, section: "2.4"))
  func rateLimit() throws {
    var bench = try RouterBench {
      $0.internet.icmpErrorsPerSecond = 10
      $0.internet.icmpErrorBurst = 5
    }
    var count = 0
    for _ in 0..<20 { count += bench.send(.v4, hops: 1).errors.count }
    #expect(count == 5)
    #expect(bench.router.drops[.icmpRateLimited] == 15)
    #expect(bench.router.drops[.forwardHopLimit] == 20)
    bench.now = bench.now.advanced(by: .seconds(10))
    #expect(bench.send(.v4, hops: 1).errors.count == 1)
  }
}
