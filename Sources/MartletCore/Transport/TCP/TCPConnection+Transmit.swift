import MartletWire

/// What goes out, decided in one place from the state.
extension TCPConnection {
  /// Whether ``transmit(from:at:into:limit:)`` has anything to do.
  @inline(__always)
  package var wantsTransmit: Bool { !owed.isEmpty || flags.contains(.wantsOutput) }

  /// What the peer just said may let something out; with nothing to send and nothing in flight it cannot.
  @inline(__always)
  mutating func noteOutput() {
    if !sendQueue.isEmpty || sendNext != sendUnacknowledged || flags.contains(.finQueued) { flags.insert(.wantsOutput) }
  }

  /// Whether a challenge acknowledgement is to go out, which the host counts against its limit (RFC 5961 section 7).
  @inline(__always)
  package var owesChallenge: Bool { owed.contains(.challenge) }

  /// The host's limit is reached: no challenge goes out.
  package mutating func forgetChallenge() { owed.remove(.challenge) }

  /// The timestamp clock: milliseconds from a point nobody knows (RFC 7323 section 5.4).
  @inline(__always)
  func timestamp(at now: Instant) -> UInt32 {
    timestampOffset &+ UInt32(truncatingIfNeeded: now.nanoseconds / 1_000_000)
  }

  /// Puts what has to go out into `output`, at most `limit` packets: each begins with the TCP header, its checksum field 0,
  /// and carries data by reference to the send queue. A packet with ``Packet/Metadata-swift.struct/segmentSize`` stands for
  /// several segments.
  package mutating func transmit(
    from pool: borrowing PacketPool, at now: Instant, into output: inout PacketQueue, limit: Int = .max
  ) {
    flags.remove(.wantsOutput)
    isCalm = false
    if !owed.isDisjoint(with: .control) { transmitControl(from: pool, at: now, into: &output) }
    switch state {
    case .closed, .synSent:
      break
    case .synReceived:
      // Data brought a good cookie: the answer need not wait (RFC 7413 section 4.2.2).
      if isFastOpened { transmitData(from: pool, at: now, into: &output, limit: output.count &+ min(limit, 1 << 30)) }
    case .established, .finWait1, .closeWait, .closing, .lastAck:
      transmitData(from: pool, at: now, into: &output, limit: output.count &+ min(limit, 1 << 30))
    case .finWait2, .timeWait:
      break
    }
    if owed.contains(.keepAliveProbe) {
      // One before the next number: the peer has to answer (RFC 9293 section 3.8.4, SHLD-12).
      emit(from: pool, at: now, into: &output, sequence: sendNext - 1, count: 0, flags: .ack)
      owed.remove(.keepAliveProbe)
    }
    if !owed.isDisjoint(with: .anyAcknowledgment) {
      let sent =
        emit(from: pool, at: now, into: &output, sequence: acceptableSequence, count: 0, flags: .ack) != nil
      owed.subtract(.anyAcknowledgment)
      // No memory: once more, soon.
      if !sent { timers.delayedAcknowledgment = now + .milliseconds(10) }
    }
  }

  /// Where a bare ACK stands: at SND.NXT, but never past the window, where only a probe was sent. Two ends with closed
  /// windows would otherwise find each other's ACKs unacceptable, and answer them, and so on.
  @inline(__always)
  var acceptableSequence: SequenceNumber { state.isSynchronized ? sequenceInWindow : sendNext }

  /// Where a RST stands: it is not sent again, and one behind the window would be left out.
  private var finalSequence: SequenceNumber { sendUnacknowledged == initialSend ? sendNext : sequenceInWindow }

  @inline(__always)
  private var sequenceInWindow: SequenceNumber {
    let edge = sendUnacknowledged + Int(sendWindow)
    return sendNext > edge ? edge : sendNext
  }

  // MARK: SYN and RST

