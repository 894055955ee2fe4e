import MartletWire

@testable import MartletCore

/// Acknowledgements at times, for a congestion control without a path.
struct AckClock {
  static var size: Int { 1_000 }
  var now = Instant.zero
  var roundTrip = Nanoseconds.milliseconds(100)
  var unacknowledged = SequenceNumber(0)
  /// What is in flight behind what is acknowledged.
  var flight = 10_000

  /// The sample of an acknowledgement of `count` bytes.
  mutating func sample(
    _ count: Int, wasLimited: Bool = true, phase: Recovery.Phase = .open, roundTrip: Nanoseconds? = nil
  ) -> AcknowledgmentSample {
    unacknowledged += count
    return AcknowledgmentSample(
      now: now, acknowledged: count, delivered: count, priorFlight: flight, flight: flight, segmentSize: Self.size,
      unacknowledged: unacknowledged, next: unacknowledged + flight, roundTrip: roundTrip ?? self.roundTrip,
      smoothedRoundTrip: self.roundTrip, minimumRoundTrip: self.roundTrip, wasLimited: wasLimited, phase: phase)
  }

  /// A round trip in which a whole window is acknowledged, segment by segment.
  mutating func round(
    _ congestion: inout CongestionControl, wasLimited: Bool = true, phase: Recovery.Phase = .open,
    roundTrip: Nanoseconds? = nil
  ) {
    flight = wasLimited ? congestion.window : congestion.window / 4
    let count = max(congestion.window / Self.size, 1)
    let step = (roundTrip ?? self.roundTrip) / Nanoseconds(count)
    for _ in 0..<count {
      now = now + step
      congestion.acknowledged(sample(Self.size, wasLimited: wasLimited, phase: phase, roundTrip: roundTrip))
    }
  }
}

extension CongestionControl {
  /// One of `segments` segments of 1,000 bytes.
  init(_ algorithm: TCPCongestionControl, segments: Int) {
    self.init(algorithm, initialWindow: segments * 1_000, segmentSize: 1_000, now: .zero)
  }

  mutating func loseOne(at now: Instant = .zero) {
    beginRecovery(flight: window, segmentSize: 1_000, now: now)
    endRecovery(segmentSize: 1_000)
  }
}
