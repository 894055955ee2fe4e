import Martlet
import MartletCore
import MartletWire
import Testing

@Suite("Three hosts and two routers")
struct RouterTests {
  @Test("Everybody reaches everybody by UDP", arguments: IPVersion.allCases)
  func datagrams(version: IPVersion) async throws {
    let net = try Internetwork()
    let answers = try await net.loop.run {
      for host in [net.b, net.c] {
        let server = try host.bindUDP(on: 7)
        let name = host.name
        net.loop.task {
          while true {
            let question = try await server.receive()
            try server.send("\(name) heard \(String(decoding: question.bytes, as: UTF8.self))", to: question.source)
          }
        }
      }
      let socket = try net.a.bindUDP()
      var answers: [String] = []
      for address in [Internetwork.b(version), Internetwork.c(version)] {
        try socket.send("hello", to: SocketAddress(address, port: 7))
        answers.append(String(decoding: try await socket.receive().bytes, as: UTF8.self))
      }
      return answers
    }
    #expect(answers == ["b heard hello", "c heard hello"])
    #expect(net.near.forwardingCounters.forwardedPackets == 4)
    #expect(net.distant.forwardingCounters.forwardedPackets == 2)
    net.loop.shutdown()
  }

  @Test(
    "A megabyte by TCP finds the narrow link's size by itself, whatever the version", arguments: IPVersion.allCases,
    [1_500, 1_280])
  func stream(version: IPVersion, mtu: Int) async throws {
    let net = try Internetwork(mtuBetween: mtu)
    let data = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 9) }
    let received = try await net.loop.run {
      let listener = try net.b.listen(on: 80)
      net.loop.task {
        let connection = try await listener.accept()
        _ = try await connection.read()
        try await connection.write(data)
        connection.close()
      }
      let socket = try await net.a.connect(to: SocketAddress(Internetwork.b(version), port: 80))
      try await socket.write("please")
      let received = try await socket.readToEnd()
      socket.close()
      return received
    }
    #expect(received == data)
    let refused = mtu == 1_500 ? 0 : 1
    // The routers said it once for each flight that was under way, and then no more.
    #expect((net.distant.drops[.ipTooBig] > 0 ? 1 : 0) == refused)
    #expect(net.distant.drops[.ipTooBig] < 30)
    #expect(net.distant.drops.total == net.distant.drops[.ipTooBig])
    #expect(net.near.drops.total == 0)
    #expect(net.distant.forwardingCounters.fragmentedPackets == 0)
    net.loop.shutdown()
  }

  @Test("Large datagrams go over the narrow link in fragments that routers and sources make")
  func fragments() async throws {
    let net = try Internetwork(mtuBetween: 1_280)
    let counts = try await net.loop.run {
      var counts: [Int] = []
      for version in IPVersion.allCases {
        let server = try net.b.bindUDP(on: version == .v4 ? 7 : 8)
        let socket = try net.a.bindUDP()
        let to = SocketAddress(Internetwork.b(version), port: version == .v4 ? 7 : 8)
        // Over IPv6 the first one is lost, and says how large the next may be (RFC 8201).
        try socket.send([UInt8](repeating: 1, count: 1_400), to: to)
        try await net.loop.clock.sleep(for: .seconds(1))
        try socket.send([UInt8](repeating: 2, count: 4_000), to: to)
        while counts.last != 4_000 { counts.append(try await server.receive().bytes.count) }
        counts.append(0)
      }
      return counts
    }
    #expect(counts == [1_400, 4_000, 0, 4_000, 0])
    #expect(net.near.forwardingCounters.fragmentedPackets > 0)
    #expect(net.near.drops[.ipTooBig] == 1)
    net.loop.shutdown()
  }

  @Test("A ping crosses two routers, and with few hops each router answers in turn", arguments: IPVersion.allCases)
  func traceroute(version: IPVersion) async throws {
    let net = try Internetwork()
    let destination = Internetwork.b(version)
    let (time, path) = try await net.loop.run {
      // The first one asks for Ethernet addresses as well.
      _ = try await net.a.ping(destination)
      let time = try await net.a.ping(destination)
      let socket = try net.a.openEcho(version)
      var path: [(IPAddress, ReceivedEcho.Kind)] = []
      for hops in 1...3 as ClosedRange<UInt8> {
        try socket.send(sequence: UInt16(hops), to: destination, hopLimit: hops)
        let (echo, _) = try await socket.receive()
        path.append((echo.source.address, echo.kind))
      }
      return (time, path)
    }
    #expect(time > .milliseconds(30))
    #expect(time < .milliseconds(31))
    let routers: [IPAddress] = version == .v4 ? ["10.0.1.1", "10.0.12.2"] : ["fd01::1", "fd12::2"]
    #expect(path.map(\.0) == routers + [destination])
    #expect(path.map(\.1) == [.timeExceeded, .timeExceeded, .reply])
    #expect(net.near.drops[.forwardHopLimit] == 1)
    #expect(net.distant.drops[.forwardHopLimit] == 1)
    net.loop.shutdown()
  }

  @Test(
    "Who is asked for but not there, and what no route leads to, is unreachable by the last router",
    arguments: IPVersion.allCases)
  func unreachable(version: IPVersion) async throws {
    let net = try Internetwork()
    let absent: IPAddress = version == .v4 ? "10.0.2.99" : "fd02::99"
    let nowhere: IPAddress = version == .v4 ? "172.16.0.1" : "2001:db8::1"
    let last: IPAddress = version == .v4 ? "10.0.12.2" : "fd12::2"
    let first: IPAddress = version == .v4 ? "10.0.1.1" : "fd01::1"
    await #expect(throws: SocketError.unreachable(by: last)) {
      try await net.loop.run { _ = try await net.a.ping(absent) }
    }
    await #expect(throws: SocketError.unreachable(by: first)) {
      try await net.loop.run { _ = try await net.a.ping(nowhere) }
    }
    #expect(net.near.explainRoute(to: nowhere).route == nil)
    #expect(net.near.explainRoute(to: absent).route?.nextHop == .gateway(version == .v4 ? "10.0.12.2" : "fd12::2"))
    net.loop.shutdown()
  }

  @Test("A router offers no sockets and says so; a host that forwards offers both")
  func sockets() async throws {
    let net = try Internetwork()
    #expect(net.near.isRouter)
    #expect(net.near.role == .router)
    #expect(net.a.role == .host)
    #expect(throws: SocketError.offersNoSockets) { try net.near.listen(on: 80) }
    #expect(throws: SocketError.offersNoSockets) { try net.near.bindUDP(on: 80) }
    #expect(throws: SocketError.offersNoSockets) { try net.near.openEcho(.v6) }
    await #expect(throws: SocketError.offersNoSockets) {
      try await net.loop.run { _ = try await net.near.connect(to: SocketAddress(Internetwork.b4, port: 80)) }
    }
    #expect("\(SocketError.offersNoSockets)".contains("router"))
    #expect(!net.a.forwards)
    net.a.forwards = true
    #expect(net.a.forwards)
    #expect(net.a.forwarding == .router)
    #expect(net.a.role == .host)
    _ = try net.a.bindUDP(on: 7)
    net.near.forwards = false
    await #expect(throws: SocketError.timedOut(after: .seconds(5))) {
      try await net.loop.run { _ = try await net.a.ping(Internetwork.c4) }
    }
    #expect(net.near.drops[.ipNotForUs] == 1)
    net.loop.shutdown()
  }
}