  private mutating func transmitControl(
    from pool: borrowing PacketPool, at now: Instant, into output: inout PacketQueue
  ) {
    if owed.contains(.reset) {
      emit(from: pool, at: now, into: &output, sequence: finalSequence, count: 0, flags: [.rst, .ack])
      owed.remove(.reset)
    }
    if owed.contains(.resetAnswer) {
      emit(from: pool, at: now, into: &output, sequence: resetSequence, count: 0, flags: .rst)
      owed.remove(.resetAnswer)
    }
    if owed.contains(.syn) {
      owed.remove(.syn)
      let isAnswer = state == .synReceived
      let isFirst = sendMaximum == initialSend
      let text = isAnswer ? 0 : fastOpenByteCount
      let sent =
        emit(
          from: pool, at: now, into: &output, sequence: initialSend, count: text,
          flags: isAnswer ? [.syn, .ack] : .syn) ?? 0
      // What a SYN carries goes out again unless its answer acknowledges it.
      sendNext = SequenceNumber.later(sendNext, initialSend + 1)
      sendMaximum = SequenceNumber.later(sendMaximum, initialSend + (1 + sent))
      if trace.isPresent { recordControl(from: initialSend, count: 1 + sent, isAgain: !isFirst, at: now) }
      if isFirst {
        progressAt = now
        flags.insert(.isTiming)
      } else {
        flags.remove(.isTiming)
        totalRetransmitted &+= 1
      }
      if timers.retransmission == .distantFuture { armRetransmission(at: now) }
    }
  }

  // MARK: Data

  private mutating func transmitData(
    from pool: borrowing PacketPool, at now: Instant, into output: inout PacketQueue, limit: Int
  ) {
    let finQueued = flags.contains(.finQueued)
    if sendUnacknowledged == sendNext, sendQueue.isEmpty, !finQueued { return }
    if !sender.isPresent {
      if sendQueue.isEmpty { return transmitBareFIN(from: pool, at: now, into: &output) }
      makeSender(at: now)
    }
    let size = segmentPayload
    let largest = min(Int(maximumSuperSegment), 65_435)
    // What waits mostly fits one segment, and a division is dear.
    let most = largest < 2 * size || sendQueue.byteCount <= size ? size : largest / size * size
    // The initial window goes out at once: nothing is known of the path.
    let rate =
      flags.contains(.paces) && sender.value.delivery.delivered > 0
      ? sender.value.congestion.pacingRate(smoothedRoundTrip: estimator.smoothed, segmentSize: size) : 0
    var turn = Turn(
      size: size, most: most, limit: limit, pipe: flightInNetwork, rate: rate,
      allowance: sender.value.pacing.allowance(rate: rate, segmentSize: size, at: now))

    if sender.value.losses.lostByteCount > 0, sender.value.recovery.forward != .trying {
      transmitLost(from: pool, at: now, into: &output, &turn)
    }
    sender.value.recovery.owesSegment = false
    // While a probe of the path waits for room, so does everything else.
    if !probing.isSearching || transmitPathProbe(from: pool, at: now, into: &output, &turn) {
      transmitNew(from: pool, at: now, into: &output, &turn)
    }

    if turn.isPaced, timers.pacing > sender.value.pacing.next { timers.pacing = sender.value.pacing.next }
    if owed.contains(.lossProbe) {
      owed.remove(.lossProbe)
      transmitLossProbe(from: pool, at: now, into: &output, &turn)
    } else if turn.hasSentNew, timers.purpose == .retransmit || timers.purpose == .lossProbe, mayProbeTail {
      armLossProbe(at: now)
    }
    if owed.contains(.windowProbe) {
      owed.remove(.windowProbe)
      if sendNext == sendUnacknowledged { transmitProbe(from: pool, at: now, into: &output, &turn) }
    }
    // Something waits, nothing is in flight: the window is closed, or opened too little, or memory is short.
    if sendNext == sendUnacknowledged, !sendQueue.isEmpty || finQueued, timers.retransmission == .distantFuture,
      !isHeldByCork(size: size), !turn.isPaced
    {
      armPersist(at: now)
    }
  }

  /// What holds during one call of ``transmitData(from:at:into:limit:)``.
  struct Turn: BitwiseCopyable {
    /// The payload of a full segment, and of the largest packet.
    var size: Int
    let most: Int
    /// How many packets there may be in the output.
    let limit: Int
    /// Bytes in the network.
    var pipe: Int
    /// The pace in bytes per second, 0 for none, and what may go out at it now.
    let rate: UInt64
    var allowance: Int
    /// Whether the pace, and nothing else, held something back.
    var isPaced = false
    var hasSentNew = false
  }

