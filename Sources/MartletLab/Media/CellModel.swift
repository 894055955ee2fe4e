import MartletCore

/// The stations of a ``WirelessCell`` at work.
struct CellModel: MediumModel {
  enum Word: String { case data, request = "RTS", clearance = "CTS", acknowledgment = "ACK" }

  enum Item {
    case signalEnd(Int)
    /// Nobody has answered.
    case timeout(station: Int, generation: Int)
    case access(station: Int, generation: Int)
    case answer(station: Int, Answer)
  }

  struct Answer {
    var word: Word
    var to: Int
    /// How long the air is to be left alone when it is over.
    var reserved: Int64
  }

  struct Signal {
    var word: Word
    var from: Int
    var to: Int?
    var start: Int64
    var reserved: Int64
    var sequence: Int
    var isLost = false
  }

  struct Hearing {
    var signal: Int
    var isSpoiled: Bool
  }

  enum Phase: Equatable {
    /// Waits for its turn, or has nothing to send.
    case contending
    case sending
    case awaiting(Word)
    /// The air is cleared for it.
    case cleared
  }

  struct Station {
    var random: RandomStream
    var hearing: [Hearing] = []
    var sending: Int?
    /// Since when it hears nothing and says nothing.
    var idleSince: Int64 = .min / 2
    /// Whether what it heard last was not understood.
    var hasErred = false
    /// Until when others have reserved the air (NAV).
    var reservedUntil: Int64 = .min / 2
    var frame: (byteCount: Int, to: Int?)?
    var attempts = 0
    var window: Int
    /// What is left to count down; nil if nothing was drawn.
    var slots: Int?
    var phase = Phase.contending
    var accessAt: Int64?
    var generation = 0
    var timeoutGeneration = 0
    /// Time is up, but something is being heard that may be the answer.
    var isOverdue = false
    /// The signal of the current attempt.
    var attempt: Int?
    /// Whether it met another where it was meant to be heard.
    var isAttemptLost = false
    var sequence = 0
    /// By sender: the last of its frames that was understood.
    var lastHeard: [Int]
  }

  let cell: WirelessCell
  var counters: [MediumCounters]
  /// By station: whom it hears.
  let hears: [[Bool]]
  var stations: [Station]
  var agenda = MediumAgenda<Item>()
  var signals: [Int: Signal] = [:]
  var signalCount = 0
  var events: [MediumEvent] = []

  /// - Parameters:
  ///   - hears: By station, whom it hears: the same both ways.
  ///   - random: A stream for each.
  init(_ cell: WirelessCell, hears: [[Bool]], random: [RandomStream]) {
    self.cell = cell
    self.hears = hears
    stations = random.map {
      Station(random: $0, window: cell.minimumContentionWindow, lastHeard: random.map { _ in 0 })
    }
    counters = random.map { _ in MediumCounters() }
  }

  var nextDeadline: Int64? { agenda.nextTime }

  mutating func tell(_ kind: MediumEvent.Kind, at time: Int64) { events.append(MediumEvent(time: time, kind: kind)) }

  private mutating func takeEvents() -> [MediumEvent] {
    defer { events.removeAll(keepingCapacity: true) }
    return events
  }

  // MARK: Inputs

  mutating func offer(_ byteCount: Int, by station: Int, to destination: Int?, at now: Int64) -> [MediumEvent] {
    stations[station].frame = (byteCount, destination)
    stations[station].attempts = 0
    stations[station].sequence += 1
    // What begins at this very moment cannot be heard yet.
    let isBusy =
      stations[station].sending != nil || stations[station].reservedUntil > now
      || stations[station].hearing.contains { (signals[$0.signal]?.start ?? now) < now }
    if isBusy {
      giveWay(station, at: now)
    } else {
      // What was left to count down after the last frame may have passed in silence.
      if let slots = stations[station].slots, now >= begin(station) + Int64(slots) * cell.slot.inNanoseconds {
        stations[station].slots = nil
      }
      if stations[station].slots == nil, now >= begin(station) {
        access(station, at: now)
        return takeEvents()
      }
    }
    plan(station, at: now)
    return takeEvents()
  }

