import MartletCore
import MartletLab
import MartletWire
import Testing

@testable import MartletLabTesting

@Suite("Waiting in a world", .world(office(["a", "b"])))
struct PollingTests {
  @Test("What eventually holds is waited for, and not longer")
  func eventually() async throws {
    let world = try World.current
    let start = world.loop.now
    try await world.eventually(within: .seconds(3_600)) { world.loop.now >= Instant(nanoseconds: 90_000_000_500) }
    #expect(start.duration(to: world.loop.now) == .milliseconds(90_001))
  }

  @Test("What does not come is told with the world as it was then")
  func never() async throws {
    let world = try World.current
    let listener = try world.host("a").listen(on: 80)
    var failure: WorldExpectationFailure?
    let line = #line + 2
    do {
      try await world.eventually("a leader", within: .seconds(2)) { false }
    } catch let error as WorldExpectationFailure { failure = error }
    #expect(failure?.description == "Not within 2.0 seconds of the world's time: a leader")
    #expect(failure?.snapshot.time.nanoseconds == 2_000_000_000)
    #expect(failure?.snapshot.node("a")?.sockets.count == 1)
    #expect(failure?.sourceLocation.line == line)
    listener.close()
  }

  @Test("What holds always is seen at each step, to the end")
  func always() async throws {
    let world = try World.current
    var looks = 0
    try await world.always(for: .seconds(1), every: .milliseconds(10)) {
      looks += 1
      return true
    }
    #expect(looks == 101)
    let failure = await #expect(throws: WorldExpectationFailure.self) {
      try await world.always("peace", for: .seconds(10)) { world.loop.now < Instant(nanoseconds: 3_000_000_000) }
    }
    #expect(failure?.description == "Only for 2.0 seconds of 10.0 seconds: peace")
  }

  @Test("A world becomes quiet when all that was sent has arrived and is acknowledged")
  func quiet() async throws {
    let world = try World.current
    let (a, b) = (try world.host("a"), try world.host("b"))
    try world.application(on: "b") { host in
      let listener = try host.listen(on: 9)
      for try await connection in listener {
        host.loop.task { while try await !connection.read().isEmpty {} }
      }
    }
    let connection = try await a.connect(to: SocketAddress(b.addresses[0].address, port: 9))
    try await connection.write([UInt8](repeating: 1, count: 20_000))
    #expect(!world.snapshot().unrest.isEmpty)
    try await world.quiet()
    #expect(world.snapshot().unrest.isEmpty)
    #expect(world.snapshot().node("a")?.sockets.map(\.sendQueue) == [0])
  }

  @Test("A world that does not become quiet says who moves")
  func restless() async throws {
    let world = try World.current
    let (a, b) = (try world.host("a"), try world.address(of: "b"))
    let socket = try a.bindUDP()
    let sender = a.loop.task {
      while true {
        try socket.send("tick", to: SocketAddress(b, port: 9))
        try await world.sleep(for: .microseconds(100))
      }
    }
    let failure = await #expect(throws: WorldExpectationFailure.self) { try await world.quiet(within: .seconds(1)) }
    sender.cancel()
    let text = failure?.description ?? ""
    #expect(text.hasPrefix("The world did not become quiet within 1.0 seconds of its time:\n  a-hub: a > hub: "))
    #expect(text.hasSuffix("Somebody goes on sending, or a link holds or a peer does not answer what was sent."))
  }
}
