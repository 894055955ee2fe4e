import Martlet
import MartletCore
import MartletWire
import Testing

@testable import MartletLab

@Suite("Switches and segments")
struct SwitchTests {
  private func world(ageing: Duration = .seconds(300), isSegment: Bool = false) throws -> World {
    var description = WorldDescription("lan")
    for name in ["a", "b", "c"] { description.host(name) }
    if isSegment { description.segment("s") } else { description.switch("s") { $0.ageing = ageing } }
    for name in ["a", "b", "c"] {
      description.wire(
        .init(name), "s", isSegment ? LinkDirection() : LinkDirection(rate: 100_000_000, delay: .microseconds(1)))
    }
    return try World(description)
  }

  /// How many echo requests went to `c` when `a` asked `b`.
  private func overheard(_ recording: Recording) -> Int {
    recording.frames.count { frame in
      let view = recording.view(frame)
      return frame.link == recording.link("c-s") && frame.end == 1 && view.protocol == .icmpv4
    }
  }

  @Test("A switch that has learnt where a station is sends its frames there alone")
  func learns() throws {
    let world = try world()
    let a = try world.host("a")
    let b = try world.address(of: "b")
    _ = try world.runAndWait { for _ in 0..<5 { _ = try await a.ping(b) } }
    #expect(try world.stations(of: "s").map { $0[1] } == ["port0", "port1", "port2"])
    #expect(overheard(world.finish()) == 0)
  }

  @Test("A switch forgets a station that it has not heard for a while, and floods again")
  func ages() throws {
    let world = try world(ageing: .seconds(20))
    let (a, b) = (try world.host("a"), try world.host("b"))
    let (first, second) = (try world.address(of: "a"), try world.address(of: "b"))
    _ = try world.runAndWait {
      _ = try await a.ping(second)
      try await a.loop.clock.sleep(for: .seconds(60))
      #expect(try world.stations(of: "s").isEmpty)
      // The neighbour caches still know; the switch does not: what a sends to b everybody hears.
      let inbox = try b.bindUDP(on: 9)
      try a.bindUDP().send("x", to: SocketAddress(second, port: 9))
      _ = try await inbox.receive()
    }
    _ = first
    let recording = world.finish()
    let heard = recording.frames.count { frame in
      frame.link == recording.link("c-s") && frame.end == 1 && recording.view(frame).protocol == .udp
    }
    #expect(heard == 1)
  }

  @Test("On a segment everybody hears everything")
  func segment() throws {
    let world = try world(isSegment: true)
    let a = try world.host("a")
    let b = try world.address(of: "b")
    _ = try world.runAndWait { for _ in 0..<5 { _ = try await a.ping(b) } }
    #expect(overheard(world.finish()) == 10)
  }

  @Test("Routes follow the fewest routers, and a host behind one router sends it everything")
  func routes() throws {
    // r1 - r2 - r4 is shorter than r1 - r3 - r5 - r4.
    var description = WorldDescription("mesh")
    description.host("a")
    description.host("b")
    for number in 1...5 { description.router("r\(number)") }
    let way = LinkDirection(delay: .milliseconds(1))
    for (left, right) in [
      ("a", "r1"), ("r1", "r3"), ("r3", "r5"), ("r5", "r4"), ("r1", "r2"), ("r2", "r4"), ("r4", "b"),
    ] {
      description.wire(.init(left), .init(right), way)
    }
    let world = try World(description)
    let a = try world.host("a")
    let b = try world.address(of: "b")
    let time = try world.runAndWait {
      _ = try await a.ping(b)
      return try await a.ping(b)
    }
    #expect(time == .milliseconds(8))
    let table = a.routeTable().filter { $0.destination.version == .v4 && $0.destination.prefixLength == 0 }
    #expect(table.count == 1)
    let recording = world.finish()
    #expect(
      !recording.frames.contains { frame in
        frame.link == recording.link("r3-r5") && recording.view(frame).protocol == .icmpv4
      })
  }

  @Test("A route by hand takes the place of a computed one")
  func byHand() throws {
    var description = WorldDescription("by hand")
    description.host("a")
    description.host("b")
    description.router("r1") { $0.routes = [.init(to: "198.51.100.0/24", via: "203.0.113.2")] }
    description.router("r2") { $0.routes = [.init(to: "192.0.2.0/24", via: "203.0.113.1")] }
    description.computesRoutes = false
    let way = LinkDirection(delay: .milliseconds(1))
    description.wire(.init("a", addresses: ["192.0.2.1/24"]), .init("r1", addresses: ["192.0.2.254/24"]), way)
    description.wire(.init("r1", addresses: ["203.0.113.1/30"]), .init("r2", addresses: ["203.0.113.2/30"]), way)
    description.wire(.init("r2", addresses: ["198.51.100.254/24"]), .init("b", addresses: ["198.51.100.1/24"]), way)
    let world = try World(description)
    let (a, b) = (try world.host("a"), try world.host("b"))
    try a.addDefaultRoute(via: "192.0.2.254")
    try b.addDefaultRoute(via: "198.51.100.254")
    _ = try world.runAndWait { try await a.ping("198.51.100.1") }
  }

  @Test("A pool leaves out what is given by hand elsewhere")
  func pools() throws {
    var description = WorldDescription("pools")
    for name in ["a", "b", "c", "d"] { description.host(name) }
    description.wire("a", "b")
    description.wire(.init("c", addresses: ["10.0.0.9/24"]), "d")
    let world = try World(description)
    #expect(
      try ["a", "b", "c", "d"].map { "\(try world.address(of: $0))" } == [
        "10.0.1.1", "10.0.1.2", "10.0.0.9", "10.0.0.1",
      ])
  }

  @Test("Each router on the way takes one from the hop limit")
  func hopLimit() throws {
    let world = try World(figure())
    let client = try world.host("client")
    let server = try world.address(of: "server")
    let limits = try world.runAndWait { () -> [UInt8] in
      _ = try await client.ping(server)
      let echo = try client.openEcho(.v4)
      defer { echo.close() }
      try echo.send([1], sequence: 1, to: server)
      return [try await echo.receive().echo.hopLimit]
    }
    #expect(limits == [62])
  }
}