  /// IW; after a lost SYN only one segment (RFC 5681 section 3.1).
  @inline(__always)
  var firstWindow: Int {
    flags.contains(.synLost)
      ? Int(segmentSize)
      : CongestionControl.initialWindow(segments: Int(initialWindowSegments), segmentSize: Int(segmentSize))
  }

  private mutating func makeSender(at now: Instant) {
    let congestion = CongestionControl(
      limits.congestionControl, initialWindow: firstWindow, segmentSize: Int(segmentSize), now: now,
      seed: UInt64(initialSend.value) << 32 | UInt64(initialReceive.value))
    sender.put(Sender(congestion: congestion, from: sendUnacknowledged))
  }

  /// The FIN of a connection with nothing else to send.
  private mutating func transmitBareFIN(
    from pool: borrowing PacketPool, at now: Instant, into output: inout PacketQueue
  ) {
    guard sendNext == sendUnacknowledged else { return }
    let isAgain = sendMaximum > sendNext
    guard sendWindow > 0 || isAgain || owed.contains(.windowProbe) else {
      if timers.retransmission == .distantFuture { armPersist(at: now) }
      return
    }
    owed.remove(.windowProbe)
    guard
      emit(from: pool, at: now, into: &output, sequence: sendNext, count: 0, flags: [.ack, .fin]) != nil
    else { return armRetransmission(at: now) }
    flags.insert(.finSent)
    sendNext += 1
    sendMaximum = sendNext
    if trace.isPresent { recordControl(from: sendNext - 1, count: 1, isAgain: isAgain, at: now) }
    if isAgain { totalRetransmitted &+= 1 } else { progressAt = now }
    if timers.purpose == .persist { armPersist(at: now) } else { armRetransmission(at: now) }
  }

  /// New data as far as the windows, the pace and the algorithms against small segments let it go.
  @inline(__always)
  private mutating func transmitNew(
    from pool: borrowing PacketPool, at now: Instant, into output: inout PacketQueue, _ turn: inout Turn
  ) {
    let size = turn.size
    let most = turn.most
    let dataEnd = queueStart + sendQueue.byteCount
    if sendNext == sendUnacknowledged, now - sentAt > estimator.timeout, sendNext != initialSend + 1,
      sendNext != dataEnd
    {
      // Nothing was sent for a timeout: what cwnd was then says nothing about now (RFC 5681 section 4.1).
      sender.value.congestion.restartAfterIdle(
        idle: now - sentAt, timeout: estimator.timeout,
        initialWindow: CongestionControl.initialWindow(
          segments: Int(initialWindowSegments), segmentSize: Int(segmentSize)),
        segmentSize: Int(segmentSize), now: now)
    }
    // Forward RTO recovery tries two segments (RFC 5682 section 2.1, step 2b).
    let window =
      sender.value.recovery.forward == .trying
      ? max(sender.value.congestion.window, turn.pipe + 2 * size) : sender.value.congestion.window
    var isBlocked = false
    while output.count < turn.limit, !sender.value.losses.isFull {
      let available = dataEnd - sendNext
      if available < 0 || (available == 0 && !flags.contains(.finQueued)) {
        // What the network could carry now is not known.
        if turn.pipe < window, sender.value.losses.lostByteCount == 0 {
          sender.value.delivery.noteApplicationLimit(flight: turn.pipe)
        }
        break
      }
      let windowRoom = sendUnacknowledged + Int(sendWindow) - sendNext
      if available == 0 {
        // The FIN alone.
        guard windowRoom > 0 else { break }
        if timers.purpose == .persist { leavePersist() }
        _ = emitNew(from: pool, at: now, into: &output, count: 0, &turn)
        break
      }
      var usable = min(available, windowRoom, window - turn.pipe)
      if usable > turn.allowance {
        usable = turn.allowance
        turn.isPaced = true
      }
      var count = 0
      if usable >= size {
        count = usable - usable % size
        if count > most {
          count = most
        } else if usable == available, usable != count, count + size <= most,
          maySend(rest: usable - count, available: available, windowRoom: windowRoom)
        {
          count = usable
        }
      } else if usable > 0, !turn.isPaced, usable == min(available, windowRoom),
        maySend(rest: usable, available: available, windowRoom: windowRoom)
      {
        count = usable
      }
      guard count > 0 else {
        isBlocked = !turn.isPaced && min(available, windowRoom) > window - turn.pipe
        break
      }
      turn.isPaced = false
      if timers.purpose == .persist { leavePersist() }
      guard let sent = emitNew(from: pool, at: now, into: &output, count: count, &turn) else { break }
      turn.pipe &+= sent
    }
    sender.value.noteFlight(turn.pipe, isLimited: isBlocked || turn.pipe &+ size > window)
    if output.count >= turn.limit, sendNext != dataEnd { flags.insert(.wantsOutput) }
  }

