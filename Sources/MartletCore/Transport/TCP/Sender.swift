import MartletWire

/// What a connection needs to know while it has data to send: made with the first byte and let go of with the last, so that
/// a connection that only listens, waits or ends is small.
struct Sender: ~Copyable {
  var losses: LossDetection
  var recovery: Recovery
  var congestion: CongestionControl
  var delivery = DeliveryRate()
  var pacing = Pacing()
  var probe = TailLossProbe()
  /// Where the round trip ends that is under way.
  var roundEnd: SequenceNumber
  /// Whether cwnd held the sender back in this round trip and in the one before.
  var isLimited = false
  var wasLimited = false
  /// The most bytes in flight in this round trip and in the one before.
  var peakFlight: UInt32 = 0
  var lastPeakFlight: UInt32 = 0
  /// Bytes sent again, and recoveries that were undone.
  var retransmitted: UInt64 = 0
  var undone: UInt32 = 0

  init(congestion: consuming CongestionControl, from sequence: SequenceNumber) {
    losses = LossDetection(from: sequence)
    recovery = Recovery(from: sequence)
    self.congestion = congestion
    roundEnd = sequence
  }

  /// Whether cwnd, and not the program, sets the pace (RFC 7661, RFC 9438 section 5.8). In slow start half of it in use is
  /// enough: the other half is what the last round trip's acknowledgements added.
  @inline(__always)
  var isWindowLimited: Bool {
    isLimited || wasLimited
      || (congestion.isSlowStart && congestion.window < 2 &* Int(max(peakFlight, lastPeakFlight)))
  }

  /// ``isWindowLimited``, or more than half of CUBIC's window was in flight in slow start; see
  /// ``AcknowledgmentSample/usesWindow(_:)``.
  @inline(__always)
  func usesCubicWindow(_ flight: Int) -> Bool {
    if isLimited || wasLimited { return true }
    let most = max(flight, Int(max(peakFlight, lastPeakFlight)))
    return congestion.cubicWindow < 2 &* most && congestion.isCubicSlowStart
  }

  /// `count` bytes from `start` on went out with nothing in flight before them.
  @inline(__always)
  mutating func noteAlone(from start: SequenceNumber, count: Int, segmentSize: Int, at now: Instant) {
    let departure = delivery.departure(of: count, flight: 0, at: now)
    losses.noteAlone(
      from: start, count: count, departure, isApplicationLimited: delivery.isApplicationLimited, at: now)
    congestion.sentAlone(at: now)
    // What the network could carry now is not known.
    let window = congestion.cubicWindow
    if count < window { delivery.noteApplicationLimit(flight: count) }
    noteFlight(count, isLimited: count &+ segmentSize > window)
  }

  /// `flight` bytes are in the network after a transmission that cwnd ended or did not end.
  @inline(__always)
  mutating func noteFlight(_ flight: Int, isLimited: Bool) {
    if isLimited { self.isLimited = true }
    if flight > Int(peakFlight) { peakFlight = UInt32(truncatingIfNeeded: flight) }
  }

  /// SND.UNA advanced to `unacknowledged`: after a round trip another begins, and it says so.
  @inline(__always)
  mutating func advanceRound(to unacknowledged: SequenceNumber, next: SequenceNumber) -> Bool {
    guard unacknowledged >= roundEnd else { return false }
    roundEnd = next
    wasLimited = isLimited
    isLimited = false
    lastPeakFlight = peakFlight
    peakFlight = 0
    return true
  }
}

/// The probe that makes the peer speak when the last segments of a flight are lost (RFC 8985 section 7).
struct TailLossProbe: BitwiseCopyable {
  /// TLP.end_seq: SND.NXT when the probe went out that is not settled yet.
  private(set) var end: SequenceNumber?
  /// TLP.is_retrans.
  private var isRetransmission = false
  /// How many went out.
  private(set) var count: UInt32 = 0

  @inline(__always)
  var isOutstanding: Bool { end != nil }

  /// The longest time that a peer may keep an acknowledgement of one segment to itself (WCDelAckT).
  private static var longestDelay: Nanoseconds { .milliseconds(200) }
  /// Below it timers and programs, not networks, decide when something is late.
  private static var shortest: Nanoseconds { .milliseconds(10) }

  /// PTO (section 7.2).
  static func timeout(smoothedRoundTrip: Nanoseconds, isOneSegment: Bool) -> Nanoseconds {
    guard smoothedRoundTrip >= 0 else { return .seconds(1) }
    return max(2 &* smoothedRoundTrip, shortest) &+ (isOneSegment ? longestDelay : 0)
  }

  /// A probe went out; `next` is SND.NXT after it.
  mutating func noteSent(next: SequenceNumber, isRetransmission: Bool) {
    end = next
    self.isRetransmission = isRetransmission
    count &+= 1
  }

  mutating func cancel() { end = nil }

  /// TLP_process_ack (section 7.4.2). Returns whether the probe repaired a loss, of which congestion control has to hear.
  mutating func noteAcknowledgment(
    _ number: SequenceNumber, isDuplicate: Bool, reportsDuplicate: Bool, hasBlocks: Bool
  ) -> Bool {
    guard let end, number >= end else { return false }
    if !isRetransmission || reportsDuplicate || (isDuplicate && !hasBlocks) {
      self.end = nil
      return false
    }
    guard number > end else { return false }
    self.end = nil
    return true
  }
}
