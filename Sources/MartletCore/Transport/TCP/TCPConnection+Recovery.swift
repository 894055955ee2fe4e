import MartletWire

/// What an acknowledgement means for loss detection, recovery and congestion control.
extension TCPConnection {
  /// An acknowledgement, as far as a sender cares.
  struct Report: BitwiseCopyable {
    var number: SequenceNumber
    /// Bytes in the network before it.
    var priorFlight: Int
    var echo: UInt32?
    var now: Instant
    /// Whether it says that a router marked what was sent (RFC 3168).
    var isCongestionEcho: Bool
  }

  /// Takes an acknowledgement that reports no blocks.
  @inline(__always)
  mutating func takeAcknowledgment(_ report: Report) {
    if takePlainAcknowledgment(report) { return }
    takeAnyAcknowledgment(report)
  }

  @inline(never)
  private mutating func takeAnyAcknowledgment(_ report: Report) {
    var delivery = LossDetection.Delivery()
    let count = report.number - sendUnacknowledged
    sender.value.losses.acknowledge(to: report.number, into: &delivery)
    advance(to: report.number, at: report.now)
    guard sender.isPresent else { return }
    takeDelivery(delivery, report, acknowledged: count, duplicate: nil, hasBlocks: false)
  }

  /// Takes an acknowledgement with SACK.
  @inline(never)
  mutating func takeAcknowledgment(_ report: Report, reporting blocks: borrowing SACKBlocks) {
    guard flags.contains(.selective) else {
      if report.number > sendUnacknowledged { takeAcknowledgment(report) }
      return
    }
    var delivery = LossDetection.Delivery()
    let duplicate = duplicateReport(in: blocks, acknowledging: report.number)
    let count = report.number - sendUnacknowledged
    if count > 0 { sender.value.losses.acknowledge(to: report.number, into: &delivery) }
    let unacknowledged = SequenceNumber.later(sendUnacknowledged, report.number)
    for index in 0..<blocks.count {
      if trace.isPresent { recordHeld(blocks[index], unacknowledged: unacknowledged, at: report.now) }
      sender.value.losses.hold(blocks[index], unacknowledged: unacknowledged, next: sendNext, into: &delivery)
    }
    if count > 0 { advance(to: report.number, at: report.now) }
    guard sender.isPresent else { return }
    if delivery.count == 0, duplicate == nil, count <= 0 { return }
    takeDelivery(delivery, report, acknowledged: max(0, count), duplicate: duplicate, hasBlocks: true)
  }

  /// The first block, if it reports a duplicate (RFC 2883 section 4): it lies below the acknowledgement or inside the second.
  private func duplicateReport(in blocks: borrowing SACKBlocks, acknowledging number: SequenceNumber) -> SACKBlock? {
    guard !blocks.isEmpty, blocks[0].left < blocks[0].right else { return nil }
    let first = blocks[0]
    if first.right <= number { return first }
    if blocks.count > 1, first.left >= blocks[1].left, first.right <= blocks[1].right { return first }
    return nil
  }

  /// The same acknowledgement once more, without SACK blocks: without SACK a duplicate counts (RFC 5681 section 2).
  @inline(never)
  mutating func receiveRepetition(of number: SequenceNumber, isDuplicate: Bool, at now: Instant) {
    guard isDuplicate else { return }
    _ = sender.value.probe.noteAcknowledgment(number, isDuplicate: true, reportsDuplicate: false, hasBlocks: false)
    if flags.contains(.selective) || sendNext == sendUnacknowledged { return }
    // One before any progress, or in answer to the new data, shows that the timer was right (RFC 5682 section 2.1). What it
    // lost is not in the pipe, and so cannot leave it.
    let isTrying = sender.value.recovery.forward == .trying
    sender.value.recovery.forward = .off
    if sender.value.recovery.phase == .timeout, !isTrying { return }
    let flight = sendNext - sendUnacknowledged
    if trace.isPresent { recordAcknowledgment(LossDetection.Delivery(), of: number, duplicate: nil, at: now) }
    sender.value.recovery.countDuplicate(segmentSize: Int(segmentSize), flight: flight)
    // New data may go out in place of what left the network (RFC 3042).
    flags.insert(.wantsOutput)
    guard sender.value.recovery.mayBegin(from: sendUnacknowledged),
      Int(sender.value.recovery.duplicates) >= LossDetection.threshold
    else { return }
    if probing.probe != nil, repairLostProbe(at: now) { return }
    let lost = sender.value.losses.markFirstLost(Int(segmentSize))
    sender.value.delivery.noteLost(lost)
    if trace.isPresent { recordLosses(.duplicates, at: now) }
    beginRecovery(flight: flight, at: now)
  }