  /// The payload of a full segment with the options that go out now.
  @inline(__always)
  private var segmentPayload: Int {
    guard flags.contains(.selective), receiveQueue.reassembly.hasReports else { return Int(segmentSize) }
    let blocks = min(receiveQueue.reassembly.reports.count, flags.contains(.timestamps) ? 3 : 4)
    return max(8, Int(segmentSize) - 4 - 8 * blocks)
  }

  /// Whether less than `size` bytes wait because the program wants to put more behind them: not if it said that there is no
  /// more, and not if it waits for room itself.
  @inline(__always)
  private func isHeldByCork(size: Int) -> Bool {
    flags.contains(.corked) && flags.isDisjoint(with: [.finQueued, .wantsWritable]) && sendQueue.byteCount < size
  }

  /// Whether `rest` bytes, less than a full segment, go out (RFC 9293 section 3.8.6.2.1, MUST-38; section 3.7.4, SHLD-7).
  @inline(__always)
  private func maySend(rest: Int, available: Int, windowRoom: Int) -> Bool {
    if windowRoom < available {
      // The window holds it back: only for half of the largest window ever seen.
      return windowRoom * 2 >= Int(largestSendWindow)
    }
    if flags.contains(.finQueued) { return true }
    if isHeldByCork(size: .max) { return false }
    if flags.contains(.noDelay) { return true }
    return smallSegmentEnd <= sendUnacknowledged || sendNext == sendUnacknowledged
  }

  /// What is lost goes out again, oldest first, as cwnd and the pace permit.
  private mutating func transmitLost(
    from pool: borrowing PacketPool, at now: Instant, into output: inout PacketQueue, _ turn: inout Turn
  ) {
    let window = sender.value.congestion.window
    while output.count < turn.limit, let index = sender.value.losses.firstLost() {
      if sender.value.losses.runs[index].count < turn.most { sender.value.losses.joinLost(index, to: turn.most) }
      let lost = sender.value.losses.runs[index]
      let room = window - turn.pipe
      var count = min(lost.count, turn.most)
      if sender.value.recovery.owesSegment {
        count = min(count, turn.size)
      } else {
        // Retransmissions stay inside the window the peer offers now (SHLD-16).
        guard room >= min(lost.count, turn.size), lost.start < sendUnacknowledged + Int(sendWindow) else { break }
        count = min(count, max(turn.size, room - room % turn.size))
        if count > turn.allowance {
          guard turn.allowance >= turn.size else {
            turn.isPaced = true
            break
          }
          count = turn.allowance - turn.allowance % turn.size
        }
      }
      guard let sent = resend(index, count: count, from: pool, at: now, into: &output, &turn) else { break }
      turn.pipe += sent
      sender.value.recovery.owesSegment = false
    }
  }

