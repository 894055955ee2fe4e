import MartletLabTesting
import NIOCore

@testable import HTTP1Server

/// The example's server and client as they are, in worlds where things go wrong.
@Suite("HTTP/1 in a world")
struct HTTP1WorldTests {
  static func office(isLossy: Bool) -> WorldDescription {
    var line = LinkDirection(rate: 10_000_000, delay: .milliseconds(10))
    if isLossy {
      line.loss = .random(0.1)
      line.jitter = .init(.milliseconds(30), keepsOrder: false)
    }
    var description = WorldDescription("office")
    description.host("client")
    description.router("router")
    description.host("server")
    description.wire("client", "router")
    description.wire("router", "server", line, name: "line")
    return description
  }

  @Test(
    "Both answers come over a line that loses a tenth", .world(office(isLossy: true), seeds: 1...20), .deterministic)
  func loss() async throws {
    let world = try World.current
    let (client, server) = (try world.host("client"), try world.host("server"))
    client.hosts = HostsTable("\(try world.address(of: "server")) server.example")
    let listener = try await listen(on: server)
    let answers = try await get(["/swift", "/martlet"], from: "server.example", on: client)
    #expect(answers == ["200 Hello from /swift", "200 Hello from /martlet"])
    sometimes("something was lost", world.snapshot().links.contains { $0.there.counters.lost > 0 })
    try await listener.close()
  }

  @Test("A request that meets a line that is down is answered when it is up again", .world(office(isLossy: false)))
  func outage() async throws {
    let world = try World.current
    let (client, server) = (try world.host("client"), try world.host("server"))
    client.hosts = HostsTable("\(try world.address(of: "server")) server.example")
    let listener = try await listen(on: server)
    async let asked = get(["/patience"], from: "server.example", on: client)
    try await world.down("line") { try await world.sleep(for: .seconds(5)) }
    let answers = try await asked
    #expect(answers == ["200 Hello from /patience"])
    #expect(world.loop.now >= Instant(nanoseconds: 5_000_000_000))
    try await listener.close()
  }
}
