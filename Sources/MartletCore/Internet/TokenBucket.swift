/// A limit on how often something may happen: a steady rate, and a burst saved up in quiet times.
///
/// For ICMP errors (RFC 1812 section 4.3.2.8, RFC 4443 section 2.4 (f)) and challenge acknowledgements
/// (RFC 5961 section 7).
package struct TokenBucket: Sendable, BitwiseCopyable {
  /// The time one token takes to come, in nanoseconds.
  private let period: Nanoseconds
  /// How far ahead of the steady rate a burst may run.
  private let tolerance: Nanoseconds
  private let isClosed: Bool
  /// When the bucket would be full again.
  private var fullAt = Instant.zero

  /// - Parameters:
  ///   - perSecond: how many tokens come in one second; with 0 or less there are none, ever.
  ///   - burst: how many can be saved up; at least 1.
  package init(perSecond: Int, burst: Int) {
    isClosed = perSecond <= 0
    period = 1_000_000_000 / Nanoseconds(max(perSecond, 1))
    tolerance = period * Nanoseconds(max(burst, 1) - 1)
  }

  /// Takes a token and says whether there was one.
  package mutating func take(at now: Instant) -> Bool {
    guard !isClosed else { return false }
    let from = max(fullAt, now)
    guard from - now <= tolerance else { return false }
    fullAt = from + period
    return true
  }
}
