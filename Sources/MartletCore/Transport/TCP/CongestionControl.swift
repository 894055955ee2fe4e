/// How much may be in flight.
package enum CongestionControl: BitwiseCopyable {
  case newReno(NewReno)

  /// cwnd, in bytes.
  @inline(__always)
  package var window: Int {
    switch self {
    case .newReno(let state): Int(state.window)
    }
  }

  /// ssthresh, in bytes.
  package var threshold: Int {
    switch self {
    case .newReno(let state): Int(state.threshold)
    }
  }

  /// `count` bytes were acknowledged, outside fast recovery; `wasLimited` says whether cwnd held the sender back.
  @inline(__always)
  package mutating func acknowledged(_ count: Int, segmentSize: Int, wasLimited: Bool) {
    guard wasLimited else { return }
    switch self {
    case .newReno(var state):
      state.acknowledged(count, segmentSize: segmentSize)
      self = .newReno(state)
    }
  }

  /// A loss was found by duplicate acknowledgements with `flight` bytes in flight (RFC 5681 section 3.2).
  package mutating func lost(flight: Int, segmentSize: Int) {
    switch self {
    case .newReno(var state):
      state.lost(flight: flight, segmentSize: segmentSize)
      self = .newReno(state)
    }
  }

  /// The retransmission timer ran out (RFC 5681 section 3.1); `isFirst` is false when it did before for the same data.
  package mutating func timedOut(flight: Int, segmentSize: Int, isFirst: Bool) {
    switch self {
    case .newReno(var state):
      state.timedOut(flight: flight, segmentSize: segmentSize, isFirst: isFirst)
      self = .newReno(state)
    }
  }

  /// Nothing was sent for longer than a timeout (RFC 5681 section 4.1), or the SYN was lost: at most `window` again.
  package mutating func restart(window: Int) {
    switch self {
    case .newReno(var state):
      state.window = min(state.window, UInt32(clamping: window))
      self = .newReno(state)
    }
  }

  /// The initial window (RFC 6928 section 2).
  package static func initialWindow(segments: Int, segmentSize: Int) -> Int {
    min(segments * segmentSize, max(2 * segmentSize, segments * 1_460))
  }

  /// Slow start and congestion avoidance as RFC 5681 has them, counting bytes (RFC 3465).
  package struct NewReno: BitwiseCopyable {
    package var window: UInt32
    package var threshold: UInt32 = .max
    /// Bytes acknowledged towards the next increase in congestion avoidance.
    var acknowledgedBytes: UInt32 = 0

    package init(initialWindow: Int) { window = UInt32(clamping: initialWindow) }

    private static var largest: UInt32 { 1 << 30 }

    @inline(__always)
    mutating func acknowledged(_ count: Int, segmentSize: Int) {
      var count = UInt32(clamping: count)
      if window < threshold {
        // Slow start, up to ssthresh; what is left counts for congestion avoidance.
        let room = threshold &- window
        let step = min(count, room)
        window = min(window &+ step, Self.largest)
        count &-= step
        if count == 0 { return }
      }
      // One segment for every window's worth of bytes (RFC 5681 section 3.1, RFC 3465 section 2.1).
      acknowledgedBytes = min(acknowledgedBytes &+ count, Self.largest)
      if acknowledgedBytes >= window {
        acknowledgedBytes &-= window
        window = min(window &+ UInt32(segmentSize), Self.largest)
      }
    }

    mutating func lost(flight: Int, segmentSize: Int) {
      threshold = UInt32(clamping: max(flight / 2, 2 * segmentSize))
      window = threshold
      acknowledgedBytes = 0
    }

    mutating func timedOut(flight: Int, segmentSize: Int, isFirst: Bool) {
      if isFirst { threshold = UInt32(clamping: max(flight / 2, 2 * segmentSize)) }
      window = UInt32(segmentSize)
      acknowledgedBytes = 0
    }
  }
}
