/// CUBIC (RFC 9438) with HyStart++ (RFC 9406).
///
/// All windows are in bytes where the RFC counts segments. Times are in microseconds.
package struct Cubic: BitwiseCopyable {
  /// How the window grows.
  private enum Growth: BitwiseCopyable {
    /// The first slow start, before there was any loss.
    case first(HyStart)
    /// Along the curve; in slow start while the window is below the threshold.
    case curve(Curve)
  }

  /// cwnd and ssthresh.
  var window: UInt32
  var threshold: UInt32 = .max
  private var growth = Growth.first(HyStart())
  private var validation = WindowValidation()
  /// What ``undo()`` brings back; a window of 0 if there is nothing to undo.
  private var priorGrowth = Growth.first(HyStart())
  private var reduction = CongestionControl.Reduction.none
  private var priorWindow: UInt32 = 0
  private var priorThreshold: UInt32 = 0
  /// When the last acknowledgement came, or sending began anew: microseconds modulo 2³².
  private var clock: UInt32

  init(initialWindow: Int, now: Instant) {
    window = UInt32(clamping: initialWindow)
    clock = Self.microseconds(now)
  }

  @inline(__always)
  private static func microseconds(_ now: Instant) -> UInt32 {
    UInt32(truncatingIfNeeded: UInt64(bitPattern: now.nanoseconds) / 1_000)
  }

  /// Whether slow start goes at a quarter of its pace, because the round-trip time rose (CSS).
  var isConservative: Bool {
    if case .first(let start) = growth { start.isConservative } else { false }
  }

  var isRecovering: Bool { reduction == .recovery }

  /// The curve, after the first slow start.
  var curve: Curve? {
    if case .curve(let curve) = growth { curve } else { nil }
  }

  // MARK: Growth

  mutating func acknowledged(_ sample: borrowing AcknowledgmentSample) {
    let time = Self.microseconds(sample.now)
    let span = time &- clock
    clock = time
    if sample.phase == .fast { return }
    // What counts is what left the network with this acknowledgement: one that fills a hole covers more.
    let count = UInt32(clamping: min(sample.acknowledged, sample.delivered))
    let isEcho = sample.isCongestionEcho
    let isRepeating = sample.phase == .timeout
    let usesWindow = window < threshold ? sample.usesWindow(window) : sample.wasLimited
    let mayGrow = !isEcho && (isRepeating || usesWindow)
    if mayGrow { validation.isValid() }
    var left = count
    switch growth {
    case .first(var start):
      let isOver = start.update(sample)
      if mayGrow {
        // L is infinite, as segments are paced (RFC 9406 section 4.2).
        let step = start.isConservative ? left / UInt32(HyStart.growthDivisor) : left
        window = min(window &+ step, CongestionControl.largestWindow)
      }
      if isOver {
        threshold = window
        growth = .curve(Curve())
      } else {
        growth = .first(start)
      }
    case .curve(var curve):
      // Time counts only while the window is what limits (RFC 9438 section 5.8).
      guard mayGrow else { return }
      if window < threshold {
        let step = min(left, threshold &- window)
        window = min(window &+ step, CongestionControl.largestWindow)
        left &-= step
        if left == 0 { return }
      }
      if curve.isStarted { curve.elapse(span) } else { curve.start(window: window, segmentSize: sample.segmentSize) }
      window = min(
        curve.grow(
          window, by: left, segmentSize: sample.segmentSize,
          roundTrip: sample.smoothedRoundTrip > 0 ? sample.smoothedRoundTrip : sample.roundTrip ?? 0),
        CongestionControl.largestWindow)
      growth = .curve(curve)
    }
  }

  /// Sending begins again with nothing in flight: the time in between does not count (RFC 9438 section 4.2).
  @inline(__always)
  mutating func sent(flight: Int, now: Instant) {
    if flight == 0 { clock = Self.microseconds(now) }
  }

  // MARK: Reduction

  private mutating func save() {
    guard reduction == .none else { return }
    priorWindow = window
    priorThreshold = threshold
    priorGrowth = growth
  }

  /// ssthresh is `numerator` / 100 of what was in flight (RFC 9438 section 4.6), and the curve's plateau is where the
  /// window was, or less if it was on its way down (fast convergence, section 4.7).
  private mutating func reduce(to numerator: Int, flight: Int, segmentSize: Int) {
    var curve = Curve()
    curve.plateau = window
    if case .curve(let last) = growth, window < last.plateau {
      curve.plateau = UInt32(truncatingIfNeeded: UInt64(window) * 17 / 20)
      curve.prior = .converged
    }
    growth = .curve(curve)
    threshold = UInt32(clamping: max(min(Int(window), flight) * numerator / 100, 2 * segmentSize))
  }

  mutating func beginRecovery(flight: Int, segmentSize: Int) {
    save()
    reduce(to: 70, flight: flight, segmentSize: segmentSize)
    window = threshold
    reduction = .recovery
  }

  mutating func endRecovery() {
    if reduction == .recovery { window = threshold }
    reduction = .none
  }

  mutating func congestionExperienced(flight: Int, segmentSize: Int) {
    guard reduction == .none else { return }
    // Marks come from short queues: less is enough (RFC 8511 section 3).
    reduce(to: 85, flight: flight, segmentSize: segmentSize)
    window = min(window, threshold)
    priorWindow = 0
  }

  mutating func timedOut(flight: Int, segmentSize: Int, isFirst: Bool) {
    save()
    if isFirst {
      reduce(to: 70, flight: flight, segmentSize: segmentSize)
      // Section 4.8: the next avoidance begins at its plateau, with K = 0.
      var curve = Curve()
      curve.prior = .timedOut
      growth = .curve(curve)
    }
    window = UInt32(clamping: segmentSize)
    reduction = .timeout
  }

  /// RFC 9438 section 4.9.2.
  mutating func undo() {
    guard priorWindow != 0 else { return }
    window = max(window, priorWindow)
    threshold = priorThreshold
    growth = priorGrowth
    priorWindow = 0
    reduction = .none
  }

  // MARK: Idleness

  mutating func restart(window limit: Int) {
    window = min(window, UInt32(clamping: limit))
    if case .curve(var curve) = growth {
      curve.isStarted = false
      growth = .curve(curve)
    }
  }

  /// Half of the window goes with each timeout that nothing was sent, down to the initial one; slow start leads back to
  /// three quarters of what it was.
  mutating func idled(_ idle: Nanoseconds, timeout: Nanoseconds, initialWindow: Int) {
    var smaller = window
    var left = idle
    while left > timeout, smaller > initialWindow {
      smaller /= 2
      left &-= max(timeout, 1)
    }
    smaller = max(smaller, min(window, UInt32(clamping: initialWindow)))
    guard smaller < window else { return }
    threshold = max(threshold, window / 4 * 3)
    restart(window: Int(smaller))
  }

  mutating func notLimited(flight: Int, initialWindow: Int, now: Instant) {
    validation.note(flight: flight, window: &window, threshold: &threshold, initialWindow: initialWindow, now: now)
  }
}

