package import MartletWire

/// What one acknowledgement tells a congestion control.
package struct AcknowledgmentSample: BitwiseCopyable {
  package var now: Instant
  /// Bytes that SND.UNA advanced by.
  package var acknowledged = 0
  /// Bytes newly delivered, cumulatively or by SACK.
  package var delivered = 0
  /// Bytes newly marked lost.
  package var lost = 0
  /// Bytes in flight (the pipe of RFC 6675) before and after this acknowledgement.
  package var priorFlight = 0
  package var flight = 0
  package var segmentSize: Int
  /// SND.UNA after this acknowledgement, and SND.NXT.
  package var unacknowledged: SequenceNumber
  package var next: SequenceNumber
  /// The sample of the round-trip time that this acknowledgement gave.
  package var roundTrip: Nanoseconds? = nil
  /// 0 or less before there is a sample.
  package var smoothedRoundTrip: Nanoseconds = 0
  package var minimumRoundTrip: Nanoseconds = 0
  /// Whether cwnd, and nothing else, held the sender back.
  package var wasLimited = false
  /// Whether it echoes a router's mark: then the window does not grow (RFC 3168 section 6.1.2).
  package var isCongestionEcho = false
  /// What was being repaired when this acknowledgement came.
  package var phase = Recovery.Phase.open

  // The sample of the delivery rate (draft-ietf-ccwg-bbr section 4.1).
  /// All bytes delivered so far (C.delivered).
  package var totalDelivered: UInt64 = 0
  /// What that was when the newest segment acknowledged was sent (P.delivered).
  package var priorDelivered: UInt64 = 0
  /// Bytes per second; 0 if there is no sample.
  package var rate: UInt64 = 0
  /// Whether that segment was sent when there was too little to send.
  package var isApplicationLimited = false
  /// Bytes in flight when that segment was sent, itself included (P.tx_in_flight).
  package var flightWhenSent: UInt32 = 0
  /// Bytes marked lost since it was sent (C.lost - P.lost).
  package var lostSinceSent: UInt32 = 0

  /// Whether a slow start to `window` may go on: at least half of it is in use (RFC 7661 section 4.3). Pacing alone may
  /// keep the other half back for a while.
  @inline(__always)
  func usesWindow(_ window: UInt32) -> Bool { wasLimited || priorFlight * 2 > Int(window) }
}
