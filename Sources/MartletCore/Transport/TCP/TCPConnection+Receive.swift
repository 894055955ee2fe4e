package import MartletWire

/// SEGMENT ARRIVES (RFC 9293 section 3.10.7), in the order in which the RFC checks.
extension TCPConnection {
  /// Takes a segment whose checksum is good; `payload` is what follows the header. Returns why it was discarded, if it was.
  package mutating func receive(
    _ header: TCPHeader, _ options: TCPOptions, payload: consuming Packet, at now: Instant
  ) -> Drop.Reason? {
    isCalm = false
    if options.sackBlocks.isEmpty, options.userTimeout == nil,
      expects(header, options.timestamps, payloadCount: payload.count)
    {
      return receiveExpected(header, options.timestamps, payload: payload, at: now)
    }
    switch state {
    case .closed: return .tcpAfterClose
    case .synSent: return receiveInSynSent(header, options, payload: payload, at: now)
    default: return receiveSynchronized(header, options, payload: payload, at: now)
    }
  }

  /// Whether a segment is what nearly every segment is: in order, inside the window, nothing but data and an
  /// acknowledgement of what is in flight. It has no other options than `timestamps`.
  @inline(__always)
  package func expects(_ header: TCPHeader, _ timestamps: TCPTimestamps?, payloadCount: Int) -> Bool {
    guard state == .established, header.flags.subtracting(.psh) == .ack, header.sequenceNumber == receiveNext,
      header.acknowledgmentNumber >= sendUnacknowledged, header.acknowledgmentNumber <= sendNext,
      receiveQueue.reassembly.isEmpty, payloadCount <= receiveEdge - receiveNext,
      flags.isDisjoint(with: .needsCare)
    else { return false }
    guard flags.contains(.timestamps) else { return true }
    guard let timestamps else { return false }
    return Int32(truncatingIfNeeded: timestamps.value &- recentTimestamp) >= 0
  }

  /// Takes a segment that ``expects(_:_:payloadCount:)`` accepted, as ``receive(_:_:payload:at:)`` does.
  package mutating func receiveExpected(
    _ header: TCPHeader, _ timestamps: TCPTimestamps?, payload: consuming Packet, at now: Instant
  ) -> Drop.Reason? {
    isCalm = false
    if let timestamps, flags.contains(.timestamps), lastAcknowledged == receiveNext {
      recentTimestamp = timestamps.value
      recentTimestampAt = now
    }
    heardAt = now
    let options = TCPOptions(timestamps: timestamps)
    if let reason = receiveAcknowledgment(header, options, payloadCount: payload.count, at: now) { return reason }
    if payload.count > 0 {
      if isGrowthDue(timestamps, at: now) { growReceiveBuffer(at: now) }
      let count = payload.count
      // What was expected lies inside the window and follows what is there: it only has to be as small as most, and room.
      guard count <= Int(receiveSegmentSize), receiveQueue.byteCount < Int(limits.receiveBuffer) else {
        return receiveText(header.sequenceNumber, payload: payload, at: now)
      }
      receiveQueue.appendInOrder(payload)
      receiveNext += count
      noteDelivered(count, at: now)
    }
    return nil
  }

  // MARK: 3.10.7.3, SYN-SENT

  private mutating func receiveInSynSent(
    _ header: TCPHeader, _ options: TCPOptions, payload: consuming Packet, at now: Instant
  ) -> Drop.Reason? {
    // First, the ACK bit.
    let acknowledges = header.flags.contains(.ack)
    if acknowledges {
      let number = header.acknowledgmentNumber
      if number <= initialSend || number > sendMaximum {
        if header.flags.contains(.rst) { return .tcpResetIgnored }
        owed.insert(.resetAnswer)
        resetSequence = number
        return .tcpBadAcknowledgment
      }
    }
    // Second, the RST bit. Without an acceptable ACK it is dropped.
    if header.flags.contains(.rst) {
      guard acknowledges else { return .tcpResetIgnored }
      fail(.refused)
      return nil
    }
    // Fourth, the SYN bit. Fifth, if there is none, drop.
    guard header.flags.contains(.syn) else { return .tcpNoAcknowledgment }
    takeSYN(header, options, at: now)
    if acknowledges {
      sendUnacknowledged = header.acknowledgmentNumber
      takeFastOpenAcknowledgment()
      if flags.contains(.isTiming) { takeRoundTripOfSYN(at: now) }
      establish(at: now)
      owed.remove(.syn)
      owed.insert(.acknowledgment)
    } else {
      // Both ends open at once (RFC 9293 section 3.5, figure 7; MUST-10).
      state = .synReceived
      owed.insert(.syn)
    }
    // What else the segment carries is processed now that the connection is known.
    var rest = header
    rest.sequenceNumber += 1
    rest.flags.remove(.syn)
    if payload.count > 0 || header.flags.contains(.fin) {
      return receiveUrgentTextAndFIN(rest, options.timestamps, payload: payload, at: now)
    }
    return nil
  }

