import MartletWire

/// The short ways of a sender on which nothing is out of the ordinary: no loss, no probe, no mark, no pace that is behind. They come to
/// what the long ways ``transmitData(from:at:into:limit:)`` and ``takeDelivery(_:_:acknowledged:duplicate:hasBlocks:)``
/// come to, without asking all that those ask.
extension TCPConnection {
  /// Payloads up to this size are copied behind the header.
  static var copyBound: Int { 128 }

  // MARK: Sending

  /// Sends what waits if that is one small segment that nothing holds back, and says whether it did.
  @inline(__always)
  mutating func transmitPlain(from pool: borrowing PacketPool, at now: Instant, into output: inout PacketQueue) -> Bool
  {
    guard state == .established, owed.isSubset(of: .acknowledgment), flags.isDisjoint(with: .shapesSending),
      marks.isDisjoint(with: .changesSegments), sender.isPresent, !trace.isPresent, !probing.isSearching,
      timers.purpose != .persist
    else { return false }
    let count = queueStart + sendQueue.byteCount - sendNext
    let flight = sendNext - sendUnacknowledged
    let size = Int(segmentSize)
    guard count > 0, count <= Self.copyBound, count < size, count &+ flight <= Int(sendWindow),
      flight == 0 || flags.contains(.noDelay) || smallSegmentEnd <= sendUnacknowledged,
      flight != 0 || now - sentAt <= estimator.timeout || sendNext == initialSend + 1,
      !receiveQueue.reassembly.hasReports
    else { return false }
    let window = sender.value.congestion.window
    guard sender.value.recovery.phase == .open, sender.value.losses.isClear, !sender.value.losses.isFull,
      count &+ flight <= window
    else { return false }
    let pipe = flightInNetwork
    guard !flags.contains(.paces) || sender.value.pacing.next <= now else { return false }
    // A small segment with nothing before it in the network is no burst: it has no pace to keep.
    let rate =
      flight != 0 && flags.contains(.paces) && sender.value.delivery.delivered > 0
      ? sender.value.congestion.pacingRate(smoothedRoundTrip: estimator.smoothed, segmentSize: size) : 0
    guard emitPlain(count, from: pool, at: now, into: &output) else { return false }

    let departure = sender.value.delivery.departure(of: count, flight: flight == 0 ? 0 : pipe, at: now)
    let isLimited = sender.value.delivery.isApplicationLimited
    sender.value.losses.noteSent(from: sendNext, count: count, departure, isApplicationLimited: isLimited, at: now)
    sender.value.pacing.noteSent(count, rate: rate, at: now)
    sender.value.congestion.sent(count, flight: pipe, now: now, isApplicationLimited: isLimited)
    sendNext += count
    smallSegmentEnd = sendNext
    sendMaximum = SequenceNumber.later(sendMaximum, sendNext)
    sentAt = now
    if flight == 0 { progressAt = now }
    // What the network could carry now is not known.
    if pipe &+ count < window { sender.value.delivery.noteApplicationLimit(flight: pipe &+ count) }
    sender.value.noteFlight(pipe &+ count, isLimited: pipe &+ count &+ size > window)
    let startsTimer = timers.retransmission == .distantFuture
    if startsTimer || timers.purpose != .reordering, mayProbeTail {
      armLossProbe(at: now)
    } else if startsTimer {
      armRetransmission(at: now)
    }
    return true
  }

  /// Puts the last `count` bytes of the send queue into `output` as a segment without options but timestamps, and says
  /// whether there was memory for it.
  @inline(__always)
  private mutating func emitPlain(
    _ count: Int, from pool: borrowing PacketPool, at now: Instant, into output: inout PacketQueue
  ) -> Bool {
    guard var packet = pool.allocate() else { return false }
    sendQueue.copyLast(count, into: &packet)
    let hasTimestamps = flags.contains(.timestamps)
    let header = TCPHeader.minimumByteCount &+ (hasTimestamps ? 12 : 0)
    packet.prepend(header)
    let ports = UInt64(flow.localPort) &<< 16 | UInt64(flow.remotePort)
    let shape = UInt64(header) &<< 26 | UInt64((TCPFlags.ack.union(.psh)).rawValue) &<< 16
    var bytes = packet.mutableBytes
    // In words of the size in which the sum reads them: a load that spans two stores waits for both.
    bytes.store(bigEndian: ports &<< 32 | UInt64(sendNext.value), at: 0)
    bytes.store(bigEndian: UInt64(receiveNext.value) &<< 32 | shape | UInt64(windowToOffer()), at: 8)
    if hasTimestamps {
      bytes.store(bigEndian: UInt64(TCPOptions.alignedTimestamps), at: 16)
      bytes.store(bigEndian: UInt64(timestamp(at: now)) &<< 32 | UInt64(recentTimestamp), at: 24)
    } else {
      bytes.store(bigEndian: 0 as UInt32, at: 16)
    }
    packet.metadata.checksumOffset = UInt16(TCPHeader.checksumOffset)
    output.append(packet)
    noteAcknowledged()
    return true
  }

  // MARK: Acknowledgements

  /// Takes an acknowledgement that acknowledges nothing but (a part of) what went out first, if all is well, and says whether
  /// it did.
  @inline(__always)
  mutating func takePlainAcknowledgment(_ report: Report) -> Bool {
    guard sender.value.recovery.phase == .open, !sender.value.probe.isOutstanding, !flags.contains(.finSent),
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

  /// After a round trip in which cwnd did not hold the sender back, congestion control hears of it.
  @inline(__always)
  mutating func noteRound(at now: Instant) {
    if sender.value.advanceRound(to: sendUnacknowledged, next: sendNext), !sender.value.wasLimited {
      sender.value.congestion.notLimited(
        flight: Int(sender.value.lastPeakFlight), segmentSize: Int(segmentSize), timeout: estimator.timeout, now: now)
    }
  }
}