  // MARK: What was delivered

  private mutating func takeDelivery(
    _ delivery: LossDetection.Delivery, _ report: Report, acknowledged count: Int, duplicate: SACKBlock?,
    hasBlocks: Bool
  ) {
    let now = report.now
    let isSelective = flags.contains(.selective)
    let size = Int(segmentSize)
    takeRoundTrip(delivery, echo: report.echo, at: now)
    if trace.isPresent { recordAcknowledgment(delivery, of: report.number, duplicate: duplicate, at: now) }
    // Whether anything but the plain course of things has to be thought of.
    let isPlain = sender.value.recovery.phase == .open && sender.value.losses.isClear && duplicate == nil

    var sample = AcknowledgmentSample(
      now: now, acknowledged: count, delivered: delivery.count, priorFlight: report.priorFlight, segmentSize: size,
      unacknowledged: sendUnacknowledged, next: sendNext)
    if !delivery.hasPassedResent { sample.roundTrip = delivery.lastOriginalAt.map { now - $0 } }
    sample.smoothedRoundTrip = estimator.smoothed
    sample.minimumRoundTrip = estimator.minimum
    sample.wasLimited = sender.value.isWindowLimited
    sample.isCongestionEcho = report.isCongestionEcho
    if let newest = delivery.newest {
      sender.value.delivery.noteDelivered(
        delivery.count, newest: newest, minimumRoundTrip: estimator.minimum, at: now)
      let rate = sender.value.delivery.sample(newest: newest, minimumRoundTrip: estimator.minimum, at: now)
      sample.rate = rate.rate
      sample.priorDelivered = rate.priorDelivered
      sample.isApplicationLimited = rate.isApplicationLimited
      sample.flightWhenSent = rate.flightWhenSent
      sample.lostSinceSent = rate.lostSinceSent
      if isSelective {
        var isOfEarlier = false
        if newest.flags.contains(.resent), flags.contains(.timestamps), let echo = report.echo {
          isOfEarlier = Int32(truncatingIfNeeded: echo &- timestamp(at: newest.sentAt)) < 0
        }
        sender.value.losses.noteNewest(
          newest, isOfEarlier: isOfEarlier, minimumRoundTrip: estimator.minimum, at: now)
      }
    }

    let end =
      count > 0
      && sender.value.recovery.advance(to: report.number, count: count, segmentSize: size, isSelective: isSelective)
    var wait: Nanoseconds = 0
    if !isPlain || !sender.value.losses.isClear {
      wait = repair(delivery, report, duplicate: duplicate, &sample)
    }
    if sender.value.probe.isOutstanding {
      let repaired = sender.value.probe.noteAcknowledgment(
        report.number, isDuplicate: count == 0, reportsDuplicate: duplicate != nil, hasBlocks: hasBlocks)
      // The probe itself repaired a loss (RFC 8985 section 7.4.2).
      if repaired, sender.value.recovery.phase == .open {
        sender.value.congestion.beginRecovery(flight: flightAtLoss, segmentSize: size, now: now)
        sender.value.congestion.endRecovery(segmentSize: size)
        if trace.isPresent { record(.probeRepaired, at: now) }
      }
    }
    // The acknowledgement that ends a recovery still belongs to it.
    sample.phase = sender.value.recovery.phase
    if end, sample.phase != .open { endRecovery() }
    finish(&sample)
    noteRound(at: now)
    if trace.isPresent { recordOutcome(at: now) }
    if delivery.count > 0 { noteOutput() }
    if wait > 0 {
      // What may only be late is looked at again when it would be lost (RFC 8985 section 6.3).
      timers.purpose = .reordering
      timers.retransmission = now + wait
    } else if count > 0 || timers.purpose == .reordering {
      armAfterAcknowledgment(at: now)
    }
  }

