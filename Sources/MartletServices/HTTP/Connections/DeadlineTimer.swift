import NIOCore

/// One deadline that is moved often and seldom reached: it is scheduled anew only when it fires too early.
final class DeadlineTimer {
  private let eventLoop: any EventLoop
  private let isDue: () -> Void
  private var deadline: NIODeadline?
  private var scheduled: (at: NIODeadline, task: Scheduled<Void>)?

  /// `isDue` is called on `eventLoop`, once for each deadline that is reached.
  init(on eventLoop: any EventLoop, isDue: @escaping () -> Void) {
    self.eventLoop = eventLoop
    self.isDue = isDue
  }

  func set(after time: Duration) { set(eventLoop.now + TimeAmount(time)) }

  func set(_ deadline: NIODeadline) {
    self.deadline = deadline
    if let scheduled {
      if scheduled.at <= deadline { return }
      scheduled.task.cancel()
    }
    schedule(deadline)
  }

  func clear() { deadline = nil }

  /// Ends it for good, and lets go of what it would call.
  func cancel() {
    deadline = nil
    scheduled?.task.cancel()
    scheduled = nil
  }

  private func schedule(_ time: NIODeadline) {
    let task = eventLoop.assumeIsolated().scheduleTask(deadline: time) { [weak self] () -> Void in self?.fire() }
    scheduled = (time, task)
  }

  private func fire() {
    scheduled = nil
    guard let deadline else { return }
    if eventLoop.now < deadline {
      schedule(deadline)
    } else {
      self.deadline = nil
      isDue()
    }
  }
}

extension TimeAmount {
  init(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    self = .nanoseconds(seconds &* 1_000_000_000 &+ attoseconds / 1_000_000_000)
  }
}
