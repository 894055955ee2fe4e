import MartletWire

/// Which bytes in flight the peer holds, and which are lost: RACK (RFC 8985) with SACK, and what NewReno counts without.
///
/// Something is lost when something sent sufficiently later was delivered: later by the reordering window, which is nothing
/// until the path was seen to reorder and grows with every retransmission that turns out to have been unnecessary.
struct LossDetection: ~Copyable {
  /// All that is in flight.
  private(set) var runs = SentRuns()
  /// Bytes that the peer holds, and bytes lost and not sent again.
  private(set) var heldByteCount = 0
  private(set) var lostByteCount = 0
  /// Bytes that ever counted as lost.
  private(set) var totalLost: UInt64 = 0

  // RACK.xmit_ts, RACK.end_seq and RACK.rtt of what was sent last among all that was delivered.
  private var newestSentAt = Instant.zero
  private var newestEnd: SequenceNumber
  private(set) var roundTrip: Nanoseconds = 0
  /// RACK.fack: the end of what was delivered.
  private var forwardmost: SequenceNumber
  /// RACK.reordering_seen.
  private(set) var hasReordering = false
  /// RACK.reo_wnd_mult and RACK.reo_wnd_persist.
  private var windowFactor: UInt8 = 1
  private var windowPersistence: UInt8 = 16
  /// RACK.dsack_round.
  private var duplicateRound: SequenceNumber?

  init(from sequence: SequenceNumber) {
    newestEnd = sequence
    forwardmost = sequence
  }

  /// DupThresh.
  static var threshold: Int { 3 }

  /// The most runs that are kept; reports that would make more are not taken, and nothing new goes out.
  static var maximumRuns: Int { 16_384 }
  @inline(__always)
  var isFull: Bool { runs.count >= Self.maximumRuns }

  /// Whether nothing is held or lost.
  @inline(__always)
  var isClear: Bool { heldByteCount == 0 && lostByteCount == 0 }

  /// The bytes thought to be in the network (RFC 6675 section 4, SetPipe).
  @inline(__always)
  func pipe(unacknowledged: SequenceNumber, next: SequenceNumber) -> Int {
    max(0, (next - unacknowledged) &- heldByteCount &- lostByteCount)
  }

  // MARK: Sending

  /// `count` new bytes from `start` on went out.
  @inline(__always)
  mutating func noteSent(
    from start: SequenceNumber, count: Int, _ departure: DeliveryRate.Departure, isApplicationLimited: Bool,
    at now: Instant
  ) {
    let flags: SentRun.Flags = isApplicationLimited ? .applicationLimited : []
    if runs.count > 0 {
      let last = runs.count &- 1
      if runs[last].sentAt == now, runs[last].flags == flags, runs[last].end == start,
        runs[last].departure.delivered == departure.delivered
      {
        runs[last].end = start + count
        runs[last].departure.flight = departure.flight
        return
      }
    }
    runs.append(SentRun(start: start, end: start + count, sentAt: now, departure: departure, flags: flags))
  }

  /// The first `count` bytes of the run at `index` went out again.
  mutating func noteResent(_ index: Int, count: Int, _ departure: DeliveryRate.Departure, at now: Instant) {
    if count < runs[index].count { runs.split(index, at: runs[index].start + count) }
    if runs[index].flags.contains(.lost) { lostByteCount -= runs[index].count }
    runs[index].flags.remove(.lost)
    runs[index].lossCause = nil
    runs[index].flags.insert(.resent)
    runs[index].sentAt = now
    runs[index].departure = departure
  }

  /// The first run that is lost and not sent again (RFC 6675 section 4, NextSeg (1)).
  func firstLost() -> Int? {
    if lostByteCount == 0 { return nil }
    var index = 0
    while index < runs.count {
      if runs[index].flags.contains(.lost) { return index }
      index &+= 1
    }
    return nil
  }

  /// Makes the lost run at `index` as long as `count` bytes, if what follows it is lost too: what was sent as several
  /// segments goes out again as one.
  mutating func joinLost(_ index: Int, to count: Int) {
    while runs[index].count < count, index + 1 < runs.count, runs[index + 1].flags.contains(.lost) {
      let missing = count - runs[index].count
      if runs[index + 1].count > missing { runs.split(index + 1, at: runs[index + 1].start + missing) }
      runs[index].end = runs[index + 1].end
      runs.remove(at: index + 1)
    }
  }

