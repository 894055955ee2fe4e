public import MartletCore
internal import Synchronization

/// A loop's time. On a virtual loop a sleep takes no time of the system's.
public struct LoopClock: Clock {
  public typealias Instant = MartletCore.Instant

  let loop: Loop

  /// The time since the loop began.
  public var now: Instant {
    let core = loop.core
    if core.isVirtual {
      return core.isCurrent
        ? core.now : Instant(nanoseconds: core.publishedNow.load(ordering: .relaxed))
    }
    return Instant(nanoseconds: Platform.monotonicNanoseconds &- core.start)
  }

  /// One nanosecond.
  public var minimumResolution: Duration { .nanoseconds(1) }

  /// Waits until `deadline`, and throws `CancellationError` if the task is cancelled before.
  ///
  /// - Parameter tolerance: Not used: a loop is as punctual as it can be.
  public func sleep(until deadline: Instant, tolerance: Duration? = nil) async throws {
    let core = loop.core
    let outcome: WaitOutcome
    if core.isCurrent {
      outcome = await core.wait(until: deadline, purpose: "a time")
    } else {
      outcome = await loop.perform { await core.wait(until: deadline, purpose: "a time") }
    }
    guard case .ready = outcome else { throw CancellationError() }
  }
}

extension Loop {
  /// Runs `body` and cancels it when it takes longer than `limit` in the loop's time.
  ///
  /// - Throws: What `body` throws; ``SocketError/timedOut(after:)`` if it was cut off.
  public func withTimeout<T: Sendable>(
    _ limit: Duration, _ body: @escaping @Sendable () async throws -> T
  ) async throws -> T {
    try await Self.withTimeout(limit, by: clock, body)
  }

  static func withTimeout<T: Sendable, C: Clock>(
    _ limit: Duration, by clock: C, _ body: @escaping @Sendable () async throws -> T
  ) async throws -> T where C.Duration == Duration {
    let deadline = clock.now.advanced(by: limit)
    let value = try await withThrowingTaskGroup(of: T?.self) { group in
      group.addTask { try await body() }
      group.addTask {
        try await clock.sleep(until: deadline, tolerance: nil)
        return nil
      }
      defer { group.cancelAll() }
      return try await group.next() ?? nil
    }
    guard let value else { throw SocketError.timedOut(after: limit) }
    return value
  }
}
