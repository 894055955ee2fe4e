import MartletCore
import MartletLab
import MartletWire
import Synchronization
import Testing

@testable import MartletLabTesting

@Suite("The same seed, the same bytes")
struct DeterminismTests {
  static let lossy: WorldDescription = {
    var lossy = LinkDirection(rate: 10_000_000, delay: .milliseconds(5))
    lossy.loss = .random(0.05)
    lossy.jitter = .init(.milliseconds(3), keepsOrder: false)
    return office(["a", "b"], lossy)
  }()

  @Sendable private static func transfer() async throws {
    let world = try World.current
    let (a, b) = (try world.host("a"), try world.host("b"))
    let listener = try b.listen(on: 9)
    let server = b.loop.task { () -> Int in
      let connection = try await listener.accept()
      return try await connection.readToEnd().count
    }
    let connection = try await a.connect(to: SocketAddress(world.address(of: "b"), port: 9))
    try await connection.write([UInt8](repeating: 7, count: 100_000))
    connection.close()
    let count = try await server.value
    #expect(count == 100_000)
  }

  @Test(
    "A transfer over a lossy link does twice the same", .world(lossy, seeds: 1...5), .deterministic)
  func same() async throws { try await Self.transfer() }

  @Test("A body that depends on something else fails, with where its runs went apart")
  func different() async throws {
    let runs = Mutex(0)
    let found = try await issues(Self.lossy, seeds: [1], twice: true) {
      let world = try World.current
      let run = runs.withLock { runs in
        runs += 1
        return runs
      }
      try await world.sleep(for: .milliseconds(10 * run))
      _ = try await world.host("a").ping(world.address(of: "b"))
    }
    try #require(found.count == 1)
    let text = "\(try #require(found[0].error))"
    #expect(text.hasPrefix("Two runs with seed 1 were not the same (fingerprints "))
    #expect(text.contains("the first:  0.01 seconds a sent"))
    #expect(text.contains("the second: 0.0"))
    #expect(text.contains("What usually does that: Task.sleep"))
  }

  @Test("A run that fails is not run again")
  func failed() async throws {
    let runs = Mutex(0)
    let found = try await issues(Self.lossy, seeds: [1], twice: true) {
      runs.withLock { $0 += 1 }
      Issue.record("wrong")
    }
    #expect(found.count == 1)
    #expect(runs.withLock { $0 } == 1)
  }

  @Test("A sweep tells of each run, and repeats to the bit")
  func sweep() async throws {
    let body = { @Sendable (world: World) async throws in
      let round = try await world.host("a").ping(world.address(of: "b"), timeout: .seconds(1))
      sometimes("slow", round > .milliseconds(22))
      sometimes("impossible", round < .milliseconds(20))
      #expect(world.seed != 3)
    }
    let first = try await World.sweep(Self.lossy, seeds: 1...20, isRecorded: true, body)
    let second = try await World.sweep(Self.lossy, seeds: 1...20, isRecorded: true, body)
    #expect(first.runs.map(\.seed) == Array(1...20))
    #expect(first.runs.map(\.fingerprint) == second.runs.map(\.fingerprint))
    #expect(Set(first.runs.map(\.fingerprint)).count == 20)
    #expect(first.failures.map(\.seed) == second.failures.map(\.seed))
    #expect(first.failures.contains { $0.seed == 3 && $0.failure?.description.contains("world.seed") == true })
    #expect(first.unseen == ["impossible"])
    // A lost question or answer is told by its error.
    let lost = first.failures.filter { $0.seed != 3 }
    #expect(!lost.isEmpty)
    #expect(lost.allSatisfy { $0.failure?.error as? SocketError == .timedOut(after: .seconds(1)) })
  }
}
