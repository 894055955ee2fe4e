internal import MartletCore
internal import Synchronization

/// How virtual time keeps to the system's clock. What happens and at which times of the loop stays the same; only when a
/// person sees it differs, unless something comes in from outside.
struct LoopPace {
  /// Seconds of the loop in a second of the system.
  let factor: Double
  /// Whether something from outside may come in, and then at the time it has: that run cannot be repeated.
  var isOpen = false
  /// Where both clocks stood when time last began to pass; nil while it stands still.
  private var anchor: (system: Int64, loop: Int64)?

  init(factor: Double) { self.factor = factor }

  mutating func begin(at now: Instant) {
    if anchor == nil { anchor = (Platform.monotonicNanoseconds, now.nanoseconds) }
  }

  mutating func stop() { anchor = nil }

  /// How long it is until `instant`, in nanoseconds of the system; negative if the machine is late.
  func wait(until instant: Instant) -> Int64 {
    guard let anchor else { return 0 }
    let span = Double(instant.nanoseconds &- anchor.loop) / factor
    guard span < 0x1p62 else { return .max }
    return anchor.system &+ Int64(span.rounded(.up)) &- Platform.monotonicNanoseconds
  }

  /// What the loop's clock should show now.
  var due: Instant? {
    guard let anchor else { return nil }
    let span = Double(Platform.monotonicNanoseconds &- anchor.system) * factor
    return Instant(nanoseconds: anchor.loop) + (span < 0x1p62 ? Int64(span) : .max)
  }
}

extension LoopCore {
  /// Whether what happens at `next` may happen now; if not, sleeps until then or until there is work.
  func isTime(for next: Instant) -> Bool {
    guard pace != nil, next > now else { return true }
    pace?.begin(at: now)
    let wait = pace?.wait(until: next) ?? 0
    guard wait > 0 else { return true }
    if maySleep() { poll(wait) }
    return false
  }

  /// Before something from outside comes in: time goes on to what the system's clock says, though not past what is due.
  func catchUp() {
    guard let pace, pace.isOpen, let due = pace.due else { return }
    let instant = min(due, nextDeadline ?? due)
    if instant > now { setVirtualNow(instant) }
  }
}

extension Loop {
  /// Has virtual time pass `factor` times as fast as the system's from now on, at most: nil lets it jump. Only on the
  /// loop's thread.
  package func setPace(_ factor: Double?) { core.pace = factor.map(LoopPace.init(factor:)) }

  /// Lets something from outside into a loop in virtual time that keeps real time, which from now on always passes. Only
  /// on the loop's thread.
  package func open() {
    guard core.pace?.isOpen == false else { return }
    core.pace?.isOpen = true
    hold()
  }

  /// Whether the loop's seconds are the system's.
  package var keepsRealTime: Bool { core.sync { [core] in !core.isVirtual || core.pace?.factor == 1 } }

  /// Calls `ready` when `descriptor` can be read, until the loop ends; false if the system refuses. Only on the loop's
  /// thread.
  package func watch(_ descriptor: CInt, _ ready: @escaping () -> Void) -> Bool {
    core.watch(descriptor, for: .read) { _ in ready() } != nil
  }
}