  /// The run at `index`, at most its first `count` bytes, goes out again. Returns how many of its numbers went out.
  private mutating func resend(
    _ index: Int, count: Int, from pool: borrowing PacketPool, at now: Instant, into output: inout PacketQueue,
    _ turn: inout Turn
  ) -> Int? {
    let run = sender.value.losses.runs[index]
    let dataEnd = queueStart + sendQueue.byteCount
    let text = min(count, run.count, max(0, dataEnd - run.start))
    var bits: TCPFlags = text > 0 && run.start + text == dataEnd ? [.ack, .psh] : .ack
    // The FIN is in the run, or in one of its own behind it.
    let withFIN =
      run.start + text == dataEnd && (run.end > dataEnd || index + 1 < sender.value.losses.runs.count)
    if withFIN { bits.insert(.fin) }
    guard text > 0 || withFIN,
      let sent = emit(
        from: pool, at: now, into: &output, sequence: run.start, count: text, flags: bits, size: turn.size)
    else { return nil }
    let whole = sent + (withFIN && run.start + sent == dataEnd ? 1 : 0)
    let departure = sender.value.delivery.departure(of: whole, flight: turn.pipe, at: now)
    sender.value.losses.noteResent(index, count: min(whole, run.count), departure, at: now)
    // The FIN may have gone out alone before.
    if whole > run.count { sender.value.losses.noteResent(index + 1, count: 1, departure, at: now) }
    sender.value.recovery.noteResent(whole, stamp: flags.contains(.timestamps) ? timestamp(at: now) : nil)
    noteSent(whole, at: now, &turn)
    totalRetransmitted &+= UInt32(max(1, (sent + turn.size - 1) / turn.size))
    sender.value.retransmitted &+= UInt64(whole)
    if trace.isPresent { recordResent(run, count: whole, at: now) }
    if timers.retransmission == .distantFuture { armRetransmission(at: now) }
    return whole
  }

  /// What pace and reduction have to know of `count` bytes that went out.
  @inline(__always)
  private mutating func noteSent(_ count: Int, at now: Instant, isPaced: Bool = true, _ turn: inout Turn) {
    if isPaced { sender.value.pacing.noteSent(count, rate: turn.rate, at: now) }
    if turn.allowance < .max { turn.allowance = max(0, turn.allowance &- count) }
    sender.value.recovery.noteSent(count)
    sender.value.congestion.sent(
      count, flight: turn.pipe, now: now, isApplicationLimited: sender.value.delivery.isApplicationLimited)
  }

  /// A segment of new data if there is any and the peer takes it, else the last one once more (RFC 8985 section 7.3).
  private mutating func transmitLossProbe(
    from pool: borrowing PacketPool, at now: Instant, into output: inout PacketQueue, _ turn: inout Turn
  ) {
    guard sendNext != sendUnacknowledged, !turn.hasSentNew else { return }
    let available = min(
      queueStart + sendQueue.byteCount - sendNext, sendUnacknowledged + Int(sendWindow) - sendNext, turn.size)
    if available > 0, emitNew(from: pool, at: now, into: &output, count: available, &turn) != nil {
      sender.value.probe.noteSent(next: sendNext, isRetransmission: false)
    } else if let last = sender.value.losses.lastRun(count: turn.size) {
      guard resend(last, count: turn.size, from: pool, at: now, into: &output, &turn) != nil else { return }
      sender.value.probe.noteSent(next: sendNext, isRetransmission: true)
    }
    if trace.isPresent { recordLossProbe() }
    armRetransmission(at: now)
  }

  /// The window takes a segment after all, without having moved: with SACK blocks to report, segments are smaller.
  private mutating func leavePersist() {
    timers.purpose = .retransmit
    timers.retransmission = .distantFuture
    timeouts = 0
  }

  /// One byte into a closed window, or what a window takes that was too small to be worth it (RFC 9293 section 3.8.6.1,
  /// MUST-36; section 3.8.6.2.1, the override).
  private mutating func transmitProbe(
    from pool: borrowing PacketPool, at now: Instant, into output: inout PacketQueue, _ turn: inout Turn
  ) {
    let count = min(sendQueue.byteCount, turn.size, max(1, Int(sendWindow)))
    _ = emitNew(from: pool, at: now, into: &output, count: count, &turn)
    armPersist(at: now)
  }

