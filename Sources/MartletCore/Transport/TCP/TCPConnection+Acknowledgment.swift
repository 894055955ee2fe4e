import MartletWire

/// Fifth, the ACK field (RFC 9293 section 3.10.7.4), with RFC 5681, RFC 6298, RFC 6582 and RFC 6675.
extension TCPConnection {
  /// Processes the acknowledgement and the window of a segment with `payloadCount` bytes.
  @inline(__always)
  mutating func receiveAcknowledgment(
    _ header: TCPHeader, _ options: TCPOptions, payloadCount: Int, at now: Instant
  ) -> Drop.Reason? {
    let number = header.acknowledgmentNumber
    if number > sendMaximum || number < sendUnacknowledged - Int(largestSendWindow) {
      // It acknowledges what was never sent, or is too old to be anything but a guess (RFC 5961 section 5.2, MAY-12).
      owed.insert(.challenge)
      return .tcpBadAcknowledgment
    }
    var newlyHeld = 0
    if flags.contains(.selective), !options.sackBlocks.isEmpty {
      newlyHeld = losses.update(options.sackBlocks, unacknowledged: sendUnacknowledged, next: sendNext)
    }
    let window = UInt32(header.window) << UInt32(sendScale)
    let sizeIsSame = window == sendWindow
    let oldUnacknowledged = sendUnacknowledged
    var windowMoved = false

    // Update the window, by the newest segment only: one that acknowledges more is newer whatever its number, for it may
    // carry old data once more, and the window it offers begins at what it acknowledges.
    if number > sendUnacknowledged
      || (number == sendUnacknowledged
        && (sendWindowSequence < header.sequenceNumber
          || (sendWindowSequence == header.sequenceNumber && sendWindowAcknowledgment <= number)))
    {
      sendWindowSequence = .later(sendWindowSequence, header.sequenceNumber)
      sendWindowAcknowledgment = number
      if !sizeIsSame {
        sendWindow = window
        largestSendWindow = max(largestSendWindow, window)
        windowMoved = true
        if timers.purpose == .persist, window > 0 { endPersist(unless: number) }
      }
    }

    if number > oldUnacknowledged {
      advance(to: number, options.timestamps?.echoReply, at: now)
    } else if number == oldUnacknowledged, sendNext != sendUnacknowledged {
      // A duplicate (RFC 5681 section 2; with SACK, RFC 6675 section 2: it reports something new).
      let isSelective = flags.contains(.selective)
      let isDuplicate =
        isSelective
        ? newlyHeld > 0
        : payloadCount == 0 && sizeIsSame && !header.flags.contains(.fin) && timers.purpose == .retransmit
      if isDuplicate { receiveDuplicate(isSelective: isSelective) }
    }
    if windowMoved { noteOutput() }
    return nil
  }

  /// The window opened: what probed it, and was not taken, goes out anew.
  private mutating func endPersist(unless number: SequenceNumber) {
    timers.purpose = .retransmit
    timers.retransmission = .distantFuture
    timeouts = 0
    sendNext = SequenceNumber.later(sendUnacknowledged, number)
    losses.clearLost(unacknowledged: sendUnacknowledged)
  }