  /// Makes the last bytes in flight, at most `count`, a run of their own and returns its place, unless the peer holds them.
  mutating func lastRun(count: Int) -> Int? {
    guard runs.count > 0, runs[runs.count - 1].flags.isDisjoint(with: .gone) else { return nil }
    if runs[runs.count - 1].count > count { runs.split(runs.count - 1, at: runs[runs.count - 1].end - count) }
    return runs.count - 1
  }

  // MARK: Reports

  /// What an acknowledgement newly delivered.
  struct Delivery: BitwiseCopyable {
    var count = 0
    /// What of it was sent last; meaningful if ``count`` is not 0.
    var newest: SentRun?
    /// When what was never resent of it went out, the earliest and the latest.
    var firstOriginalAt: Instant?
    var lastOriginalAt: Instant?
    /// The least end of what was never resent and not reported before.
    var firstOriginalEnd: SequenceNumber?
    /// Whether the acknowledgement moved past something that was resent: then it tells no round-trip time, as the rest may
    /// have waited for that (RFC 6298 section 3).
    var hasPassedResent = false
    /// RACK.fack before it.
    var forwardmostBefore: SequenceNumber?

    @inline(__always)
    mutating func note(_ run: SentRun) {
      count &+= run.count
      if let old = newest {
        if LossDetection.isSent(run.sentAt, run.end, after: old.sentAt, old.end) { newest = run }
      } else {
        newest = run
      }
      if run.flags.contains(.resent) { return }
      if let first = firstOriginalAt {
        firstOriginalAt = min(first, run.sentAt)
        lastOriginalAt = max(lastOriginalAt ?? run.sentAt, run.sentAt)
        if let end = firstOriginalEnd { firstOriginalEnd = .earlier(end, run.end) }
      } else {
        firstOriginalAt = run.sentAt
        lastOriginalAt = run.sentAt
        firstOriginalEnd = run.end
      }
    }
  }

  /// RACK_sent_after (RFC 8985 section 6.2).
  @inline(__always)
  static func isSent(
    _ time: Instant, _ end: SequenceNumber, after otherTime: Instant, _ otherEnd: SequenceNumber
  ) -> Bool {
    time > otherTime || (time == otherTime && end > otherEnd)
  }

  /// The peer acknowledged everything before `unacknowledged`.
  @inline(__always)
  mutating func acknowledge(to unacknowledged: SequenceNumber, into delivery: inout Delivery) {
    while runs.count > 0, runs[0].start < unacknowledged {
      var run = runs[0]
      let isWhole = run.end <= unacknowledged
      if !isWhole { run.end = unacknowledged }
      if run.flags.contains(.resent) { delivery.hasPassedResent = true }
      if run.flags.contains(.held) {
        heldByteCount &-= run.count
      } else {
        if run.flags.contains(.lost) { lostByteCount &-= run.count }
        noteForward(run, &delivery)
        delivery.note(run)
      }
      if isWhole {
        runs.removeFirst()
      } else {
        runs[0].start = unacknowledged
        break
      }
    }
  }

  /// Whether one run is all that is in flight, sent once and neither held nor lost.
  @inline(__always)
  var hasOneRun: Bool { runs.count == 1 && runs[0].flags.isDisjoint(with: [.gone, .resent]) }

  /// The peer acknowledged all that is in flight, when ``hasOneRun``; returns what that was, where it stands until something
  /// is sent.
  @unsafe @inline(__always)
  mutating func acknowledgeOnlyRun() -> UnsafeMutablePointer<SentRun> {
    let run = unsafe runs.removeOnly()
    if unsafe run.pointee.end > forwardmost { unsafe forwardmost = run.pointee.end } else { hasReordering = true }
    return unsafe run
  }

  /// `count` new bytes from `start` on went out with nothing in flight before them.
  @inline(__always)
  mutating func noteAlone(
    from start: SequenceNumber, count: Int, _ departure: DeliveryRate.Departure, isApplicationLimited: Bool,
    at now: Instant
  ) {
    runs.append(
      SentRun(
        start: start, end: start + count, sentAt: now, departure: departure,
        flags: isApplicationLimited ? .applicationLimited : []))
  }

  /// The peer acknowledged everything before `unacknowledged`, which lies in the first run or ends it, while nothing is held
  /// or lost: returns what was delivered, or nil, and nothing is done, if it is any other acknowledgement.
  @inline(__always)
  mutating func acknowledgeFirst(to unacknowledged: SequenceNumber) -> SentRun? {
    guard isClear, runs.count > 0 else { return nil }
    var run = runs[0]
    guard !run.flags.contains(.resent), run.start < unacknowledged, unacknowledged <= run.end else { return nil }
    if unacknowledged == run.end {
      runs.removeFirst()
    } else {
      runs[0].start = unacknowledged
      run.end = unacknowledged
    }
    if run.end > forwardmost { forwardmost = run.end } else { hasReordering = true }
    return run
  }

