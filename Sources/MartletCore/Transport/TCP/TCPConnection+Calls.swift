import MartletWire

/// The program's calls (RFC 9293 section 3.10.1 to 3.10.6).
extension TCPConnection {
  // MARK: SEND

  /// Room in the send queue, in bytes.
  @inline(__always)
  package var sendRoom: Int { max(0, Int(limits.sendBuffer) - sendQueue.byteCount) }

  @inline(__always)
  private func checkMaySend() throws(SocketError) {
    if let error { throw error }
    if flags.contains(.finQueued) || flags.contains(.isReleased) { throw .invalidState }
    switch state {
    case .established, .closeWait, .synSent, .synReceived: return
    default: throw .invalidState
    }
  }

  /// Copies as much of `bytes` as there is room for and returns how much that was; when it was not all,
  /// ``SocketEvent/Changes/writable`` says when there is room again.
  @inline(__always)
  package mutating func write(
    _ bytes: RawSpan, from pool: borrowing PacketPool, at now: Instant
  ) throws(SocketError) -> Int {
    try checkMaySend()
    let fits = min(bytes.byteCount, sendRoom)
    let taken =
      fits == bytes.byteCount
      ? sendQueue.append(copying: bytes, from: pool) : sendQueue.append(copyingFirst: fits, of: bytes, from: pool)
    if taken < bytes.byteCount { flags.insert(.wantsWritable) }
    // A program that waits for room does not hold back by a cork what makes room.
    if taken > 0 || flags.contains(.corked) { flags.insert(.wantsOutput) }
    return taken
  }

  /// Puts `slice` behind what was written, by reference, and returns whether there was room for it.
  package mutating func write(
    _ slice: consuming Slice, from pool: borrowing PacketPool, at now: Instant
  ) throws(SocketError) -> Bool {
    try checkMaySend()
    // A slice larger than the whole buffer goes in when the buffer is empty.
    guard slice.count <= sendRoom || sendQueue.isEmpty else {
      flags.insert(flags.contains(.corked) ? [.wantsWritable, .wantsOutput] : .wantsWritable)
      return false
    }
    let taken = sendQueue.append(slice, from: pool)
    flags.insert(taken ? .wantsOutput : .wantsWritable)
    return taken
  }

  /// What was written so far is urgent (RFC 9293 section 3.8.5, MUST-30).
  package mutating func markUrgent() {
    let end = queueStart + sendQueue.byteCount
    guard sendQueue.byteCount > 0 else { return }
    sendUrgent = end
    flags.insert([.sendsUrgent, .wantsOutput])
  }

  package var noDelay: Bool {
    get { flags.contains(.noDelay) }
    set {
      if newValue { flags.insert([.noDelay, .wantsOutput]) } else { flags.remove(.noDelay) }
    }
  }

  /// Whether segments that are not full wait for more.
  package var isCorked: Bool {
    get { flags.contains(.corked) }
    set {
      if newValue {
        flags.insert(.corked)
      } else {
        flags.remove(.corked)
        flags.insert(.wantsOutput)
      }
    }
  }

  package mutating func setKeepAlive(_ isOn: Bool, at now: Instant) {
    if isOn {
      flags.insert(.keepAlive)
      if state.isSynchronized { armKeepAlive(at: now) }
    } else {
      flags.remove(.keepAlive)
      timers.keepAlive = .distantFuture
    }
  }

  /// R2 for this connection (MUST-21), in force from the next transmission on.
  package mutating func setUserTimeout(_ timeout: Duration) {
    limits.userTimeout = UInt32(clamping: max(1, timeout.inNanoseconds / 1_000_000))
  }

  // MARK: RECEIVE

  /// Copies bytes that arrived into `buffer`.
  @inline(__always)
  package mutating func read(into buffer: inout MutableRawSpan, at now: Instant) throws(SocketError) -> ReadResult {
    if receiveQueue.isEmpty { return try resultOfEmptyRead() }
    if buffer.byteCount == 0 { return .wouldBlock }
    let count = receiveQueue.read(into: &buffer)
    noteRead()
    return .bytes(count)
  }

  /// Hands bytes that arrived to `body` where they lie, run by run, at most `maximum`.
  package mutating func read(
    upTo maximum: Int, at now: Instant, _ body: (RawSpan) -> Void
  ) throws(SocketError) -> ReadResult {
    if receiveQueue.isEmpty { return try resultOfEmptyRead() }
    if maximum <= 0 { return .wouldBlock }
    let count = receiveQueue.read(upTo: maximum, body)
    noteRead()
    return .bytes(count)
  }

  @inline(__always)
  private func resultOfEmptyRead() throws(SocketError) -> ReadResult {
    if flags.contains(.finReceived) { return .endOfStream }
    if let error { throw error }
    return state == .closed ? .endOfStream : .wouldBlock
  }

