/// The states: Drain, the phases of ProbeBW, ProbeRTT (draft-ietf-ccwg-bbr section 5.3).
extension BBR {
  mutating func enterStartup() {
    mode = .startup
    isFull = false
    resetFull()
  }

  mutating func enterDrain() { mode = .drain }

  mutating func enterDown(_ now: Instant) {
    resetCongestionSignals()
    bytesPerProbeStep = Self.unlimited
    pickProbeWait()
    cycleStart = now
    feedback = .probeStopping
    startRound()
    mode = .down
  }

  private mutating func enterRefill() {
    resetShortTerm()
    probeRounds = 0
    probeAcknowledged = 0
    stoppedEarly = false
    feedback = .refilling
    startRound()
    mode = .refill
  }

  private mutating func enterUp(_ sample: AcknowledgmentSample) {
    isProbeSampled = true
    feedback = .probeStarting
    startRound()
    resetFull(to: Double(sample.rate))
    cycleStart = sample.now
    mode = .up
    raiseProbeSlope()
  }

  private mutating func resetCongestionSignals() {
    lostInRound = 0
    lossEventsInRound = 0
    lossRoundBegan = delivered
    latestBandwidth = 0
    latestFlight = 0
  }

  mutating func resetShortTerm() {
    shortTermBandwidth = .infinity
    shortTermFlight = Self.unlimited
  }

  // MARK: ProbeBW

  /// Two to three seconds, and a round more or less, so that flows do not probe in step.
  private mutating func pickProbeWait() {
    random ^= random << 13
    random ^= random >> 7
    random ^= random << 17
    roundsSinceProbe = Int(random >> 20 & 1)
    probeWait = .seconds(2) + Nanoseconds(random >> 33 % 1_000_000) * 1_000
  }

  mutating func updateCycle(_ sample: AcknowledgmentSample) {
    guard isFull else { return }
    adaptLongTerm(sample)
    switch mode {
    case .down:
      if probeIfDue(sample.now) { return }
      if sample.flight <= flightWithHeadroom, sample.flight <= flightTarget(largestBandwidth, gain: 1) {
        mode = .cruise
      }
    case .cruise:
      _ = probeIfDue(sample.now)
    case .refill:
      // After a round the pipe is full again, and losses say something about the probe.
      if roundStarts { enterUp(sample) }
    case .up:
      if wasLastProbeTooHigh, sample.flight >= longTermFlight {
        stoppedEarly = true
        wasLastProbeTooHigh = false
        enterDown(sample.now)
      } else if sample.wasLimited, window >= longTermFlight {
        // What a probe found safe holds growth back, not the path.
        resetFull(to: Double(sample.rate))
      } else if isFullNow {
        wasLastProbeTooHigh = false
        enterDown(sample.now)
      }
    case .startup, .drain, .probeRoundTrip:
      break
    }
  }

  private mutating func probeIfDue(_ now: Instant) -> Bool {
    // Reno, on a path as long as this, would have taken as many rounds to come back to its window.
    let renoRounds = min(currentTarget / segmentSize, 63)
    guard now - cycleStart > probeWait || roundsSinceProbe >= max(renoRounds, 1) else { return false }
    enterRefill()
    return true
  }

  private mutating func adaptLongTerm(_ sample: AcknowledgmentSample) {
    if feedback == .probeStarting, roundStarts { feedback = .probe }
    if feedback == .probeStopping, roundStarts {
      isProbeSampled = false
      feedback = .none
      if mode.isSteady, !sample.isApplicationLimited { advanceBandwidthFilter() }
      if mode == .down, stoppedEarly, !wasLastProbeTooHigh {
        enterRefill()
        return
      }
    }
    if isTooHigh(sample) {
      if isProbeSampled { handleTooHigh(sample) }
      return
    }
    guard longTermFlight != Self.unlimited else { return }
    longTermFlight = max(longTermFlight, Int(sample.flightWhenSent))
    if mode == .up { raiseLongTerm(sample) }
  }

  private func isTooHigh(_ sample: AcknowledgmentSample) -> Bool {
    Double(sample.lostSinceSent) > Self.lossThreshold * Double(sample.flightWhenSent)
      && Int(sample.lostSinceSent) > segmentSize
  }

