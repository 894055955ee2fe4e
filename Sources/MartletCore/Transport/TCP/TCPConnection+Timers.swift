import MartletWire

extension TCPConnection {
  /// When ``advance(to:)`` has something to do.
  @inline(__always)
  package var deadline: Instant? { timers.earliest }

  /// Fires the timers that are due (RFC 9293 section 3.10.8).
  package mutating func advance(to now: Instant) {
    isCalm = false
    if timers.delayedAcknowledgment <= now {
      timers.delayedAcknowledgment = .distantFuture
      owed.insert(.acknowledgment)
    }
    if timers.state <= now {
      // TIME-WAIT is over, or the peer of a connection that nobody holds never sent its FIN.
      finish()
      return
    }
    if timers.pacing <= now {
      timers.pacing = .distantFuture
      flags.insert(.wantsOutput)
    }
    if timers.retransmission <= now {
      switch timers.purpose {
      case .retransmit: retransmissionTimedOut(at: now)
      case .lossProbe: lossProbeTimedOut(at: now)
      case .reordering: reorderingTimedOut(at: now)
      case .persist: persistTimedOut(at: now)
      }
    }
    if timers.keepAlive <= now { keepAliveTimedOut(at: now) }
  }

  /// Starts or restarts the retransmission timer (RFC 6298 (5.1), (5.3)), which never outlasts R2.
  @inline(__always)
  mutating func armRetransmission(at now: Instant) {
    let end = progressAt + retryLimit
    let next = now + estimator.timeout
    timers.retransmission = end > now ? min(next, end) : next
    timers.purpose = .retransmit
  }

  /// After an acknowledgement: a probe of the tail if one may go out, else the retransmission timer.
  @inline(__always)
  mutating func armAfterAcknowledgment(at now: Instant) {
    if sendUnacknowledged == sendNext {
      timers.retransmission = .distantFuture
      timers.purpose = .retransmit
    } else if mayProbeTail {
      armLossProbe(at: now)
    } else {
      armRetransmission(at: now)
    }
  }

  /// Whether a probe of the tail may go out (RFC 8985 section 7.2): not while anything else looks for losses.
  @inline(__always)
  var mayProbeTail: Bool {
    flags.isSuperset(of: .probing) && sender.isPresent && sender.value.recovery.phase == .open
      && sender.value.losses.isClear && !sender.value.probe.isOutstanding && state.isSynchronized
  }

  /// Starts the timer of the tail-loss probe, which never outlasts the retransmission timer.
  @inline(__always)
  mutating func armLossProbe(at now: Instant) {
    let span = TailLossProbe.timeout(
      smoothedRoundTrip: estimator.smoothed, isOneSegment: sendNext - sendUnacknowledged <= Int(segmentSize))
    timers.retransmission = max(now, min(now + span, progressAt + estimator.timeout))
    timers.purpose = .lossProbe
  }

  private mutating func lossProbeTimedOut(at now: Instant) {
    if mayProbeTail { owed.insert(.lossProbe) }
    armRetransmission(at: now)
  }

  private mutating func reorderingTimedOut(at now: Instant) {
    armRetransmission(at: now)
    guard sender.isPresent else { return }
    let flight = flightInNetwork
    let (lost, wait) = detectLosses(at: now)
    if lost > 0 { noteLate(lost, flight: flight, at: now) }
    if wait > 0 {
      timers.purpose = .reordering
      timers.retransmission = now + wait
    }
  }

  /// R2 (RFC 9293 section 3.8.3): at least three minutes for a SYN (MUST-23).
  @inline(__always)
  var retryLimit: Nanoseconds {
    let isOpening = state == .synSent || state == .synReceived
    return (isOpening ? limits.connectTimeout : limits.userTimeout).asMilliseconds
  }

  private mutating func retransmissionTimedOut(at now: Instant) {
    timers.retransmission = .distantFuture
    let isOpening = state == .synSent || state == .synReceived
    guard isOpening || sendNext != sendUnacknowledged else { return }
    // Data past the right edge of a shrunken window never ends the connection while the peer answers (SHLD-17).
    let since = sendWindow == 0 && !isOpening ? max(progressAt, heardAt) : progressAt
    if now - since >= retryLimit {
      giveUp(after: now - progressAt)
      return
    }
    timeouts = timeouts == .max ? .max : timeouts + 1
    totalTimeouts &+= 1
    if isOpening {
      flags.remove(.isTiming)
      owed.insert(.syn)
      flags.insert(.synLost)
    } else if sender.isPresent {
      beginTimeout(at: now)
    } else {
      // The FIN alone.
      takeBack(to: sendUnacknowledged)
      flags.insert(.wantsOutput)
    }
    estimator.backOff(limits)
    if trace.isPresent { recordTimeout(at: now) }
    armRetransmission(at: now)
    noteTrouble(at: now)
  }

