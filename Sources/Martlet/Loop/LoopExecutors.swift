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

extension Loop {
  /// Runs `body` on the loop's thread for a call from elsewhere. On a virtual loop time moves on while it waits.
  ///
  /// A task of its own that prefers the loop, and not an actor: closures lose the actor they are called on when they
  /// are passed as generic arguments, and go on elsewhere (Swift 6.3.1). For the same reason the calls that have to
  /// stay on the loop of an actor are methods all the way down.
  func perform<T: Sendable, E: Error>(_ body: @escaping @Sendable () async throws(E) -> T) async throws(E) -> T {
    let core = core
    let task = Task(executorPreference: taskExecutor) { () -> Result<T, E> in
      core.activeCount += 1
      defer { core.activeCount -= 1 }
      do throws(E) { return .success(try await body()) } catch { return .failure(error) }
    }
    let result = await withTaskCancellationHandler {
      await task.value
    } onCancel: {
      task.cancel()
    }
    return try result.get()
  }
}