  mutating func withdraw(_ station: Int) {
    guard stations[station].phase == .contending else { return }
    stations[station].frame = nil
    stations[station].generation += 1
    stations[station].accessAt = nil
  }

  mutating func step() -> [MediumEvent] {
    guard let now = agenda.nextTime else { return [] }
    while let item = agenda.pop(at: now) {
      switch item {
      case .signalEnd(let signal): end(signal, at: now)
      case .timeout(let station, let generation):
        guard stations[station].timeoutGeneration == generation else { break }
        if stations[station].hearing.isEmpty { fail(station, at: now) } else { stations[station].isOverdue = true }
      case .access(let station, let generation):
        if stations[station].generation == generation { access(station, at: now) }
      case .answer(let station, let answer): self.answer(station, answer, at: now)
      }
    }
    return takeEvents()
  }

  // MARK: Waiting for a turn

  /// When the station may begin to count down, if it stays silent.
  private func begin(_ station: Int) -> Int64 {
    let one = stations[station]
    let space = one.hasErred ? cell.extendedSpace : cell.longSpace
    return max(one.idleSince + space, one.reservedUntil + cell.longSpace)
  }

  /// Counts down from a random number when the air is free.
  private mutating func draw(_ station: Int) -> Int {
    let range = UInt64(stations[station].window + 1)
    // Of 53 bits the remainder is even enough for any window.
    let slots = Int((stations[station].random.next() >> 11) % range)
    counters[station].backoffSlots += UInt64(slots)
    stations[station].slots = slots
    return slots
  }

  private mutating func giveWay(_ station: Int, at now: Int64) {
    guard stations[station].slots == nil else { return }
    counters[station].deferrals += 1
    tell(.deferred(station: station), at: now)
    tell(.backedOff(station: station, slots: draw(station)), at: now)
  }

  /// Sets when the station sends, if the air stays free.
  mutating func plan(_ station: Int, at now: Int64) {
    stations[station].generation += 1
    stations[station].accessAt = nil
    let one = stations[station]
    guard one.frame != nil, one.phase == .contending, one.sending == nil, one.hearing.isEmpty else { return }
    let time = max(now, begin(station) + Int64(one.slots ?? 0) * cell.slot.inNanoseconds)
    stations[station].accessAt = time
    agenda.add(.access(station: station, generation: one.generation), at: time, rank: 2)
  }

  /// The air around the station, free until now, is not any more.
  private mutating func freeze(_ station: Int, at now: Int64) {
    guard stations[station].hearing.isEmpty, stations[station].sending == nil else { return }
    // It sends at this very moment, too.
    if stations[station].accessAt == now { return }
    if let slots = stations[station].slots {
      let passed = max(0, now - begin(station)) / cell.slot.inNanoseconds
      stations[station].slots = slots - Int(min(Int64(slots), passed))
    }
    stations[station].generation += 1
    stations[station].accessAt = nil
    guard stations[station].frame != nil, stations[station].phase == .contending else {
      if stations[station].slots == 0 { stations[station].slots = nil }
      return
    }
    giveWay(station, at: now)
  }

  private mutating func access(_ station: Int, at now: Int64) {
    guard let frame = stations[station].frame else { return }
    stations[station].generation += 1
    stations[station].accessAt = nil
    stations[station].slots = nil
    stations[station].attempts += 1
    let needsLeave = cell.requestThreshold.map { frame.byteCount > $0 } ?? false
    if let destination = frame.to, needsLeave {
      let rest = 3 * cell.shortSpace.inNanoseconds + cell.clearanceTime + cell.time(ofFrame: frame.byteCount)
      counters[station].requests += 1
      stations[station].phase = .sending
      stations[station].attempt = nil
      send(
        .request, from: station, to: destination, time: cell.requestTime, reserved: rest + cell.acknowledgmentTime,
        at: now)
    } else {
      sendFrame(station, at: now)
    }
  }

