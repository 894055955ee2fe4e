/// What follows from the model: the pacing rate and the window (draft-ietf-ccwg-bbr section 5.6), and what a recovery
/// does to them.
extension BBR {
  /// 4 ln 2, which doubles the rate with each round.
  static var startupGain: Double { 2.77 }

  var pacingGain: Double {
    switch mode {
    case .startup: Self.startupGain
    case .drain: 0.5
    case .down: 0.9
    case .cruise, .refill, .probeRoundTrip: 1
    case .up: 1.25
    }
  }

  var windowGain: Double {
    switch mode {
    case .up: 2.25
    case .probeRoundTrip: 0.5
    default: 2
    }
  }

  mutating func setRate(gain: Double, smoothedRoundTrip: Nanoseconds) {
    let bandwidth = bandwidth
    guard bandwidth > 0 else {
      if rate == 0, smoothedRoundTrip > 0 { rate = gain * Double(initialWindow) * 1e9 / Double(smoothedRoundTrip) }
      return
    }
    let next = gain * bandwidth * (1 - Self.pacingMargin)
    // Before the pipe is full the rate only grows.
    if isFull || next > rate { rate = next }
  }

  mutating func setWindow(_ sample: AcknowledgmentSample) {
    let target = flightTarget(bandwidth, gain: windowGain) + extraAcknowledged
    if isFull {
      window = min(window + sample.delivered, target)
    } else if window < target || sample.totalDelivered < UInt64(initialWindow) {
      window += sample.delivered
    }
    window = max(window, smallestWindow)
    if mode == .probeRoundTrip { window = min(window, probeRoundTripWindow) }

    var bound = Self.unlimited
    if mode == .cruise || mode == .probeRoundTrip {
      bound = flightWithHeadroom
    } else if mode.isSteady {
      bound = longTermFlight
    }
    bound = min(bound, shortTermFlight)
    window = min(window, max(bound, smallestWindow), Int(CongestionControl.largestWindow))
  }

  // MARK: Recovery

  mutating func saveWindow() {
    if !isRecovering, mode != .probeRoundTrip { priorWindow = window } else { priorWindow = max(priorWindow, window) }
  }

  mutating func restoreWindow() { window = max(window, priorWindow) }

  private mutating func saveForUndo() {
    guard !isRecovering else { return }
    undoMode = mode
    undoShortTermBandwidth = shortTermBandwidth
    undoShortTermFlight = shortTermFlight
    undoLongTermFlight = longTermFlight
    mayUndo = true
  }

  mutating func beginRecovery() {
    saveWindow()
    saveForUndo()
    isRecovering = true
  }

  mutating func timedOut(segmentSize: Int, isFirst: Bool) {
    if isFirst {
      saveWindow()
      saveForUndo()
    }
    isRecovering = true
    isTimedOut = true
    // All is taken for lost: one segment asks whether the path still is.
    window = segmentSize
    resetFull()
    if !mode.isProbingBandwidth, shortTermFlight == Self.unlimited {
      shortTermFlight = max(priorWindow, smallestWindow)
    }
  }

  mutating func endRecovery() {
    if isTimedOut { restoreWindow() }
    isRecovering = false
    isTimedOut = false
  }

  /// The losses were none.
  mutating func undo() {
    guard mayUndo else { return }
    mayUndo = false
    lostInRound = 0
    lossEventsInRound = 0
    resetFull()
    shortTermBandwidth = max(shortTermBandwidth, undoShortTermBandwidth)
    shortTermFlight = max(shortTermFlight, undoShortTermFlight)
    longTermFlight = max(longTermFlight, undoLongTermFlight)
    if mode != .probeRoundTrip, mode != undoMode, undoMode == .startup { enterStartup() }
    restoreWindow()
    isRecovering = false
    isTimedOut = false
  }
}
