package import MartletWire

/// Where the repair of a loss stands (RFC 6675 section 5; RFC 6582 without SACK), how much may go out meanwhile (proportional
/// rate reduction, RFC 6937 and its revision), and whether there was a loss at all (RFC 3708, RFC 4015, RFC 5682).
package struct Recovery: BitwiseCopyable {
  package enum Phase: UInt8, BitwiseCopyable {
    /// All is well, as far as is known.
    case open
    /// A loss was found by what was delivered behind it.
    case fast
    /// The retransmission timer ran out.
    case timeout
  }

  /// Forward RTO recovery (RFC 5682): after a time-out new data is tried before more is sent again.
  package enum Forward: UInt8, BitwiseCopyable {
    case off
    /// The first segment was sent again; step 2.
    case waiting
    /// New data was sent; step 3.
    case trying
  }

  package private(set) var phase = Phase.open
  package var forward = Forward.off
  /// Whether one segment goes out whatever cwnd says: the first of a recovery (RFC 6675 section 5 (4.3)) and, without
  /// SACK, the one after a partial acknowledgement (RFC 6582 section 3.2 step 5).
  package var owesSegment = false
  /// Whether ``firstResendStamp`` means something.
  private var hasStamp = false
  /// Duplicate acknowledgements in a row.
  package private(set) var duplicates: UInt16 = 0
  /// Bytes that duplicate acknowledgements say have left the network, when there is no SACK to say which ones.
  package private(set) var departed: UInt32 = 0
  /// The end of what was in flight when the phase began (RecoveryPoint, recover).
  package private(set) var point: SequenceNumber
  /// SND.UNA when it began, and ``point`` then, for reports of duplicates that come when it has ended.
  private var start: SequenceNumber
  private var lastPoint: SequenceNumber

  // PRR: RecoverFS, prr_delivered and prr_out.
  private var flightAtStart: UInt32 = 0
  private var delivered: UInt32 = 0
  private var sent: UInt32 = 0

  /// Bytes sent again that the peer has not yet reported as duplicates; when all were, nothing had been lost.
  private var resentByteCount: Int32 = 0
  /// The timestamp of the first retransmission (RFC 3522).
  private var firstResendStamp: UInt32 = 0

  package init(from sequence: SequenceNumber) {
    point = sequence - 1
    start = sequence
    lastPoint = sequence
  }

  // MARK: Duplicates without SACK

  /// One more duplicate acknowledgement came.
  package mutating func countDuplicate(segmentSize: Int, flight: Int) {
    duplicates = duplicates == .max ? .max : duplicates + 1
    departed = UInt32(clamping: min(Int(departed) + segmentSize, max(0, flight - segmentSize)))
  }

  /// Whether duplicates of an acknowledgement up to `unacknowledged` may begin a fast recovery: not for what was sent
  /// before the last one's end (RFC 6582 section 4.1).
  package func mayBegin(from unacknowledged: SequenceNumber) -> Bool { phase == .open && unacknowledged > point }

  // MARK: Phases

  /// A loss was found; `flight` bytes were in the network.
  package mutating func beginFast(from unacknowledged: SequenceNumber, to point: SequenceNumber, flight: Int) {
    phase = .fast
    begin(from: unacknowledged, to: point)
    flightAtStart = UInt32(clamping: max(1, flight))
    delivered = 0
    sent = 0
  }

  /// The retransmission timer ran out; `triesForward` says whether what follows may show that it did so in error.
  package mutating func beginTimeout(from unacknowledged: SequenceNumber, to point: SequenceNumber, triesForward: Bool)
  {
    let isAgain = phase == .timeout
    let stamp = (hasStamp, firstResendStamp)
    phase = .timeout
    begin(from: unacknowledged, to: point)
    forward = triesForward && !isAgain ? .waiting : .off
    // The first retransmission counts, however often it is repeated.
    if isAgain { (hasStamp, firstResendStamp) = stamp }
    duplicates = 0
    departed = 0
  }

  private mutating func begin(from unacknowledged: SequenceNumber, to point: SequenceNumber) {
    self.point = point
    start = unacknowledged
    lastPoint = point
    owesSegment = true
    resentByteCount = 0
    hasStamp = false
    forward = .off
  }

  /// All is well again, or always was.
  package mutating func end() {
    phase = .open
    forward = .off
    departed = 0
    duplicates = 0
    owesSegment = false
    hasStamp = false
  }

  /// `count` new bytes up to `unacknowledged` were acknowledged; returns whether the phase's work is done.
  @inline(__always)
  package mutating func advance(
    to unacknowledged: SequenceNumber, count: Int, segmentSize: Int, isSelective: Bool
  ) -> Bool {
    duplicates = 0
    if phase == .open {
      departed = 0
      if resentByteCount > 0, unacknowledged - lastPoint > 1 << 30 { resentByteCount = 0 }
      // Keeps `point` within reach of comparison, however much is sent without a loss.
      point = unacknowledged - 1
      return false
    }
    if unacknowledged >= point { return true }
    if phase == .fast && !isSelective {
      // A partial acknowledgement deflates by what it acknowledged, less one segment (RFC 6582 section 3.2 step 5).
      let deflated = Int(departed) - count + (count >= segmentSize ? segmentSize : 0)
      departed = UInt32(clamping: max(0, deflated))
      owesSegment = true
    }
    return false
  }

  // MARK: Proportional rate reduction

  /// `count` bytes went out during the recovery.
  @inline(__always)
  package mutating func noteSent(_ count: Int) {
    if phase == .fast { sent &+= UInt32(truncatingIfNeeded: count) }
  }

  /// cwnd after an acknowledgement that delivered `count` bytes leaves `pipe` bytes in flight, going down to `threshold`;
  /// `isSafe` says that SND.UNA advanced and nothing more was found lost.
  package mutating func window(
    delivered count: Int, pipe: Int, threshold: Int, segmentSize: Int, isSafe: Bool
  ) -> Int {
    delivered &+= UInt32(truncatingIfNeeded: count)
    let threshold = min(threshold, Int(flightAtStart))
    var room: Int
    if pipe > threshold {
      // In proportion: ssthresh bytes out for all that were in flight.
      room = (Int(delivered) * threshold + Int(flightAtStart) - 1) / Int(flightAtStart) - Int(sent)
    } else {
      room = max(Int(delivered) - Int(sent), count)
      if isSafe { room += segmentSize }
      room = min(threshold - pipe, room)
    }
    // The fast retransmission itself always goes out.
    if sent == 0 { room = max(room, segmentSize) }
    return pipe + max(0, room)
  }

  // MARK: Undo

  /// `count` bytes went out again, with the timestamp `stamp` if timestamps are used.
  package mutating func noteResent(_ count: Int, stamp: UInt32?) {
    guard phase != .open else { return }
    resentByteCount = Int32(clamping: Int(resentByteCount) + count)
    if let stamp, !hasStamp {
      hasStamp = true
      firstResendStamp = stamp
    }
  }

  /// The peer reported `block` as a duplicate (RFC 2883); returns whether now all that was sent again had arrived before.
  /// Such reports take a round trip, in which the recovery mostly ends.
  package mutating func noteDuplicateReport(_ block: SACKBlock) -> Bool {
    guard block.left >= start, block.right <= lastPoint, resentByteCount > 0 else { return false }
    resentByteCount -= Int32(clamping: block.right - block.left)
    return resentByteCount <= 0
  }

  /// Whether all that was sent again was reported as a duplicate.
  package var isAllReported: Bool { phase != .open && resentByteCount <= 0 }

  /// Whether an acknowledgement that echoes `echo` was sent for the first transmission, not for the one that began the
  /// recovery (RFC 3522 section 3.2).
  package func isOfFirstTransmission(echo: UInt32) -> Bool {
    phase != .open && hasStamp && Int32(truncatingIfNeeded: echo &- firstResendStamp) < 0
  }
}
