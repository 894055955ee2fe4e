import MartletWire

/// HyStart++ (RFC 9406): leaves the first slow start when the round-trip time rises, before the queue overflows.
package struct HyStart: BitwiseCopyable {
  /// Where the round ends (windowEnd).
  private var roundEnd: SequenceNumber
  /// The smallest round-trip times of the last and of this round, in microseconds; `.max` if there was none.
  private var lastRoundMinimum = UInt32.max
  private var roundMinimum = UInt32.max
  /// What the round-trip time was when conservative slow start began; it ends if a round is below.
  private var baseline = UInt32.max
  private var samples: UInt8 = 0
  /// Rounds of conservative slow start, the one it began in included; 0 in slow start.
  private var conservativeRounds: UInt8 = 0
  private var hasRound = false

  static var samplesNeeded: UInt8 { 8 }
  static var growthDivisor: Int { 4 }
  static var maximumRounds: UInt8 { 5 }
  /// MIN_RTT_THRESH and MAX_RTT_THRESH in microseconds.
  static var smallestRise: UInt32 { 4_000 }
  static var largestRise: UInt32 { 16_000 }
  /// MIN_RTT_DIVISOR.
  static var riseDivisor: UInt32 { 8 }

  init() { roundEnd = SequenceNumber(0) }

  /// Whether growth is slowed (CSS).
  @inline(__always)
  var isConservative: Bool { conservativeRounds > 0 }

  /// Takes one acknowledgement and says whether slow start is over.
  @inline(__always)
  mutating func update(_ sample: borrowing AcknowledgmentSample) -> Bool {
    let unacknowledged = sample.unacknowledged
    if !hasRound || unacknowledged >= roundEnd {
      if hasRound, isConservative {
        // The round in which it began counts, though it was there for a part of it only.
        conservativeRounds += 1
        if conservativeRounds > Self.maximumRounds { return true }
      }
      hasRound = true
      roundEnd = sample.next
      lastRoundMinimum = roundMinimum
      roundMinimum = .max
      samples = 0
    }
    guard let roundTrip = sample.roundTrip, roundTrip > 0 else { return false }
    roundMinimum = min(roundMinimum, UInt32(clamping: roundTrip / 1_000))
    samples = samples == .max ? .max : samples + 1
    guard samples >= Self.samplesNeeded else { return false }
    if isConservative {
      if roundMinimum < baseline {
        baseline = .max
        conservativeRounds = 0
      }
    } else if lastRoundMinimum != .max {
      let rise = max(Self.smallestRise, min(lastRoundMinimum / Self.riseDivisor, Self.largestRise))
      if roundMinimum >= lastRoundMinimum &+ rise {
        baseline = roundMinimum
        conservativeRounds = 1
      }
    }
    return false
  }
}
