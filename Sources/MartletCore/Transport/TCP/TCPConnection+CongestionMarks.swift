package import MartletWire

/// Explicit congestion notification (RFC 3168 section 6.1): routers mark what they would otherwise drop, the receiver echoes
/// the mark, the sender slows down once a window and says so.
extension TCPConnection {
  struct Marks: OptionSet, BitwiseCopyable {
    let rawValue: UInt8
    /// This end asks for it in its SYN, and says yes to a peer that asks.
    static let offers = Marks(rawValue: 1)
    static let accepts = Marks(rawValue: 2)
    /// Both agreed: marks on data that comes are echoed ...
    static let hears = Marks(rawValue: 4)
    /// ... and new data goes out so that routers mark it.
    static let isCapable = Marks(rawValue: 8)
    /// A mark came, and no CWR since.
    static let echoes = Marks(rawValue: 16)
    /// The next new data says that the window was reduced.
    static let owesReduced = Marks(rawValue: 32)
    /// The window was reduced for what was in flight up to `reducedEnd`.
    static let hasReduced = Marks(rawValue: 64)
    /// What changes a segment that goes out: ``offers``, ``hears``, ``isCapable``.
    static let changesSegments = Marks(rawValue: 1 | 4 | 8)
  }

  /// What the SYN says (RFC 3168 section 6.1.1). One that had to be sent again does not ask, in case that was why it was
  /// lost (section 6.1.1.1).
  private func marksOfSYN(isAnswer: Bool) -> TCPFlags {
    if isAnswer { return marks.contains(.hears) ? .ece : [] }
    return marks.contains(.offers) && !flags.contains(.synLost) ? [.ece, .cwr] : []
  }

  /// What the peer's SYN, whose flags are `bits`, says to that.
  mutating func agreeOnMarks(_ bits: TCPFlags) {
    guard bits.contains([.syn, .ece]) else { return }
    if bits.contains(.ack) {
      guard state == .synSent, marks.contains(.offers), !bits.contains(.cwr) else { return }
      marks.insert(.hears)
      // After a SYN that did not ask nothing may be marked (section 6.1.1).
      if !flags.contains(.synLost) { marks.insert(.isCapable) }
    } else if state == .synReceived, marks.contains(.accepts), bits.contains(.cwr) {
      marks.insert([.hears, .isCapable])
    }
  }

  /// Takes what a segment with `payloadCount` bytes, which came with or without a router's mark, tells the receiver: to be
  /// called before the segment is received (RFC 3168 section 6.1.3). Marks outside the window mean nothing (section 6.1.5).
  package mutating func receiveMark(_ header: TCPHeader, isMarked: Bool, payloadCount: Int) {
    isCalm = false
    guard marks.contains(.hears), payloadCount > 0, header.sequenceNumber + payloadCount > receiveNext,
      header.sequenceNumber < receiveEdge
    else { return }
    if header.flags.contains(.cwr) { marks.remove(.echoes) }
    if isMarked { marks.insert(.echoes) }
  }

  /// An acknowledgement says that a router marked what was sent: the window is reduced, once for all that is in flight
  /// (RFC 3168 section 6.1.2), unless a loss in it did that already. Up to its very end: only what follows it brings the
  /// peer the word that ends its echoes.
  mutating func receiveCongestionEcho(acknowledging number: SequenceNumber, at now: Instant) {
    if marks.contains(.hasReduced), number <= reducedEnd { return }
    if sender.isPresent, sender.value.recovery.phase == .open {
      sender.value.congestion.congestionExperienced(
        flight: sendNext - sendUnacknowledged, segmentSize: Int(segmentSize), now: now)
      if trace.isPresent { record(.congestionMarked, at: now) }
    }
    noteReducedWindow()
  }

  /// The window was reduced, for whatever reason: the next new data says so (RFC 3168 section 6.1.2).
  mutating func noteReducedWindow() {
    guard marks.contains(.isCapable) else { return }
    marks.insert([.owesReduced, .hasReduced])
    reducedEnd = sendNext
  }

  /// Marks a segment that goes out, and its flags `bits`: new data alone is capable, not retransmissions and not probes of a
  /// closed window (RFC 3168 sections 6.1.4 to 6.1.6). Returns whether the IP header says so.
  @inline(__always)
  mutating func mark(_ bits: inout TCPFlags, sequence: SequenceNumber, count: Int) -> Bool {
    guard !marks.isDisjoint(with: .changesSegments), !bits.contains(.rst) else { return false }
    if bits.contains(.syn) {
      bits.formUnion(marksOfSYN(isAnswer: bits.contains(.ack)))
      return false
    }
    if marks.contains(.echoes) { bits.insert(.ece) }
    guard count > 0, marks.contains(.isCapable), sequence >= sendMaximum, timers.purpose != .persist else {
      return false
    }
    if marks.contains(.owesReduced) {
      marks.remove(.owesReduced)
      bits.insert(.cwr)
    }
    return true
  }
}
