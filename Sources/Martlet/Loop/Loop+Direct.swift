package import MartletCore
internal import Synchronization

// What an event loop of a floor above is made of.

extension Loop {
  /// Runs `body` on the loop's thread, never before this call returns.
  package func enqueue(_ body: @escaping @Sendable () -> Void) { core.enqueue(.call(body)) }

  /// Runs `body` at `deadline`, unless it is cancelled; `onEnd` if the loop ends before. Only on the loop's thread.
  package func setTimer(
    at deadline: Instant, _ body: @escaping () -> Void, onEnd: (() -> Void)? = nil
  ) -> LoopTimer {
    core.setTimer(at: deadline, body, onEnd: onEnd)
  }

  /// Only on the loop's thread.
  package func cancel(_ timer: LoopTimer) { core.timers.remove(timer) }

  /// Runs `body` when the loop is shut down. Only on the loop's thread.
  package func atEnd(_ body: @escaping () -> Void) { core.endings.append(body) }

  /// Whether the loop was told to end. Only on the loop's thread.
  package var isStopping: Bool { core.isStopping }

  /// Keeps virtual time moving until ``release()``. Only on the loop's thread.
  package func hold() { core.activeCount += 1 }

  /// Ends a ``hold()``. Only on the loop's thread.
  package func release() { core.activeCount -= 1 }

  /// When the loop began, in nanoseconds of the system's monotonic clock.
  package var start: Int64 { core.start }

  /// The one object of a floor above that belongs to the loop: the one that somebody still has, or else a new one.
  package func companion<T: AnyObject & Sendable>(_ make: () -> T) -> T {
    core.companion.withLock { companion in
      if let object = companion.object as? T { return object }
      let object = make()
      companion.object = object
      return object
    }
  }
}
