internal import Martlet
internal import MartletCore
internal import MartletLab
internal import Synchronization
internal import Testing

/// One run of a body in a world of its own.
final class WorldRun: Sendable {
  @TaskLocal private static var ofTask: WorldRun?
  /// Those that are under way, for code that no task runs: a channel's handlers.
  private static let active = Mutex<[WorldRun]>([])

  /// The run that the caller belongs to.
  static var here: WorldRun? {
    ofTask ?? active.withLock { runs in runs.first { $0.world.loop.isCurrent } }
  }

  let world: World
  let sightings: Sightings
  /// How long the body may take, in the world's time.
  let limit: Duration
  private let foreignJobs: ForeignJobList

  /// Puts up the world of the run.
  init(
    _ description: WorldDescription, seed: UInt64, isRecorded: Bool, sightings: Sightings, limit: Duration
  ) throws(WorldError) {
    let list = ForeignJobList()
    world = try World(
      description, seed: seed, isRecorded: isRecorded, foreignJobs: .report { job in list.note(job) })
    foreignJobs = list
    self.sightings = sightings
    self.limit = limit
  }

  /// Runs `body` on the world's thread and waits for its end; the world's time moves on while it waits.
  func perform(_ body: @Sendable () async throws -> Void) async throws {
    Self.active.withLock { $0.append(self) }
    defer { Self.active.withLock { runs in runs.removeAll { $0 === self } } }
    try await Self.$ofTask.withValue(self) {
      try await withTaskExecutorPreference(world.loop.taskExecutor) {
        try await performOnLoop(body)
      }
    }
  }

  private func performOnLoop(_ body: @Sendable () async throws -> Void) async throws {
    let loop = world.loop
    loop.hold()
    defer { loop.release() }
    let end = EndOfRun()
    async let result = finishing(end, body)
    loop.setHorizon(loop.now.advanced(by: limit)) { end.come(inTime: false) }
    defer { loop.setHorizon(nil) }
    guard await end.wait() else {
      // Now, and not when the body has noticed that it is cancelled: it might never.
      Issue.record(Overdue(limit: limit))
      throw Overdue.Told()
    }
    let ended = await result
    guard let job = foreignJobs.first else { return try ended.get() }
    if case .success = ended { throw job }
    Issue.record(job)
    try ended.get()
  }

  private func finishing(
    _ end: EndOfRun, _ body: @Sendable () async throws -> Void
  ) async -> Result<Void, any Error> {
    defer { end.come(inTime: true) }
    do { return .success(try await body()) } catch { return .failure(error) }
  }
}

/// The world's time is over and the body is not.
struct Overdue: Error, CustomStringConvertible {
  var limit: Duration

  var description: String {
    "The test was not done after \(limit) of the world's time. Something goes on for ever, or waits for what never comes; "
      + ".world(…, within:) sets another limit."
  }

  /// Thrown when the issue is recorded already.
  struct Told: Error {}
}

/// The work that other threads brought while the world's time ran.
private final class ForeignJobList: Sendable {
  private let jobs = Mutex<ForeignJob?>(nil)

  var first: ForeignJob? { jobs.withLock { $0 } }

  func note(_ job: ForeignJob) { jobs.withLock { if $0 == nil { $0 = job } } }
}

/// Where a run's caller waits for it, or for the end of its time; used on the loop's thread.
private final class EndOfRun: Sendable {
  private struct State {
    var cameInTime: Bool?
    var waiter: CheckedContinuation<Bool, Never>?
  }
  private let state = Mutex(State())

  func come(inTime: Bool) {
    state.withLock { state -> CheckedContinuation<Bool, Never>? in
      guard state.cameInTime == nil else { return nil }
      state.cameInTime = inTime
      return state.waiter.take()
    }?.resume(returning: inTime)
  }

  func wait() async -> Bool {
    await withCheckedContinuation { continuation in
      let known = state.withLock { state -> Bool? in
        if state.cameInTime == nil { state.waiter = continuation }
        return state.cameInTime
      }
      if let known { continuation.resume(returning: known) }
    }
  }
}