  private mutating func sendFrame(_ station: Int, at now: Int64) {
    guard let frame = stations[station].frame else { return }
    counters[station].attempts += 1
    stations[station].phase = .sending
    stations[station].attempt = signalCount + 1
    tell(.began(station: station, signal: signalCount + 1, attempt: stations[station].attempts), at: now)
    let reserved = frame.to == nil ? 0 : cell.shortSpace.inNanoseconds + cell.acknowledgmentTime
    send(
      .data, from: station, to: frame.to, time: cell.time(ofFrame: frame.byteCount), reserved: reserved, at: now)
  }

  private mutating func answer(_ station: Int, _ answer: Answer, at now: Int64) {
    guard stations[station].sending == nil else { return }
    switch answer.word {
    case .data: if stations[station].phase == .cleared { sendFrame(station, at: now) }
    case .clearance:
      send(
        .clearance, from: station, to: answer.to, time: cell.clearanceTime, reserved: answer.reserved, at: now)
    case .acknowledgment:
      send(.acknowledgment, from: station, to: answer.to, time: cell.acknowledgmentTime, reserved: 0, at: now)
    case .request: break
    }
  }

  // MARK: Signals

  private mutating func send(
    _ word: Word, from station: Int, to destination: Int?, time: Int64, reserved: Int64, at now: Int64
  ) {
    signalCount += 1
    let signal = signalCount
    signals[signal] = Signal(
      word: word, from: station, to: destination, start: now, reserved: reserved,
      sequence: stations[station].sequence)
    if word != .data, let destination {
      tell(.control(station: station, to: destination, word: word.rawValue), at: now)
    }
    counters[station].airtime += .nanoseconds(time)
    freeze(station, at: now)
    stations[station].sending = signal
    for index in stations[station].hearing.indices { stations[station].hearing[index].isSpoiled = true }
    for other in stations.indices where other != station && hears[other][station] {
      freeze(other, at: now)
      let isSpoiled = !stations[other].hearing.isEmpty || stations[other].sending != nil
      for index in stations[other].hearing.indices { stations[other].hearing[index].isSpoiled = true }
      stations[other].hearing.append(Hearing(signal: signal, isSpoiled: isSpoiled))
    }
    agenda.add(.signalEnd(signal), at: now + time, rank: 0)
  }

  private mutating func end(_ number: Int, at now: Int64) {
    guard var signal = signals[number] else { return }
    let sender = signal.from
    stations[sender].sending = nil
    if stations[sender].hearing.isEmpty { stations[sender].idleSince = now }
    if signal.word == .data { tell(.left(station: sender, signal: number), at: now) }
    var touched = [sender]
    for other in stations.indices {
      guard let index = stations[other].hearing.firstIndex(where: { $0.signal == number }) else { continue }
      let isSpoiled = stations[other].hearing.remove(at: index).isSpoiled
      touched.append(other)
      if stations[other].hearing.isEmpty, stations[other].sending == nil { stations[other].idleSince = now }
      stations[other].hasErred = isSpoiled
      if isSpoiled {
        if signal.to == other { signal.isLost = true }
        if signal.word == .data { tell(.garbled(station: other, signal: number, start: signal.start), at: now) }
      } else {
        receive(signal, number, by: other, at: now)
      }
      if stations[other].isOverdue, stations[other].hearing.isEmpty { fail(other, at: now) }
    }
    if let destination = signal.to, !hears[destination][sender] { signal.isLost = true }
    signals[number] = signal
    switch signal.word {
    case .data where signal.to == nil: succeed(sender, at: now)
    case .data: expect(.acknowledgment, sender, at: now)
    case .request: expect(.clearance, sender, at: now)
    case .clearance, .acknowledgment: break
    }
    if signal.word == .data || signal.word == .request {
      stations[sender].isAttemptLost = signal.isLost
    }
    signals[number] = nil
    if signal.word == .data { tell(.ended(signal: number), at: now) }
    for station in touched where stations[station].accessAt == nil { plan(station, at: now) }
  }