  /// What is delivered behind what was delivered before shows reordering, unless it was sent again.
  @inline(__always)
  private mutating func noteForward(_ run: SentRun, _ delivery: inout Delivery) {
    // Blocks of one acknowledgement come in any order.
    let before = delivery.forwardmostBefore ?? forwardmost
    delivery.forwardmostBefore = before
    if run.end > before {
      forwardmost = .later(forwardmost, run.end)
    } else if !run.flags.contains(.resent) {
      hasReordering = true
    }
  }

  /// The peer holds the bytes of `block` (RFC 2018). A block that lies (partly) outside what is in flight is old, a
  /// duplicate's report, or a lie.
  mutating func hold(
    _ block: SACKBlock, unacknowledged: SequenceNumber, next: SequenceNumber, into delivery: inout Delivery
  ) {
    guard block.left < block.right, block.left > unacknowledged, block.right <= next else { return }
    var index = runs.index(after: block.left)
    while index < runs.count, runs[index].start < block.right {
      if runs[index].flags.contains(.held) {
        index &+= 1
        continue
      }
      if runs[index].start < block.left {
        if isFull { return }
        runs.split(index, at: block.left)
        index &+= 1
      }
      if runs[index].end > block.right {
        if isFull { return }
        runs.split(index, at: block.right)
      }
      let run = runs[index]
      if run.flags.contains(.lost) { lostByteCount &-= run.count }
      heldByteCount &+= run.count
      noteForward(run, &delivery)
      delivery.note(run)
      runs[index].flags.remove(.lost)
      runs[index].lossCause = nil
      runs[index].flags.insert(.held)
      index = merge(index) &+ 1
    }
  }

  /// Makes one run of the held one at `index` and its held neighbors, and returns where it is.
  private mutating func merge(_ index: Int) -> Int {
    var index = index
    if index &+ 1 < runs.count, runs[index &+ 1].flags.contains(.held) {
      runs[index].end = runs[index &+ 1].end
      runs.remove(at: index &+ 1)
    }
    if index > 0, runs[index &- 1].flags.contains(.held) {
      runs[index &- 1].end = runs[index].end
      runs.remove(at: index)
      index &-= 1
    }
    return index
  }

  // MARK: RACK

  /// Takes the newest of what was delivered (RFC 8985 section 6.2, step 2). `isOfEarlier` says that a timestamp shows the
  /// acknowledgement to be that of an earlier transmission.
  @inline(__always)
  mutating func noteNewest(_ run: SentRun, isOfEarlier: Bool, minimumRoundTrip: Nanoseconds, at now: Instant) {
    let time = now - run.sentAt
    if run.flags.contains(.resent), isOfEarlier || time < minimumRoundTrip { return }
    roundTrip = time
    if Self.isSent(run.sentAt, run.end, after: newestSentAt, newestEnd) {
      newestSentAt = run.sentAt
      newestEnd = run.end
    }
  }

  /// The acknowledgement reported a duplicate: the reordering window grows, once a round trip (step 4).
  mutating func noteDuplicateReport(unacknowledged: SequenceNumber, next: SequenceNumber) {
    if let round = duplicateRound, unacknowledged < round { return }
    duplicateRound = next
    windowFactor = windowFactor == .max ? .max : windowFactor + 1
    windowPersistence = 16
  }

  /// A recovery ended: after sixteen without a report of a duplicate the window is small again.
  mutating func noteRecoveryEnd() {
    if windowPersistence > 0 { windowPersistence -= 1 }
    if windowPersistence == 0 { windowFactor = 1 }
  }

  /// RACK_update_reo_wnd (step 4).
  private func reorderingWindow(
    minimumRoundTrip: Nanoseconds, smoothedRoundTrip: Nanoseconds, isRecovering: Bool, segmentSize: Int
  ) -> Nanoseconds {
    if !hasReordering, isRecovering || holdsEnough(segmentSize: segmentSize) { return 0 }
    guard minimumRoundTrip < .max else { return 0 }
    return min(Nanoseconds(windowFactor) &* minimumRoundTrip / 4, max(0, smoothedRoundTrip))
  }

