/// Slow start, congestion avoidance and the halving on loss as RFC 5681 has them, counting bytes (RFC 3465); the sawtooth
/// of the textbooks.
package struct NewReno: BitwiseCopyable {
  /// cwnd and ssthresh, in bytes.
  var window: UInt32
  var threshold: UInt32 = .max
  /// Bytes acknowledged towards the next increase in congestion avoidance.
  private var acknowledgedBytes: UInt32 = 0
  /// What ``undo()`` brings back; 0 if there is nothing to undo.
  private var priorWindow: UInt32 = 0
  private var priorThreshold: UInt32 = 0
  private var reduction = CongestionControl.Reduction.none
  private var validation = WindowValidation()

  var isRecovering: Bool { reduction == .recovery }

  init(initialWindow: Int) { window = UInt32(clamping: initialWindow) }

  @inline(__always)
  mutating func acknowledged(_ sample: AcknowledgmentSample) {
    if sample.isCongestionEcho { return }
    switch sample.phase {
    case .fast:
      return
    case .open:
      guard window < threshold ? sample.usesWindow(window) : sample.wasLimited else { return }
      grow(by: sample.acknowledged, segmentSize: sample.segmentSize)
    case .timeout:
      // Slow start after a timeout grows by one segment an ACK (RFC 3465 section 2.3).
      grow(by: min(sample.acknowledged, sample.segmentSize), segmentSize: sample.segmentSize)
    }
  }

  @inline(__always)
  private mutating func grow(by count: Int, segmentSize: Int) {
    var count = UInt32(clamping: count)
    validation.isValid()
    if window < threshold {
      // Slow start, up to ssthresh; what is left counts for congestion avoidance.
      let step = min(count, threshold &- window)
      window = min(window &+ step, CongestionControl.largestWindow)
      count &-= step
      if count == 0 { return }
    }
    // One segment for every window's worth of bytes (RFC 5681 section 3.1, RFC 3465 section 2.1).
    acknowledgedBytes = min(acknowledgedBytes &+ count, CongestionControl.largestWindow)
    if acknowledgedBytes >= window {
      acknowledgedBytes &-= window
      window = min(window &+ UInt32(clamping: segmentSize), CongestionControl.largestWindow)
    }
  }

  /// RFC 5681 section 3.1 (4).
  private mutating func reduce(flight: Int, segmentSize: Int) {
    threshold = UInt32(clamping: max(flight / 2, 2 * segmentSize))
    acknowledgedBytes = 0
  }

  private mutating func save() {
    guard reduction == .none else { return }
    priorWindow = window
    priorThreshold = threshold
  }

  mutating func beginRecovery(flight: Int, segmentSize: Int) {
    save()
    // What limited transmit sent beyond cwnd does not count (RFC 5681 section 3.2 (2)).
    reduce(flight: min(flight, Int(window)), segmentSize: segmentSize)
    window = threshold
    reduction = .recovery
  }

  mutating func endRecovery() {
    // Full deflation (RFC 6582 section 3.2 step 3); after a timeout slow start goes on.
    if reduction == .recovery { window = threshold }
    reduction = .none
  }

  mutating func congestionExperienced(flight: Int, segmentSize: Int) {
    guard reduction == .none else { return }
    reduce(flight: flight, segmentSize: segmentSize)
    window = min(window, threshold)
    priorWindow = 0
  }

  mutating func timedOut(flight: Int, segmentSize: Int, isFirst: Bool) {
    save()
    if isFirst { reduce(flight: flight, segmentSize: segmentSize) }
    window = UInt32(clamping: segmentSize)
    acknowledgedBytes = 0
    reduction = .timeout
  }

  mutating func undo() {
    guard priorWindow != 0 else { return }
    window = max(window, priorWindow)
    threshold = priorThreshold
    priorWindow = 0
    reduction = .none
  }

  mutating func restart(window limit: Int) {
    // RFC 5681 section 4.1.
    window = min(window, UInt32(clamping: limit))
    acknowledgedBytes = 0
  }

  mutating func notLimited(flight: Int, initialWindow: Int, now: Instant) {
    validation.note(flight: flight, window: &window, threshold: &threshold, initialWindow: initialWindow, now: now)
  }
}
