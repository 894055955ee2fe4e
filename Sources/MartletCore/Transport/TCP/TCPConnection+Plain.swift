import MartletWire

/// The short ways of a connection on which nothing is out of the ordinary. They come to what the long ways
/// ``transmit(from:at:into:limit:)`` and ``receive(_:_:payload:at:)`` come to, without asking all that those ask: what seldom
/// changes is asked once and then taken for granted until the next long way (header prediction, as Jacobson called it).
extension TCPConnection {
  /// Payloads up to this size are copied behind the header.
  static var copyBound: Int { 128 }

  /// No loss, no probe, no mark, no gap, nobody who records, and CUBIC.
  @inline(__always)
  private var isQuiet: Bool {
    guard state == .established, marks.isDisjoint(with: .changesSegments), !trace.isPresent, !probing.isSearching,
      !probing.isAttentive, timers.purpose != .persist, receiveQueue.reassembly.isEmpty,
      !receiveQueue.reassembly.hasReports, sender.isPresent
    else { return false }
    let sender = unsafe sender.address
    return unsafe sender.pointee.recovery.phase == .open && sender.pointee.recovery.departed == 0
      && sender.pointee.losses.isClear && !sender.pointee.probe.isOutstanding && sender.pointee.congestion.isCubic
  }

  /// Whether the short ways may be taken as far as it is the connection's state that says so.
  @inline(__always)
  mutating func isPlain() -> Bool {
    if isCalm {
      assert(isQuiet || state != .established, "a long way was taken without saying so")
      return state == .established
    }
    isCalm = isQuiet
    return isCalm
  }

  // MARK: Sending

  /// How many bytes wait to be sent, if they are one small segment that nothing holds back, with nothing in flight before it;
  /// else 0.
  @inline(__always)
  mutating func plainDeparture(at now: Instant) -> Int {
    let count = sendQueue.byteCount
    guard count > 0, count <= Self.copyBound, count < Int(segmentSize), count <= Int(sendWindow), isPlain(),
      sendNext == sendUnacknowledged, sendMaximum == sendNext, owed.isSubset(of: .acknowledgment),
      flags.isDisjoint(with: .shapesSending), now - sentAt <= estimator.timeout
    else { return 0 }
    let sender = unsafe sender.address
    return unsafe count <= sender.pointee.congestion.cubicWindow
      && (!flags.contains(.paces) || sender.pointee.pacing.next <= now) ? count : 0
  }

  /// The size of the header of a segment that ``depart(_:to:at:)`` writes.
  @inline(__always)
  var plainHeaderByteCount: Int { TCPHeader.minimumByteCount &+ (flags.contains(.timestamps) ? 12 : 0) }

  /// Sends the `count` bytes of the send queue that ``plainDeparture(at:)`` found: writes the segment at `target`, where seven
  /// bytes more than it needs may be written, and returns the sum of its words, most significant byte first; the checksum field
  /// stays zero.
  @unsafe @inline(__always)
  mutating func depart(_ count: Int, to target: UnsafeMutableRawPointer, at now: Instant) -> UInt64 {
    flags.remove(.wantsOutput)
    let header = plainHeaderByteCount
    let ports = UInt64(flow.localPort) &<< 16 | UInt64(flow.remotePort)
    let shape = UInt64(header) &<< 26 | UInt64((TCPFlags.ack.union(.psh)).rawValue) &<< 16 | UInt64(windowToOffer())
    let sequence = UInt64(sendNext.value)
    let acknowledgment = UInt64(receiveNext.value)
    var sum = ports &+ sequence &+ acknowledgment &+ shape
    unsafe target.storeBytes(of: (ports &<< 32 | sequence).bigEndian, as: UInt64.self)
    unsafe target.storeBytes(of: (acknowledgment &<< 32 | shape).bigEndian, toByteOffset: 8, as: UInt64.self)
    if flags.contains(.timestamps) {
      let value = UInt64(timestamp(at: now))
      let echo = UInt64(recentTimestamp)
      sum &+= UInt64(TCPOptions.alignedTimestamps) &+ value &+ echo
      // The checksum and the urgent pointer are zero as yet.
      unsafe target.storeBytes(
        of: UInt64(TCPOptions.alignedTimestamps).bigEndian, toByteOffset: 16, as: UInt64.self)
      unsafe target.storeBytes(of: (value &<< 32 | echo).bigEndian, toByteOffset: 24, as: UInt64.self)
    } else {
      unsafe target.storeBytes(of: 0, toByteOffset: 16, as: UInt32.self)
    }
    let payload = unsafe sendQueue.copyLast(count, to: target + header)
    sum &+= UInt64(WordSum.fold(payload).byteSwapped)
    noteAcknowledged()

    let end = sendNext + count
    unsafe self.sender.address.pointee.noteAlone(
      from: sendNext, count: count, segmentSize: Int(segmentSize), at: now)
    sendNext = end
    smallSegmentEnd = end
    sendMaximum = end
    sentAt = now
    progressAt = now
    // Nothing was in flight, so nothing was waited for, and there is no pace to keep; nothing but the flag keeps a probe of
    // the tail from going out.
    if flags.isSuperset(of: .probing) { armLossProbe(at: now) } else { armRetransmission(at: now) }
    return sum
  }

