import MartletWire

/// Fifth, the ACK field (RFC 9293 section 3.10.7.4).
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
    let isEcho = header.flags.contains(.ece) && marks.contains(.isCapable)
    if isEcho { receiveCongestionEcho(acknowledging: number, at: now) }
    let oldUnacknowledged = sendUnacknowledged
    let window = UInt32(header.window) << UInt32(sendScale)
    let sizeIsSame = window == sendWindow
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
        if trace.isPresent { record(.window(Int(window)), at: now) }
        if timers.purpose == .persist, window > 0 { endPersist(unless: number) }
      }
    }

    if number > oldUnacknowledged || !options.sackBlocks.isEmpty {
      if sender.isPresent {
        let report = Report(
          number: number, priorFlight: flightInNetwork, echo: options.timestamps?.echoReply, now: now,
          isCongestionEcho: isEcho)
        if options.sackBlocks.isEmpty {
          takeAcknowledgment(report)
        } else {
          takeAcknowledgment(report, reporting: options.sackBlocks)
        }
      } else if number > oldUnacknowledged {
        advance(to: number, at: now)
        if sendUnacknowledged == sendNext { timers.retransmission = .distantFuture } else { armRetransmission(at: now) }
      }
    } else if number == oldUnacknowledged, sender.isPresent,
      sendNext != sendUnacknowledged || sender.value.probe.isOutstanding
    {
      receiveRepetition(
        of: number,
        isDuplicate: payloadCount == 0 && sizeIsSame && !header.flags.contains(.fin)
          && timers.purpose != .persist, at: now)
    }
    if windowMoved { noteOutput() }
    return nil
  }

  /// The bytes thought to be in the network, while there is a sender.
  @inline(__always)
  var flightInNetwork: Int {
    let pipe = sender.value.losses.pipe(unacknowledged: sendUnacknowledged, next: sendNext)
    return max(0, pipe - Int(sender.value.recovery.departed))
  }

  /// The window opened: what probed it, and was not taken, goes out anew.
  mutating func endPersist(unless number: SequenceNumber) {
    timers.purpose = .retransmit
    timers.retransmission = .distantFuture
    timeouts = 0
    takeBack(to: SequenceNumber.later(sendUnacknowledged, number))
  }

  /// What was sent from `sequence` on, and does not count as sent after all.
  mutating func takeBack(to sequence: SequenceNumber) {
    guard sendNext > sequence else { return }
    sendNext = sequence
    if sender.isPresent { sender.value.losses.removeAll() }
  }

  /// SND.UNA becomes `number`: everything before it arrived.
  @inline(__always)
  mutating func advance(to number: SequenceNumber, at now: Instant) {
    sendUnacknowledged = number
    if sendNext < number { sendNext = number }
    // Kept within reach of comparison, however much is sent in full segments.
    if smallSegmentEnd < number { smallSegmentEnd = number }

    let bytes = min(number - queueStart, sendQueue.byteCount)
    if bytes > 0 {
      sendQueue.removeFirst(bytes)
      queueStart += bytes
      growSendBuffer()
      if flags.contains(.wantsWritable), sendQueue.byteCount <= Int(limits.sendBuffer) / 4 * 3 {
        flags.remove(.wantsWritable)
        changes.insert(.writable)
      }
      if sendQueue.isEmpty { changes.insert(.drained) }
    }
    if flags.contains(.isTiming) { takeRoundTripOfSYN(at: now) }
    if probing.isAttentive { notePathProgress(to: number, at: now) }
    // RFC 6298 (5.2), (5.3).
    progressAt = now
    timeouts = 0
    flags.remove(.toldOfTrouble)
    timers.purpose = .retransmit
    if flags.contains(.finSent), sendUnacknowledged > queueStart { finAcknowledged(at: now) }
    noteOutput()
  }

  /// The SYN was acknowledged, and had been sent once.
  mutating func takeRoundTripOfSYN(at now: Instant) {
    flags.remove(.isTiming)
    estimator.sample(now - progressAt, limits: limits)
  }

  /// Our FIN arrived.
  private mutating func finAcknowledged(at now: Instant) {
    flags.remove(.finSent)
    flags.remove(.finQueued)
    queueStart = sendUnacknowledged
    dropSender()
    timers.retransmission = .distantFuture
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
}
