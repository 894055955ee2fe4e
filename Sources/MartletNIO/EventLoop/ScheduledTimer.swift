internal import Martlet
internal import MartletCore

/// A task for a time: what stands between a `Scheduled` and the loop's timers. Touched on the loop's thread alone.
final class ScheduledTimer: @unchecked Sendable {
  private enum State {
    case waiting
    case set(LoopTimer)
    case over
  }

  private var state = State.waiting
  private var body: (() -> Void)?
  private var onEnd: (() -> Void)?

  init(_ body: @escaping () -> Void, onEnd: @escaping () -> Void) {
    self.body = body
    self.onEnd = onEnd
  }

  func start(on loop: Loop, at deadline: Instant) {
    guard case .waiting = state else { return }
    state = .set(
      loop.setTimer(at: deadline) { [self] in
        fire()
      } onEnd: { [self] in
        end()
      })
  }

  private func fire() {
    let body = body
    forget()
    body?()
  }

  func cancel(on loop: Loop) {
    if case .set(let timer) = state { loop.cancel(timer) }
    forget()
  }

  /// The loop ends before the task's time.
  func end() {
    let onEnd = onEnd
    forget()
    onEnd?()
  }

  private func forget() {
    state = .over
    body = nil
    onEnd = nil
  }
}