  /// Whether what is held counts as DupThresh segments: in three runs, or more than two segments' worth of bytes.
  private func holdsEnough(segmentSize: Int) -> Bool {
    if heldByteCount > (Self.threshold - 1) * segmentSize { return true }
    var held = 0
    var index = 0
    while index < runs.count, held < Self.threshold {
      if runs[index].flags.contains(.held) { held &+= 1 }
      index &+= 1
    }
    return held >= Self.threshold
  }

  /// How long after its departure something is lost for which nothing later was delivered, when the timer runs out.
  func lateness(minimumRoundTrip: Nanoseconds) -> Nanoseconds {
    minimumRoundTrip < .max ? roundTrip &+ Nanoseconds(windowFactor) &* minimumRoundTrip / 4 : 0
  }

  /// Marks what is lost (step 5, RACK_detect_loss). Returns how many bytes that is, and how long to wait before asking again
  /// about what may only be late.
  mutating func detect(
    minimumRoundTrip: Nanoseconds, smoothedRoundTrip: Nanoseconds, isRecovering: Bool, segmentSize: Int, at now: Instant
  ) -> (lost: Int, wait: Nanoseconds) {
    let window = reorderingWindow(
      minimumRoundTrip: minimumRoundTrip, smoothedRoundTrip: smoothedRoundTrip, isRecovering: isRecovering,
      segmentSize: segmentSize)
    var lost = 0
    var wait: Nanoseconds = 0
    var index = 0
    while index < runs.count {
      let run = runs[index]
      if run.flags.isDisjoint(with: .gone) {
        if Self.isSent(newestSentAt, newestEnd, after: run.sentAt, run.end) {
          let remaining = roundTrip &+ window &- (now - run.sentAt)
          if remaining <= 0 {
            runs[index].flags.insert(.lost)
            lostByteCount &+= run.count
            lost &+= run.count
            totalLost &+= UInt64(run.count)
          } else {
            wait = max(wait, remaining)
          }
        } else if !run.flags.contains(.resent) {
          // All behind it went out later still.
          break
        }
      }
      index &+= 1
    }
    return (lost, wait)
  }

  // MARK: Loss without SACK, and time-outs

  /// Marks the first `count` bytes in flight as lost, and returns how many of them are newly so.
  @discardableResult
  mutating func markFirstLost(_ count: Int) -> Int {
    guard runs.count > 0, runs[0].flags.isDisjoint(with: .gone) else { return 0 }
    if runs[0].count > count { runs.split(0, at: runs[0].start + count) }
    runs[0].flags.insert(.lost)
    lostByteCount &+= runs[0].count
    totalLost &+= UInt64(runs[0].count)
    return runs[0].count
  }

  /// Marks everything in flight that is not held and went out `age` ago or longer as lost, to be sent once more; the first
  /// run always is (RFC 6298 (5.4), RFC 8985 section 6.3).
  mutating func markLost(olderThan age: Nanoseconds, at now: Instant) {
    var index = 0
    while index < runs.count {
      if runs[index].flags.isDisjoint(with: .gone), index == 0 || now - runs[index].sentAt >= age {
        runs[index].flags.insert(.lost)
        lostByteCount &+= runs[index].count
        totalLost &+= UInt64(runs[index].count)
      }
      index &+= 1
    }
  }

  /// Whether the peer reported the first byte in flight as held and did not acknowledge it: it let go of it (RFC 2018
  /// section 8).
  var isReneging: Bool { runs.count > 0 && runs[0].flags.contains(.held) }

  /// Forgets what the peer reported.
  mutating func forgetHeld() {
    var index = 0
    while index < runs.count {
      runs[index].flags.remove(.held)
      index &+= 1
    }
    heldByteCount = 0
  }

  /// The run at `index` counts as lost because of `cause`.
  mutating func noteCause(_ cause: TCPTraceEvent.LossCause, of index: Int) { runs[index].lossCause = cause }

  /// Nothing counts as lost any more: it was thought so in error.
  mutating func clearLost() {
    var index = 0
    while index < runs.count, lostByteCount > 0 {
      if runs[index].flags.contains(.lost) {
        runs[index].flags.remove(.lost)
        runs[index].lossCause = nil
        lostByteCount &-= runs[index].count
      }
      index &+= 1
    }
  }

  /// What was sent is taken back: nothing is in flight.
  mutating func removeAll() {
    runs.removeAll()
    heldByteCount = 0
    lostByteCount = 0
  }
}
