import MartletWire

/// The sender's view, recorded while somebody wants it. Each place where something happens asks `trace.isPresent` first.
extension TCPConnection {
  /// Records from now on, in place of what was recorded before.
  package mutating func startTrace(capacity: Int, at now: Instant) {
    isCalm = false
    trace.put(
      TCPTraceRing(capacity: capacity, initialSend: initialSend, unacknowledged: sendUnacknowledged, at: now))
    if sender.isPresent { trace.value.phase = sender.value.congestion.growthPhase }
  }

  /// What was recorded since the last time; nil if nothing is being recorded.
  package mutating func takeTrace() -> TCPTrace? { trace.isPresent ? trace.value.take() : nil }

  /// Records no more, and gives the memory back.
  package mutating func stopTrace() { trace.drop() }

  /// Records `kind` with what holds now; the time is `now`, or that of the event before.
  @inline(never)
  mutating func record(_ kind: TCPTraceEvent.Kind, at now: Instant? = nil) {
    if let now { trace.value.now = now }
    let unacknowledged = trace.value.place(of: sendUnacknowledged)
    let edge = unacknowledged + max(0, sendWindowAcknowledgment - sendUnacknowledged) + Int(sendWindow)
    var event = TCPTraceEvent(
      time: trace.value.now, kind: kind, unacknowledged: unacknowledged, windowEdge: edge, congestionWindow: 0,
      slowStartThreshold: 0, bytesInFlight: UInt32(clamping: sendNext - sendUnacknowledged), pacingRate: pacingRate)
    noteWindows(in: &event)
    trace.value.append(event)
  }

  @inline(__always)
  private func noteWindows(in event: inout TCPTraceEvent) {
    guard sender.isPresent else { return }
    event.congestionWindow = UInt32(clamping: sender.value.congestion.window)
    event.slowStartThreshold = UInt32(clamping: sender.value.congestion.threshold)
    event.bytesInFlight = UInt32(clamping: flightInNetwork)
    event.pacingRate = pacingRate
  }

  private mutating func bytes(from start: SequenceNumber, count: Int) -> TCPTraceEvent.Bytes {
    let place = trace.value.place(of: start)
    return TCPTraceEvent.Bytes(place, place + count)
  }

  // MARK: Sent

  /// `count` numbers from `start` on went out for the first time, or in place of a probe that was taken back.
  @inline(never)
  mutating func recordSent(from start: SequenceNumber, count: Int, size: Int, at now: Instant) {
    let reason: TCPTraceEvent.SendReason =
      timers.purpose == .persist ? .windowProbe : size > Int(segmentSize) ? .pathProbe : .new
    record(.sent(bytes(from: start, count: count), reason), at: now)
  }

  /// The SYN or a bare FIN, at `start`, went out.
  @inline(never)
  mutating func recordControl(from start: SequenceNumber, count: Int, isAgain: Bool, at now: Instant) {
    record(.sent(bytes(from: start, count: count), isAgain ? .timeout : .new), at: now)
  }

  /// The first `count` numbers of what `run` was before went out again.
  @inline(never)
  mutating func recordResent(_ run: SentRun, count: Int, at now: Instant) {
    let reason = run.lossCause?.sendReason ?? (sender.value.recovery.phase == .timeout ? .timeout : .reordering)
    record(.sent(bytes(from: run.start, count: count), reason), at: now)
  }

  /// What went out last was a tail-loss probe.
  @inline(never)
  mutating func recordLossProbe() {
    guard sender.value.probe.isOutstanding, case .sent(let bytes, _) = trace.value.last?.kind else { return }
    trace.value.last?.kind = .sent(bytes, .tailLossProbe)
  }

  // MARK: Acknowledged

  /// The peer says that it holds `block`, which may be old news.
  @inline(never)
  mutating func recordHeld(_ block: SACKBlock, unacknowledged: SequenceNumber, at now: Instant) {
    guard block.left < block.right, block.left > unacknowledged, block.right <= sendNext else { return }
    let index = sender.value.losses.runs.index(after: block.left)
    if index < sender.value.losses.runs.count {
      let run = sender.value.losses.runs[index]
      if run.flags.contains(.held), run.start <= block.left, run.end >= block.right { return }
    }
    record(.held(bytes(from: block.left, count: block.right - block.left)), at: now)
  }

  /// An acknowledgement that says something new.
  @inline(never)
  mutating func recordAcknowledgment(
    _ delivery: LossDetection.Delivery, of number: SequenceNumber, duplicate: SACKBlock?, at now: Instant
  ) {
    if let duplicate {
      record(.duplicate(bytes(from: duplicate.left, count: duplicate.right - duplicate.left)), at: now)
    }
    let roundTrip = TCPTraceEvent.RoundTrip(nanoseconds: delivery.firstOriginalAt.map { now - $0 } ?? -1)
    let place = trace.value.place(of: number)
    record(.acknowledged(place, delivered: delivery.count, roundTrip: roundTrip), at: now)
  }

  // MARK: Lost

  /// Tells of what counts as lost and was not told of; `cause` is why.
  @inline(never)
  mutating func recordLosses(_ cause: TCPTraceEvent.LossCause, at now: Instant) {
    guard sender.isPresent else { return }
    var index = 0
    while index < sender.value.losses.runs.count {
      let run = sender.value.losses.runs[index]
      if run.flags.contains(.lost), run.lossCause == nil {
        sender.value.losses.noteCause(cause, of: index)
        record(.lost(bytes(from: run.start, count: run.count), cause), at: now)
      }
      index &+= 1
    }
  }

  /// The retransmission timer ran out.
  @inline(never)
  mutating func recordTimeout(at now: Instant) {
    record(.timedOut(Int(timeouts)), at: now)
    recordLosses(.timeout, at: now)
  }

  /// What shows that the recovery under way was needless.
  @inline(__always)
  func undoReason(_ report: Report, duplicate: SACKBlock?) -> TCPTraceEvent.UndoReason {
    if duplicate != nil, sender.value.recovery.isAllReported { return .duplicates }
    if flags.contains(.timestamps), let echo = report.echo,
      sender.value.recovery.isOfFirstTransmission(echo: echo)
    {
      return .timestamp
    }
    return .forwardTimeout
  }

  /// An acknowledgement was dealt with: what it left is noted with it, and a change in how the window grows told.
  @inline(never)
  mutating func recordOutcome(at now: Instant) {
    guard sender.isPresent else { return }
    if var event = trace.value.last, case .acknowledged = event.kind {
      noteWindows(in: &event)
      trace.value.last = event
    }
    let phase = sender.value.congestion.growthPhase
    guard trace.value.phase != phase else { return }
    let isFirst = trace.value.phase == nil
    trace.value.phase = phase
    if !isFirst || phase != .slowStart { record(.phase(phase), at: now) }
  }
}
