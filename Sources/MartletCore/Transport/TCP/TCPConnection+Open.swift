package import MartletWire

extension TCPConnection {
  /// An active open (RFC 9293 section 3.10.1): SYN-SENT; the SYN goes out with the next ``transmit(from:at:into:limit:)``.
  ///
  /// `maximumSegmentSize` is what the link takes: its MTU less the IP header.
  package init(
    connecting flow: Flow, options: TCPSocketOptions = TCPSocketOptions(),
    configuration: borrowing Host.Configuration.TCP, initialSequence: SequenceNumber, timestampOffset: UInt32 = 0,
    maximumSegmentSize: Int, limits: TCPLimits? = nil, now: Instant
  ) {
    self.init(
      flow: flow, state: .synSent, options: options, configuration: configuration, initialSequence: initialSequence,
      timestampOffset: timestampOffset, maximumSegmentSize: maximumSegmentSize, limits: limits,
      now: now)
    owed = .syn
  }

  /// A passive open by the SYN `header` on a listener (RFC 9293 section 3.10.7.2): SYN-RECEIVED.
  package init(
    accepting flow: Flow, syn header: TCPHeader, options received: TCPOptions,
    socketOptions: TCPSocketOptions = TCPSocketOptions(), configuration: borrowing Host.Configuration.TCP,
    initialSequence: SequenceNumber, timestampOffset: UInt32 = 0, maximumSegmentSize: Int, limits: TCPLimits? = nil,
    now: Instant
  ) {
    self.init(
      flow: flow, state: .synReceived, options: socketOptions, configuration: configuration,
      initialSequence: initialSequence, timestampOffset: timestampOffset, maximumSegmentSize: maximumSegmentSize,
      limits: limits, now: now)
    flags.insert(.isPassive)
    takeSYN(header, received, at: now)
    owed = .syn
  }

  /// A connection whose SYN was answered by a cookie and whose ACK `header` proved good (RFC 4987 section 3.6):
  /// ESTABLISHED. The ACK itself is to be given to ``receive(_:_:payload:at:)`` next, for its data.
  package init(
    cookie flow: Flow, acknowledgment header: TCPHeader, options received: TCPOptions,
    agreed: SYNCookie.Agreement, socketOptions: TCPSocketOptions = TCPSocketOptions(),
    configuration: borrowing Host.Configuration.TCP, timestampOffset: UInt32 = 0, maximumSegmentSize: Int,
    limits: TCPLimits? = nil, now: Instant
  ) {
    self.init(
      flow: flow, state: .synReceived, options: socketOptions, configuration: configuration,
      initialSequence: header.acknowledgmentNumber - 1, timestampOffset: timestampOffset,
      maximumSegmentSize: maximumSegmentSize, limits: limits,
      now: now)
    flags.insert(.isPassive)
    var syn = header
    syn.sequenceNumber = header.sequenceNumber - 1
    var offered = TCPOptions()
    offered.maximumSegmentSize = agreed.maximumSegmentSize
    offered.windowScale = agreed.windowScale
    offered.isSACKPermitted = agreed.isSACKPermitted
    offered.timestamps = received.timestamps
    takeSYN(syn, offered, at: now)
    sendNext = initialSend + 1
    sendMaximum = sendNext
  }

  /// Takes the peer's SYN: its number, its window and what both ends agree on.
  mutating func takeSYN(_ header: TCPHeader, _ received: TCPOptions, at now: Instant) {
    initialReceive = header.sequenceNumber
    receiveNext = header.sequenceNumber + 1
    lastAcknowledged = receiveNext
    // A SYN's window is never scaled (RFC 7323 section 2.2), neither ours nor the peer's.
    receiveEdge = receiveNext + Int(min(limits.receiveBuffer, 65_535))
    urgentMark = receiveNext
    startReceiveGrowth(at: now)
    sendWindow = UInt32(header.window)
    largestSendWindow = sendWindow
    sendWindowSequence = header.sequenceNumber
    sendWindowAcknowledgment = header.acknowledgmentNumber
    heardAt = now
    agreeOnMarks(header.flags)
    if let timeout = received.userTimeout { receiveUserTimeout(timeout) }

    // An MSS so small that a segment would be all header is not taken at its word.
    if let size = received.maximumSegmentSize { peerSegmentSize = max(size, 64) }
    if flags.contains(.offersTimestamps), let timestamps = received.timestamps {
      flags.insert(.timestamps)
      recentTimestamp = timestamps.value
      recentTimestampAt = now
    }
    if flags.contains(.offersSelective), received.isSACKPermitted { flags.insert(.selective) }
    if flags.contains(.offersScale), let scale = received.windowScale {
      // A shift above 14 is taken for 14 (RFC 7323 section 2.3).
      sendScale = min(scale, 14)
    } else {
      flags.remove(.offersScale)
      receiveScale = 0
      // More than the field can say is never offered, so it must not be taken either.
      limits.receiveBuffer = min(limits.receiveBuffer, 65_535)
    }
    beginPath()
  }

  /// The MSS this end offers: what the link takes less the fixed TCP header (RFC 9293 section 3.7.1, MUST-67).
  @inline(__always)
  var offeredSegmentSize: UInt16 { linkSegmentSize - UInt16(TCPHeader.minimumByteCount) }

  /// The handshake is done.
  mutating func establish(at now: Instant) {
    state = .established
    changes.formUnion([.connected, .writable])
    timers.retransmission = .distantFuture
    timeouts = 0
    if flags.contains(.synLost) {
      // The SYN or its acknowledgement was lost (RFC 6298 (5.7)).
      estimator.restartAfterLostSYN()
    }
    if !sendQueue.isEmpty || flags.contains(.finQueued) { flags.insert(.wantsOutput) }
    endFastOpen()
    armKeepAlive(at: now)
    if flags.contains(.finQueued) { state = .finWait1 }
  }

  /// Whether this connection in TIME-WAIT may give way to the one that the SYN `header` asks for (RFC 9293 section 3.6.1,
  /// MAY-2; RFC 6191 section 2). The new one has to begin at ``smallestReusableSequence`` or after.
  @inline(__always)
  package func acceptsReuse(by header: TCPHeader, options: TCPOptions) -> Bool {
    guard state == .timeWait, header.flags.contains(.syn), header.flags.isDisjoint(with: [.ack, .rst, .fin])
    else { return false }
    if flags.contains(.timestamps), let timestamps = options.timestamps {
      let newer = Int32(truncatingIfNeeded: timestamps.value &- recentTimestamp)
      return newer > 0 || (newer == 0 && header.sequenceNumber >= receiveNext)
    }
    return header.sequenceNumber >= receiveNext
  }

  /// The first initial sequence number that a new incarnation of this connection may use.
  package var smallestReusableSequence: SequenceNumber { sendMaximum + 65_536 }
}
