import Martlet
import MartletCore
import MartletWire
import Synchronization
import Testing

@testable import MartletLab

@Suite("A world's time")
struct WorldTimeTests {
  private func conversation(_ pace: WorldPace, _ policy: ForeignJobPolicy = .trap) throws -> World {
    var description = WorldDescription("conversation", seed: 5)
    description.host("client") { $0.clock.drift = 100 }
    description.host("server", services: [.init("uppercase")])
    var line = LinkDirection(rate: 10_000_000, delay: .milliseconds(20))
    line.loss = .random(0.1)
    description.wire("client", "server", line, name: "line")
    description.schedule = [
      .init(at: .milliseconds(700), .down(link: "line")), .init(at: .milliseconds(900), .up(link: "line")),
    ]
    return try World(description, pace: pace, foreignJobs: policy)
  }

  private func talk(in world: World) throws {
    let client = try world.host("client")
    let server = SocketAddress(try world.address(of: "server"), port: 12_000)
    try world.runAndWait {
      let connection = try await client.connect(to: server)
      for number in 0..<20 {
        try await connection.write("message \(number)")
        #expect(String(decoding: try await connection.read(), as: UTF8.self) == "MESSAGE \(number)")
        try await client.clock.sleep(for: .milliseconds(50))
      }
      connection.close()
    }
  }