  private mutating func handleTooHigh(_ sample: AcknowledgmentSample) {
    let flight = sample.isApplicationLimited ? nil : Int(sample.flightWhenSent)
    lowerLongTerm(flight: flight, now: sample.now)
  }

  private mutating func lowerLongTerm(flight: Int?, now: Instant) {
    wasLastProbeTooHigh = true
    isProbeSampled = false
    if let flight { longTermFlight = max(flight, Int(Self.beta * Double(currentTarget))) }
    if mode == .up { enterDown(now) }
  }

  /// With each round of a probe twice as many segments more.
  private mutating func raiseProbeSlope() {
    let growth = segmentSize << min(probeRounds, 20)
    probeRounds = min(probeRounds + 1, 30)
    bytesPerProbeStep = max(window / max(growth / segmentSize, 1), 1)
  }

  private mutating func raiseLongTerm(_ sample: AcknowledgmentSample) {
    guard sample.wasLimited, window >= longTermFlight else { return }
    probeAcknowledged += sample.delivered
    if probeAcknowledged >= bytesPerProbeStep {
      let steps = probeAcknowledged / bytesPerProbeStep
      probeAcknowledged -= steps * bytesPerProbeStep
      longTermFlight += steps * segmentSize
    }
    if roundStarts { raiseProbeSlope() }
  }

  mutating func congestionExperienced(flight: Int, now: Instant) {
    roundWasMarked = true
    if mode == .startup, !isFull {
      isFull = true
      longTermFlight = max(product(largestBandwidth, gain: 1), latestFlight)
    } else if isProbeSampled {
      lowerLongTerm(flight: flight, now: now)
    }
  }

  // MARK: The round-trip time

  mutating func updateRoundTrip(_ sample: AcknowledgmentSample) {
    isRoundTripStale = sample.now - probedRoundTripAt > Self.probeRoundTripInterval
    if let roundTrip = sample.roundTrip, roundTrip > 0, roundTrip < probedRoundTrip || isRoundTripStale {
      probedRoundTrip = roundTrip
      probedRoundTripAt = sample.now
    }
    if probedRoundTrip < minimumRoundTrip || sample.now - minimumRoundTripAt > Self.roundTripLife {
      minimumRoundTrip = probedRoundTrip
      minimumRoundTripAt = probedRoundTripAt
    }
    if mode != .probeRoundTrip, isRoundTripStale, !isRestarting, minimumRoundTrip != .max {
      saveWindow()
      mode = .probeRoundTrip
      probeRoundTripEnd = nil
      feedback = .probeStopping
      startRound()
    }
    if mode == .probeRoundTrip { probeRoundTrip(sample) }
  }

  var probeRoundTripWindow: Int { max(product(bandwidth, gain: 0.5), smallestWindow) }

  private mutating func probeRoundTrip(_ sample: AcknowledgmentSample) {
    if probeRoundTripEnd == nil {
      if sample.flight <= probeRoundTripWindow {
        probeRoundTripEnd = sample.now + Self.probeRoundTripTime
        probedWholeRound = false
        startRound()
      }
    } else {
      if roundStarts { probedWholeRound = true }
      if probedWholeRound { endRoundTripProbe(sample.now) }
    }
  }

  private mutating func endRoundTripProbe(_ now: Instant) {
    guard let end = probeRoundTripEnd, now > end else { return }
    probedRoundTripAt = now
    restoreWindow()
    resetShortTerm()
    if isFull {
      enterDown(now)
      mode = .cruise
    } else {
      enterStartup()
    }
  }

  // MARK: Idleness

  /// Sending begins with nothing in flight.
  mutating func restart(now: Instant, isApplicationLimited: Bool) {
    guard isApplicationLimited else { return }
    isRestarting = true
    aggregationStart = now
    aggregated = 0
    if mode.isSteady {
      setRate(gain: 1, smoothedRoundTrip: 0)
    } else if mode == .probeRoundTrip {
      endRoundTripProbe(now)
    }
  }
}
