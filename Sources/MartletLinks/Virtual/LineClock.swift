/// When a line is free again, exact to a fraction of a nanosecond: a long train of frames takes as long as its bits.
package struct LineClock {
  /// In whole nanoseconds; what is left over stands in ``remainder``.
  package var free: Int64 = 0
  /// In units of 1/rate ns.
  private var remainder: UInt64 = 0

  package init() {}

  /// Puts `byteCount` bytes on a line of `rate` bits per second, no earlier than at `start`, and returns when the last bit is on
  /// it, rounded up.
  @inline(__always)
  package mutating func occupy(_ byteCount: Int, from start: Int64, rate: UInt64) -> Int64 {
    if free < start {
      free = start
      remainder = 0
    }
    // The bits of one packet are below 2^24, so that this stays below 2^64 for every rate below 10^18.
    let (whole, rest) = (UInt64(byteCount) &* 8_000_000_000 &+ remainder).quotientAndRemainder(dividingBy: rate)
    let (sum, isFarOff) = free.addingReportingOverflow(Int64(clamping: whole))
    free = isFarOff ? .max : sum
    remainder = rest
    return rest > 0 && free < .max ? free &+ 1 : free
  }

  /// The line is free at `time`, to the nanosecond.
  package mutating func set(to time: Int64) {
    free = time
    remainder = 0
  }

  /// The line has another rate from now on: fractions of the old one mean nothing.
  package mutating func changeRate() { remainder = 0 }
}