  // MARK: 3.10.7.4, other states

  private mutating func receiveSynchronized(
    _ header: TCPHeader, _ options: TCPOptions, payload: consuming Packet, at now: Instant
  ) -> Drop.Reason? {
    var header = header
    if state == .synReceived, header.flags.contains(.syn), header.sequenceNumber == initialReceive {
      if !header.flags.contains(.ack) {
        // The peer did not hear our SYN, ACK.
        owed.insert(.syn)
        return .tcpDuplicate
      }
      // Both opened at once: the peer's SYN was counted already (RFC 9293 section 3.5, figure 7).
      header.flags.remove(.syn)
      header.sequenceNumber += 1
      // The window of a segment with a SYN is never scaled (RFC 7323 section 2.2); what follows takes it to be.
      header.window >>= UInt16(sendScale)
    }

    // PAWS comes before everything (RFC 7323 section 5.3, R1).
    if flags.contains(.timestamps), !header.flags.contains(.rst) {
      guard let timestamps = options.timestamps else {
        // RFC 7323 section 3.2: a segment without the option is dropped once both agreed on it.
        return .tcpOldTimestamp
      }
      if Int32(truncatingIfNeeded: timestamps.value &- recentTimestamp) < 0, !recentTimestampIsStale(at: now) {
        owed.insert(.acknowledgment)
        restartTimeWait(on: header, at: now)
        return .tcpOldTimestamp
      }
    }

    // First, the sequence number.
    let isReset = header.flags.contains(.rst)
    var count = payload.count
    if isReset {
      // A RST may carry data (SHLD-2), which means nothing.
      count = 0
    } else if header.flags.contains(.syn) || header.flags.contains(.fin) {
      count += 1
    }
    guard isAcceptable(header.sequenceNumber, count: count) else {
      if isReset { return .tcpResetIgnored }
      if header.flags.contains(.syn), state != .synReceived {
        // RFC 5961 section 4.2: whatever its sequence number.
        owed.insert(.challenge)
        return .tcpSynOnSynchronized
      }
      // Two ends that disagree would answer each other's bare ACKs for ever: those answers are bounded as challenges are.
      owed.insert(count == 0 ? .challenge : .acknowledgment)
      restartTimeWait(on: header, at: now)
      let age = receiveNext - header.sequenceNumber
      if age == 0
        || (count == 0 && age > 0 && age <= Int(offeredSegmentSize)
          && header.acknowledgmentNumber > sendUnacknowledged),
        header.flags.contains(.ack), !header.flags.contains(.syn)
      {
        // The window is closed, but ACK and URG count (RFC 9293 section 3.10.7.4, MUST-66). So does the ACK of what just
        // came before: two ends whose probes of closed windows both arrived would else refuse each other's ACKs for ever.
        heardAt = now
        if state != .synReceived { _ = receiveAcknowledgment(header, options, payloadCount: count, at: now) }
        if age == 0 {
          if header.flags.contains(.urg) { receiveUrgent(header) }
          return .tcpOutsideWindow
        }
      }
      guard header.sequenceNumber + count <= receiveNext else { return .tcpOutsideWindow }
      if state.isSynchronized, flags.contains(.selective) {
        receiveQueue.noteDuplicate(header.sequenceNumber, count: payload.count)
      }
      return .tcpDuplicate
    }

    // Second, the RST bit.
    if isReset { return receiveReset(header) }
    // Fourth, the SYN bit.
    if header.flags.contains(.syn) {
      if state == .synReceived, flags.contains(.isPassive) {
        finish()
        return .tcpSynOnSynchronized
      }
      owed.insert(.challenge)
      return .tcpSynOnSynchronized
    }
    // Fifth, the ACK field.
    guard header.flags.contains(.ack) else { return .tcpNoAcknowledgment }
    heardAt = now
    if state == .synReceived {
      let number = header.acknowledgmentNumber
      guard number > sendUnacknowledged, number <= sendMaximum else {
        owed.insert(.resetAnswer)
        resetSequence = number
        return .tcpBadAcknowledgment
      }
      sendWindow = UInt32(header.window) << UInt32(sendScale)
      largestSendWindow = sendWindow
      sendWindowSequence = header.sequenceNumber
      sendWindowAcknowledgment = number
      establish(at: now)
      // Both opened at once, and our SYN, ACK did not go out yet: an ACK of the peer's SYN takes its place.
      if owed.contains(.syn) { owed.insert(.acknowledgment) }
      owed.remove(.syn)
    }
    if let reason = receiveAcknowledgment(header, options, payloadCount: payload.count, at: now) { return reason }
    if let timeout = options.userTimeout { receiveUserTimeout(timeout) }
    if state == .closed { return nil }
    // R3 of RFC 7323 section 5.3, once the segment is known to be good: one that covers Last.ACK.sent brings the newest
    // timestamp.
    if flags.contains(.timestamps), let timestamps = options.timestamps, header.sequenceNumber <= lastAcknowledged {
      recentTimestamp = timestamps.value
      recentTimestampAt = now
    }
    return receiveUrgentTextAndFIN(header, options.timestamps, payload: payload, at: now)
  }