  /// Sends `count` bytes that were not sent before, and the FIN if it follows them.
  @inline(__always)
  mutating func emitNew(
    from pool: borrowing PacketPool, at now: Instant, into output: inout PacketQueue, count: Int, _ turn: inout Turn
  ) -> Int? {
    let size = turn.size
    let dataEnd = queueStart + sendQueue.byteCount
    var bits = TCPFlags.ack
    // The last segment of what was written carries PSH (RFC 9293 section 3.9.1.2, MUST-61).
    let isLast = sendNext + count == dataEnd
    if isLast, count > 0 { bits.insert(.psh) }
    // Inside the window, like data; alone it may probe a closed one.
    let withFIN =
      isLast && flags.contains(.finQueued) && (count == 0 || sendNext + count < sendUnacknowledged + Int(sendWindow))
    if withFIN { bits.insert(.fin) }
    guard
      var sent = emit(
        from: pool, at: now, into: &output, sequence: sendNext, count: count, flags: bits, size: size)
    else { return nil }
    if sent < size || (sent > size && sent % size != 0) { smallSegmentEnd = sendNext + sent }
    if probing.wantsWatch, sent >= size { probing.watch(Int(probing.size), end: sendNext + size) }
    if withFIN, sent == count {
      flags.insert(.finSent)
      sent &+= 1
    }
    let isFirst = sendNext == sendUnacknowledged
    let departure = sender.value.delivery.departure(of: sent, flight: isFirst ? 0 : turn.pipe, at: now)
    sender.value.losses.noteSent(
      from: sendNext, count: sent, departure, isApplicationLimited: sender.value.delivery.isApplicationLimited, at: now)
    // A small segment with nothing before it in the network is no burst: it has no pace to keep.
    noteSent(sent, at: now, isPaced: !isFirst || sent >= size, &turn)
    let start = sendNext
    if probing.wantsWatch, sent >= size { probing.watch(Int(probing.size), end: sendNext + size) }
    sendNext += sent
    sendMaximum = SequenceNumber.later(sendMaximum, sendNext)
    sentAt = now
    if trace.isPresent { recordSent(from: start, count: sent, size: size, at: now) }
    turn.hasSentNew = true
    if timers.purpose == .persist { return sent }
    if isFirst { progressAt = now }
    if timers.retransmission == .distantFuture { armRetransmission(at: now) }
    return sent
  }

  // MARK: One packet

  /// Puts one packet into `output` and returns how many bytes of data it has: `count`, unless they lie in too many
  /// pieces. Nil when there is no memory.
  @discardableResult
  private mutating func emit(
    from pool: borrowing PacketPool, at now: Instant, into output: inout PacketQueue, sequence: SequenceNumber,
    count: Int, flags bits: TCPFlags, size: Int = .max
  ) -> Int? {
    guard var packet = pool.allocate() else { return nil }
    var bits = bits
    var sent = count
    if count > 0 {
      let sequence = bits.contains(.syn) ? sequence + 1 : sequence
      if count <= Self.copyBound {
        sendQueue.copy(from: sequence - queueStart, count: count, into: &packet)
      } else {
        sent = sendQueue.share(from: sequence - queueStart, count: count, into: &packet)
        if sent < count {
          bits.subtract([.fin, .psh])
          if sent > size { packet.truncate(to: sent - sent % size) }
          sent = packet.count
        }
      }
      if sent > size { packet.metadata.segmentSize = UInt16(truncatingIfNeeded: size) }
    }

    var urgentPointer: UInt16 = 0
    if flags.contains(.sendsUrgent) {
      if sendUrgent > sequence, !bits.contains(.syn) {
        bits.insert(.urg)
        urgentPointer = UInt16(clamping: sendUrgent - sequence)
      } else if sendUrgent <= sendUnacknowledged {
        flags.remove(.sendsUrgent)
      }
    }

    if mark(&bits, sequence: sequence, count: sent) { packet.metadata.isECNCapable = true }
    let isSYN = bits.contains(.syn)
    let acknowledges = bits.contains(.ack)
    let plainTimestamps = !isSYN && flags.contains(.timestamps) && !(bits == .rst)
    // All options as one value are large; most segments have timestamps alone.
    let hasOthers =
      isSYN || (count == 0 && owesUserTimeout && acknowledges)
      || (flags.contains(.selective) && receiveQueue.reassembly.hasReports && !bits.contains(.rst))
    let optionCount = hasOthers ? optionByteCount(of: bits, count: count, at: now) : plainTimestamps ? 12 : 0

    let header = TCPHeader(
      sourcePort: flow.localPort, destinationPort: flow.remotePort, sequenceNumber: sequence,
      acknowledgmentNumber: acknowledges ? receiveNext : SequenceNumber(0),
      headerByteCount: UInt8(truncatingIfNeeded: TCPHeader.minimumByteCount + optionCount), flags: bits,
      window: isSYN ? UInt16(clamping: limits.receiveBuffer) : acknowledges ? windowToOffer() : 0,
      urgentPointer: urgentPointer)
    packet.prepend(TCPHeader.minimumByteCount + optionCount)
    var bytes = packet.mutableBytes
    header.write(to: &bytes)
    if hasOthers {
      writeOptions(of: bits, count: count, to: &bytes, at: now)
      if acknowledges { receiveQueue.noteReported() }
      if count == 0, !isSYN { noteUserTimeoutSent() }
    } else if plainTimestamps {
      bytes.store(bigEndian: 0x0101_080a as UInt32, at: 20)
      bytes.store(bigEndian: timestamp(at: now), at: 24)
      bytes.store(bigEndian: recentTimestamp, at: 28)
    }
    packet.metadata.checksumOffset = UInt16(TCPHeader.checksumOffset)
    output.append(packet)

    if acknowledges { noteAcknowledged() }
    return sent
  }