extension Cubic {
  /// W_cubic and W_est (RFC 9438 sections 4.2 and 4.3).
  struct Curve: BitwiseCopyable {
    /// What cwnd_prior, the window before the last reduction, is to the plateau.
    enum Prior: UInt8, BitwiseCopyable {
      case same
      /// Fast convergence put the plateau lower: by (1 + beta) / 2.
      case converged
      /// The plateau is where avoidance began: beta of what was in flight.
      case timedOut
    }

    /// W_max; 0 if it is to be the window with which avoidance begins.
    var plateau: UInt32 = 0
    /// W_est, and 1/65,536ths of a byte above it.
    private(set) var friendly: UInt32 = 0
    /// t.
    private(set) var elapsed: UInt32 = 0
    /// K.
    private(set) var k: UInt32 = 0
    private var friendlyFraction: UInt16 = 0
    /// What the window grew by in 1/65,536ths of a byte.
    private var fraction: UInt16 = 0
    /// Whether avoidance has begun since the last reduction.
    var isStarted = false
    var prior = Prior.same

    init() {}

    /// C, in segments per second cubed.
    static var scale: Double { 0.4 }

    /// Begins an epoch with `window`, cwnd_epoch.
    mutating func start(window: UInt32, segmentSize: Int) {
      isStarted = true
      elapsed = 0
      friendly = window
      friendlyFraction = 0
      fraction = 0
      if window >= plateau {
        plateau = window
        k = 0
      } else {
        let segments = Double(plateau - window) / Double(max(segmentSize, 1))
        k = UInt32(min(Self.cubeRoot(segments / Self.scale) * 1e6, 4e9))
      }
    }

    @inline(__always)
    mutating func elapse(_ span: UInt32) {
      let (sum, overflow) = elapsed.addingReportingOverflow(span)
      elapsed = overflow ? .max : sum
    }

    /// W_cubic(t + `ahead`), in bytes (figure 1); `ahead` is in nanoseconds.
    @inline(__always)
    func target(after ahead: Nanoseconds, segmentSize: Int) -> Double {
      let distance = (Double(elapsed) - Double(k)) * 1e-6 + Double(ahead) * 1e-9
      return Double(plateau) + Self.scale * Double(segmentSize) * distance * distance * distance
    }

    /// The window after `count` bytes were acknowledged.
    mutating func grow(_ window: UInt32, by count: UInt32, segmentSize: Int, roundTrip: Nanoseconds) -> UInt32 {
      let size = UInt64(max(segmentSize, 1))
      let current = max(UInt64(window), 1)
      // Figure 4: alpha is 3 (1 - beta) / (1 + beta) = 9/17 until W_est is where the window was before; then it is 1.
      let before: UInt64 =
        switch prior {
        case .same: UInt64(plateau)
        case .converged: UInt64(plateau) * 20 / 17
        case .timedOut: UInt64(plateau) * 10 / 7
        }
      var step = (UInt64(count) * size << 16) / current
      if UInt64(friendly) < before { step = step * 9 / 17 }
      let estimate = (UInt64(friendly) << 16 | UInt64(friendlyFraction)) + step
      friendly = UInt32(clamping: estimate >> 16)
      friendlyFraction = UInt16(truncatingIfNeeded: estimate)

      // Section 4.3: whoever would have more, CUBIC or Reno.
      if target(after: 0, segmentSize: segmentSize) < Double(friendly) {
        fraction = 0
        return max(window, friendly)
      }
      // Section 4.2: between cwnd and half as much again.
      let target = min(max(target(after: roundTrip, segmentSize: segmentSize), Double(window)), Double(window) * 1.5)
      let growth = Double(count) * (target - Double(window)) / Double(current)
      let sum = UInt64(growth * 65_536) + UInt64(fraction)
      fraction = UInt16(truncatingIfNeeded: sum)
      return UInt32(clamping: UInt64(window) + sum >> 16)
    }

    /// The cube root of `value`, at least 0, by Newton's method.
    static func cubeRoot(_ value: Double) -> Double {
      guard value > 0 else { return 0 }
      var root = Double(sign: .plus, exponent: Int(value.exponent) / 3 + 1, significand: 1)
      for _ in 0..<64 {
        let next = (2 * root + value / (root * root)) / 3
        if abs(next - root) <= root * 1e-12 { return next }
        root = next
      }
      return root
    }
  }
}
