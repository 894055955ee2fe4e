public import Logging
public import MartletCore

/// One thread that owns hosts, links and packet memory, in real time or in virtual time.
///
/// In virtual time a day passes as fast as its events can be worked off, and the same seed gives the same bytes: time
/// jumps to the next deadline when every task on the loop waits. What such tasks wait for has to happen on the loop:
/// sleep with ``clock``, not with `Task.sleep`.
///
/// A loop runs until ``shutdown()`` or until the last reference to it, its hosts and their sockets is gone.
public final class Loop: Sendable {
  /// Whose time a loop keeps.
  public enum Time: Sendable, Hashable {
    /// The system's monotonic clock; seeds and keys come from the system.
    case real
    /// A clock that jumps from event to event; all that is random follows from `seed`.
    case virtual(seed: UInt64)
  }

  let core: LoopCore
  /// Runs the jobs of actors that live on this loop.
  public let executor: LoopExecutor
  /// Runs the jobs of tasks that prefer this loop.
  public let taskExecutor: LoopTaskExecutor
  /// Where the loop, its hosts and services log.
  public let logger: Logger

  /// Starts a loop with a thread of its own.
  ///
  /// A system without a thread or a descriptor to spare traps.
  /// - Parameters:
  ///   - time: Whose time it keeps.
  ///   - pool: The bounds of the memory for packets.
  ///   - busyPolling: How long a loop in real time goes on asking its links for frames before it sleeps, at most a
  ///     second. Waking a thread takes longer than answering a segment; a core is kept busy in exchange. Default 0.
  ///   - logger: Where to log.
  public init(
    _ time: Time = .real, pool: PacketPool.Configuration = PacketPool.Configuration(), busyPolling: Duration = .zero,
    logger: Logger = Logger(label: "martlet")
  ) {
    let core: LoopCore
    switch time {
    case .real:
      var generator = SystemRandomNumberGenerator()
      core = LoopCore(
        isVirtual: false, seed: generator.next(), pool: pool, busyPolling: busyPolling, logger: logger)
    case .virtual(let seed):
      core = LoopCore(isVirtual: true, seed: seed, pool: pool, logger: logger)
    }
    self.core = core
    self.logger = logger
    executor = LoopExecutor(core: core)
    taskExecutor = LoopTaskExecutor(core: core)
    precondition(Platform.startThread { core.runThread() }, "the system has no thread left for a loop")
  }

  deinit { core.stop() }

  /// Whether the loop keeps virtual time.
  public var isVirtual: Bool { core.isVirtual }

  /// Whether the calling thread is the loop's.
  public var isCurrent: Bool { core.isCurrent }

  /// The loop's time, with sleeps that obey it.
  public var clock: LoopClock { LoopClock(loop: self) }

  /// The time since the loop began.
  public var now: Instant { clock.now }

  /// A stream of random numbers of its own for `name`; on a virtual loop the seed and the name determine it.
  public func random(named name: String) -> RandomStream {
    if core.isVirtual { return RandomStream(seed: core.seed, forkedFor: name) }
    var generator = SystemRandomNumberGenerator()
    return RandomStream(seed: generator.next())
  }

  /// Runs `body`, and the child tasks it makes, on the loop's thread, and waits for its end.
  ///
  /// Virtual time moves on while any such body waits.
  /// - Throws: What `body` throws. A socket call in virtual time that nothing can end throws ``SocketError/stalled``.
  public func run<T: Sendable>(_ body: @escaping @Sendable () async throws -> T) async throws -> T {
    let task = start(body)
    return try await withTaskCancellationHandler {
      try await task.value
    } onCancel: {
      task.cancel()
    }
  }

  /// As ``run(_:)``, blocking the calling thread, which must not be the loop's: for main programs.
  public func runAndWait<T: Sendable>(_ body: @escaping @Sendable () async throws -> T) throws -> T {
    precondition(!isCurrent, "a loop cannot wait for itself")
    let gate = Gate()
    let result = ResultBox<T, any Error>()
    let core = core
    // On the loop's thread to the end: the caller may be blocking the last thread of the shared pool.
    _ = core.entering {
      Task(executorPreference: taskExecutor) {
        core.activeCount += 1
        do { try await result.store(.success(body())) } catch { result.store(.failure(error)) }
        // First: what the caller does next is not done while time runs.
        core.activeCount -= 1
        gate.open()
      }
    }
    gate.wait()
    return try result.take()
  }

  private func start<T: Sendable>(_ body: @escaping @Sendable () async throws -> T) -> Task<T, any Error> {
    let core = core
    return core.entering {
      Task(executorPreference: taskExecutor) {
        // Not before: virtual time must not move on while the task is on its way to the loop.
        core.activeCount += 1
        defer { core.activeCount -= 1 }
        return try await body()
      }
    }
  }

  /// Starts a task on the loop's thread that nobody has to wait for: a server. It does not keep virtual time moving.
  @discardableResult
  public func task<T: Sendable>(_ body: @escaping @Sendable () async throws -> T) -> Task<T, any Error> {
    Task(executorPreference: taskExecutor) { try await body() }
  }

  /// Runs `body` on the loop's thread and waits for it, blocking the calling thread unless it is the loop's.
  public func sync<T: Sendable, E: Error>(_ body: @escaping @Sendable () throws(E) -> T) throws(E) -> T {
    try core.sync(body)
  }

  /// Cancels everything that waits on the loop, ends its thread, and waits for that unless called on it.
  ///
  /// Calls on sockets of a loop that is shut down throw ``SocketError/cancelled``.
  public func shutdown() {
    core.stop()
    if !isCurrent { core.stopped.wait() }
  }

  /// What the loop's memory for packets has done so far.
  public var poolStatistics: PacketPool.Statistics {
    let core = core
    return core.sync { core.pool.statistics }
  }
}
