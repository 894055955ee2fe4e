/// When the next segment may go out, if the congestion control spreads them over time.
struct Pacing: BitwiseCopyable {
  /// Until when what was sent is paid for.
  private var paidUntil = Instant.zero

  /// How far ahead of its time something may go out: bursts of a millisecond cost less than a timer for each segment.
  private static var horizon: Nanoseconds { .milliseconds(1) }

  /// When all that was sent is paid for: a good time to send more.
  @inline(__always)
  var next: Instant { paidUntil }

  /// How many bytes may go out now at `rate` bytes per second; two segments always may at once.
  @inline(__always)
  func allowance(rate: UInt64, segmentSize: Int, at now: Instant) -> Int {
    guard rate > 0 else { return .max }
    let slack = max(Self.horizon, Self.span(of: 2 &* segmentSize, rate: rate))
    let left = slack - max(0, paidUntil - now)
    return left <= 0 ? 0 : max(segmentSize, Int(Double(left) * Double(rate) / 1e9))
  }

  /// `count` bytes went out.
  @inline(__always)
  mutating func noteSent(_ count: Int, rate: UInt64, at now: Instant) {
    guard rate > 0 else { return }
    paidUntil = max(paidUntil, now) + Self.span(of: count, rate: rate)
  }

  @inline(__always)
  private static func span(of count: Int, rate: UInt64) -> Nanoseconds {
    Nanoseconds(Double(count) * 1e9 / Double(rate))
  }
}