  /// Everything before `number` arrived.
  private mutating func advance(to number: SequenceNumber, _ echo: UInt32?, at now: Instant) {
    let count = number - sendUnacknowledged
    let segmentSize = Int(segmentSize)
    let wasLimited = flags.contains(.wasLimited)
    let isSelective = flags.contains(.selective)
    sendUnacknowledged = number
    if sendNext < number { sendNext = number }
    losses.advance(to: number)
    // Kept within reach of comparison, however much is sent in full segments.
    if smallSegmentEnd < number { smallSegmentEnd = number }

    let bytes = min(number - queueStart, sendQueue.byteCount)
    if bytes > 0 {
      sendQueue.removeFirst(bytes)
      queueStart += bytes
      if flags.contains(.wantsWritable), sendQueue.byteCount <= Int(limits.sendBuffer) / 4 * 3 {
        flags.remove(.wantsWritable)
        changes.insert(.writable)
      }
      if sendQueue.isEmpty { changes.insert(.drained) }
    }

    takeRoundTrip(echo, upTo: number, at: now)

    let phase = recovery.phase
    let ended = recovery.advance(to: number, count: count, segmentSize: segmentSize, isSelective: isSelective)
    switch phase {
    case .open:
      congestion.acknowledged(count, segmentSize: segmentSize, wasLimited: wasLimited)
    case .timeout:
      // Slow start after a timeout grows by one segment an ACK (RFC 3465 section 2.3).
      congestion.acknowledged(min(count, segmentSize), segmentSize: segmentSize, wasLimited: true)
    case .fast:
      if !ended {
        // A partial acknowledgement: the segment it stops at is lost too (RFC 6582 section 3.2 step 5).
        losses.markLost(from: number, count: min(segmentSize, sendNext - number))
        if isSelective { _ = losses.markLost(unacknowledged: number, segmentSize: segmentSize) }
      }
    }
    if ended { losses.clearLost(unacknowledged: number) }

    // RFC 6298 (5.2), (5.3).
    progressAt = now
    timeouts = 0
    flags.remove(.toldOfTrouble)
    timers.purpose = .retransmit
    if sendUnacknowledged == sendNext {
      timers.retransmission = .distantFuture
    } else {
      armRetransmission(at: now)
    }
    if flags.contains(.finSent), sendUnacknowledged > queueStart { finAcknowledged(at: now) }
    noteOutput()
  }

  /// Our FIN arrived.
  private mutating func finAcknowledged(at now: Instant) {
    flags.remove(.finSent)
    flags.remove(.finQueued)
    queueStart = sendUnacknowledged
    switch state {
    case .finWait1:
      state = .finWait2
      if flags.contains(.isReleased) { timers.state = now + limits.finWait2.asMilliseconds }
    case .closing:
      enterTimeWait(at: now)
    case .lastAck:
      finish()
    default:
      break
    }
  }

  /// Takes a sample of the round-trip time, if the acknowledgement up to `number` allows one.
  @inline(__always)
  mutating func takeRoundTrip(_ echo: UInt32?, upTo number: SequenceNumber, at now: Instant) {
    if flags.contains(.isTiming) {
      if number >= timedSequence {
        flags.remove(.isTiming)
        estimator.sample(now - timedAt, limits: limits)
      }
    } else if flags.contains(.timestamps), let echo, echo != 0,
      recovery.phase != .open || timeouts > 0
    {
      // The timestamp tells which transmission was acknowledged (RFC 7323 section 4.1; RFC 9293 MUST-18).
      let time = Int32(truncatingIfNeeded: timestamp(at: now) &- echo)
      if time >= 0, time < 1 << 20 { estimator.sample(.milliseconds(Int64(time)), limits: limits) }
    }
  }

  private mutating func receiveDuplicate(isSelective: Bool) {
    let segmentSize = Int(segmentSize)
    let flight = sendNext - sendUnacknowledged
    recovery.countDuplicate(segmentSize: segmentSize, flight: flight, isSelective: isSelective)
    // New data may go out in place of what left the network (RFC 3042).
    flags.insert(.wantsOutput)
    if recovery.phase == .fast {
      if isSelective { _ = losses.markLost(unacknowledged: sendUnacknowledged, segmentSize: segmentSize) }
      return
    }
    guard recovery.mayBegin(from: sendUnacknowledged, isSelective: isSelective) else { return }
    let isLost = isSelective && losses.markLost(unacknowledged: sendUnacknowledged, segmentSize: segmentSize)
    guard isLost || Int(recovery.duplicates) >= LossDetection.threshold else { return }
    // RFC 6675 section 5 (4), RFC 5681 section 3.2.
    congestion.lost(flight: flight, segmentSize: segmentSize)
    recovery.beginFast(at: sendNext)
    losses.markLost(from: sendUnacknowledged, count: min(segmentSize, flight))
    flags.remove(.isTiming)
  }
}