  /// The four cases of RFC 9293 section 3.4, table 6.
  @inline(__always)
  private func isAcceptable(_ sequence: SequenceNumber, count: Int) -> Bool {
    let window = receiveEdge - receiveNext
    if count == 0 {
      return window <= 0 ? sequence == receiveNext : sequence >= receiveNext && sequence < receiveEdge
    }
    if window <= 0 { return false }
    let last = sequence + (count - 1)
    return (sequence >= receiveNext && sequence < receiveEdge) || (last >= receiveNext && last < receiveEdge)
  }

  /// A timestamp older than 24 days compares with nothing (RFC 7323 section 5.5).
  @inline(__always)
  private func recentTimestampIsStale(at now: Instant) -> Bool {
    now - recentTimestampAt > .seconds(24 * 86_400)
  }

  /// A FIN that comes again shows that our ACK was lost (RFC 9293 section 3.10.7.4, eighth, TIME-WAIT).
  private mutating func restartTimeWait(on header: TCPHeader, at now: Instant) {
    if state == .timeWait, header.flags.contains(.fin) { timers.state = now + limits.timeWait.asMilliseconds }
  }

  // MARK: Second, the RST bit

  private mutating func receiveReset(_ header: TCPHeader) -> Drop.Reason? {
    // RFC 5961 section 3.2: only the very next number counts; one elsewhere in the window is challenged.
    guard header.sequenceNumber == receiveNext else {
      owed.insert(.challenge)
      return .tcpResetIgnored
    }
    switch state {
    case .synReceived:
      // A passive open goes back to LISTEN, which the host's listener never left; an active one was refused.
      if flags.contains(.isPassive) { finish() } else { fail(.refused) }
    case .closing, .lastAck, .timeWait:
      finish()
    default:
      fail(.reset)
    }
    return nil
  }

  // MARK: Sixth to eighth: URG, text, FIN

  mutating func receiveUrgentTextAndFIN(
    _ header: TCPHeader, _ timestamps: TCPTimestamps?, payload: consuming Packet, at now: Instant
  ) -> Drop.Reason? {
    if header.flags.contains(.urg) { receiveUrgent(header) }
    let sequence = header.sequenceNumber
    if header.flags.contains(.fin), !flags.contains(.finReceived) {
      let end = sequence + payload.count
      // A FIN past the window's right edge is not taken; it comes again.
      if end < receiveEdge || end == receiveNext {
        flags.insert(.finPending)
        finSequence = end
      }
    }
    var reason: Drop.Reason?
    if payload.count > 0 {
      if isGrowthDue(timestamps, at: now) { growReceiveBuffer(at: now) }
      reason = receiveText(sequence, payload: payload, at: now)
    }
    if flags.contains(.finPending) {
      // One that came with a SYN of a simultaneous open waits until the connection is established (RFC 9293 section
      // 3.10.7.3, fourth).
      if state.mayReceive, receiveNext == finSequence {
        receiveFIN(at: now)
      } else if header.flags.contains(.fin) {
        owed.insert(.acknowledgment)
      }
    }
    return reason
  }

