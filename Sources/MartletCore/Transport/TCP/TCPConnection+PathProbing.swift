import MartletWire

/// How large segments are, and what happens when the path takes less or more (RFC 1191, RFC 8201, RFC 4821, RFC 8899).
extension TCPConnection {
  /// The size of the IP header in front of every segment to `address`.
  static func networkHeaderByteCount(to address: IPAddress) -> Int {
    address.isIPv4 ? IPv4Header.minimumByteCount : IPv6Header.byteCount
  }

  @inline(__always)
  private var networkHeaderByteCount: Int { Self.networkHeaderByteCount(to: flow.remoteAddress) }

  /// All headers of a segment with the options that every segment has.
  @inline(__always)
  private var headerByteCount: Int {
    networkHeaderByteCount + TCPHeader.minimumByteCount + (flags.contains(.timestamps) ? 12 : 0)
  }

  /// BASE_PLPMTU and MIN_PLPMTU (RFC 8899 section 5.1.2).
  @inline(__always)
  private var basePathMTU: Int {
    flow.remoteAddress.isIPv4 ? Int(limits.basePathMTU) : PathMTUCache.minimumIPv6
  }
  @inline(__always)
  private var smallestPathMTU: Int {
    flow.remoteAddress.isIPv4 ? PathMTUCache.floorIPv4 : PathMTUCache.minimumIPv6
  }

  /// PMTU_RAISE_TIMER (RFC 8899 section 5.1.1).
  @inline(__always)
  private var raiseTime: Nanoseconds { .seconds(Int64(limits.pathMTURaise)) }

  /// The largest packet that the peer takes: its MSS is without any options (RFC 6691).
  @inline(__always)
  private var peerPathMTU: Int { Int(peerSegmentSize) + TCPHeader.minimumByteCount + networkHeaderByteCount }

  // MARK: Sizes

  /// Both ends are known.
  mutating func beginPath() {
    probing.limit(to: peerPathMTU)
    probing.begin(base: basePathMTU)
    updateSegmentSize()
  }

  /// What the path takes: its MTU less the IP header.
  @inline(__always)
  var pathSegmentSize: Int { Int(probing.size) - networkHeaderByteCount }

  /// Eff.snd.MSS: the lesser of what the peer and the path take, less TCP's options (RFC 9293 section 3.7.1, MUST-16).
  private mutating func updateSegmentSize() {
    let most = pathSegmentSize - TCPHeader.minimumByteCount
    segmentSize = UInt16(clamping: max(8, most - (flags.contains(.timestamps) ? 12 : 0)))
  }

  /// The link and the routers on the way take packets of up to `mtu` bytes, as far as the host knows (RFC 9293 section
  /// 3.7.3, SHLD-6; RFC 8201 section 5.3).
  package mutating func followPath(mtu: Int, at now: Instant) {
    isCalm = false
    guard state != .closed, state != .timeWait else { return }
    // Before the peer has spoken its MSS is no bound; see ``beginPath()``.
    if probing.move(ceiling: state == .synSent ? mtu : min(mtu, peerPathMTU)) {
      shrink(at: now)
    } else if state.isSynchronized {
      updateSegmentSize()
    }
  }

  /// Packets are smaller from now on: what is in flight was too big, or is about to be.
  private mutating func shrink(at now: Instant) {
    guard state.isSynchronized else { return }
    updateSegmentSize()
    guard sendNext != sendUnacknowledged else { return }
    // It goes out again, and cwnd stays (RFC 1191 section 6.5).
    if sender.isPresent {
      sender.value.losses.markLost(olderThan: 0, at: now)
      if trace.isPresent { recordLosses(.pathMTU, at: now) }
      sender.value.recovery.owesSegment = true
    }
    flags.insert(.wantsOutput)
  }

  // MARK: Routers

  /// A router claims that the packet which begins at `quoted` was too big for its next hop.
  mutating func receiveTooBig(mtu: Int, packetByteCount: Int, quoted: SequenceNumber, at now: Instant) -> Bool {
    let verdict = probing.receive(
      claim: mtu, quoting: packetByteCount, at: quoted, probeStart: probeStart, smallest: smallestPathMTU)
    switch verdict {
    case .refused: return false
    case .waits: return true
    case .taken: flags.insert(.wantsOutput)
    case .believed:
      shrink(at: now)
      flags.insert(.wantsOutput)
    }
    return true
  }