  // MARK: Receiving

  /// A small segment that has data, PSH or not, an acknowledgement and timestamps, and nothing else.
  struct PlainSegment: BitwiseCopyable {
    var sequence: SequenceNumber
    var acknowledgment: SequenceNumber
    var window: UInt16
    var timestamps: TCPTimestamps
    var payloadCount: Int
  }

  /// Whether `segment` follows what came before it and acknowledges all that ever was sent, and that is nothing, or one run.
  @inline(__always)
  mutating func expects(_ segment: PlainSegment, at now: Instant) -> Bool {
    guard segment.sequence == receiveNext, segment.acknowledgment == sendNext, isPlain(), sendMaximum == sendNext,
      flags.isDisjoint(with: .needsLongWay), flags.contains(.timestamps),
      segment.payloadCount <= receiveEdge - receiveNext, segment.payloadCount <= Int(receiveSegmentSize),
      receiveQueue.byteCount < Int(limits.receiveBuffer),
      Int32(truncatingIfNeeded: segment.timestamps.value &- recentTimestamp) >= 0,
      !isGrowthDue(segment.timestamps, at: now)
    else { return false }
    if segment.acknowledgment == sendUnacknowledged { return true }
    return unsafe sender.address.pointee.losses.hasOneRun
      && sendQueue.byteCount == segment.acknowledgment - queueStart
  }

  /// Takes a segment that ``expects(_:at:)`` accepted, as ``receive(_:_:payload:at:)`` does.
  @inline(__always)
  mutating func take(_ segment: PlainSegment, payload: consuming Packet, at now: Instant) {
    if lastAcknowledged == receiveNext {
      recentTimestamp = segment.timestamps.value
      recentTimestampAt = now
    }
    heardAt = now
    let number = segment.acknowledgment
    let isNew = number != sendUnacknowledged
    let window = UInt32(segment.window) << UInt32(sendScale)
    var windowMoved = false
    if isNew || sendWindowSequence < segment.sequence
      || (sendWindowSequence == segment.sequence && sendWindowAcknowledgment <= number)
    {
      sendWindowSequence = .later(sendWindowSequence, segment.sequence)
      sendWindowAcknowledgment = number
      if window != sendWindow {
        sendWindow = window
        largestSendWindow = max(largestSendWindow, window)
        windowMoved = true
      }
    }
    if isNew { takeAcknowledgmentOfAll(at: now) }
    if windowMoved { noteOutput() }
    receiveQueue.appendInOrder(payload)
    receiveNext += segment.payloadCount
    noteDelivered(segment.payloadCount, at: now)
  }

  // MARK: Acknowledgements