  private mutating func receiveUrgent(_ header: TCPHeader) {
    guard state.mayReceive else { return }
    // The pointer names the byte behind the urgent data (RFC 6093 section 2, MUST-62).
    let mark = header.sequenceNumber + Int(header.urgentPointer)
    guard mark > receiveNext, !flags.contains(.receivesUrgent) || mark > urgentMark else { return }
    urgentMark = mark
    flags.insert(.receivesUrgent)
    changes.insert(.urgent)
  }

  /// Seventh, the segment text.
  @inline(__always)
  private mutating func receiveText(
    _ sequence: SequenceNumber, payload: consuming Packet, at now: Instant
  ) -> Drop.Reason? {
    guard state.mayReceive || state == .synReceived else {
      // The peer sent its FIN; this cannot be (CLOSE-WAIT and after). Ignore the text.
      return .tcpAfterClose
    }
    if flags.contains(.isReleased), sequence + payload.count > receiveNext {
      // Nobody will ever read it (RFC 9293 section 3.6.1, SHLD-3; RFC 2525 section 2.17).
      abortBecauseOfData()
      return .tcpAfterClose
    }
    let size = payload.metadata.segmentSize == 0 ? payload.count : Int(payload.metadata.segmentSize)
    if size > receiveSegmentSize { receiveSegmentSize = UInt16(clamping: min(size, Int(offeredSegmentSize))) }
    // What lies past the right edge, or past the FIN, is cut off.
    let excess = sequence + payload.count - receiveEdge
    if excess > 0 {
      payload.truncate(to: payload.count - excess)
      owed.insert(.acknowledgment)
    }
    if flags.contains(.finPending), sequence + payload.count > finSequence {
      payload.truncate(to: max(0, finSequence - sequence))
    }

    let count = payload.count
    if sequence == receiveNext, receiveQueue.reassembly.isEmpty, receiveQueue.byteCount < Int(limits.receiveBuffer) {
      receiveQueue.appendInOrder(payload)
      receiveNext += count
      noteDelivered(count, at: now)
      return nil
    }
    switch receiveQueue.insert(payload, at: sequence, next: receiveNext, limits: limits) {
    case .inOrder(let more):
      receiveNext += more
      noteDelivered(more, at: now)
      // A segment that fills a gap is acknowledged at once (RFC 5681 section 4.2).
      // So is one that brings bytes again (RFC 2883 section 4).
      if more > count || !receiveQueue.reassembly.isEmpty || receiveQueue.reassembly.hasReports {
        owed.insert(.acknowledgment)
      }
      return nil
    case .outOfOrder:
      owed.insert(.acknowledgment)
      return nil
    case .duplicate:
      owed.insert(.acknowledgment)
      return .tcpDuplicate
    case .refused(let reason):
      owed.insert(.acknowledgment)
      return reason
    }
  }

  @inline(__always)
  mutating func noteDelivered(_ count: Int, at now: Instant) {
    changes.insert(.readable)
    unacknowledgedBytes &+= UInt32(truncatingIfNeeded: count)
    // An ACK for at least every second full-sized segment, or soon (RFC 9293 section 3.8.6.3, SHLD-18, SHLD-19).
    if unacknowledgedBytes >= UInt32(receiveSegmentSize) * 2 {
      owed.insert(.acknowledgment)
    } else if timers.delayedAcknowledgment == .distantFuture {
      timers.delayedAcknowledgment = now + limits.delayedAcknowledgment.asMilliseconds
    }
  }

  /// Eighth, the FIN bit.
  mutating func receiveFIN(at now: Instant) {
    flags.remove(.finPending)
    flags.insert(.finReceived)
    receiveNext += 1
    owed.insert(.acknowledgment)
    changes.insert(.readable)
    receiveQueue.removeOutOfOrder()
    switch state {
    case .established:
      state = .closeWait
    case .finWait1:
      // Our FIN is not acknowledged, or the ACK would have led to FIN-WAIT-2.
      state = .closing
    case .finWait2:
      enterTimeWait(at: now)
    default:
      break
    }
  }

  mutating func enterTimeWait(at now: Instant) {
    state = .timeWait
    timers.stopAll()
    timers.state = now + limits.timeWait.asMilliseconds
  }
}
