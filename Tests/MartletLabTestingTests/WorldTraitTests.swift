import MartletLab
import MartletWire
import Synchronization
import Testing

@testable import MartletLabTesting

@Suite("Tests in worlds")
struct WorldTraitTests {
  static let seen = Mutex<[UInt64]>([])

  @Test("The body runs in the world, on its thread and by its clock", .world(office(["a", "b"]), seed: 7))
  func runs() async throws {
    let world = try World.current
    #expect(world.seed == 7 || Environment.current.seed != nil || Environment.current.seeds != nil)
    #expect(world.loop.isCurrent)
    let (a, b) = (try world.host("a"), try world.host("b"))
    let listener = try b.listen(on: 7)
    b.loop.task {
      let connection = try await listener.accept()
      try await connection.write(connection.read())
      connection.close()
    }
    let connection = try await a.connect(to: SocketAddress(world.address(of: "b"), port: 7))
    try await connection.write("hello")
    #expect(String(decoding: try await connection.readToEnd(), as: UTF8.self) == "hello")
    let before = world.loop.now
    try await world.sleep(for: .seconds(3_600))
    #expect(before.duration(to: world.loop.now) == .seconds(3_600))
  }

  @Test("The body runs once for each seed, each time in a new world")
  func seeds() async throws {
    let seen = Mutex<[UInt64]>([])
    let issues = try await issues(office(["a"]), seeds: [3, 4, 9]) {
      let world = try World.current
      #expect(world.loop.now == .zero)
      try await world.sleep(for: .seconds(1))
      seen.withLock { $0.append(world.seed) }
    }
    #expect(issues.isEmpty)
    #expect(seen.withLock { $0 } == [3, 4, 9])
  }

  @Suite("in a suite with a world", .world(office(["outer"])))
  struct Nested {
    @Test("A test of the suite is in the suite's world")
    func inherits() throws { #expect(throws: Never.self) { try World.current.host("outer") } }

    @Test("A test's own world takes the place of the suite's", .world(office(["inner"])))
    func replaces() throws {
      #expect(throws: Never.self) { try World.current.host("inner") }
      #expect(throws: WorldError.self) { try World.current.host("outer") }
    }

    @Test("Each case of a test has a world", arguments: [1, 2])
    func cases(_ number: Int) async throws {
      let now = try World.current.loop.now
      #expect(now == .zero)
      try await World.current.sleep(for: .seconds(number))
    }
  }

  @Test("Outside of a world there is no current one, and the error says what to do")
  func nowhere() {
    #expect {
      try World.current
    } throws: { "\($0)".contains("Give the test the trait .world(…)") }
  }

  @Test("A failing seed is told with the command that runs it, and with the world as it was")
  func command() async throws {
    let found = try await issues(office(["a", "b"]), seeds: [5]) {
      let world = try World.current
      let listener = try world.host("a").listen(on: 80)
      defer { listener.close() }
      try await world.sleep(for: .milliseconds(1_500))
      #expect(world.seed == 6)
      #expect(world.seed == 8)
    }
    try #require(found.count == 2)
    let comments = found[0].comments.map { "\($0)" }
    #expect(
      comments[0]
        == "seed 5, again: MARTLET_SEED=5 swift test --filter 'MartletLabTestingTests\\.WorldTraitTests/command\\(\\)'")
    #expect(comments[1] == "the world at 1.5 s\nhost a\n  listener *:80")
    #expect(found[1].comments.map { "\($0)" } == ["seed 5"])
  }

  @Test("An error that the body throws is an issue, and a failed requirement one and not two")
  func thrown() async throws {
    let thrown = try await issues(office(["a"]), seeds: [1]) { throw SocketError.refused }
    #expect(thrown.count == 1)
    #expect(thrown[0].error as? SocketError == .refused)
    let required = try await issues(office(["a"]), seeds: [1]) { try #require(World.current.seed == 2) }
    #expect(required.count == 1)
  }

  @Test("Of many failing seeds the first is told in full, the others in one line")
  func manyFailures() async throws {
    let found = try await issues(office(["a"]), seeds: Array(1...9)) {
      let seed = try World.current.seed
      #expect(seed % 3 != 0)
    }
    try #require(found.count == 2)
    #expect(found[0].isFailure)
    #expect(!found[1].isFailure)
    #expect(
      "\(found[1].comments[0])".hasPrefix(
        "3 of 9 seeds failed: 3, 6, 9. The issues above are those of 3: MARTLET_SEED=3 "))
  }

  @Test("Ten failures are enough")
  func enough() async throws {
    let runs = Mutex(0)
    let found = try await issues(office(["a"]), seeds: Array(1...100)) {
      runs.withLock { $0 += 1 }
      Issue.record("always")
    }
    #expect(runs.withLock { $0 } == 10)
    try #require(found.count == 2)
    #expect("\(found[1].comments[0])".hasPrefix("10 of 10 seeds failed (of 100): 1, 2, 3"))
  }

  @Test("A known issue of the body is not a failure of its seed")
  func known() async throws {
    let found = try await issues(office(["a"]), seeds: [1, 2]) { withKnownIssue { Issue.record("known") } }
    #expect(found.allSatisfy { !$0.isFailure })
  }

  @Test("A body that goes on for ever is stopped when the world's time is up")
  func overdue() async throws {
    let found = try await issues(office(["a"]), seeds: [1], within: .seconds(60)) {
      while true { try await World.current.sleep(for: .seconds(1)) }
    }
    try #require(found.count == 1)
    #expect("\(try #require(found[0].error))".contains("not done after 60.0 seconds of the world's time"))
  }

  @Test("A wait that nothing can end is an issue that says so")
  func stalled() async throws {
    let found = try await issues(office(["a"]), seeds: [1]) {
      _ = try await World.current.host("a").listen(on: 80).accept()
    }
    #expect(found.count == 1)
    #expect(found.first?.error as? SocketError == .stalled)
  }

  @Test("A body that leaves the world's thread is told what to do instead")
  func foreign() async throws {
    let found = try await issues(office(["a"]), seeds: [1]) { try await Task.sleep(for: .milliseconds(1)) }
    try #require(found.count == 1)
    #expect("\(try #require(found[0].error))".contains("Instead of Task.sleep(for:) sleep with"))
  }

  @Test("A world that makes no sense is an issue of the test")
  func mistake() async throws {
    await #expect {
      try await issues(office(["a", "a"]), seeds: [1]) {}
    } throws: { "\($0)".contains("called \"a\"") }
  }

  @Test("The report of a failing run is written where the environment says")
  func report() async throws {
    let folder = try temporaryFolder()
    defer { remove(folder) }
    let found = try await issues(office(["a", "b"]), seeds: [1, 2], report: "\(folder)/deep/er") {
      let world = try World.current
      _ = try await world.host("a").ping(world.address(of: "b"))
      #expect(world.seed == 1)
    }
    let path = "\(folder)/deep/er/MartletLabTestingTests.WorldTraitTests.report-seed2"
    #expect(found[0].comments.map { "\($0)" }.contains("report: \(path).html and \(path).pcapng"))
    #expect(bytes(of: "\(path).html").starts(with: Array("<!doctype html>".utf8)))
    #expect(bytes(of: "\(path).pcapng").starts(with: [0x0a, 0x0d, 0x0d, 0x0a]))
  }

  @Test("A report that cannot be written is a warning, with the reason")
  func noReport() async throws {
    let found = try await issues(office(["a"]), seeds: [1], report: "/proc/nobody") { Issue.record("wrong") }
    #expect(found.contains { !$0.isFailure && "\($0.comments)".contains("cannot write /proc/nobody/") })
  }
}
