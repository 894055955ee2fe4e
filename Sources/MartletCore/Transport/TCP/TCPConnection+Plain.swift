import MartletWire

/// The short ways of a sender on which nothing is out of the ordinary: no loss, no probe, no mark, no pace that is behind. They come to
/// what the long ways ``transmitData(from:at:into:limit:)`` and ``takeDelivery(_:_:acknowledged:duplicate:hasBlocks:)``
/// come to, without asking all that those ask.
extension TCPConnection {
  /// Payloads up to this size are copied behind the header.
  static var copyBound: Int { 128 }

  // MARK: Sending

  /// How many bytes wait to be sent, if they are one small segment that nothing holds back and nothing but timestamps goes
  /// with; else 0.
  @inline(__always)
  func plainDeparture(at now: Instant) -> Int {
    guard state == .established, owed.isSubset(of: .acknowledgment), flags.isDisjoint(with: .shapesSending),
      marks.isDisjoint(with: .changesSegments), sender.isPresent, !trace.isPresent, !probing.isSearching,
      timers.purpose != .persist, !receiveQueue.reassembly.hasReports
    else { return 0 }
    let count = queueStart + sendQueue.byteCount - sendNext
    let flight = sendNext - sendUnacknowledged
    let sender = unsafe sender.address
    guard count > 0, count <= Self.copyBound, count < Int(segmentSize), count &+ flight <= Int(sendWindow),
      unsafe sender.pointee.recovery.phase == .open, unsafe count &+ flight <= sender.pointee.congestion.window,
      unsafe !flags.contains(.paces) || sender.pointee.pacing.next <= now
    else { return 0 }
    if flight == 0 { return now - sentAt <= estimator.timeout ? count : 0 }
    guard flags.contains(.noDelay) || smallSegmentEnd <= sendUnacknowledged,
      unsafe sender.pointee.losses.isClear, unsafe !sender.pointee.losses.isFull
    else { return 0 }
    return count
  }

  /// The size of the header of a segment that ``depart(_:to:at:)`` writes.
  @inline(__always)
  var plainHeaderByteCount: Int { TCPHeader.minimumByteCount &+ (flags.contains(.timestamps) ? 12 : 0) }

  /// Sends the last `count` bytes of the send queue: writes the segment at `target`, where seven bytes more than it needs may
  /// be written, and returns the sum of its words, most significant byte first; the checksum field is not written.
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

    let flight = sendNext - sendUnacknowledged
    let sender = unsafe sender.address
    if flight == 0 {
      progressAt = now
    } else {
      // A small segment with nothing before it in the network is no burst: it has no pace to keep.
      let rate =
        unsafe flags.contains(.paces) && sender.pointee.delivery.delivered > 0
        ? sender.pointee.congestion.pacingRate(smoothedRoundTrip: estimator.smoothed) : 0
      unsafe sender.pointee.pacing.noteSent(count, rate: rate, at: now)
    }
    let pipe = flight == 0 ? 0 : flightInNetwork
    let departure = unsafe sender.pointee.delivery.departure(of: count, flight: pipe, at: now)
    let isLimited = unsafe sender.pointee.delivery.isApplicationLimited
    unsafe sender.pointee.losses.noteSent(
      from: sendNext, count: count, departure, isApplicationLimited: isLimited, at: now)
    unsafe sender.pointee.congestion.sent(count, flight: pipe, now: now, isApplicationLimited: isLimited)
    sendNext += count
    smallSegmentEnd = sendNext
    sendMaximum = SequenceNumber.later(sendMaximum, sendNext)
    sentAt = now
    // What the network could carry now is not known.
    let window = unsafe sender.pointee.congestion.window
    if pipe &+ count < window { unsafe sender.pointee.delivery.noteApplicationLimit(flight: pipe &+ count) }
    unsafe sender.pointee.noteFlight(pipe &+ count, isLimited: pipe &+ count &+ Int(segmentSize) > window)
    let startsTimer = timers.retransmission == .distantFuture
    if startsTimer || timers.purpose != .reordering, mayProbeTail {
      armLossProbe(at: now)
    } else if startsTimer {
      armRetransmission(at: now)
    }
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

  /// Whether `segment` follows what came before it and acknowledges all that ever was sent, and that is nothing, or one run
  /// that all is well with.
  @inline(__always)
  func expects(_ segment: PlainSegment, at now: Instant) -> Bool {
    guard state == .established, segment.sequence == receiveNext, segment.acknowledgment == sendNext,
      sendMaximum == sendNext, flags.isDisjoint(with: .needsLongWay), flags.contains(.timestamps),
      receiveQueue.reassembly.isEmpty, segment.payloadCount <= receiveEdge - receiveNext,
      segment.payloadCount <= Int(receiveSegmentSize), receiveQueue.byteCount < Int(limits.receiveBuffer),
      Int32(truncatingIfNeeded: segment.timestamps.value &- recentTimestamp) >= 0, timers.purpose != .persist,
      !trace.isPresent, !isGrowthDue(segment.timestamps, at: now)
    else { return false }
    if segment.acknowledgment == sendUnacknowledged { return true }
    guard sender.isPresent, !probing.isAttentive, sendQueue.byteCount == segment.acknowledgment - queueStart
    else { return false }
    let sender = unsafe sender.address
    return unsafe sender.pointee.recovery.phase == .open && !sender.pointee.probe.isOutstanding
      && sender.pointee.recovery.departed == 0 && sender.pointee.congestion.isCubic && sender.pointee.losses.hasOneRun
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
    queueStart += sendQueue.byteCount
    if !sendQueue.isEmpty {
      sendQueue.removeFirst(sendQueue.byteCount)
      growSendBuffer()
      changes.insert(.drained)
    }
    progressAt = now
    timeouts = 0
    flags.remove(.toldOfTrouble)
    let roundTrip = now - run.sentAt
    estimator.sample(roundTrip, limits: limits)
    let minimumRoundTrip = estimator.minimum
    unsafe sender.pointee.delivery.noteDelivered(flight, newest: run, minimumRoundTrip: minimumRoundTrip, at: now)
    if flags.contains(.selective) {
      unsafe sender.pointee.losses.noteNewest(run, isOfEarlier: false, minimumRoundTrip: minimumRoundTrip, at: now)
    }
    _ = unsafe sender.pointee.recovery.advance(to: sendNext, count: flight, segmentSize: 0, isSelective: true)
    if unsafe sender.pointee.isWindowLimited || sender.pointee.congestion.isMostlyUsed(by: flight) {
      growWindow(by: flight, roundTrip: roundTrip, at: now)
    } else {
      unsafe sender.pointee.congestion.acknowledgedUnused(at: now)
    }
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