  /// Hands the sample to congestion control, which never sees one without a delivery or a loss.
  private mutating func finish(_ sample: inout AcknowledgmentSample) {
    sample.flight = flightInNetwork
    sample.totalDelivered = sender.value.delivery.delivered
    guard sample.delivered > 0 || sample.lost > 0 else { return }
    if sender.value.recovery.phase == .fast, flags.contains(.selective),
      sender.value.congestion.usesProportionalReduction
    {
      let window = sender.value.recovery.window(
        delivered: sample.delivered, pipe: sample.flight, threshold: sender.value.congestion.threshold,
        segmentSize: sample.segmentSize, isSafe: sample.acknowledged > 0 && sample.lost == 0)
      sender.value.congestion.window = window
    }
    sender.value.congestion.acknowledged(sample)
  }

  /// What an acknowledgement means while something is held, lost, or under repair. Returns how long to wait for what may
  /// only be late.
  @inline(never)
  private mutating func repair(
    _ delivery: LossDetection.Delivery, _ report: Report, duplicate: SACKBlock?, _ sample: inout AcknowledgmentSample
  ) -> Nanoseconds {
    let isSelective = flags.contains(.selective)
    let isAdvance = sample.acknowledged > 0
    if isSpurious(delivery, report, duplicate: duplicate, isAdvance: isAdvance) {
      undoRecovery(because: undoReason(report, duplicate: duplicate))
    }
    stepForward(isAdvance: isAdvance)
    if !isSelective {
      if sender.value.recovery.phase == .fast, isAdvance, sendUnacknowledged < sender.value.recovery.point {
        // A partial acknowledgement: the segment it stops at is lost too (RFC 6582 section 3.2 step 5).
        sample.lost += noteLost(sender.value.losses.markFirstLost(sample.segmentSize))
        if trace.isPresent { recordLosses(.partialAcknowledgment, at: report.now) }
      }
      return 0
    }
    let (lost, wait) = detectLosses(at: report.now)
    if lost > 0, probing.probe != nil, repairLostProbe(at: report.now) { return wait }
    sample.lost += lost
    if lost > 0, sender.value.recovery.phase == .open {
      beginRecovery(flight: report.priorFlight, at: report.now)
    }
    return wait
  }

  @discardableResult
  private mutating func noteLost(_ count: Int) -> Int {
    sender.value.delivery.noteLost(count)
    return count
  }

  /// Looks for losses (RFC 8985 section 6.2, step 5).
  mutating func detectLosses(at now: Instant) -> (lost: Int, wait: Nanoseconds) {
    let found = sender.value.losses.detect(
      minimumRoundTrip: estimator.minimum, smoothedRoundTrip: estimator.smoothed,
      isRecovering: sender.value.recovery.phase != .open, segmentSize: Int(segmentSize), at: now)
    noteLost(found.lost)
    if trace.isPresent, found.lost > 0 { recordLosses(.reordering, at: now) }
    return found
  }

  /// `lost` bytes turned out to be lost while nothing arrived; `flight` bytes were in the network.
  mutating func noteLate(_ lost: Int, flight: Int, at now: Instant) {
    if probing.probe != nil, repairLostProbe(at: now) { return }
    if sender.value.recovery.phase == .open { beginRecovery(flight: flight, at: now) }
    var sample = AcknowledgmentSample(
      now: now, acknowledged: 0, delivered: 0, priorFlight: flight, segmentSize: Int(segmentSize),
      unacknowledged: sendUnacknowledged, next: sendNext)
    sample.lost = lost
    sample.phase = sender.value.recovery.phase
    sample.smoothedRoundTrip = estimator.smoothed
    sample.minimumRoundTrip = estimator.minimum
    finish(&sample)
    flags.insert(.wantsOutput)
  }

  // MARK: Recovery

  /// FlightSize (RFC 5681 section 2), for a reduction. While segments are paced what is in flight trails the window, which
  /// is then what counts (RFC 9438 section 4.6) if the connection makes use of it.
  var flightAtLoss: Int {
    let flight = sendNext - sendUnacknowledged
    guard flags.contains(.paces), sender.value.isWindowLimited else { return flight }
    return max(flight, sender.value.congestion.window)
  }

