internal import Martlet
internal import MartletCore
internal import MartletLab
internal import Synchronization
internal import Testing

/// The runs of one test over its seeds, and what is told of them.
struct TestSeries: Sendable {
  let test: Test
  let testCase: Test.Case?
  let plan: SeedPlan
  let isPinned: Bool
  let limit: Duration
  let environment: Environment
  let runsTwice: Bool
  let sightings: Sightings
  let describe: @Sendable (UInt64) throws -> WorldDescription

  /// Enough to see that it is not a rare one.
  static let mostFailures = 10

  func run(_ function: @concurrent @Sendable () async throws -> Void) async throws {
    var failed: [UInt64] = []
    var count = 0
    for seed in plan.seeds {
      count += 1
      if try await fails(seed, isFirst: failed.isEmpty, function) { failed.append(seed) }
      if failed.count == Self.mostFailures { break }
    }
    if failed.isEmpty {
      if plan.judgesSometimes { judge(count) }
    } else if plan.seeds.count > 1 {
      let seeds = failed.map { "\($0)" }.joined(separator: ", ")
      Issue.record(
        "\(failed.count) of \(count) seeds failed\(count < plan.seeds.count ? " (of \(plan.seeds.count))" : ""): \(seeds). The issues above are those of \(failed[0]): \(command(for: failed[0]))",
        severity: .warning, sourceLocation: test.sourceLocation)
    }
  }

  private func judge(_ count: Int) {
    for sighting in sightings.unseen {
      Issue.record(
        "In none of \(count) runs: \(sighting.what)",
        sourceLocation: sighting.sourceLocation ?? test.sourceLocation)
    }
  }

  /// What runs this test with `seed` alone.
  func command(for seed: UInt64) -> String {
    // "Module.Suite/test()/File.swift:1:2"
    var path = "\(test.id)".split(separator: "/").map(String.init)
    if path.count > 1 { path.removeLast() }
    var filter = ""
    for character in path.joined(separator: "/") {
      if "\\^$.|?*+()[]{}".contains(character) { filter += "\\" }
      filter.append(character)
    }
    return "\(isPinned ? "" : "MARTLET_SEED=\(seed) ")swift test --filter '\(filter.replacing("'", with: "."))'"
  }

  // MARK: One seed

  /// Runs the body with `seed`; true if an issue was recorded.
  private func fails(
    _ seed: UInt64, isFirst: Bool, _ function: @concurrent @Sendable () async throws -> Void
  ) async throws -> Bool {
    let isRecorded = runsTwice || environment.report != nil
    let first = try makeRun(seed, isRecorded: isRecorded)
    let account = Account(self, first.world, isTold: isFirst)
    try await perform(function, in: first, account)
    guard runsTwice || account.hasFailed else {
      first.world.loop.shutdown()
      return false
    }
    let recording = first.world.finish()
    if !account.hasFailed {
      let second = try makeRun(seed, isRecorded: true)
      try await perform(function, in: second, Account(self, second.world, isTold: false))
      if let difference = RecordingDifference(recording, second.world.finish()) {
        try await account.collecting { Issue.record(difference, sourceLocation: test.sourceLocation) }
      }
    }
    if account.hasFailed, isFirst { keep(recording, account) }
    return account.hasFailed
  }

  private func makeRun(_ seed: UInt64, isRecorded: Bool) throws -> WorldRun {
    try WorldRun(describe(seed), seed: seed, isRecorded: isRecorded, sightings: sightings, limit: limit)
  }

  private func perform(
    _ function: @concurrent @Sendable () async throws -> Void, in run: WorldRun, _ account: Account
  ) async throws {
    try await account.collecting {
      do {
        try await run.perform(function)
      } catch is ExpectationFailedError {
        // The expectation has told it.
      } catch is Overdue.Told {
      } catch {
        // Cancelled, or skipped on the way: that is the testing library's business.
        if Task.isCancelled { throw error }
        let place = (error as? WorldExpectationFailure)?.sourceLocation ?? test.sourceLocation
        Issue.record(error, sourceLocation: place)
      }
    }
  }

  private func keep(_ recording: Recording, _ account: Account) {
    guard let files = account.files else { return }
    do {
      try files.write(recording)
    } catch {
      Issue.record("The report could not be written: \(error)", severity: .warning)
    }
    for (name, bytes) in files.attachments(recording) { Attachment.record(bytes, named: name) }
  }
}

/// What went wrong in one run.
final class Account: Sendable {
  private let series: TestSeries
  private let world: World
  private let isTold: Bool
  private let count = Atomic(0)
  let files: FailureFiles?

  /// - Parameter isTold: Whether issues are passed on, and not only counted.
  init(_ series: TestSeries, _ world: World, isTold: Bool) {
    self.series = series
    self.world = world
    self.isTold = isTold
    let folder = isTold ? series.environment.report : nil
    files = folder.map { FailureFiles(folder: $0, test: "\(series.test.id)", seed: world.seed) }
  }

  var hasFailed: Bool { count.load(ordering: .relaxed) > 0 }

  /// Runs `body` and sees to the issues that it records.
  func collecting(_ body: @Sendable () async throws -> Void) async throws {
    let handler: IssueHandlingTrait = .compactMapIssues { self.handle($0) }
    try await handler.provideScope(for: series.test, testCase: series.testCase, performing: body)
  }

  private func handle(_ issue: Issue) -> Issue? {
    guard issue.isFailure else { return isTold ? issue : nil }
    let number = count.add(1, ordering: .relaxed).newValue
    guard isTold else { return nil }
    var issue = issue
    guard number == 1 else {
      issue.comments.append("seed \(world.seed)")
      return issue
    }
    let snapshot = (issue.error as? WorldExpectationFailure)?.snapshot ?? world.snapshot()
    issue.comments.append("seed \(world.seed), again: \(series.command(for: world.seed))")
    if let files { issue.comments.append("report: \(files.path(.html)) and \(files.path(.capture))") }
    issue.comments.append("the world \(snapshot.summary)")
    return issue
  }
}
