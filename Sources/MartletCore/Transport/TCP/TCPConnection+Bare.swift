package import MartletWire

/// The short way of segments without text, which open, acknowledge and end a connection that is well: they come to what the
/// long ways ``transmitControl(from:at:into:)``, ``emit(from:at:into:sequence:count:flags:size:)`` and
/// ``receiveSynchronized(_:_:payload:at:)`` come to, without asking all that those ask.
extension TCPConnection {
  // MARK: Sending

  /// Sends what waits if that is one segment without text that went out never before, and says whether it did.
  mutating func transmitBare(from pool: borrowing PacketPool, at now: Instant, into output: inout PacketQueue) -> Bool {
    guard owed.isSubset(of: .bare), sendQueue.isEmpty, !sender.isPresent, !trace.isPresent, rarities.isEmpty,
      marks.isDisjoint(with: .changesSegments), !flags.contains(.sendsUrgent),
      !receiveQueue.reassembly.hasReports
    else { return false }
    if owed.contains(.syn) {
      guard sendMaximum == initialSend, emitSYN(from: pool, at: now, into: &output) else { return false }
      owed.remove(.syn)
      flags.insert(.isTiming)
    } else {
      guard state.isSynchronized else { return false }
      let isFIN = flags.contains(.finQueued) && sendNext == sendUnacknowledged
      if isFIN {
        guard sendMaximum == sendNext, sendWindow > 0, timers.purpose != .persist else { return false }
      } else if !owed.contains(.acknowledgment) {
        return false
      }
      guard emitBare(isFIN ? [.ack, .fin] : .ack, from: pool, at: now, into: &output) else { return false }
      noteAcknowledged()
      guard isFIN else { return true }
      flags.insert(.finSent)
    }
    sendNext += 1
    sendMaximum = sendNext
    progressAt = now
    armRetransmission(at: now)
    return true
  }

  /// The first SYN, or its first answer, if all options are offered and agreed on that mostly are.
  @inline(__always)
  private mutating func emitSYN(from pool: borrowing PacketPool, at now: Instant, into output: inout PacketQueue)
    -> Bool
  {
    let isAnswer = state == .synReceived
    guard flags.isSuperset(of: isAnswer ? .agreesOnAll : .offersAll), var packet = pool.allocate() else { return false }
    packet.prepend(TCPHeader.minimumByteCount &+ 20)
    var bytes = packet.mutableBytes
    putHeader(
      isAnswer ? [.syn, .ack] : .syn, sequence: initialSend, window: UInt16(clamping: limits.receiveBuffer),
      optionByteCount: 20, into: &bytes)
    TCPOptions.writePlainSYN(
      maximumSegmentSize: offeredSegmentSize, windowScale: receiveScale,
      TCPTimestamps(value: timestamp(at: now), echoReply: isAnswer ? recentTimestamp : 0), to: &bytes)
    packet.metadata.checksumOffset = UInt16(TCPHeader.checksumOffset)
    output.append(packet)
    if isAnswer { noteAcknowledged() }
    return true
  }

  /// A segment that has no other options than timestamps.
  @inline(__always)
  private mutating func emitBare(
    _ bits: TCPFlags, from pool: borrowing PacketPool, at now: Instant, into output: inout PacketQueue
  ) -> Bool {
    guard var packet = pool.allocate() else { return false }
    let hasTimestamps = flags.contains(.timestamps)
    let optionByteCount = hasTimestamps ? 12 : 0
    packet.prepend(TCPHeader.minimumByteCount &+ optionByteCount)
    var bytes = packet.mutableBytes
    putHeader(
      bits, sequence: bits.contains(.fin) ? sendNext : acceptableSequence, window: windowToOffer(),
      optionByteCount: optionByteCount, into: &bytes)
    if hasTimestamps {
      bytes.store(bigEndian: UInt64(TCPOptions.alignedTimestamps), at: 16)
      bytes.store(bigEndian: UInt64(timestamp(at: now)) &<< 32 | UInt64(recentTimestamp), at: 24)
    } else {
      bytes.store(bigEndian: 0 as UInt32, at: 16)
    }
    packet.metadata.checksumOffset = UInt16(TCPHeader.checksumOffset)
    output.append(packet)
    return true
  }

  /// The first 16 bytes, in words of the size in which the sum reads them.
  @inline(__always)
  private func putHeader(
    _ bits: TCPFlags, sequence: SequenceNumber, window: UInt16, optionByteCount: Int, into bytes: inout MutableRawSpan
  ) {
    let ports = UInt64(flow.localPort) &<< 16 | UInt64(flow.remotePort)
    let shape = UInt64(TCPHeader.minimumByteCount &+ optionByteCount) &<< 26 | UInt64(bits.rawValue) &<< 16
    let number = bits.contains(.ack) ? UInt64(receiveNext.value) &<< 32 : 0
    bytes.store(bigEndian: ports &<< 32 | UInt64(sequence.value), at: 0)
    bytes.store(bigEndian: number | shape | UInt64(window), at: 8)
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
    return !flags.contains(.timestamps)
      || (segment.hasTimestamps && Int32(truncatingIfNeeded: segment.timestamp &- recentTimestamp) >= 0)
  }

  /// Takes the answer `header` to a SYN, which has no text, if it acknowledges it, and says whether it was.
  mutating func receiveAnswer(_ header: TCPHeader, _ options: TCPOptions, at now: Instant) -> Bool {
    guard state == .synSent, header.acknowledgmentNumber == sendMaximum, sendMaximum == initialSend + 1,
      rarities.isEmpty
    else { return false }
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
    if flags.contains(.timestamps), segment.sequence <= lastAcknowledged {
      recentTimestamp = segment.timestamp
      recentTimestampAt = now
    }
    if segment.isFIN { receiveFIN(at: now) }
  }
}

/// A segment without text: an acknowledgement or a FIN, without options or with timestamps alone.
struct BareSegment: BitwiseCopyable {
  let sequence: SequenceNumber
  let acknowledgment: SequenceNumber
  /// The peer's timestamp, if there is one.
  let timestamp: UInt32
  let window: UInt16
  let isFIN: Bool
  let hasTimestamps: Bool
}
