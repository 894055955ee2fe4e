internal import MartletCore

/// How a host's clock runs beside its loop's: by so many parts of a billion faster or slower since a moment.
///
/// Both ways are exact to the nanosecond and never go back: ``time(at:)`` rounds down, and ``moment(of:)`` is the first
/// nanosecond of the loop at which the host's clock has come so far.
struct HostTime: Equatable, Sendable {
  /// Where both clocks stood when this rate began.
  private let loopStart: Int64
  private let hostStart: Int64
  /// Parts of a billion that the host's clock is faster.
  let drift: Int64

  private static var billion: Int64 { 1_000_000_000 }
  /// Half as fast to twice as fast.
  static var drifts: ClosedRange<Int64> { -500_000_000...1_000_000_000 }

  init(drift: Int64, since loop: Instant, at host: Instant) {
    self.drift = min(max(drift, Self.drifts.lowerBound), Self.drifts.upperBound)
    loopStart = loop.nanoseconds
    hostStart = host.nanoseconds
  }

  /// What the host's clock shows when the loop's shows `moment`.
  func time(at moment: Instant) -> Instant {
    let span = moment.nanoseconds &- loopStart
    let (seconds, rest) = span.quotientAndRemainder(dividingBy: Self.billion)
    var gain = rest &* drift / Self.billion
    if gain &* Self.billion > rest &* drift { gain &-= 1 }
    return Instant(nanoseconds: hostStart) + span + seconds &* drift + gain
  }

  /// When the host's clock first shows `time`, in the loop's time.
  func moment(of time: Instant) -> Instant {
    let span = time.nanoseconds &- hostStart
    guard span > 0 else { return Instant(nanoseconds: loopStart) }
    let rate = UInt64(Self.billion &+ drift)
    let product = UInt64(span).multipliedFullWidth(by: UInt64(Self.billion))
    // The rate is at least a half: the quotient is less than twice the span.
    let (quotient, remainder) = rate.dividingFullWidth(product)
    return Instant(nanoseconds: loopStart) + Int64(clamping: quotient &+ (remainder > 0 ? 1 : 0))
  }
}

extension HostBox {
  /// What the host's clock shows when the loop's shows `moment`.
  @inline(__always)
  func time(at moment: Instant) -> Instant { hostTime == nil ? moment : driftedTime(at: moment) }

  @inline(never)
  private func driftedTime(at moment: Instant) -> Instant { hostTime?.time(at: moment) ?? moment }

  /// When the host next has something to do, in the loop's time.
  @inline(__always)
  var nextMoment: Instant? {
    let deadline = host.nextDeadline
    guard hostTime != nil, let deadline else { return deadline }
    return moment(of: deadline)
  }

  /// When the host's clock shows `time`, in the loop's time.
  func moment(of time: Instant) -> Instant {
    guard let hostTime, time < .distantFuture else { return time }
    return hostTime.moment(of: time)
  }
}
