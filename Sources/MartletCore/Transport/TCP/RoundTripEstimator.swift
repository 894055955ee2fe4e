/// The round-trip time and the timeout that follows from it (RFC 6298).
package struct RoundTripEstimator: BitwiseCopyable {
  /// SRTT and RTTVAR; no sample yet while `smoothed` is negative.
  package private(set) var smoothed: Nanoseconds = -1
  package private(set) var variation: Nanoseconds = 0
  /// The smallest sample.
  package private(set) var minimum: Nanoseconds = .max
  /// RTO, backed off.
  package private(set) var timeout: Nanoseconds

  package init(_ limits: TCPLimits) { timeout = limits.initialTimeout.asMilliseconds }

  package var hasSample: Bool { smoothed >= 0 }

  /// G, the clock granularity.
  private static var granularity: Nanoseconds { .milliseconds(1) }

  /// Takes the time from a segment to its acknowledgement (RFC 6298 (2.2), (2.3)).
  @inline(__always)
  package mutating func sample(_ time: Nanoseconds, limits: borrowing TCPLimits) {
    let time = max(time, 0)
    // Nothing takes no time: such a sample says that the clock stood still.
    if time > 0 { minimum = min(minimum, time) }
    if smoothed < 0 {
      smoothed = time
      variation = time / 2
    } else {
      variation &+= (abs(smoothed &- time) &- variation) / 4
      smoothed &+= (time &- smoothed) / 8
    }
    timeout = smoothed &+ max(Self.granularity, variation &* 4)
    timeout = max(timeout, limits.minimumTimeout.asMilliseconds)
    timeout = min(timeout, limits.maximumTimeout.asMilliseconds)
  }

  /// Doubles the timeout (RFC 6298 (5.5)).
  package mutating func backOff(_ limits: TCPLimits) {
    timeout = min(timeout &* 2, limits.maximumTimeout.asMilliseconds)
  }

  /// The timeout of data after a SYN was lost (RFC 6298 (5.7)).
  package mutating func restartAfterLostSYN() { if !hasSample { timeout = .seconds(3) } }
}
