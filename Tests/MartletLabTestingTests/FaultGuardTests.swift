import MartletCore
import MartletLab
import MartletWire
import Testing

@testable import MartletLabTesting

@Suite("Faults that end", .world(office(["a", "b", "c"])))
struct FaultGuardTests {
  /// Expects that `source` gets an answer from `destination`, or none, after ARP has asked three times.
  private func expect(
    _ source: String, reaches destination: String, _ expected: Bool = true,
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let world = try World.current
    let (host, address) = (try world.host(source), try world.address(of: destination))
    let isReached = (try? await host.ping(address, timeout: .seconds(3))) != nil
    #expect(isReached == expected, sourceLocation: sourceLocation)
  }

  @Test("A partition keeps both sides apart while its body runs, and no one else")
  func partition() async throws {
    let world = try World.current
    try await world.partition(["a"], from: ["b"]) {
      try await expect("a", reaches: "b", false)
      try await expect("a", reaches: "c")
      try await expect("b", reaches: "c")
    }
    try await expect("a", reaches: "b")
  }

  @Test("A partition from nobody named is one from all others")
  func alone() async throws {
    let world = try World.current
    try await world.partition(["c"]) {
      try await expect("a", reaches: "c", false)
      try await expect("c", reaches: "b", false)
      try await expect("a", reaches: "b")
    }
  }

  @Test("A guard lasts to the end of its scope, or until it is told to heal")
  func guards() async throws {
    let world = try World.current
    do {
      let cut = try world.partition(["a"], from: ["b"])
      try await expect("a", reaches: "b", false)
      cut.heal()
      try await expect("a", reaches: "b")
      let second = try world.down("b-hub")
      try await expect("a", reaches: "b", false)
      _ = second
    }
    try await expect("a", reaches: "b")
  }

  @Test("A fault ends when an error leaves its scope")
  func thrown() async throws {
    let world = try World.current
    await #expect(throws: CancellationError.self) {
      try await world.partition(["a"], from: ["b"]) { throw CancellationError() }
    }
    try await expect("a", reaches: "b")
    #expect(throws: CancellationError.self) {
      let cut = try world.down("a-hub")
      if world.seed != 0 { throw CancellationError() }
      cut.heal()
    }
    try await expect("a", reaches: "b")
  }

  @Test("Of two faults on one place the first to end does not end the other")
  func twice() async throws {
    let world = try World.current
    let first = try world.partition(["a"], from: ["b"])
    let second = try world.partition(["b"], from: ["a", "c"])
    first.heal()
    try await expect("a", reaches: "b", false)
    try await expect("a", reaches: "c")
    second.heal()
    try await expect("a", reaches: "b")
    try await expect("b", reaches: "c")
    let third = try world.down("a-hub")
    let fourth = try world.down("a-hub")
    third.heal()
    try await expect("a", reaches: "b", false)
    fourth.heal()
    try await expect("a", reaches: "b")
  }

  @Test("A held link delivers everything when it is released")
  func hold() async throws {
    let world = try World.current
    let (a, b) = (try world.host("a"), try world.host("b"))
    let address = try world.address(of: "b")
    let socket = try b.bindUDP(on: 9)
    let sender = try a.bindUDP()
    _ = try await a.ping(address)
    try await world.hold("b-hub") {
      for text in ["one", "two"] { try sender.send(text, to: SocketAddress(address, port: 9)) }
      try await world.sleep(for: .seconds(5))
      #expect(world.snapshot().link("b-hub")?.back.travelingFrames == 2)
      #expect(world.snapshot().link("b-hub")?.back.isHeld == true)
    }
    #expect(String(decoding: try await socket.receive().bytes, as: UTF8.self) == "one")
    #expect(String(decoding: try await socket.receive().bytes, as: UTF8.self) == "two")
  }

  @Test("A host that crashes runs its programs again when the fault is over")
  func crash() async throws {
    let world = try World.current
    try world.application(on: "b") { host in
      let listener = try host.listen(on: 80)
      for try await connection in listener { connection.close() }
    }
    try await world.eventually { world.snapshot().node("b")?.sockets.count == 1 }
    try await world.crash("b") {
      #expect(world.snapshot().node("b")?.condition == .crashed)
      try await expect("a", reaches: "b", false)
    }
    try await expect("a", reaches: "b")
    try await world.eventually { world.snapshot().node("b")?.sockets.map(\.kind) == [.listener] }
  }

  @Test("A host that stands still goes on when the fault is over, unless it crashed meanwhile")
  func pause() async throws {
    let world = try World.current
    try await world.pause("b") {
      #expect(world.snapshot().node("b")?.condition == .paused)
      try await expect("a", reaches: "b", false)
    }
    try await expect("a", reaches: "b")
    let pause = try world.pause("b")
    let crash = try world.crash("b")
    pause.heal()
    try await expect("a", reaches: "b", false)
    crash.heal()
    try await expect("a", reaches: "b")
  }

  @Test("A link that was made worse is what it was when the fault is over")
  func impair() async throws {
    let world = try World.current
    let (a, b) = (try world.host("a"), try world.address(of: "b"))
    _ = try await a.ping(b)
    #expect(try await a.ping(b) == .milliseconds(2))
    try await world.impair("a-hub", { $0.delay = .milliseconds(100) }) {
      let slow = try await a.ping(b)
      #expect(slow == .milliseconds(201))
      let loss = try world.impair("a-hub") { $0.loss = .random(1) }
      try await expect("a", reaches: "b", false)
      loss.heal()
      let slowAgain = try await a.ping(b)
      #expect(slowAgain == .milliseconds(201))
    }
    #expect(try await a.ping(b) == .milliseconds(2))
  }

  @Test("Faults that end in another order than they began leave the link as it was")
  func order() async throws {
    let world = try World.current
    let before = try world.directions(of: "a-hub")
    let first = try world.impair("a-hub") { $0.duplication = 0.5 }
    let second = try world.impair("a-hub") { $0.mtu = 576 }
    first.heal()
    #expect(try world.directions(of: "a-hub").there.mtu == 576)
    second.heal()
    #expect(try world.directions(of: "a-hub").there == before.there)
    #expect(try world.directions(of: "a-hub").back == before.back)
  }

  @Test("What is not there, or makes no sense, is told")
  func mistakes() throws {
    let world = try World.current
    func message(_ body: () throws -> Void) -> String {
      do {
        try body()
        return "nothing"
      } catch { return "\(error)" }
    }
    #expect(message { _ = try world.partition(["a"], from: ["d"]) }.contains("no node called \"d\""))
    #expect(message { _ = try world.partition(["a"], from: ["a"]) }.contains("cut off from itself"))
    #expect(message { _ = try world.partition([], from: ["a"]) }.contains("on both sides"))
    #expect(message { _ = try world.partition(["hub"]) }.contains("has no addresses"))
    #expect(message { _ = try world.down("a-hob") }.contains("Did you mean \"a-hub\"?"))
    #expect(message { _ = try world.crash("d") }.contains("no node called \"d\""))
    #expect(message { _ = try world.impair("a-hub") { $0.rate = 0 } }.contains("rate of 0"))
  }
}