  /// What a read would give: how many bytes, or that it would block, or the end.
  @inline(__always)
  package func readable() throws(SocketError) -> ReadResult {
    receiveQueue.isEmpty ? try resultOfEmptyRead() : .bytes(receiveQueue.byteCount)
  }

  /// Whether the peer sends no more, or the connection is over.
  @inline(__always)
  package var hasEnded: Bool { flags.contains(.finReceived) || state == .closed }

  /// Room came up: the peer is told when it is worth a segment (RFC 9293 section 3.8.6.2.2, MUST-39).
  @inline(__always)
  private mutating func noteRead() {
    if flags.contains(.receivesUrgent), receiveNext - receiveQueue.byteCount >= urgentMark {
      flags.remove(.receivesUrgent)
    }
    guard state.mayReceive else { return }
    let buffer = Int(limits.receiveBuffer)
    let free = buffer - receiveQueue.byteCount
    let offered = max(0, receiveEdge - receiveNext)
    if free - offered >= min(buffer / 2, 2 * Int(offeredSegmentSize)), free >= 2 * offered {
      owed.insert(.acknowledgment)
    }
  }

  /// How many bytes are to be read until the urgent data ends, nil if there is none (MUST-33).
  @inline(__always)
  package var urgentByteCount: Int? {
    guard flags.contains(.receivesUrgent) else { return nil }
    return urgentMark - (receiveNext - receiveQueue.byteCount - (flags.contains(.finReceived) ? 1 : 0))
  }

  // MARK: CLOSE

  /// This end sends no more: a FIN follows what was written.
  package mutating func shutdownWrite(at now: Instant) throws(SocketError) {
    if let error { throw error }
    guard !flags.contains(.finQueued) else { return }
    switch state {
    case .synSent, .synReceived:
      // Until the connection is established (RFC 9293 section 3.10.4).
      flags.insert(.finQueued)
    case .established:
      flags.insert([.finQueued, .wantsOutput])
      state = .finWait1
    case .closeWait:
      flags.insert([.finQueued, .wantsOutput])
      state = .lastAck
    default:
      // It sent its FIN before.
      return
    }
  }

  /// The program lets go of its end: what was written is still delivered, and nothing more will be read.
  package mutating func close(at now: Instant) {
    guard !flags.contains(.isReleased) else { return }
    if state.isSynchronized, !receiveQueue.isEmpty, state != .timeWait, state != .lastAck, state != .closing {
      // Bytes that nobody read are lost, and the peer has to know (RFC 9293 section 3.6.1, SHLD-3).
      abort(at: now)
      return
    }
    flags.insert(.isReleased)
    if state == .synSent {
      finish()
      return
    }
    if error == nil { try? shutdownWrite(at: now) }
    if state == .finWait2 { timers.state = now + limits.finWait2.asMilliseconds }
    receiveQueue.removeAll()
  }

  /// The program lets go of a connection that is over, or that it never held.
  package mutating func release() { flags.insert(.isReleased) }

  // MARK: ABORT

  /// Ends the connection at once, with a RST where the peer has one to end (RFC 9293 section 3.10.5).
  package mutating func abort(at now: Instant) {
    let tells: Bool
    switch state {
    case .synReceived, .established, .finWait1, .finWait2, .closeWait: tells = true
    default: tells = false
    }
    flags.insert(.isReleased)
    if state != .closed { fail(.aborted) }
    receiveQueue.removeAll()
    if tells { owed = .reset }
  }

  /// Data came for a program that is gone (SHLD-3).
  mutating func abortBecauseOfData() {
    fail(.aborted)
    receiveQueue.removeAll()
    owed = .reset
  }

  /// The connection failed.
  mutating func fail(_ reason: SocketError) {
    error = reason
    finish()
  }

  /// The connection is over. What arrived in order may still be read.
  mutating func finish() {
    state = .closed
    timers.stopAll()
    owed = []
    flags.remove(.wantsOutput)
    sendQueue.removeAll()
    dropSender()
    receiveQueue.removeOutOfOrder()
    changes.formUnion([.closed, .readable])
    if flags.contains(.isReleased) { receiveQueue.removeAll() }
  }

  // MARK: STATUS

  /// What changed since the last call.
  package mutating func takeChanges() -> SocketEvent.Changes {
    let taken = changes
    changes = []
    return taken
  }

  /// Whether anything changed since ``takeChanges()``.
  @inline(__always)
  package var hasChanges: Bool { !changes.isEmpty }

  /// Whether the connection is over, said so to its peer, and nobody holds it.
  @inline(__always)
  package var isFinished: Bool { state == .closed && flags.contains(.isReleased) && owed.isEmpty }

  @inline(__always)
  package var isReleased: Bool { flags.contains(.isReleased) }
  @inline(__always)
  package var isPassive: Bool { flags.contains(.isPassive) }
  @inline(__always)
  package var receiveByteCount: Int { receiveQueue.byteCount }
}
