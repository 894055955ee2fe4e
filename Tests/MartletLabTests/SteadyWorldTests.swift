import AllocationCounter
import Martlet
import MartletCore
import MartletWire
import Testing

@testable import MartletLab

@Suite("No memory is asked of the system for a frame on its way")
struct SteadyWorldTests {
  /// A host behind a switch, and two routers with a switch between them that hold each other for the way to a network nobody
  /// has, so that a packet goes to and fro until its hops are used up.
  private func ring(_ line: LinkDirection) -> WorldDescription {
    var world = WorldDescription("ring")
    world.host("host") { $0.tuning.timeToLive = 255 }
    world.router("left") {
      $0.routes = [.init(to: "203.0.113.0/24", via: "192.0.2.2")]
    }
    world.router("right") {
      $0.routes = [.init(to: "203.0.113.0/24", via: "192.0.2.1")]
    }
    world.switch("near")
    world.switch("middle")
    world.wire("host", "near", line)
    world.wire("near", "left", line)
    world.wire(.init("left", addresses: ["192.0.2.1/24"]), "middle", line, name: "first")
    world.wire("middle", .init("right", addresses: ["192.0.2.2/24"]), line, name: "second")
    return world
  }

  private static let lines: [LinkDirection] = {
    var faulty = LinkDirection(rate: 100_000_000, delay: .microseconds(50))
    faulty.jitter = .init(.microseconds(20), keepsOrder: false)
    faulty.queue.discipline = .coDel()
    return [LinkDirection(rate: 100_000_000, delay: .microseconds(50)), LinkDirection(), faulty]
  }()

  @Test("Wires, switches and routers move frames without allocating", arguments: [0, 1, 2])
  func wires(line: Int) throws {
    guard allocation_counter_is_active() else { return }
    let world = try World(ring(Self.lines[line]), isRecorded: false)
    let host = try world.host("host")
    let hops = {
      try ["first", "second"].flatMap { try world.counters(of: $0) }.reduce(0) { $0 + $1.delivered }
    }
    let turn = { @Sendable (count: Int) async throws -> UInt64 in
      let socket = try host.bindUDP()
      defer { socket.close() }
      for _ in 0..<count { try socket.send([1, 2, 3], to: SocketAddress("203.0.113.9", port: 9)) }
      let before = allocation_counter_value()
      try await host.loop.clock.sleep(for: .seconds(5))
      return allocation_counter_value() - before
    }
    // The first packets wait for addresses, queues and tables grow to what is needed.
    for _ in 0..<3 { _ = try world.runAndWait { try await turn(20) } }
    let idle = try world.runAndWait { try await turn(0) }
    let before = try hops()
    let busy = try world.runAndWait { try await turn(20) }
    #expect(try hops() - before > 9_000)
    #expect(busy == idle)
  }
}
