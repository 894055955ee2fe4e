import Dispatch
import Synchronization

/// Shows a number that another thread counts up, a few times a second.
final class ProgressWatcher: Sendable {
  private let line: Mutex<ProgressLine>
  private let timer = DispatchQueue(label: "progress")
  private let isRunning = Atomic<Bool>(false)

  init(total: Int, isShown: Bool) { line = Mutex(ProgressLine(total: total, isShown: isShown)) }

  /// Shows `count` until ``stop()``.
  func start(_ count: @escaping @Sendable () -> Int) {
    isRunning.store(true, ordering: .relaxed)
    timer.async { [self] in
      while isRunning.load(ordering: .relaxed) {
        line.withLock { $0.show(count()) }
        DispatchSemaphoreSleep.milliseconds(30)
      }
    }
  }

  func stop() { isRunning.store(false, ordering: .relaxed) }

  /// Waits for the last look, and takes the bar away.
  func finish() { timer.sync { line.withLock { $0.finish() } } }
}

/// A pause of the calling thread.
private enum DispatchSemaphoreSleep {
  static func milliseconds(_ count: Int) {
    _ = DispatchSemaphore(value: 0).wait(timeout: .now() + .milliseconds(count))
  }
}
