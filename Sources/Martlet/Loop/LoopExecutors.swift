/// Runs the jobs of actors on a loop's thread.
///
/// An actor lives on a loop when it gives out its loop's executor:
///
///     actor Counter {
///       let loop: Loop
///       nonisolated var unownedExecutor: UnownedSerialExecutor { loop.executor.asUnownedSerialExecutor() }
///     }
public final class LoopExecutor: SerialExecutor {
  let core: LoopCore

  init(core: LoopCore) { self.core = core }

  public func enqueue(_ job: consuming ExecutorJob) { core.enqueue(.serial(UnownedJob(job), self)) }

  public func checkIsolated() { precondition(core.isCurrent, "not on the loop's thread") }

  public func isIsolatingCurrentContext() -> Bool? { core.isCurrent }
}

/// Runs the jobs of tasks that prefer it on a loop's thread: `Task(executorPreference: loop.taskExecutor) { … }`.
///
/// An object of its own beside ``LoopExecutor``: one that is both loses the jobs of tasks without a preference
/// (Swift 6.3.1).
public final class LoopTaskExecutor: TaskExecutor {
  let core: LoopCore

  init(core: LoopCore) { self.core = core }

  public func enqueue(_ job: consuming ExecutorJob) { core.enqueue(.task(UnownedJob(job), self)) }
}

/// The way to a loop's thread for calls from elsewhere.
actor LoopGate {
  private let executor: LoopExecutor

  nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

  init(executor: LoopExecutor) { self.executor = executor }

  /// Runs `body` on the loop's thread. On a virtual loop time moves on while it waits.
  func perform<T: Sendable, E: Error>(_ body: @Sendable () async throws(E) -> T) async throws(E) -> T {
    executor.core.activeCount += 1
    defer { executor.core.activeCount -= 1 }
    return try await body()
  }
}