  /// A segment with an ACK went out.
  @inline(__always)
  mutating func noteAcknowledged() {
    lastAcknowledged = receiveNext
    unacknowledgedBytes = 0
    timers.delayedAcknowledgment = .distantFuture
    owed.subtract(.anyAcknowledgment)
  }

  @inline(__always)
  private func options(count: Int, at now: Instant) -> TCPOptions {
    var options = TCPOptions()
    if count == 0, owesUserTimeout { options.userTimeout = advertisedUserTimeout }
    options.sackBlocks = receiveQueue.reassembly.reports
    if flags.contains(.timestamps) {
      options.timestamps = TCPTimestamps(value: timestamp(at: now), echoReply: recentTimestamp)
    }
    return options
  }

  @inline(never)
  private func optionByteCount(of bits: TCPFlags, count: Int, at now: Instant) -> Int {
    if bits.contains(.syn) { return synOptions(isAnswer: bits.contains(.ack), at: now).encodedByteCount }
    return options(count: count, at: now).encodedByteCount
  }

  @inline(never)
  private func writeOptions(of bits: TCPFlags, count: Int, to bytes: inout MutableRawSpan, at now: Instant) {
    if bits.contains(.syn) {
      synOptions(isAnswer: bits.contains(.ack), at: now).write(to: &bytes, at: TCPHeader.minimumByteCount)
    } else {
      options(count: count, at: now).write(to: &bytes, at: TCPHeader.minimumByteCount)
    }
  }

  /// Inlined, as is their writing, so that the value itself is never made.
  @inline(__always)
  private func synOptions(isAnswer: Bool, at now: Instant) -> TCPOptions {
    // An answer repeats only what the SYN offered (RFC 7323 section 2.2 and 3.2, RFC 2018 section 2).
    var options = TCPOptions(maximumSegmentSize: offeredSegmentSize)
    if isAnswer ? flags.contains(.timestamps) : flags.contains(.offersTimestamps) {
      options.timestamps = TCPTimestamps(value: timestamp(at: now), echoReply: isAnswer ? recentTimestamp : 0)
    }
    options.isSACKPermitted = isAnswer ? flags.contains(.selective) : flags.contains(.offersSelective)
    if flags.contains(.offersScale) { options.windowScale = receiveScale }
    if !rarities.isEmpty { addRareOptions(to: &options, isAnswer: isAnswer) }
    return options
  }

  /// The window field, moving the right edge on when that is worth it (RFC 9293 section 3.8.6.2.2, MUST-39), and never
  /// back (SHLD-14).
  @inline(__always)
  mutating func windowToOffer() -> UInt16 {
    let buffer = Int(limits.receiveBuffer)
    let edge = receiveNext + max(0, buffer - receiveQueue.byteCount)
    if edge - receiveEdge >= min(buffer / 2, Int(offeredSegmentSize)) { receiveEdge = edge }
    return UInt16(clamping: max(0, receiveEdge - receiveNext) >> Int(receiveScale))
  }
}