  /// What this connection found out and others to the same destination should know: the path's MTU.
  package mutating func takePathNews() -> Int? { probing.takeNews() }

  // MARK: Probes

  /// The payload of the probe in flight, which began at ``probeStart``.
  @inline(__always)
  private var probePayload: Int { (probing.probe ?? 0) - headerByteCount }

  @inline(__always)
  private var probeStart: SequenceNumber? {
    probing.probe == nil ? nil : probing.watchedEnd - probePayload
  }

  /// Sends a probe if it is time for one: one segment that is larger than the others (RFC 4821 section 7.4). Returns false
  /// when everything else has to wait until there is room for it.
  mutating func transmitPathProbe(
    from pool: borrowing PacketPool, at now: Instant, into output: inout PacketQueue, _ turn: inout Turn
  ) -> Bool {
    let size = turn.size
    // Not while anything is lost, nor with options that others do not have.
    guard sender.value.recovery.phase == .open, sender.value.losses.isClear, size == Int(segmentSize),
      state == .established || state == .closeWait, flags.isDisjoint(with: [.sendsUrgent, .corked]),
      probing.mayProbe(at: now, raiseAfter: raiseTime), let next = probing.nextProbe
    else { return true }
    let count = next - headerByteCount
    // Three segments behind it, so that its loss shows without a timeout. cwnd need only take the first of them: the others
    // go out as it is reported, or as a tail-loss probe, and a paced cwnd that is never filled would not grow to take all.
    let needed = count + LossDetection.threshold * size
    guard count > size, queueStart + sendQueue.byteCount - sendNext >= needed,
      sendUnacknowledged + Int(sendWindow) - sendNext >= needed, sender.value.congestion.window >= count + size
    else { return true }
    guard sender.value.congestion.window - turn.pipe >= count else {
      sender.value.noteFlight(turn.pipe, isLimited: true)
      return false
    }
    guard turn.allowance >= size else {
      turn.isPaced = true
      return false
    }
    let start = sendNext
    turn.size = count
    let emitted = emitNew(from: pool, at: now, into: &output, count: count, &turn)
    turn.size = size
    guard let sent = emitted else { return true }
    turn.pipe &+= sent
    if sent == count { probing.watch(next, end: start + count) } else { probing.unwatch() }
    return true
  }

  /// Everything before `number` arrived.
  mutating func notePathProgress(to number: SequenceNumber, at now: Instant) {
    // The acknowledgement of a SYN says nothing about data. Equal, not less: numbers come round.
    guard number != initialSend + 1 else { return }
    if probing.acknowledge(number, at: now, raiseAfter: raiseTime) { updateSegmentSize() }
    // The host asks for news when it lets a connection send, which may else be long after.
    if probing.hasNews { flags.insert(.wantsOutput) }
  }

  /// The first segment in flight is lost. If that is the probe, and it alone, it goes out again in pieces, and cwnd stays
  /// (RFC 4821 section 7.5, RFC 8899 section 3); returns whether it was so.
  mutating func repairLostProbe(at now: Instant) -> Bool {
    let flight = sendNext - sendUnacknowledged
    let count = probePayload
    guard let start = probeStart, start == sendUnacknowledged, flight >= count else {
      // Others were lost as well: nothing follows for the size.
      probing.unwatch()
      return false
    }
    let isSelective = flags.contains(.selective)
    if !isSelective { sender.value.losses.markFirstLost(count) }
    if trace.isPresent { recordLosses(.duplicates, at: now) }
    guard sender.value.losses.lostByteCount <= count else {
      probing.unwatch()
      return false
    }
    probing.loseProbe(at: now, pause: 5 * max(0, estimator.smoothed), raiseAfter: raiseTime)
    // Without SACK the duplicates that follow are this loss's too.
    if !isSelective { sender.value.recovery.beginFast(from: sendUnacknowledged, to: sendNext, flight: flight) }
    sender.value.recovery.owesSegment = true
    flags.insert(.wantsOutput)
    return true
  }

  /// The retransmission timer ran out.
  mutating func notePathTimeout() {
    let flight = sendNext - sendUnacknowledged
    let isSmaller = probing.timeOut(
      isFull: flight >= Int(segmentSize), base: basePathMTU,
      smallest: smallestPathMTU)
    if isSmaller { updateSegmentSize() }
  }
}