  /// A loss was found with `flight` bytes in the network (RFC 6675 section 5 (4), RFC 5681 section 3.2).
  mutating func beginRecovery(flight: Int, at now: Instant) {
    sender.value.congestion.beginRecovery(flight: flightAtLoss, segmentSize: Int(segmentSize), now: now)
    sender.value.recovery.beginFast(from: sendUnacknowledged, to: sendNext, flight: flight)
    if !flags.contains(.selective), sender.value.congestion.usesProportionalReduction {
      sender.value.congestion.window = sender.value.congestion.threshold
    }
    sender.value.probe.cancel()
    // No probe is due in a recovery, but the timer is (RFC 8985 section 7.2).
    if timers.purpose == .lossProbe { armRetransmission(at: now) }
    noteReducedWindow()
    flags.insert(.wantsOutput)
    if trace.isPresent { record(.recoveryBegan, at: now) }
  }

  /// Everything that was in flight when the recovery began has arrived.
  private mutating func endRecovery() {
    sender.value.congestion.endRecovery(segmentSize: Int(segmentSize))
    sender.value.recovery.end()
    sender.value.losses.noteRecoveryEnd()
    // Without SACK nothing tells that what is marked was not lost.
    if !flags.contains(.selective) { sender.value.losses.clearLost() }
    if trace.isPresent { record(.recoveryEnded) }
  }

  /// Nothing was lost: things go on as if nothing had happened (RFC 4015).
  private mutating func undoRecovery(because reason: TCPTraceEvent.UndoReason) {
    sender.value.congestion.undo()
    sender.value.recovery.end()
    sender.value.losses.clearLost()
    sender.value.undone &+= 1
    flags.insert(.wantsOutput)
    if trace.isPresent { record(.undone(reason)) }
  }

  /// Whether the acknowledgement shows that nothing had been lost: it was sent for the first transmission (RFC 3522), or all
  /// that was sent again had arrived before (RFC 3708), or the time-out was too early (RFC 5682).
  private mutating func isSpurious(
    _ delivery: LossDetection.Delivery, _ report: Report, duplicate: SACKBlock?, isAdvance: Bool
  ) -> Bool {
    if let duplicate {
      sender.value.losses.noteDuplicateReport(unacknowledged: sendUnacknowledged, next: sendNext)
      if sender.value.recovery.noteDuplicateReport(duplicate) { return true }
    }
    guard sender.value.recovery.phase != .open else { return false }
    if isAdvance, flags.contains(.timestamps), let echo = report.echo,
      sender.value.recovery.isOfFirstTransmission(echo: echo)
    {
      return true
    }
    switch sender.value.recovery.forward {
    case .off: return false
    case .waiting:
      // With SACK what was not reported before and not sent again can only have arrived just now.
      guard flags.contains(.selective), let end = delivery.firstOriginalEnd else { return false }
      return end <= sender.value.recovery.point
    case .trying:
      if flags.contains(.selective) {
        guard let end = delivery.firstOriginalEnd else { return false }
        return end <= sender.value.recovery.point
      }
      return isAdvance
    }
  }

  /// The steps of forward RTO recovery (RFC 5682 sections 2.1 and 3.1).
  private mutating func stepForward(isAdvance: Bool) {
    switch sender.value.recovery.forward {
    case .off: break
    case .waiting:
      let hasNew = queueStart + sendQueue.byteCount > sendNext
      sender.value.recovery.forward =
        isAdvance && hasNew && sendUnacknowledged + Int(sendWindow) > sendNext
          && sendUnacknowledged < sender.value.recovery.point ? .trying : .off
    case .trying:
      sender.value.recovery.forward = .off
    }
  }

  // MARK: Round-trip time

  /// Takes samples of the round-trip time, if what was delivered allows them (RFC 6298 section 3, MUST-18).
  private mutating func takeRoundTrip(_ delivery: LossDetection.Delivery, echo: UInt32?, at now: Instant) {
    if let sentAt = delivery.firstOriginalAt, !delivery.hasPassedResent {
      estimator.sample(now - sentAt, limits: limits)
    } else if delivery.count > 0, flags.contains(.timestamps), let echo, echo != 0 {
      // The timestamp tells which transmission was acknowledged (RFC 7323 section 4.1).
      let time = Int32(truncatingIfNeeded: timestamp(at: now) &- echo)
      if time >= 0, time < 1 << 20 { estimator.sample(.milliseconds(Int64(time)), limits: limits) }
    }
  }
}
