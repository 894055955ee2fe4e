import MartletWire

/// How much may be in flight, and how fast it goes out.
///
/// CUBIC, which nearly every connection has, lies inside and is changed where it lies; BBR has its state in memory of its own.
@safe
package struct CongestionControl: ~Copyable {
  @safe
  private enum Storage: BitwiseCopyable {
    /// See ``cubic``.
    case cubic
    case newReno(NewReno)
    case bbr(UnsafeMutablePointer<BBR>)
  }

  /// Why a window is smaller than it was.
  enum Reduction: UInt8, BitwiseCopyable {
    case none
    case recovery
    case timeout
  }

  /// What BBR knows of the path.
  package struct PathModel: BitwiseCopyable {
    package var mode: BBR.Mode
    /// Bytes per second.
    package var bandwidth: UInt64
    package var minimumRoundTrip: Nanoseconds?
  }

  static var largestWindow: UInt32 { 1 << 30 }

  private var storage: Storage
  /// Means something while ``storage`` says so.
  private var cubic: Cubic

  /// `seed` spreads what BBR does at random times.
  package init(
    _ algorithm: TCPCongestionControl, initialWindow: Int, segmentSize: Int, now: Instant, seed: UInt64 = 0
  ) {
    cubic = Cubic(initialWindow: initialWindow, now: now)
    switch algorithm {
    case .newReno:
      storage = .newReno(NewReno(initialWindow: initialWindow))
    case .cubic:
      storage = .cubic
    case .bbr:
      let state = UnsafeMutablePointer<BBR>.allocate(capacity: 1)
      unsafe state.initialize(to: BBR(initialWindow: initialWindow, segmentSize: segmentSize, now: now, seed: seed))
      unsafe storage = .bbr(state)
    }
  }

  deinit {
    if case .bbr(let state) = storage { unsafe state.deallocate() }
  }

  package var algorithm: TCPCongestionControl {
    switch storage {
    case .newReno: .newReno
    case .cubic: .cubic
    case .bbr: .bbr
    }
  }

  /// cwnd, in bytes. Proportional rate reduction sets it during a fast recovery.
  package var window: Int {
    @inline(__always) get {
      switch storage {
      case .newReno(let state): Int(state.window)
      case .cubic: Int(cubic.window)
      case .bbr(let state): unsafe state.pointee.window
      }
    }
    set {
      switch storage {
      case .newReno(var state):
        state.window = UInt32(clamping: newValue)
        storage = .newReno(state)
      case .cubic:
        cubic.window = UInt32(clamping: newValue)
      case .bbr(let state):
        unsafe state.pointee.window = max(0, newValue)
      }
    }
  }

  /// ssthresh, in bytes; BBR has none.
  package var threshold: Int {
    switch storage {
    case .newReno(let state): Int(state.threshold)
    case .cubic: Int(cubic.threshold)
    case .bbr: Int(UInt32.max)
    }
  }

  package var isSlowStart: Bool {
    switch storage {
    case .newReno(let state): state.window < state.threshold
    case .cubic: cubic.window < cubic.threshold
    case .bbr(let state): unsafe state.pointee.mode == .startup
    }
  }

  /// Whether slow start goes at a quarter of its pace (HyStart++).
  var isConservative: Bool {
    isCubic && cubic.isConservative
  }

  /// Whether proportional rate reduction rules the window in a fast recovery (RFC 9937).
  @inline(__always)
  package var usesProportionalReduction: Bool {
    if case .bbr = storage { false } else { true }
  }

  /// In bytes per second; 0 if there is nothing to tell it from, and segments go out as the window permits.
  ///
  /// A window is spread over less than a round trip, so that it grows, and is used whole, all the same. One that is no
  /// larger than an initial window may go out at once as that may (RFC 6928): spread, each second segment would keep the
  /// peer's acknowledgement waiting. In a fast recovery acknowledgements tell how much goes out (RFC 9937), and the window
  /// that it leads to tells the pace.
  @inline(__always)
  package func pacingRate(smoothedRoundTrip: Nanoseconds, segmentSize: Int) -> UInt64 {
    switch storage {
    case .newReno(let state):
      let window = state.isRecovering ? max(state.window, state.threshold) : state.window
      if Int(window) <= 10 &* segmentSize { return 0 }
      return Self.pacingRate(window, smoothedRoundTrip, isFast: window < state.threshold)
    case .cubic:
      let window = cubic.isRecovering ? max(cubic.window, cubic.threshold) : cubic.window
      if Int(window) <= 10 &* segmentSize { return 0 }
      return Self.pacingRate(window, smoothedRoundTrip, isFast: window < cubic.threshold && !cubic.isConservative)
    case .bbr(let state):
      return unsafe state.pointee.pacingRate(smoothedRoundTrip: smoothedRoundTrip)
    }
  }

  @inline(__always)
  private static func pacingRate(_ window: UInt32, _ roundTrip: Nanoseconds, isFast: Bool) -> UInt64 {
    guard roundTrip > 0 else { return 0 }
    return UInt64(window) * (isFast ? 2_000_000_000 : 1_250_000_000) / UInt64(roundTrip)
  }

  /// What BBR knows of the path; nil for the others.
  package var pathModel: PathModel? {
    guard case .bbr(let state) = storage else { return nil }
    return unsafe state.pointee.pathModel
  }

  // MARK: Events

  /// An acknowledgement that delivered something, or by which something was found lost, in any phase.
  @inline(__always)
  package mutating func acknowledged(_ sample: AcknowledgmentSample) {
    switch storage {
    case .newReno(var state):
      state.acknowledged(sample)
      storage = .newReno(state)
    case .cubic:
      cubic.acknowledged(sample)
    case .bbr(let state):
      unsafe state.pointee.acknowledged(sample)
    }
  }

  @inline(__always)
  var isCubic: Bool {
    if case .cubic = storage { true } else { false }
  }

  /// ``acknowledged(_:)`` for who knows that ``isCubic``.
  @inline(__always)
  mutating func acknowledgedByCubic(_ sample: borrowing AcknowledgmentSample) { cubic.acknowledged(sample) }

  /// A loss was found by acknowledgements. `flight` is FlightSize (RFC 5681): everything sent and not cumulatively
  /// acknowledged.
  package mutating func beginRecovery(flight: Int, segmentSize: Int, now: Instant) {
    switch storage {
    case .newReno(var state):
      state.beginRecovery(flight: flight, segmentSize: segmentSize)
      storage = .newReno(state)
    case .cubic:
      cubic.beginRecovery(flight: flight, segmentSize: segmentSize)
    case .bbr(let state):
      unsafe state.pointee.beginRecovery()
    }
  }

  /// All that was in flight when a recovery began, or when the timer ran out, is acknowledged.
  package mutating func endRecovery(segmentSize: Int) {
    switch storage {
    case .newReno(var state):
      state.endRecovery()
      storage = .newReno(state)
    case .cubic:
      cubic.endRecovery()
    case .bbr(let state):
      unsafe state.pointee.endRecovery()
    }
  }

  /// The peer echoed a mark of congestion (RFC 3168 section 6.1.2); at most once for a window of data.
  package mutating func congestionExperienced(flight: Int, segmentSize: Int, now: Instant) {
    switch storage {
    case .newReno(var state):
      state.congestionExperienced(flight: flight, segmentSize: segmentSize)
      storage = .newReno(state)
    case .cubic:
      cubic.congestionExperienced(flight: flight, segmentSize: segmentSize)
    case .bbr(let state):
      unsafe state.pointee.congestionExperienced(flight: flight, now: now)
    }
  }

  /// The retransmission timer ran out; `isFirst` is false when it did before for the same data.
  package mutating func timedOut(flight: Int, segmentSize: Int, isFirst: Bool, now: Instant) {
    switch storage {
    case .newReno(var state):
      state.timedOut(flight: flight, segmentSize: segmentSize, isFirst: isFirst)
      storage = .newReno(state)
    case .cubic:
      cubic.timedOut(flight: flight, segmentSize: segmentSize, isFirst: isFirst)
    case .bbr(let state):
      unsafe state.pointee.timedOut(segmentSize: segmentSize, isFirst: isFirst)
    }
  }

  /// The last recovery or chain of timeouts was needless: all is as it was before (RFC 4015, RFC 9438 section 4.9.2).
  package mutating func undo() {
    switch storage {
    case .newReno(var state):
      state.undo()
      storage = .newReno(state)
    case .cubic:
      cubic.undo()
    case .bbr(let state):
      unsafe state.pointee.undo()
    }
  }

  /// Nothing was sent for `idle`, longer than a timeout: what the window was then says little about now
  /// (RFC 5681 section 4.1). BBR paces what it sends after a pause, and needs no such thing.
  package mutating func restartAfterIdle(
    idle: Nanoseconds, timeout: Nanoseconds, initialWindow: Int, segmentSize: Int, now: Instant
  ) {
    switch storage {
    case .newReno(var state):
      state.restart(window: initialWindow)
      storage = .newReno(state)
    case .cubic:
      cubic.idled(idle, timeout: timeout, initialWindow: initialWindow)
    case .bbr:
      break
    }
  }

  /// At most `window` again, whatever is known: the SYN or its acknowledgement was lost (RFC 5681 section 3.1).
  package mutating func restart(window: Int) {
    switch storage {
    case .newReno(var state):
      state.restart(window: window)
      storage = .newReno(state)
    case .cubic:
      cubic.restart(window: window)
    case .bbr(let state):
      unsafe state.pointee.window = unsafe min(state.pointee.window, window)
    }
  }

  /// For a round trip there was less to send than the window allows: after five minutes of that half of a window that is
  /// not used goes (RFC 7661 section 4.4.3).
  package mutating func notLimited(flight: Int, segmentSize: Int, timeout: Nanoseconds, now: Instant) {
    let initialWindow = Self.initialWindow(segments: 10, segmentSize: segmentSize)
    switch storage {
    case .newReno(var state):
      state.notLimited(flight: flight, initialWindow: initialWindow, now: now)
      storage = .newReno(state)
    case .cubic:
      cubic.notLimited(flight: flight, initialWindow: initialWindow, now: now)
    case .bbr:
      break
    }
  }

  /// `count` bytes go out, with `flight` bytes in flight before them.
  @inline(__always)
  package mutating func sent(_ count: Int, flight: Int, now: Instant, isApplicationLimited: Bool) {
    switch storage {
    case .newReno:
      break
    case .cubic:
      cubic.sent(flight: flight, now: now)
    case .bbr(let state):
      guard flight == 0 else { return }
      unsafe state.pointee.restart(now: now, isApplicationLimited: isApplicationLimited)
    }
  }

  /// The initial window (RFC 6928 section 2).
  package static func initialWindow(segments: Int, segmentSize: Int) -> Int {
    min(segments * segmentSize, max(2 * segmentSize, segments * 1_460))
  }
}