  private mutating func beginTimeout(at now: Instant) {
    let isOpen = sender.value.recovery.phase == .open
    notePathTimeout()
    sender.value.congestion.timedOut(
      flight: flightAtLoss, segmentSize: Int(segmentSize), isFirst: timeouts == 1, now: now)
    sender.value.recovery.beginTimeout(from: sendUnacknowledged, to: sendNext, triesForward: isOpen)
    // The peer may let go of what it reported: if that is the first byte missing, and after a second timeout, it is not
    // believed (RFC 2018 section 8).
    if timeouts > 1 || sender.value.losses.isReneging { sender.value.losses.forgetHeld() }
    let age = flags.contains(.selective) ? sender.value.losses.lateness(minimumRoundTrip: estimator.minimum) : 0
    sender.value.losses.markLost(olderThan: age, at: now)
    sender.value.probe.cancel()
    noteReducedWindow()
    flags.insert(.wantsOutput)
  }

  /// R1 (RFC 9293 section 3.8.3, SHLD-9, SHLD-10): after three retransmissions the program is told.
  private mutating func noteTrouble(at now: Instant) {
    guard timeouts >= 3, !flags.contains(.toldOfTrouble) else { return }
    flags.insert(.toldOfTrouble)
    note(.timedOut(after: .nanoseconds(now - progressAt)))
  }

  private mutating func persistTimedOut(at now: Instant) {
    timers.retransmission = .distantFuture
    // While the peer acknowledges probes this may go on for ever (MUST-37).
    if now - max(progressAt, heardAt) >= retryLimit {
      giveUp(after: now - max(progressAt, heardAt))
      return
    }
    timeouts = timeouts == .max ? .max : timeouts + 1
    // The byte that probed before goes out again.
    takeBack(to: sendUnacknowledged)
    owed.insert(.windowProbe)
  }

  /// Waits for the next probe of a closed window: first a timeout, then ever longer (SHLD-29, SHLD-30).
  mutating func armPersist(at now: Instant) {
    if timers.purpose != .persist {
      timers.purpose = .persist
      timeouts = 0
      progressAt = now
    }
    let span = estimator.timeout << Int64(min(timeouts, 16))
    timers.retransmission = now + min(span, limits.maximumTimeout.asMilliseconds)
  }

  // MARK: Keep-alive (RFC 9293 section 3.8.4)

  mutating func armKeepAlive(at now: Instant) {
    guard flags.contains(.keepAlive) else { return }
    keepAliveProbesSent = 0
    timers.keepAlive = now + limits.keepAliveIdle.asMilliseconds
  }

  private mutating func keepAliveTimedOut(at now: Instant) {
    guard flags.contains(.keepAlive), state == .established || state == .closeWait || state == .finWait2 else {
      timers.keepAlive = .distantFuture
      return
    }
    // Probes go out only when nothing is outstanding and nothing was heard (MUST-26).
    let quiet = now - heardAt
    let idle = limits.keepAliveIdle.asMilliseconds
    if sendNext != sendUnacknowledged || !sendQueue.isEmpty || (quiet < idle && keepAliveProbesSent == 0) {
      keepAliveProbesSent = 0
      timers.keepAlive = max(heardAt + idle, now + .milliseconds(1))
      if sendNext != sendUnacknowledged || !sendQueue.isEmpty { timers.keepAlive = now + idle }
      return
    }
    if keepAliveProbesSent > 0, quiet < limits.keepAliveInterval.asMilliseconds {
      // The last probe was answered.
      keepAliveProbesSent = 0
      timers.keepAlive = heardAt + idle
      return
    }
    if Int(keepAliveProbesSent) >= Int(limits.keepAliveProbes) {
      // Several went unanswered, not one (MUST-29).
      giveUp(after: quiet)
      return
    }
    keepAliveProbesSent += 1
    owed.insert(.keepAliveProbe)
    timers.keepAlive = now + limits.keepAliveInterval.asMilliseconds
  }

  /// R2: the connection is given up; the peer is told, should it hear.
  private mutating func giveUp(after span: Nanoseconds) {
    let tells = state.isSynchronized
    fail(.timedOut(after: .nanoseconds(span)))
    if tells { owed = .reset }
  }
}
