/// How long a window that is not used still counts (RFC 7661 section 4.4).
struct WindowValidation: BitwiseCopyable {
  /// When less than half of the window began to be used: seconds modulo 2¹⁶, odd; 0 while the window is valid.
  private var since: UInt16 = 0

  /// NVP: five minutes.
  static var period: UInt16 { 300 }

  @inline(__always)
  mutating func isValid() { since = 0 }

  @inline(__always)
  mutating func note(
    flight: Int, window: inout UInt32, threshold: inout UInt32, initialWindow: @autoclosure () -> Int, now: Instant
  ) {
    if flight >= Int(window) / 2 {
      since = 0
      return
    }
    let seconds = UInt16(truncatingIfNeeded: now.nanoseconds / 1_000_000_000)
    if since == 0 {
      since = seconds | 1
      return
    }
    let span = seconds &- since
    // Within the second that was rounded up the difference is below zero.
    guard span >= Self.period, span < 0xff00 else { return }
    threshold = max(threshold, window / 4 * 3)
    window = max(window / 2, min(window, UInt32(clamping: initialWindow())))
    since = seconds | 1
  }
}
