package import MartletWire

/// What a connection knows of the largest packets that its path carries, and how it finds out (RFC 4821, RFC 8899; what
/// routers say, as RFC 5927 section 7.2 believes it).
///
/// Sizes are those of IP packets, header included, in bytes. One packet at a time is watched: a probe, larger than the
/// others, or the first one of a size that was never acknowledged.
package struct PathProbing: BitwiseCopyable, Equatable {
  package typealias Policy = Host.Configuration.TCP.PathProbing

  /// The states of RFC 8899 section 5.2; a connection that never met a black hole is in `disabled`.
  package enum Phase: UInt8, BitwiseCopyable {
    case disabled
    /// BASE: packets have the base size, and it is not known whether they arrive.
    case base
    /// SEARCHING: probes go out.
    case searching
    /// SEARCH COMPLETE: until the raise timer runs out.
    case searchComplete
    /// ERROR: not even the base size arrives.
    case error
  }

  /// What becomes of a claim that packets are too big.
  package enum Verdict: Equatable, BitwiseCopyable {
    /// It says nothing, or cannot be true.
    case refused
    /// Packets of that size did arrive before: it waits for a timeout, and an acknowledgement refutes it.
    case waits
    /// It says what a probe asked: packets stay as large as they are.
    case taken
    /// Packets are smaller from now on.
    case believed
  }

  package private(set) var phase = Phase.disabled
  package let policy: Policy
  /// How many timeouts in a row make a black hole.
  private let timeoutLimit: UInt8
  /// PROBE_COUNT: how many probes of the size that is tried were lost.
  package private(set) var lostProbes: UInt8 = 0
  /// Timeouts in a row with a full packet at the head of what is in flight.
  package private(set) var timeouts: UInt8 = 0
  /// PLPMTU: how large full packets are.
  package private(set) var size: UInt16
  /// The largest that was acknowledged.
  package private(set) var acknowledged: UInt16 = 0
  /// MAX_PLPMTU: what the link, the peer and routers allow.
  package private(set) var ceiling: UInt16
  /// The largest size that is not known to be lost (search_high).
  package private(set) var high: UInt16
  /// The size of the packet watched; 0 if there is none.
  package private(set) var watched: UInt16 = 0
  /// What a router claims, and nobody believes yet; 0 for nothing.
  package private(set) var claim: UInt16 = 0
  /// What was found out, for the other connections to the same destination; 0 for nothing.
  package private(set) var news: UInt16 = 0
  /// The end of the packet watched, and the byte that the claim quotes.
  package private(set) var watchedEnd = SequenceNumber(0)
  package private(set) var claimSequence = SequenceNumber(0)
  /// Before when no probe goes out, in ``ticks(at:)``.
  private var pauseEnd: UInt32 = 0

  /// MAX_PROBES.
  package static var maximumProbes: Int { 3 }
  /// A search ends when it could gain no more than this.
  private static var granularity: Int { 16 }

  /// - Parameter timeoutLimit: how many timeouts in a row make a black hole.
  package init(policy: Policy, ceiling: Int, timeoutLimit: Int = 3) {
    self.policy = policy
    self.timeoutLimit = UInt8(clamping: max(1, timeoutLimit))
    self.ceiling = UInt16(clamping: ceiling)
    size = self.ceiling
    high = self.ceiling
  }

  /// Whether ``mayProbe(at:)`` is worth asking.
  @inline(__always)
  package var isSearching: Bool { (phase == .searching || phase == .searchComplete) && size < ceiling }

  /// Whether an acknowledgement or a loss means anything here.
  @inline(__always)
  package var isAttentive: Bool { watched != 0 || claim != 0 || timeouts != 0 || phase == .base || phase == .error }

  /// Whether the next full packet is worth watching.
  @inline(__always)
  package var wantsWatch: Bool { acknowledged < size && watched == 0 }

  @inline(__always)
  package var hasNews: Bool { news != 0 }

  /// The size of the probe in flight; nil if there is none.
  package var probe: Int? { watched > size ? Int(watched) : nil }

  // MARK: Bounds

  /// The connection is about to send with `base` as the size to begin with if it always probes.
  package mutating func begin(base: Int) {
    guard policy == .always, base < Int(ceiling) else { return }
    size = UInt16(clamping: base)
    phase = .base
  }

  /// The peer takes no packets larger than `limit`.
  package mutating func limit(to limit: Int) {
    guard limit < Int(ceiling) else { return }
    ceiling = UInt16(clamping: limit)
    high = min(high, ceiling)
    size = min(size, ceiling)
  }

  /// What the link and routers allow changed to `limit`; returns whether packets have to be smaller.
  package mutating func move(ceiling limit: Int) -> Bool {
    let limit = UInt16(clamping: limit)
    if limit < size {
      bound(by: Int(limit))
      return true
    }
    let isHigher = limit > ceiling
    ceiling = limit
    high = isHigher ? limit : min(high, limit)
    if isHigher {
      // An old estimate was forgotten (RFC 1191 section 6.3): larger packets are tried again, and what was found out
      // before would keep them from it if it were told now.
      news = 0
      if policy == .off {
        size = limit
      } else if phase != .base && phase != .error {
        search()
      }
    }
    return false
  }

  private mutating func bound(by limit: Int) {
    lower(to: min(size, UInt16(clamping: limit)))
    ceiling = size
    high = size
    if policy != .off { phase = .searchComplete }
  }

  private mutating func lower(to limit: UInt16) {
    size = limit
    acknowledged = min(acknowledged, limit)
    watched = 0
    claim = 0
    lostProbes = 0
  }

  private mutating func search() {
    phase = .searching
    high = ceiling
    lostProbes = 0
    pauseEnd = 0
  }

  // MARK: Probes

  /// The size of the next probe; nil when there is nothing to gain.
  ///
  /// The largest comes first, because most black holes pass; then the sizes that links have, by halves; then what lies
  /// between two of those, by halves again (RFC 4821 section 7.3).
  package var nextProbe: Int? {
    let low = Int(size)
    let high = Int(high)
    if high == Int(ceiling) { return high > low ? high : nil }
    guard high - low >= Self.granularity else { return nil }
    var between = 0
    for index in 0..<Self.sizeCount where Self.size(index) > low && Self.size(index) <= high { between += 1 }
    var rank = (between + 1) / 2
    for index in 0..<Self.sizeCount where Self.size(index) > low && Self.size(index) <= high {
      rank -= 1
      if rank == 0 { return Self.size(index) }
    }
    return (low + (high - low + 1) / 2) & ~3
  }

  private static var sizeCount: Int { 13 }

  /// Sizes that links and tunnels are known to have.
  private static func size(_ index: Int) -> Int {
    switch index {
    case 0: 1_006
    case 1: 1_280
    case 2: 1_400
    case 3: 1_420
    case 4: 1_454
    case 5: 1_480
    case 6: 1_492
    case 7: 1_500
    case 8: 2_002
    case 9: 4_352
    case 10: 8_166
    case 11: 9_000
    default: 17_914
    }
  }

  /// Whether a probe may go out now.
  package mutating func mayProbe(at now: Instant, raiseAfter: Nanoseconds) -> Bool {
    guard isSearching, watched <= size, !Self.isBefore(Self.ticks(at: now), pauseEnd) else { return false }
    // PMTU_RAISE_TIMER ran out (RFC 8899 section 5.1.1): what was too large is tried again.
    if phase == .searchComplete { search() }
    if nextProbe != nil { return true }
    completeSearch(at: now, raiseAfter: raiseAfter)
    return false
  }

  /// A packet of `size` bytes went out whose payload ends before `end`.
  package mutating func watch(_ size: Int, end: SequenceNumber) {
    watched = UInt16(clamping: size)
    watchedEnd = end
  }

  /// Everything before `number` arrived; returns whether packets may be larger from now on.
  package mutating func acknowledge(_ number: SequenceNumber, at now: Instant, raiseAfter: Nanoseconds) -> Bool {
    timeouts = 0
    // What the claim quotes as too big has arrived (RFC 5927 section 7.2).
    if claim != 0, number > claimSequence { claim = 0 }
    if phase == .base || phase == .error {
      acknowledged = max(acknowledged, size)
      search()
      if size >= ceiling { completeSearch(at: now, raiseAfter: raiseAfter) }
    }
    guard watched != 0, number >= watchedEnd else { return false }
    let grew = watched > size
    acknowledged = max(acknowledged, watched)
    if grew {
      size = watched
      lostProbes = 0
      if nextProbe == nil { completeSearch(at: now, raiseAfter: raiseAfter) }
    }
    watched = 0
    return grew
  }

  /// The probe was lost, and nothing else was; no further one goes out for `pause`.
  package mutating func loseProbe(at now: Instant, pause: Nanoseconds, raiseAfter: Nanoseconds) {
    guard watched > size else { return }
    lostProbes += 1
    if watched > high || Int(lostProbes) >= Self.maximumProbes {
      // A router said what it takes, or silence has said it often enough.
      high = min(high, watched - 1)
      lostProbes = 0
    }
    watched = 0
    pauseEnd = Self.ticks(at: now + pause) &+ 1
    if nextProbe == nil { completeSearch(at: now, raiseAfter: raiseAfter) }
  }

  /// The packet watched is sent again, or others around it were lost: its fate says nothing any more.
  package mutating func unwatch() { watched = 0 }

  private mutating func completeSearch(at now: Instant, raiseAfter: Nanoseconds) {
    phase = .searchComplete
    lostProbes = 0
    pauseEnd = Self.ticks(at: now + raiseAfter)
    if size < ceiling { news = size }
  }

  // MARK: Black holes

  /// The retransmission timer ran out; `isFull` says whether what it ran out for goes out in packets above `base`.
  ///
  /// After so many of them in a row packets have the base size (RFC 2923 section 2.1, RFC 4821 section 7.7), and after as
  /// many again the smallest; packets that never were larger than the base size are not suspected. Returns whether packets are smaller now.
  package mutating func timeOut(isFull: Bool, base: Int, smallest: Int) -> Bool {
    if claim != 0 {
      // Nothing arrived since the router spoke: it spoke the truth (RFC 5927 section 7.2).
      news = claim
      bound(by: max(Int(claim), smallest))
      timeouts = 0
      return true
    }
    if watched > size {
      lostProbes += 1
      if Int(lostProbes) >= Self.maximumProbes {
        high = min(high, watched - 1)
        lostProbes = 0
      }
    }
    watched = 0
    guard policy != .off, isFull else { return false }
    timeouts = timeouts == .max ? .max : timeouts + 1
    guard timeouts >= timeoutLimit else { return false }
    timeouts = 0
    if Int(size) > base {
      lower(to: UInt16(clamping: base))
      phase = .base
    } else if phase != .disabled, Int(size) > smallest {
      lower(to: UInt16(clamping: smallest))
      phase = .error
    } else {
      return false
    }
    return true
  }

  // MARK: What routers say

  /// A router claims that a packet of `quoted` bytes from `sequence` on was too big for its next hop, which takes `mtu`.
  ///
  /// - Parameters:
  ///   - probeStart: where the payload of the probe in flight begins, if there is one.
  ///   - smallest: packets are made no smaller.
  package mutating func receive(
    claim mtu: Int, quoting quoted: Int, at sequence: SequenceNumber, probeStart: SequenceNumber?, smallest: Int
  ) -> Verdict {
    // What does fit was not too big (RFC 5927 section 4.1).
    guard mtu < quoted, mtu < max(Int(size), Int(watched)) else { return .refused }
    if let probeStart, sequence >= probeStart, sequence < watchedEnd, mtu >= Int(size) {
      // The next probe has the size that the router named.
      ceiling = UInt16(clamping: mtu)
      high = ceiling
      news = ceiling
      return .taken
    }
    guard mtu < Int(size) else { return .refused }
    if mtu < Int(acknowledged) {
      // Packets larger than that arrived before, so that this may be a lie.
      claim = UInt16(clamping: mtu)
      claimSequence = sequence
      return .waits
    }
    news = UInt16(clamping: mtu)
    guard Int(size) > smallest else { return .taken }
    bound(by: max(mtu, smallest))
    return .believed
  }

  /// What was found out, once.
  package mutating func takeNews() -> Int? {
    if news == 0 { return nil }
    defer { news = 0 }
    return Int(news)
  }

  // MARK: Time

  /// Time in steps of 16.8 ms, so that it fits and yet outlasts a year of silence.
  private static func ticks(at time: Instant) -> UInt32 { UInt32(truncatingIfNeeded: time.nanoseconds >> 24) }

  private static func isBefore(_ first: UInt32, _ second: UInt32) -> Bool {
    second != 0 && Int32(truncatingIfNeeded: first &- second) < 0
  }
}
