import MartletCore
import MartletLab
import MartletWire
import Testing

@testable import MartletLabTesting

@Suite("Snapshots")
struct SnapshotTests {
  static let description: WorldDescription = {
    var description = WorldDescription("snapshot")
    description.host("client")
    description.router("router")
    description.host("server")
    description.switch("switch")
    description.wire("client", "switch")
    description.wire("switch", "router", LinkDirection(delay: .milliseconds(1)))
    description.wire("router", "server", LinkDirection(rate: 1_000_000, delay: .milliseconds(10)), name: "slow")
    return description
  }()

  @Test("A snapshot tells of sockets, tables and links, in words that stay", .world(description, pinnedTo: 1))
  func text() async throws {
    let world = try World.current
    let (client, server) = (try world.host("client"), try world.host("server"))
    let listener = try server.listen(on: 80)
    let echo = try server.bindUDP(on: 7)
    let connection = try await client.connect(to: SocketAddress(world.address(of: "server"), port: 80))
    let accepted = try await listener.accept()
    try await connection.write([UInt8](repeating: 1, count: 4_000))
    try await world.sleep(for: .milliseconds(20))
    let snapshot = world.snapshot()
    let port = try #require(snapshot.node("client")?.sockets.first?.local.port)
    #expect(
      snapshot.description.replacing(":\(port)", with: ":PORT") == """
        at 0.064736 s
        host client
          tcp 10.0.0.2:PORT > 10.0.1.2:80 ESTABLISHED 4000 bytes to send
          neighbour 10.0.0.1 at 02:00:00:00:02:01 on eth0, delay
          route 0.0.0.0/0 via 10.0.0.1 on eth0
          route 10.0.0.0/24 on the link on eth0
        router router
          neighbour 10.0.0.2 at 02:00:00:00:01:01 on eth0, delay
          neighbour 10.0.1.2 at 02:00:00:00:03:01 on eth1, delay
          route 10.0.0.0/24 on the link on eth0
          route 10.0.1.0/24 on the link on eth1
        host server
          listener *:80
          tcp 10.0.1.2:80 > 10.0.0.2:PORT ESTABLISHED
          udp *:7
          neighbour 10.0.1.1 at 02:00:00:00:02:02 on eth0, delay
          route 0.0.0.0/0 via 10.0.1.1 on eth0
          route 10.0.1.0/24 on the link on eth0
        switch switch
          station 02:00:00:00:01:01 behind port0
          station 02:00:00:00:02:01 behind port1
        link client-switch
          client > switch: 8 of 8 delivered
          switch > client: 4 of 4 delivered
        link switch-router
          switch > router: 8 of 8 delivered
          router > switch: 4 of 4 delivered
        link slow
          router > server: 5 of 8 delivered, 1 waiting (1170 bytes), 2 on the way
          server > router: 4 of 4 delivered
        """)
    _ = (echo, accepted)
  }

  @Test("Two snapshots are compared by value, and their differences are lines", .world(description, pinnedTo: 1))
  func differences() async throws {
    let world = try World.current
    let server = try world.host("server")
    // Hosts tell their neighbours of their addresses first.
    try await world.sleep(for: .seconds(10))
    try await world.quiet()
    let before = world.snapshot()
    #expect(before == world.snapshot())
    let listener = try server.listen(on: 80)
    let after = world.snapshot()
    #expect(before != after)
    #expect(after.differences(from: before) == ["+ server: listener *:80"])
    listener.close()
    try await world.sleep(for: .seconds(1))
    #expect(world.snapshot().differences(from: before).isEmpty)
    let down = try world.down("slow")
    #expect(
      world.snapshot().differences(from: before) == [
        "- slow: router > server: 2 of 2 delivered", "- slow: server > router: 2 of 2 delivered",
        "+ slow: router > server: 2 of 2 delivered, down", "+ slow: server > router: 2 of 2 delivered, down",
      ])
    down.heal()
  }
}
