package import MartletWire

/// Where the repair of a loss stands (RFC 6675 section 5; RFC 6582 without SACK).
package struct Recovery: BitwiseCopyable {
  package enum Phase: UInt8, BitwiseCopyable {
    /// All is well, as far as is known.
    case open
    /// A loss was found by duplicate acknowledgements.
    case fast
    /// The retransmission timer ran out.
    case timeout
  }

  package private(set) var phase = Phase.open
  /// Whether one segment goes out whatever cwnd says: the first of a recovery (RFC 6675 section 5 (4.3)) and, without
  /// SACK, the one after a partial acknowledgement (RFC 6582 section 3.2 step 5).
  package var owesSegment = false
  /// Duplicate acknowledgements in a row.
  package private(set) var duplicates: UInt16 = 0
  /// Bytes that duplicate acknowledgements say have left the network, when there is no SACK to say which ones.
  package private(set) var departed: UInt32 = 0
  /// The end of what was in flight when the phase began (RecoveryPoint, recover).
  package private(set) var point: SequenceNumber

  package init(from sequence: SequenceNumber) { point = sequence }

  /// One more duplicate acknowledgement came.
  package mutating func countDuplicate(segmentSize: Int, flight: Int, isSelective: Bool) {
    duplicates = duplicates == .max ? .max : duplicates + 1
    if !isSelective {
      departed = UInt32(clamping: min(Int(departed) + segmentSize, max(0, flight - segmentSize)))
    }
  }

  /// Whether duplicates of an acknowledgement up to `unacknowledged` may begin a fast recovery: not for what was sent
  /// before the last one's end (RFC 6582 section 4.1, RFC 6675 section 5.1).
  package func mayBegin(from unacknowledged: SequenceNumber, isSelective: Bool) -> Bool {
    phase == .open && (isSelective || unacknowledged > point)
  }

  package mutating func beginFast(at point: SequenceNumber) {
    phase = .fast
    self.point = point
    owesSegment = true
  }

  package mutating func beginTimeout(at point: SequenceNumber) {
    phase = .timeout
    self.point = point
    owesSegment = true
    duplicates = 0
    departed = 0
  }

  /// `count` new bytes up to `unacknowledged` were acknowledged; returns whether a recovery ended with it.
  @inline(__always)
  package mutating func advance(
    to unacknowledged: SequenceNumber, count: Int, segmentSize: Int, isSelective: Bool
  ) -> Bool {
    duplicates = 0
    if phase == .open {
      departed = 0
      // Keeps `point` within reach of comparison, however much is sent without a loss.
      point = unacknowledged - 1
      return false
    }
    if unacknowledged >= point {
      phase = .open
      departed = 0
      owesSegment = false
      return true
    }
    if phase == .fast && !isSelective {
      // A partial acknowledgement deflates by what it acknowledged, less one segment (RFC 6582 section 3.2 step 5).
      let deflated = Int(departed) - count + (count >= segmentSize ? segmentSize : 0)
      departed = UInt32(clamping: max(0, deflated))
      owesSegment = true
    }
    return false
  }
}