  private mutating func expect(_ word: Word, _ station: Int, at now: Int64) {
    stations[station].phase = .awaiting(word)
    stations[station].isOverdue = false
    stations[station].timeoutGeneration += 1
    agenda.add(
      .timeout(station: station, generation: stations[station].timeoutGeneration), at: now + cell.answerTime, rank: 1)
  }

  private mutating func receive(_ signal: Signal, _ number: Int, by station: Int, at now: Int64) {
    let soon = now + cell.shortSpace.inNanoseconds
    if signal.word == .data, stations[station].lastHeard[signal.from] != signal.sequence {
      stations[station].lastHeard[signal.from] = signal.sequence
      tell(.heard(station: station, signal: number, start: signal.start), at: now)
    }
    guard signal.to == station else {
      if signal.to != nil {
        stations[station].reservedUntil = max(stations[station].reservedUntil, now + signal.reserved)
      }
      return
    }
    switch signal.word {
    case .data:
      agenda.add(
        .answer(station: station, Answer(word: .acknowledgment, to: signal.from, reserved: 0)), at: soon, rank: 2)
    case .request:
      // Whoever has been told to be silent does not answer.
      guard stations[station].reservedUntil <= now else { return }
      let reserved = signal.reserved - cell.shortSpace.inNanoseconds - cell.clearanceTime
      agenda.add(
        .answer(station: station, Answer(word: .clearance, to: signal.from, reserved: reserved)), at: soon, rank: 2)
    case .clearance:
      guard stations[station].phase == .awaiting(.clearance) else { return }
      stations[station].timeoutGeneration += 1
      stations[station].isOverdue = false
      stations[station].phase = .cleared
      agenda.add(.answer(station: station, Answer(word: .data, to: signal.from, reserved: 0)), at: soon, rank: 2)
    case .acknowledgment:
      guard stations[station].phase == .awaiting(.acknowledgment) else { return }
      succeed(station, at: now)
    }
  }

  // MARK: Outcomes

  private mutating func succeed(_ station: Int, at now: Int64) {
    stations[station].timeoutGeneration += 1
    stations[station].isOverdue = false
    counters[station].sent += 1
    counters[station].sentBytes += UInt64(stations[station].frame?.byteCount ?? 0)
    leave(station)
    tell(.sent(station: station), at: now)
  }

  /// The frame is done with; the next has to wait for a random number of slots as well.
  private mutating func leave(_ station: Int) {
    stations[station].frame = nil
    stations[station].phase = .contending
    stations[station].window = cell.minimumContentionWindow
    _ = draw(station)
  }

  private mutating func fail(_ station: Int, at now: Int64) {
    stations[station].timeoutGeneration += 1
    stations[station].isOverdue = false
    let isCollision = stations[station].isAttemptLost
    let isRequest = stations[station].attempt == nil
    if isCollision {
      counters[station].collisions += isRequest ? 0 : 1
      counters[station].requestCollisions += isRequest ? 1 : 0
    }
    tell(
      .failed(
        station: station, signal: stations[station].attempt,
        reason: isCollision ? "collision" : isRequest ? "not cleared to send" : "not acknowledged"), at: now)
    if stations[station].attempts >= cell.retryLimit {
      counters[station].drops += 1
      leave(station)
      return tell(.dropped(station: station, reason: "no answer to \(cell.retryLimit) attempts"), at: now)
    }
    stations[station].phase = .contending
    stations[station].window = min(stations[station].window * 2 + 1, cell.maximumContentionWindow)
    tell(.backedOff(station: station, slots: draw(station)), at: now)
    plan(station, at: now)
  }
}
