package import MartletWire

/// The short way of segments without text, which open, acknowledge and end a connection that is well: they come to what
/// ``transmit(from:at:into:limit:)`` and ``receive(_:_:payload:at:)`` come to, without asking all that those ask.
extension TCPConnection {
  // MARK: Sending

  /// The size of what waits to be sent, if it is one segment without text that goes out for the first time, with timestamps
  /// and, if it is a SYN, all options that mostly are offered and agreed on; else 0.
  @inline(__always)
  var bareDeparture: Int {
    guard owed.isSubset(of: .bare), sendQueue.isEmpty, !sender.isPresent, !trace.isPresent, rarities.isEmpty,
      marks.isDisjoint(with: .changesSegments), !flags.contains(.sendsUrgent), !receiveQueue.reassembly.hasReports
    else { return 0 }
    if owed.contains(.syn) {
      let isPlain = flags.isSuperset(of: state == .synReceived ? .agreesOnAll : .offersAll)
      return isPlain && sendMaximum == initialSend ? TCPHeader.minimumByteCount &+ 20 : 0
    }
    guard state.isSynchronized, flags.contains(.timestamps) else { return 0 }
    if sendsFIN {
      guard sendMaximum == sendNext, sendWindow > 0, timers.purpose != .persist else { return 0 }
    } else if !owed.contains(.acknowledgment) {
      return 0
    }
    return TCPHeader.minimumByteCount &+ 12
  }

  @inline(__always)
  private var sendsFIN: Bool { flags.contains(.finQueued) && sendNext == sendUnacknowledged }

  /// Sends the segment of which ``bareDeparture`` told the size: writes it at `target` and returns the sum of its words, most
  /// significant byte first; its checksum is left 0.
  @unsafe @inline(__always)
  mutating func departBare(to target: UnsafeMutableRawPointer, at now: Instant) -> UInt64 {
    isCalm = false
    flags.remove(.wantsOutput)
    let isSYN = owed.contains(.syn)
    let isFIN = !isSYN && sendsFIN
    let acknowledges = state != .synSent
    var bits: TCPFlags = acknowledges ? .ack : []
    if isSYN { bits.insert(.syn) }
    if isFIN { bits.insert(.fin) }
    let window = isSYN ? UInt16(clamping: limits.receiveBuffer) : windowToOffer()
    let sequence = isSYN ? initialSend : isFIN ? sendNext : acceptableSequence
    let shape = UInt64((isSYN ? 0xa000 : 0x8000) | bits.rawValue)
    let words = (
      UInt64(flow.localPort) &<< 48 | UInt64(flow.remotePort) &<< 32 | UInt64(sequence.value),
      (acknowledges ? UInt64(receiveNext.value) &<< 32 : 0) | shape &<< 16 | UInt64(window),
      UInt64(timestamp(at: now)), UInt64(acknowledges ? recentTimestamp : 0)
    )
    unsafe target.storeBytes(of: words.0.bigEndian, as: UInt64.self)
    unsafe target.storeBytes(of: words.1.bigEndian, toByteOffset: 8, as: UInt64.self)
    var sum = WordSum.halves(words.0) &+ WordSum.halves(words.1) &+ words.2 &+ words.3
    if isSYN {
      let options = TCPOptions.plainSYN(
        maximumSegmentSize: offeredSegmentSize, windowScale: receiveScale, value: words.2, echoReply: words.3)
      unsafe target.storeBytes(of: options.0.bigEndian, toByteOffset: 16, as: UInt64.self)
      unsafe target.storeBytes(of: options.1.bigEndian, toByteOffset: 24, as: UInt64.self)
      unsafe target.storeBytes(of: options.2.bigEndian, toByteOffset: 32, as: UInt64.self)
      sum &+= options.0 &+ options.1 &>> 32 &+ options.2 & 0xffff_ffff
    } else {
      let option = UInt64(TCPOptions.alignedTimestamps)
      unsafe target.storeBytes(of: option.bigEndian, toByteOffset: 16, as: UInt64.self)
      unsafe target.storeBytes(of: (words.2 &<< 32 | words.3).bigEndian, toByteOffset: 24, as: UInt64.self)
      sum &+= option
    }
    if acknowledges { noteAcknowledged() }
    if isSYN || isFIN {
      owed.remove(.syn)
      flags.insert(isSYN ? .isTiming : .finSent)
      sendNext += 1
      sendMaximum = sendNext
      progressAt = now
      armRetransmission(at: now)
    }
    return sum
  }

  // MARK: Receiving

  /// Whether `segment` is in order and acknowledges what is in flight, if that is no data.
  @inline(__always)
  func expects(_ segment: BareSegment) -> Bool {
    guard segment.sequence == receiveNext, receiveEdge > receiveNext, segment.acknowledgment >= sendUnacknowledged,
      segment.acknowledgment <= sendMaximum, sendWindowSequence <= segment.sequence, !sender.isPresent,
      receiveQueue.reassembly.isEmpty, flags.isDisjoint(with: .expectsMore)
    else { return false }
    if state == .synReceived {
      guard segment.acknowledgment > sendUnacknowledged, !owed.contains(.syn) else { return false }
    } else if !state.isSynchronized || state == .timeWait || (segment.isFIN && !state.mayReceive) {
      return false
    }
    return flags.contains(.timestamps) && Int32(truncatingIfNeeded: segment.timestamp &- recentTimestamp) >= 0
  }

  /// Takes the answer `header` to a SYN, which has no text, if it acknowledges it, and says whether it was.
  mutating func receiveAnswer(_ header: TCPHeader, _ options: TCPOptions, at now: Instant) -> Bool {
    guard state == .synSent, header.acknowledgmentNumber == sendMaximum, sendMaximum == initialSend + 1,
      rarities.isEmpty
    else { return false }
    isCalm = false
    takeSYN(header, options, at: now)
    sendUnacknowledged = header.acknowledgmentNumber
    if flags.contains(.isTiming) { takeRoundTripOfSYN(at: now) }
    establish(at: now)
    owed.remove(.syn)
    owed.insert(.acknowledgment)
    return true
  }

  /// Takes a segment that ``expects(_:)`` accepted, as ``receive(_:_:payload:at:)`` does.
  mutating func receive(_ segment: BareSegment, at now: Instant) {
    isCalm = false
    heardAt = now
    let number = segment.acknowledgment
    let window = UInt32(segment.window) &<< UInt32(sendScale)
    if state == .synReceived {
      largestSendWindow = window
      sendWindow = window
      establish(at: now)
    }
    sendWindowSequence = segment.sequence
    sendWindowAcknowledgment = number
    let windowMoved = window != sendWindow
    if windowMoved {
      sendWindow = window
      largestSendWindow = max(largestSendWindow, window)
      if trace.isPresent { record(.window(Int(window)), at: now) }
      if timers.purpose == .persist, window > 0 { endPersist(unless: number) }
    }
    if number > sendUnacknowledged {
      advance(to: number, at: now)
      if sendUnacknowledged == sendNext { timers.retransmission = .distantFuture } else { armRetransmission(at: now) }
    }
    if windowMoved { noteOutput() }
    if state == .closed { return }
    if segment.sequence <= lastAcknowledged {
      recentTimestamp = segment.timestamp
      recentTimestampAt = now
    }
    if segment.isFIN { receiveFIN(at: now) }
  }
}

/// A segment without text, an acknowledgement or a FIN, that has timestamps and no other options.
struct BareSegment: BitwiseCopyable {
  let sequence: SequenceNumber
  let acknowledgment: SequenceNumber
  /// The peer's.
  let timestamp: UInt32
  let window: UInt16
  let isFIN: Bool
}
