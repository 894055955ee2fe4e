package import MartletWire

/// Fast Open (RFC 7413): data in a SYN, for a client that showed before that it is where it says it is.
extension TCPConnection {
  // MARK: The client

  /// Asks for a cookie in the SYN, or, with `known` from an earlier connection, sends what is written before the SYN goes
  /// out along with it (section 4.2.1).
  package mutating func openFast(_ known: FastOpenCache.Entry?) {
    var rare = rarities.value ?? TCPRarities()
    rare.fastOpen = .asks
    if let known {
      rare.cookie = known.cookie
      rare.segmentSize = known.maximumSegmentSize
    }
    rarities.value = rare
  }

  /// Whether the answer to the SYN may bring a cookie.
  @inline(__always)
  package var asksForFastOpenCookie: Bool {
    state == .synSent && !rarities.isEmpty && rarities.value?.fastOpen == .asks
  }

  /// How much of the send queue goes out with the SYN: nothing without a cookie, and nothing the second time, in case
  /// somebody on the path does not like it (section 4.1.3.1).
  var fastOpenByteCount: Int {
    guard let rare = rarities.value, rare.fastOpen == .asks, rare.cookie.byteCount > 0, !flags.contains(.synLost) else {
      return 0
    }
    let most = min(Int(rare.segmentSize), Int(pathSegmentSize) - TCPHeader.minimumByteCount)
    return max(0, min(sendQueue.byteCount, most - TCPOptions.maximumByteCount))
  }

  /// The answer to the SYN acknowledged what came along with it, or did not, and then it goes out as if it never had.
  mutating func takeFastOpenAcknowledgment() {
    guard sendUnacknowledged > queueStart else { return }
    let count = min(sendUnacknowledged - queueStart, sendQueue.byteCount)
    sendQueue.removeFirst(count)
    queueStart += count
    sendNext = SequenceNumber.later(sendNext, sendUnacknowledged)
    if sendQueue.isEmpty { changes.insert(.drained) }
  }

  // MARK: The server

  /// Tells the peer its cookie in the SYN, ACK (section 4.2.2).
  package mutating func giveFastOpenCookie(_ cookie: TCPFastOpenCookie) {
    var rare = rarities.value ?? TCPRarities()
    rare.fastOpen = .gives
    rare.cookie = cookie
    rarities.value = rare
  }

  /// Takes the data of the SYN `header`, which came with a good cookie: the program may have it, and may answer.
  package mutating func receiveFastOpen(
    _ header: TCPHeader, payload: consuming Packet, at now: Instant
  ) -> Drop.Reason? {
    var rare = rarities.value ?? TCPRarities()
    rare.fastOpen = .isOpened
    rarities.value = rare
    // Its FIN, which nobody sends, has to come again once the peer is known to be there.
    var rest = header
    rest.sequenceNumber += 1
    rest.flags = .ack
    return receiveUrgentTextAndFIN(rest, nil, payload: payload, at: now)
  }

  /// Whether the program may be answered before the handshake is done.
  @inline(__always)
  var isFastOpened: Bool { !rarities.isEmpty && rarities.value?.fastOpen == .isOpened }

  // MARK: Both

  /// The handshake is done.
  mutating func endFastOpen() {
    guard !rarities.isEmpty, var rare = rarities.value, rare.fastOpen != .none else { return }
    rare.fastOpen = .none
    if rare.advertisedTimeout == nil, rare.softError == nil { rarities.value = nil } else { rarities.value = rare }
  }

  /// What few SYNs say.
  @inline(never)
  func addRareOptions(to options: inout TCPOptions, isAnswer: Bool) {
    guard let rare = rarities.value else { return }
    switch rare.fastOpen {
    case .asks where !isAnswer && !flags.contains(.synLost):
      // A cookie without data would be for nothing; it asks for none either.
      if rare.cookie.byteCount == 0 || !sendQueue.isEmpty { options.fastOpenCookie = rare.cookie }
    case .gives where isAnswer: options.fastOpenCookie = rare.cookie
    default: break
    }
    options.userTimeout = rare.advertisedTimeout
    // It is told later then.
    if options.encodedByteCount > TCPOptions.maximumByteCount { options.userTimeout = nil }
  }
}