  /// Takes an acknowledgement that acknowledges nothing but (a part of) what went out first, if all is well, and says whether
  /// it did.
  @inline(__always)
  mutating func takePlainAcknowledgment(_ report: Report) -> Bool {
    guard sender.value.recovery.phase == .open, !sender.value.probe.isOutstanding,
      flags.isDisjoint(with: .needsLongAcknowledgment),
      sender.value.congestion.isCubic, !report.isCongestionEcho, !trace.isPresent,
      let run = sender.value.losses.acknowledgeFirst(to: report.number)
    else { return false }
    let now = report.now
    let count = run.count
    let roundTrip = now - run.sentAt
    advance(to: report.number, at: now)
    estimator.sample(roundTrip, limits: limits)
    let minimumRoundTrip = estimator.minimum
    sender.value.delivery.noteDelivered(count, newest: run, minimumRoundTrip: minimumRoundTrip, at: now)
    if flags.contains(.selective) {
      sender.value.losses.noteNewest(run, isOfEarlier: false, minimumRoundTrip: minimumRoundTrip, at: now)
    }
    _ = sender.value.recovery.advance(to: report.number, count: count, segmentSize: 0, isSelective: true)

    var sample = AcknowledgmentSample(
      now: now, acknowledged: count, delivered: count, priorFlight: report.priorFlight, segmentSize: Int(segmentSize),
      unacknowledged: sendUnacknowledged, next: sendNext)
    sample.roundTrip = roundTrip
    sample.smoothedRoundTrip = estimator.smoothed
    sample.minimumRoundTrip = minimumRoundTrip
    sample.wasLimited = sender.value.isWindowLimited
    sender.value.congestion.acknowledgedByCubic(sample)
    noteRound(at: now)
    armAfterAcknowledgment(at: now)
    return true
  }

  /// Takes an acknowledgement of all that is in flight, one run: what ``takePlainAcknowledgment(_:)`` comes to.
  @inline(__always)
  private mutating func takeAcknowledgmentOfAll(at now: Instant) {
    let sender = unsafe sender.address
    let flight = sendNext - sendUnacknowledged
    let run = unsafe sender.pointee.losses.acknowledgeOnlyRun()
    sendUnacknowledged = sendNext
    smallSegmentEnd = .later(smallSegmentEnd, sendNext)
    if !sendQueue.isEmpty {
      queueStart += sendQueue.byteCount
      sendQueue.removeFirst(sendQueue.byteCount)
      changes.insert(.drained)
    }
    progressAt = now
    timeouts = 0
    flags.remove(.toldOfTrouble)
    let roundTrip = unsafe now - run.pointee.sentAt
    estimator.sample(roundTrip, limits: limits)
    let minimumRoundTrip = estimator.minimum
    unsafe sender.pointee.delivery.noteDelivered(
      flight, newest: run.pointee, minimumRoundTrip: minimumRoundTrip, at: now)
    if flags.contains(.selective) {
      unsafe sender.pointee.losses.noteNewest(
        run.pointee, isOfEarlier: false, minimumRoundTrip: minimumRoundTrip, at: now)
    }
    _ = unsafe sender.pointee.recovery.advance(to: sendNext, count: flight, segmentSize: 0, isSelective: true)
    if unsafe sender.pointee.usesCubicWindow(flight) {
      growSendBuffer()
      growWindow(by: flight, roundTrip: roundTrip, at: now)
    }
    // Otherwise time goes by for CUBIC, and nothing else; it counts from the next departure, as nothing is in flight.
    noteRound(at: now)
    timers.retransmission = .distantFuture
    timers.purpose = .retransmit
  }

  /// CUBIC hears of `count` bytes that were all that was in flight, and used the window.
  @inline(never)
  private mutating func growWindow(by count: Int, roundTrip: Nanoseconds, at now: Instant) {
    var sample = AcknowledgmentSample(
      now: now, acknowledged: count, delivered: count, priorFlight: count, segmentSize: Int(segmentSize),
      unacknowledged: sendUnacknowledged, next: sendNext)
    sample.roundTrip = roundTrip
    sample.smoothedRoundTrip = estimator.smoothed
    sample.minimumRoundTrip = estimator.minimum
    sample.wasLimited = sender.value.isWindowLimited
    sender.value.congestion.acknowledgedByCubic(sample)
  }

  /// After a round trip in which cwnd did not hold the sender back, congestion control hears of it.
  @inline(__always)
  mutating func noteRound(at now: Instant) {
    if sender.value.advanceRound(to: sendUnacknowledged, next: sendNext), !sender.value.wasLimited {
      sender.value.congestion.notLimited(
        flight: Int(sender.value.lastPeakFlight), segmentSize: Int(segmentSize), timeout: estimator.timeout, now: now)
    }
  }
}