  @Test("The same happens at the same times whether time jumps, is scaled or is real")
  func paces() throws {
    var prints: [UInt64] = []
    for pace in [WorldPace.virtual, .scaled(20), .scaled(5)] {
      let world = try conversation(pace)
      let start = ContinuousClock.now
      try talk(in: world)
      let wall = ContinuousClock.now - start
      let recording = world.finish()
      if let factor = pace.factor { #expect(wall >= .nanoseconds(recording.duration) / factor) }
      #expect(recording.isReplayable)
      prints.append(recording.fingerprint)
    }
    #expect(Set(prints).count == 1)
  }

  @Test("Real time passes while a run waits, and stands still between runs")
  func standsStill() throws {
    let world = try World("empty", pace: .realTime)
    let before = ContinuousClock.now
    try world.run(for: .milliseconds(30))
    #expect(ContinuousClock.now - before >= .milliseconds(30))
    let end = world.clock.now
    // What the system's clock does meanwhile is nothing to the world.
    let pause = ContinuousClock.now
    while ContinuousClock.now - pause < .milliseconds(20) {}
    #expect(world.clock.now == end)
    try world.run(for: .milliseconds(10))
    #expect(world.clock.now == end + 10_000_000)
    _ = world.finish()
  }

  @Test("A pace is read from words, and one that makes no sense is refused")
  func words() throws {
    #expect(WorldPace("virtual") == .virtual)
    #expect(WorldPace("real") == .realTime)
    #expect(WorldPace("1") == .realTime)
    #expect(WorldPace("10") == .scaled(10))
    #expect(WorldPace("0.5") == .scaled(0.5))
    for text in ["", "0", "-1", "fast", "inf", "nan"] { #expect(WorldPace(text) == nil) }
    #expect(throws: WorldError.self) { try World("empty", pace: .scaled(0)) }
    let file = try WorldDescription(yaml: "pace: 10\nhosts: [a]\n")
    #expect(file.pace == .scaled(10))
  }

  // MARK: Jobs from elsewhere

  /// What was told of foreign jobs while `body` ran in a world, and whether the recording knows.
  private func told(
    _ body: @escaping @Sendable (World) async throws -> Void
  ) async throws -> (kinds: [ForeignJob.Kind], isReplayable: Bool) {
    let box = Kinds()
    let world = try conversation(.virtual, .report { job in box.add(job.kind) })
    // Not blocking: whoever comes from elsewhere needs a thread of the shared pool.
    try await world.run { try await body(world) }
    let recording = world.finish()
    return (box.all, recording.isReplayable)
  }

  @Test("A task that sleeps by the system's clock is told of, and what to do instead")
  func systemSleep() async throws {
    let (kinds, isReplayable) = try await told { _ in try await Task.sleep(for: .milliseconds(1)) }
    #expect(kinds.first == .task)
    #expect(!isReplayable)
    #expect(ForeignJob(.task).description.contains("host.clock.sleep"))
  }

  @Test("A task elsewhere that uses a socket of the world is told of")
  func detached() async throws {
    let (kinds, _) = try await told { world in
      let client = try world.host("client")
      let server = SocketAddress(try world.address(of: "server"), port: 12_000)
      let task = Task.detached { try await client.connect(to: server) }
      // Time runs on meanwhile.
      try await world.clock.sleep(for: .seconds(100))
      (try? await task.value)?.close()
    }
    #expect(kinds.contains(.task))
  }

  @Test("Someone else's continuation that resumes a task of the world is told of")
  func continuation() async throws {
    let (kinds, _) = try await told { _ in
      await withCheckedContinuation { continuation in
        Task.detached { continuation.resume() }
      }
    }
    #expect(kinds == [.task])
  }

  @Test("An actor of the world that is called from elsewhere is told of")
  func actorOfTheWorld() async throws {
    let (kinds, _) = try await told { world in
      let counter = Counter(world.loop)
      let task = Task.detached { await counter.add() }
      try await world.clock.sleep(for: .seconds(10))
      await task.value
    }
    #expect(kinds.contains(.actor))
  }

  @Test(
    "Everything that a world offers itself is quiet: runs, tasks, groups, sleeps, actors of its loop, calls from outside"
  )
  func legitimate() async throws {
    let box = Kinds()
    let world = try conversation(.virtual, .report { job in box.add(job.kind) })
    let client = try world.host("client")
    let server = SocketAddress(try world.address(of: "server"), port: 12_000)
    try world.application(on: "client") { host in
      while true { try await Task.sleep(for: .seconds(1), clock: host.clock) }
    }
    let counter = Counter(world.loop)
    world.loop.task { await counter.add() }
    // A run while another is under way, calls that wait for the loop, and cancellation from outside.
    async let other: Void = world.run { try await client.clock.sleep(for: .seconds(3_000)) }
    async let third: Void = world.run { await counter.add() }
    try await world.run {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<3 {
          group.addTask {
            let connection = try await client.connect(to: server)
            try await connection.write("hello")
            _ = try await connection.read()
            try await Task.sleep(for: .seconds(1), clock: world.clock)
            connection.close()
          }
        }
        try await group.waitForAll()
      }
      let task = client.loop.task { try await client.clock.sleep(for: .seconds(5)) }
      try await task.value
      _ = try? await world.loop.withTimeout(.seconds(1)) { try await client.clock.sleep(for: .seconds(9)) }
      await counter.add()
      try await counter.nap()
      // An actor without an executor of its own runs on the task's.
      let guest = Guest()
      #expect(await guest.isOn(world.loop))
    }
    try world.apply(.down(link: "line"))
    world.say("client", "the line is down")
    try await other
    try await third
    let sleeper = Task { try await world.run { try await client.clock.sleep(for: .seconds(1e9)) } }
    try await world.run { try await client.clock.sleep(for: .seconds(1)) }
    sleeper.cancel()
    _ = try? await sleeper.value
    let recording = world.finish()
    #expect(box.all == [])
    #expect(recording.isReplayable)
  }

  @Test("Unless told otherwise a job from elsewhere ends the process, and says what to do instead")
  func trap() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var description = WorldDescription("trap")
      description.host("a")
      let world = try World(description)
      try world.runAndWait { try await Task.sleep(for: .milliseconds(1)) }
    }
    let words = result.map { String(decoding: $0.standardErrorContent, as: UTF8.self) } ?? ""
    #expect(words.contains("A task came to a world from another thread"))
    #expect(words.contains("host.clock.sleep"))
  }

  @Test("A world that is scaled only says that it cannot be repeated")
  func scaled() async throws {
    let world = try World("scaled", pace: .scaled(1_000))
    try await world.run { try await Task.sleep(for: .milliseconds(1)) }
    #expect(world.finish().unrepeatable == ["work came from another thread while time ran"])
  }
}

/// Kinds of foreign jobs, from any thread.
final class Kinds: Sendable {
  private let kinds = Mutex<[ForeignJob.Kind]>([])
  func add(_ kind: ForeignJob.Kind) { kinds.withLock { $0.append(kind) } }
  var all: [ForeignJob.Kind] { kinds.withLock { $0 } }
}

/// An actor that lives on a world's loop.
actor Counter {
  private let loop: Loop
  private(set) var count = 0

  init(_ loop: Loop) { self.loop = loop }

  nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.executor.asUnownedSerialExecutor() }

  func add() { count += 1 }

  func nap() async throws {
    try await Task.sleep(for: .seconds(1), clock: loop.clock)
    try await loop.clock.sleep(for: .seconds(1))
    count += 1
  }
}

/// An actor that lives nowhere in particular.
actor Guest {
  func isOn(_ loop: Loop) -> Bool { loop.isCurrent }
}
