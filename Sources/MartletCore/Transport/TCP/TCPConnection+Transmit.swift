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
    if !owed.isDisjoint(with: .control) { transmitControl(from: pool, at: now, into: &output) }
    switch state {
    case .closed, .synSent, .synReceived:
      break
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
  private var acceptableSequence: SequenceNumber {
    guard state.isSynchronized else { return sendNext }
    let edge = sendUnacknowledged + Int(sendWindow)
    return sendNext > edge ? edge : sendNext
  }

  // MARK: SYN and RST

  private mutating func transmitControl(
    from pool: borrowing PacketPool, at now: Instant, into output: inout PacketQueue
  ) {
    if owed.contains(.reset) {
      emit(from: pool, at: now, into: &output, sequence: sendNext, count: 0, flags: [.rst, .ack])
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
      emit(
        from: pool, at: now, into: &output, sequence: initialSend, count: 0, flags: isAnswer ? [.syn, .ack] : .syn)
      sendNext = initialSend + 1
      sendMaximum = sendNext
      if isFirst {
        timedSequence = sendNext
        timedAt = now
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
    let size = segmentPayload
    let largest = min(Int(maximumSuperSegment), 65_435)
    // What waits mostly fits one segment, and a division is dear.
    let most = largest < 2 * size || sendQueue.byteCount <= size ? size : largest / size * size
    var pipe =
      max(0, losses.pipe(unacknowledged: sendUnacknowledged, next: sendNext) - Int(recovery.departed))

    if !losses.isClear(from: sendUnacknowledged) {
      transmitLost(from: pool, at: now, into: &output, limit: limit, pipe: &pipe, size: size, most: most)
    }
    recovery.owesSegment = false

    let dataEnd = queueStart + sendQueue.byteCount
    let isIdle = sendNext == sendUnacknowledged
    if isIdle, now - sentAt > estimator.timeout, sendNext != initialSend + 1, sendNext != dataEnd {
      // Nothing was sent for a timeout: what cwnd was then says nothing about now (RFC 5681 section 4.1).
      congestion.restart(
        window: CongestionControl.initialWindow(segments: Int(initialWindowSegments), segmentSize: Int(segmentSize)))
    }
    let window = congestion.window
    var isBlocked = false
    while output.count < limit {
      let available = dataEnd - sendNext
      if available < 0 || (available == 0 && !finQueued) { break }
      let windowRoom = sendUnacknowledged + Int(sendWindow) - sendNext
      if available == 0 {
        // The FIN alone.
        guard windowRoom > 0 else { break }
        if timers.purpose == .persist { leavePersist() }
        guard emitNew(from: pool, at: now, into: &output, count: 0, size: size) != nil else { break }
        break
      }
      let usable = min(available, windowRoom, window - pipe)
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
      } else if usable > 0, maySend(rest: usable, available: available, windowRoom: windowRoom) {
        count = usable
      }
      guard count > 0 else {
        isBlocked = min(available, windowRoom) > window - pipe
        break
      }
      if timers.purpose == .persist { leavePersist() }
      guard let sent = emitNew(from: pool, at: now, into: &output, count: count, size: size) else { break }
      pipe &+= sent
    }
    if isBlocked || pipe &+ size > window { flags.insert(.wasLimited) } else { flags.remove(.wasLimited) }
    if output.count >= limit, sendNext != dataEnd { flags.insert(.wantsOutput) }

    if owed.contains(.windowProbe) {
      owed.remove(.windowProbe)
      if sendNext == sendUnacknowledged { transmitProbe(from: pool, at: now, into: &output, size: size) }
    }
    // Something waits, nothing is in flight: the window is closed, or opened too little, or memory is short.
    if sendNext == sendUnacknowledged, !sendQueue.isEmpty || finQueued, timers.retransmission == .distantFuture,
      !isHeldByCork(size: size)
    {
      armPersist(at: now)
    }
  }

  /// The payload of a full segment with the options that go out now.
  @inline(__always)
  private var segmentPayload: Int {
    guard flags.contains(.selective), !receiveQueue.reassembly.blocks.isEmpty else { return Int(segmentSize) }
    let blocks = min(receiveQueue.reassembly.blocks.count, flags.contains(.timestamps) ? 3 : 4)
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

  /// What is lost goes out again, oldest first, as cwnd permits.
  private mutating func transmitLost(
    from pool: borrowing PacketPool, at now: Instant, into output: inout PacketQueue, limit: Int, pipe: inout Int,
    size: Int, most: Int
  ) {
    let window = congestion.window
    let dataEnd = queueStart + sendQueue.byteCount
    while output.count < limit, let lost = losses.nextLost(unacknowledged: sendUnacknowledged) {
      let room = window - pipe
      var count = min(lost.count, most)
      if recovery.owesSegment {
        count = min(count, size)
      } else {
        // Retransmissions stay inside the window the peer offers now (SHLD-16).
        guard room >= min(lost.count, size), lost.start < sendUnacknowledged + Int(sendWindow) else { break }
        count = min(count, max(size, room - room % size))
      }
      var text = min(count, max(0, dataEnd - lost.start))
      var bits: TCPFlags = text > 0 && lost.start + text == dataEnd ? [.ack, .psh] : .ack
      let withFIN = flags.contains(.finSent) && lost.start + text == dataEnd && text <= most - 1
      if withFIN { bits.insert(.fin) }
      if text == 0, !withFIN {
        losses.noteResent(upTo: lost.start + lost.count)
        continue
      }
      guard
        let sent = emit(
          from: pool, at: now, into: &output, sequence: lost.start, count: text, flags: bits, size: size)
      else { break }
      text = sent
      let whole = text + (withFIN && lost.start + text == dataEnd ? 1 : 0)
      losses.noteResent(upTo: lost.start + whole)
      pipe += whole
      recovery.owesSegment = false
      totalRetransmitted &+= UInt32(max(1, (text + size - 1) / size))
      flags.remove(.isTiming)
      if timers.retransmission == .distantFuture { armRetransmission(at: now) }
    }
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
    from pool: borrowing PacketPool, at now: Instant, into output: inout PacketQueue, size: Int
  ) {
    let count = min(sendQueue.byteCount, size, max(1, Int(sendWindow)))
    if emitNew(from: pool, at: now, into: &output, count: count, size: size) != nil { flags.remove(.isTiming) }
    armPersist(at: now)
  }

  /// Sends `count` bytes that were not sent before, and the FIN if it follows them.
  @inline(__always)
  private mutating func emitNew(
    from pool: borrowing PacketPool, at now: Instant, into output: inout PacketQueue, count: Int, size: Int
  ) -> Int? {
    let dataEnd = queueStart + sendQueue.byteCount
    var bits = TCPFlags.ack
    // The last segment of what was written carries PSH (RFC 9293 section 3.9.1.2, MUST-61).
    let isLast = sendNext + count == dataEnd
    if isLast, count > 0 { bits.insert(.psh) }
    let withFIN = isLast && flags.contains(.finQueued)
    if withFIN { bits.insert(.fin) }
    guard
      var sent = emit(
        from: pool, at: now, into: &output, sequence: sendNext, count: count, flags: bits, size: size)
    else { return nil }
    if sent < size || (sent > size && sent % size != 0) { smallSegmentEnd = sendNext + sent }
    if withFIN, sent == count {
      flags.insert(.finSent)
      sent &+= 1
    }
    let isFirst = sendNext == sendUnacknowledged
    sendNext += sent
    sendMaximum = SequenceNumber.later(sendMaximum, sendNext)
    sentAt = now
    if timers.purpose == .persist { return sent }
    if !flags.contains(.isTiming), recovery.phase == .open {
      flags.insert(.isTiming)
      timedSequence = sendNext
      timedAt = now
    }
    if isFirst { progressAt = now }
    if timers.retransmission == .distantFuture { armRetransmission(at: now) }
    return sent
  }

  // MARK: One packet

  /// Payloads up to this size are copied behind the header.
  private static var copyBound: Int { 128 }

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

    let isSYN = bits.contains(.syn)
    let acknowledges = bits.contains(.ack)
    let plainTimestamps = !isSYN && flags.contains(.timestamps) && !(bits == .rst)
    // All options as one value are large; most segments have timestamps alone.
    let hasOthers =
      isSYN || (flags.contains(.selective) && !receiveQueue.reassembly.blocks.isEmpty && !bits.contains(.rst))
    let optionCount = hasOthers ? optionByteCount(of: bits, at: now) : plainTimestamps ? 12 : 0

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
      writeOptions(of: bits, to: &bytes, at: now)
    } else if plainTimestamps {
      bytes.store(bigEndian: 0x0101_080a as UInt32, at: 20)
      bytes.store(bigEndian: timestamp(at: now), at: 24)
      bytes.store(bigEndian: recentTimestamp, at: 28)
    }
    packet.metadata.checksumOffset = UInt16(TCPHeader.checksumOffset)
    output.append(packet)

    if acknowledges {
      lastAcknowledged = receiveNext
      unacknowledgedBytes = 0
      timers.delayedAcknowledgment = .distantFuture
      owed.subtract(.anyAcknowledgment)
    }
    return sent
  }

  @inline(__always)
  private func options(at now: Instant) -> TCPOptions {
    var options = TCPOptions()
    options.sackBlocks = receiveQueue.reassembly.blocks
    if flags.contains(.timestamps) {
      options.timestamps = TCPTimestamps(value: timestamp(at: now), echoReply: recentTimestamp)
    }
    return options
  }

  @inline(never)
  private func optionByteCount(of bits: TCPFlags, at now: Instant) -> Int {
    if bits.contains(.syn) { return synOptions(isAnswer: bits.contains(.ack), at: now).encodedByteCount }
    return options(at: now).encodedByteCount
  }

  @inline(never)
  private func writeOptions(of bits: TCPFlags, to bytes: inout MutableRawSpan, at now: Instant) {
    if bits.contains(.syn) {
      synOptions(isAnswer: bits.contains(.ack), at: now).write(to: &bytes, at: TCPHeader.minimumByteCount)
    } else {
      options(at: now).write(to: &bytes, at: TCPHeader.minimumByteCount)
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
    return options
  }

  /// The window field, moving the right edge on when that is worth it (RFC 9293 section 3.8.6.2.2, MUST-39), and never
  /// back (SHLD-14).
  @inline(__always)
  private mutating func windowToOffer() -> UInt16 {
    let buffer = Int(limits.receiveBuffer)
    let edge = receiveNext + max(0, buffer - receiveQueue.byteCount)
    if edge - receiveEdge >= min(buffer / 2, Int(offeredSegmentSize)) { receiveEdge = edge }
    return UInt16(clamping: max(0, receiveEdge - receiveNext) >> Int(receiveScale))
  }
}
