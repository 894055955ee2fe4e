/// BBR in the shape of its third version (draft-ietf-ccwg-bbr): a model of the path, made of the largest bandwidth and
/// the smallest round-trip time seen of late, sets how fast data goes out and how much of it may be in flight.
///
/// Two things differ from the draft, both for paths that lose segments without being full. A round with a loss rate
/// below ``lossThreshold`` is taken for noise: the short-term bounds stay. And losses end Startup early only if the
/// bandwidth no longer grows, or more than ``startupLossLimit`` is lost.
package struct BBR: BitwiseCopyable {
  package enum Mode: UInt8, BitwiseCopyable {
    case startup
    case drain
    /// The four phases of ProbeBW.
    case down
    case cruise
    case refill
    case up
    case probeRoundTrip

    @inline(__always)
    var isProbingBandwidth: Bool { self == .startup || self == .refill || self == .up }
    @inline(__always)
    var isSteady: Bool { rawValue >= Mode.down.rawValue && rawValue <= Mode.up.rawValue }
  }

  /// Which acknowledgements come in, those of what a probe sent or others.
  enum Feedback: UInt8, BitwiseCopyable {
    case none
    case refilling
    case probeStarting
    case probe
    case probeStopping
  }

  static var unlimited: Int { .max }
  /// BBRLossThresh, BBRBeta, BBRHeadroom, BBRPacingMarginPercent.
  static var lossThreshold: Double { 0.02 }
  static var startupLossLimit: Double { 0.10 }
  static var beta: Double { 0.7 }
  static var headroom: Double { 0.15 }
  static var pacingMargin: Double { 0.01 }
  /// BBRMinRTTFilterLen, BBRProbeRTTInterval, BBRProbeRTTDuration.
  static var roundTripLife: Nanoseconds { .seconds(10) }
  static var probeRoundTripInterval: Nanoseconds { .seconds(5) }
  static var probeRoundTripTime: Nanoseconds { .milliseconds(200) }

  // What is controlled.
  package internal(set) var mode = Mode.startup
  /// cwnd, in bytes.
  var window: Int
  /// In bytes per second; 0 before there is a round-trip time.
  var rate = 0.0
  var priorWindow = 0
  let initialWindow: Int
  var segmentSize: Int

  // The model: rates in bytes per second.
  var bandwidths = (0.0, 0.0)
  /// bw_shortterm and inflight_shortterm (bw_lo, inflight_lo): what losses of this cycle leave.
  var shortTermBandwidth = Double.infinity
  var shortTermFlight = BBR.unlimited
  /// inflight_longterm (inflight_hi): what a probe found safe.
  var longTermFlight = BBR.unlimited
  var minimumRoundTrip = Nanoseconds.max
  var minimumRoundTripAt: Instant
  var probedRoundTrip = Nanoseconds.max
  var probedRoundTripAt: Instant
  var isRoundTripStale = false
  var probeRoundTripEnd: Instant?
  var probedWholeRound = false

  // Rounds.
  var roundEnd: UInt64 = 0
  var roundStarts = false
  var delivered: UInt64 = 0

  // Whether the pipe is full.
  var isFull = false
  var isFullNow = false
  var fullBandwidth = 0.0
  var roundsWithoutGrowth = 0

  // Losses of a round.
  var lossRoundEnd: UInt64 = 0
  var lossRoundStarts = false
  var lossRoundBegan: UInt64 = 0
  var lostInRound = 0
  var lossEventsInRound = 0
  var roundWasMarked = false
  var latestBandwidth = 0.0
  var latestFlight = 0
  var isRecovering = false
  var isTimedOut = false

  // Aggregation of acknowledgements.
  var aggregationStart: Instant
  var aggregated = 0
  /// The largest aggregates of the last and this half of the filter's ten rounds.
  var extra = (0, 0)
  var extraRounds = 0

  // Probing.
  var feedback = Feedback.none
  var cycleStart: Instant
  var probeWait: Nanoseconds = 0
  var roundsSinceProbe = 0
  var isProbeSampled = false
  var wasLastProbeTooHigh = false
  var stoppedEarly = false
  var bytesPerProbeStep = BBR.unlimited
  var probeRounds = 0
  var probeAcknowledged = 0
  var isRestarting = false
  var random: UInt64

  // For ``undo()``.
  var undoMode = Mode.startup
  var undoShortTermBandwidth = Double.infinity
  var undoShortTermFlight = BBR.unlimited
  var undoLongTermFlight = BBR.unlimited
  var mayUndo = false

  init(initialWindow: Int, segmentSize: Int, now: Instant, seed: UInt64) {
    window = initialWindow
    self.initialWindow = initialWindow
    self.segmentSize = max(segmentSize, 1)
    minimumRoundTripAt = now
    probedRoundTripAt = now
    aggregationStart = now
    cycleStart = now
    random = seed ^ UInt64(bitPattern: now.nanoseconds) &* 0x9e37_79b9_7f4a_7c15 | 1
  }

  package var pathModel: CongestionControl.PathModel {
    CongestionControl.PathModel(
      mode: mode, bandwidth: UInt64(bandwidth), minimumRoundTrip: minimumRoundTrip == .max ? nil : minimumRoundTrip)
  }

  func pacingRate(smoothedRoundTrip: Nanoseconds) -> UInt64 {
    if rate > 0 { return UInt64(rate) }
    guard smoothedRoundTrip > 0 else { return 0 }
    return UInt64(Self.startupGain * Double(window) * 1e9 / Double(smoothedRoundTrip))
  }

  // MARK: The model

  /// max_bw.
  @inline(__always)
  var largestBandwidth: Double { max(bandwidths.0, bandwidths.1) }

  /// bw.
  @inline(__always)
  var bandwidth: Double { min(largestBandwidth, shortTermBandwidth) }

  @inline(__always)
  var smallestWindow: Int { 4 * segmentSize }

  /// `gain` times what the pipe holds at `bandwidth`.
  func product(_ bandwidth: Double, gain: Double) -> Int {
    guard minimumRoundTrip != .max, bandwidth > 0 else { return initialWindow }
    return Int(gain * bandwidth * Double(minimumRoundTrip) * 1e-9)
  }

  /// How much has to be in flight for `gain` times the product, with room for what is sent and acknowledged in lumps.
  func flightTarget(_ bandwidth: Double, gain: Double) -> Int {
    var flight = max(product(bandwidth, gain: gain), 3 * quantum, smallestWindow)
    if mode == .up { flight += 2 * segmentSize }
    return flight
  }

  /// What goes out in one lump: a millisecond's worth, at most 64 KiB.
  var quantum: Int { max(min(Int(rate * 0.001), 65_536), 2 * segmentSize) }

  @inline(__always)
  var extraAcknowledged: Int { max(extra.0, extra.1) }

  @inline(__always)
  var currentTarget: Int { min(product(bandwidth, gain: 1), window) }

  /// Less than what a probe found safe, so that others find room.
  var flightWithHeadroom: Int {
    if longTermFlight == Self.unlimited { return Self.unlimited }
    let room = max(segmentSize, Int(Self.headroom * Double(longTermFlight)))
    return max(longTermFlight - room, smallestWindow)
  }

  // MARK: Acknowledgements

  mutating func acknowledged(_ sample: AcknowledgmentSample) {
    segmentSize = max(sample.segmentSize, 1)
    delivered = sample.totalDelivered
    noteLoss(sample)
    roundStarts = false
    lossRoundStarts = false
    if sample.delivered > 0 {
      updateRounds(sample)
      updateBandwidth(sample)
      if lossRoundStarts { endLossRound(sample) }
      updateAggregation(sample)
      checkFull(sample)
      if mode == .startup, isFull { enterDrain() }
      if mode == .drain, sample.flight <= flightTarget(largestBandwidth, gain: 1) {
        enterDown(sample.now)
      }
      updateCycle(sample)
    }
    updateRoundTrip(sample)
    if sample.delivered > 0 {
      isRestarting = false
      if lossRoundStarts {
        latestBandwidth = Double(sample.rate)
        latestFlight = Int(clamping: sample.totalDelivered &- sample.priorDelivered)
      }
    }
    setRate(gain: pacingGain, smoothedRoundTrip: sample.smoothedRoundTrip)
    setWindow(sample)
  }

  private mutating func noteLoss(_ sample: AcknowledgmentSample) {
    guard sample.lost > 0 else { return }
    lostInRound += sample.lost
    lossEventsInRound += 1
  }

  private mutating func updateRounds(_ sample: AcknowledgmentSample) {
    if sample.priorDelivered >= roundEnd {
      startRound()
      roundsSinceProbe += 1
      roundStarts = true
    }
    if sample.rate > 0 { latestBandwidth = max(latestBandwidth, Double(sample.rate)) }
    latestFlight = max(latestFlight, Int(clamping: sample.totalDelivered &- sample.priorDelivered))
    if sample.priorDelivered >= lossRoundEnd {
      lossRoundEnd = sample.totalDelivered
      lossRoundStarts = true
    }
  }

  @inline(__always)
  mutating func startRound() { roundEnd = delivered }

  private mutating func updateBandwidth(_ sample: AcknowledgmentSample) {
    let rate = Double(sample.rate)
    guard rate > 0, rate >= largestBandwidth || !sample.isApplicationLimited else { return }
    bandwidths.1 = max(bandwidths.1, rate)
  }

  /// Ends a cycle of the filter, which holds the maxima of two.
  mutating func advanceBandwidthFilter() {
    guard bandwidths.1 > 0 else { return }
    bandwidths = (bandwidths.1, 0)
  }

  /// Which part of what a round sent was lost.
  @inline(__always)
  private var lossRate: Double {
    let arrived = Double(delivered &- lossRoundBegan)
    return lostInRound == 0 ? 0 : Double(lostInRound) / (arrived + Double(lostInRound))
  }

  private mutating func endLossRound(_ sample: AcknowledgmentSample) {
    if mode == .startup, !isFull { checkStartupLoss(sample) }
    if !mode.isProbingBandwidth, lossRate > Self.lossThreshold || roundWasMarked {
      if shortTermBandwidth == .infinity { shortTermBandwidth = largestBandwidth }
      if shortTermFlight == Self.unlimited { shortTermFlight = window }
      shortTermBandwidth = max(latestBandwidth, Self.beta * shortTermBandwidth)
      shortTermFlight = max(latestFlight, Int(Self.beta * Double(shortTermFlight)))
    }
    lostInRound = 0
    lossEventsInRound = 0
    roundWasMarked = false
    lossRoundBegan = delivered
  }

  private mutating func checkStartupLoss(_ sample: AcknowledgmentSample) {
    // BBRStartupFullLossCnt.
    guard lossEventsInRound >= 6, lossRate > Self.lossThreshold else { return }
    let grew = roundsWithoutGrowth == 0 && Double(sample.rate) >= fullBandwidth * 0.8
    if grew, lossRate < Self.startupLossLimit { return }
    isFull = true
    longTermFlight = max(product(largestBandwidth, gain: 1), latestFlight)
  }

  private mutating func updateAggregation(_ sample: AcknowledgmentSample) {
    let interval = Double(sample.now - aggregationStart) * 1e-9
    var expected = bandwidth * interval
    if Double(aggregated) <= expected {
      aggregated = 0
      aggregationStart = sample.now
      expected = 0
    }
    aggregated += sample.delivered
    let surplus = min(max(0, aggregated - Int(expected)), window)
    if roundStarts {
      extraRounds += 1
      // In Startup one round is all that tells something.
      if extraRounds >= (isFull ? 5 : 1) {
        extraRounds = 0
        extra = (extra.1, 0)
      }
    }
    extra.1 = max(extra.1, surplus)
  }

  private mutating func checkFull(_ sample: AcknowledgmentSample) {
    guard !isFullNow, !sample.isApplicationLimited, sample.rate > 0 else { return }
    if Double(sample.rate) >= fullBandwidth * 1.25 {
      resetFull(to: Double(sample.rate))
      return
    }
    guard roundStarts else { return }
    roundsWithoutGrowth += 1
    isFullNow = roundsWithoutGrowth >= 3
    if isFullNow { isFull = true }
  }

  mutating func resetFull(to bandwidth: Double = 0) {
    fullBandwidth = bandwidth
    roundsWithoutGrowth = 0
    isFullNow = false
  }
}
