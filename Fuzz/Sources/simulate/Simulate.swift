import ArgumentParser
import HostSimulation
import MartletCore
import MartletLinks
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Checks TCP against a model: runs two hosts over bad networks, one schedule after another.
@main
struct Simulate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs two Martlet hosts over bad networks and asks after each step whether all makes sense.",
    discussion: """
      Each seed is a schedule: what the programs do and what befalls which packet. A seed that fails prints the command that \
      has it again; --trace tells it packet by packet, --shrink cuts it down to what matters. Exits with 1 if anything \
      failed.
      """)

  @Option(help: "How many seeds to run.")
  var seeds = 1_000

  @Option(help: "The first seed.")
  var first: UInt64 = 0

  @Option(help: "Run this seed and no other.")
  var seed: UInt64?

  @Option(help: ArgumentHelp("Run the schedule in this file.", valueName: "file"))
  var schedule: String?

  @Flag(help: "Print the schedule, and what happens line by line.")
  var trace = false

  @Flag(help: "Cut the schedule down to one that still fails, and print it.")
  var shrink = false

  @Option(help: ArgumentHelp("Record the packets of the run as pcapng.", valueName: "file"))
  var record: String?

  @Option(help: "How many seeds run at one time; by default as many as there are processors.")
  var jobs: Int = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))

  @Flag(help: "Print JSON: one object for each failure, and one in the end.")
  var json = false

  func validate() throws {
    guard seeds > 0, jobs > 0 else { throw ValidationError("--seeds and --jobs are at least 1") }
    if seed != nil, schedule != nil { throw ValidationError("--seed and --schedule exclude each other") }
    if trace || shrink || record != nil, seed == nil, schedule == nil {
      throw ValidationError("--trace, --shrink and --record need --seed or --schedule")
    }
  }

  func run() async throws {
    if let one = try chosenSchedule() {
      try runOne(one)
    } else {
      try await runMany()
    }
  }

  private func chosenSchedule() throws -> Schedule? {
    if let seed { return .generated(seed: seed) }
    guard let schedule else { return nil }
    guard let text = Files.read(schedule) else { throw ValidationError("cannot read \(schedule)") }
    do { return try Schedule(text: text) } catch { throw ValidationError("\(schedule): \(error)") }
  }

  // MARK: One

  private func runOne(_ schedule: Schedule) throws {
    let report: SimulationReport
    if trace || record != nil {
      if trace { print(schedule, terminator: "\n") }
      let pool = PacketPool()
      let recorder = try record.map { try CaptureRecorder(path: $0, pool: pool) }
      let tracer = SimulationTracer(recorder: recorder) { if trace { print($0) } }
      report = Simulation.run(schedule, tracer: tracer)
      recorder?.flush()
    } else {
      report = Simulation.run(schedule)
    }
    Output.summary(report, seeds: 1, failures: report.failure == nil ? 0 : 1, seconds: nil, json: json)
    guard let failure = report.failure else { return }
    if !json { print("FAILED: \(failure)") }
    if shrink { printShrunk(schedule) }
    throw ExitCode.failure
  }

  private func printShrunk(_ schedule: Schedule) {
    var line = ProgressLine(total: schedule.events.count, isShown: !json)
    guard
      var shrinker = Shrinker(
        schedule, progress: { line.show($0.schedule.events.count, "events left after \($0.runs) runs") })
    else { return }
    shrinker.shrink()
    line.finish()
    print("# \(shrinker.failure)")
    print("# \(shrinker.schedule.events.count) of \(schedule.events.count) events, after \(shrinker.runs) runs")
    print(shrinker.schedule, terminator: "")
  }

  // MARK: Many

  private func runMany() async throws {
    Crash.watch(jobs: jobs)
    let clock = ContinuousClock()
    let start = clock.now
    let collector = Collector(first: first, total: seeds, isShown: !json)
    await withTaskGroup(of: Void.self) { group in
      for job in 0..<jobs {
        group.addTask {
          while let seed = collector.nextSeed() {
            Crash.note(seed, job: job)
            collector.take(Simulation.run(.generated(seed: seed)), seed: seed)
          }
        }
      }
    }
    let (total, failures) = collector.finish()
    for (seed, failure) in failures {
      Output.failure(failure, seed: seed, json: json)
    }
    let seconds = (clock.now - start) / .seconds(1)
    Output.summary(total, seeds: seeds, failures: failures.count, seconds: seconds, json: json)
    if !failures.isEmpty { throw ExitCode.failure }
  }
}

/// Hands out seeds to all jobs and adds up their reports.
final class Collector: Sendable {
  private struct State {
    var total = SimulationReport()
    var failures: [(seed: UInt64, failure: SimulationFailure)] = []
    var begun = 0
    var done = 0
    var line: ProgressLine
  }
  private let state: Mutex<State>
  private let first: UInt64
  private let seeds: Int

  init(first: UInt64, total: Int, isShown: Bool) {
    self.first = first
    seeds = total
    state = Mutex(State(line: ProgressLine(total: total, isShown: isShown)))
  }

  func nextSeed() -> UInt64? {
    state.withLock { state in
      guard state.begun < seeds else { return nil }
      state.begun += 1
      return first &+ UInt64(state.begun - 1)
    }
  }

  func take(_ report: SimulationReport, seed: UInt64) {
    state.withLock { state in
      state.total.add(report)
      if let failure = report.failure { state.failures.append((seed, failure)) }
      state.done += 1
      state.line.show(state.done, state.failures.isEmpty ? "" : "\(state.failures.count) failed")
    }
  }

  /// What all came to, the failures in the order of their seeds.
  func finish() -> (SimulationReport, [(UInt64, SimulationFailure)]) {
    state.withLock { state in
      state.line.finish()
      return (state.total, state.failures.sorted { $0.seed < $1.seed }.map { ($0.seed, $0.failure) })
    }
  }
}
