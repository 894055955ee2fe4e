import MartletCore

/// The stations on an ``EthernetBus`` at work.
struct BusModel: MediumModel {
  private enum Item {
    case sendEnd(station: Int, signal: Int)
    case jamEnd(station: Int, signal: Int)
    case signalEnd(station: Int, signal: Int)
    case gapEnd(station: Int, generation: Int)
    case backoffEnd(station: Int, generation: Int)
    case signalBegin(station: Int, signal: Int)
  }

  private enum Phase { case idle, waiting, backingOff, sending }

  /// What a station's deference process (section 4.2.8) makes of what it hears.
  private enum Deference: Equatable {
    case clear, busy
    /// After somebody spoke; who begins before `firstPart` is still deferred to.
    case gap(firstPart: Int64)
  }

  private struct Hearing {
    var signal: Int
    var start: Int64
    var isSpoiled: Bool
  }

  private struct Station {
    let position: Int
    var random: RandomStream
    var phase = Phase.idle
    var deference = Deference.clear
    var generation = 0
    var backoffGeneration = 0
    var byteCount = 0
    var attempts = 0
    var isDeferred = false
    var hearing: [Hearing] = []
    var signal: Int?
    var started: Int64 = 0
    var jams = false
    var isLate = false
  }

  private struct Signal {
    var isWhole = false
    var listeners: Int
  }

  let bus: EthernetBus
  var counters: [MediumCounters]
  private var stations: [Station]
  private var agenda = MediumAgenda<Item>()
  private var signals: [Int: Signal] = [:]
  private var signalCount = 0
  private var events: [MediumEvent] = []

  /// - Parameters:
  ///   - positions: Of the stations, in metres from the cable's beginning.
  ///   - random: A stream for each.
  init(_ bus: EthernetBus, positions: [Int], random: [RandomStream]) {
    self.bus = bus
    stations = positions.indices.map { Station(position: positions[$0], random: random[$0]) }
    counters = positions.map { _ in MediumCounters() }
  }

  var nextDeadline: Int64? { agenda.nextTime }

  private func distance(_ left: Int, _ right: Int) -> Int64 {
    Int64(abs(stations[left].position - stations[right].position)) * EthernetBus.nanosecondsPerMeter
  }

  private mutating func tell(_ kind: MediumEvent.Kind, at time: Int64) {
    events.append(MediumEvent(time: time, kind: kind))
  }

  private mutating func takeEvents() -> [MediumEvent] {
    defer { events.removeAll(keepingCapacity: true) }
    return events
  }

  // MARK: Inputs

  mutating func offer(_ byteCount: Int, by station: Int, to destination: Int?, at now: Int64) -> [MediumEvent] {
    stations[station].byteCount = byteCount
    stations[station].attempts = 0
    stations[station].isDeferred = false
    stations[station].phase = .waiting
    begin(station, at: now)
    return takeEvents()
  }

  mutating func withdraw(_ station: Int) {
    guard stations[station].phase == .waiting || stations[station].phase == .backingOff else { return }
    stations[station].backoffGeneration += 1
    stations[station].phase = .idle
  }

  mutating func step() -> [MediumEvent] {
    guard let now = agenda.nextTime else { return [] }
    while let item = agenda.pop(at: now) {
      switch item {
      case .sendEnd(let station, let signal):
        if stations[station].signal == signal, !stations[station].jams { endSending(station, signal, at: now) }
      case .jamEnd(let station, let signal): endSending(station, signal, at: now)
      case .signalEnd(let station, let signal): endHearing(station, signal, at: now)
      case .gapEnd(let station, let generation):
        guard stations[station].generation == generation else { break }
        stations[station].deference = stations[station].hearing.isEmpty ? .clear : .busy
        // Whoever has waited so long begins, even if somebody else has just begun.
        if stations[station].phase == .waiting { send(station, at: now) }
      case .backoffEnd(let station, let generation):
        guard stations[station].backoffGeneration == generation else { break }
        stations[station].phase = .waiting
        begin(station, at: now)
      case .signalBegin(let station, let signal): beginHearing(station, signal, at: now)
      }
    }
    return takeEvents()
  }

  // MARK: Sending

  /// Sends what waits, unless the cable has to be left alone.
  private mutating func begin(_ station: Int, at now: Int64) {
    guard stations[station].deference == .clear else {
      if !stations[station].isDeferred {
        stations[station].isDeferred = true
        counters[station].deferrals += 1
        tell(.deferred(station: station), at: now)
      }
      return
    }
    send(station, at: now)
  }

  private mutating func send(_ station: Int, at now: Int64) {
    signalCount += 1
    let signal = signalCount
    signals[signal] = Signal(listeners: stations.count - 1)
    stations[station].signal = signal
    stations[station].started = now
    stations[station].jams = false
    stations[station].phase = .sending
    stations[station].deference = .busy
    stations[station].generation += 1
    stations[station].attempts += 1
    counters[station].attempts += 1
    tell(.began(station: station, signal: signal, attempt: stations[station].attempts), at: now)
    let end = now + bus.time(ofFrame: stations[station].byteCount)
    agenda.add(.sendEnd(station: station, signal: signal), at: end, rank: 0)
    for other in stations.indices where other != station {
      agenda.add(.signalBegin(station: other, signal: signal), at: now + distance(station, other), rank: 2)
    }
    guard !stations[station].hearing.isEmpty else { return }
    for index in stations[station].hearing.indices { stations[station].hearing[index].isSpoiled = true }
    collide(station, at: now)
  }

  /// Another is heard: after the preamble, which is always sent whole, the jam follows.
  private mutating func collide(_ station: Int, at now: Int64) {
    guard let old = stations[station].signal, !stations[station].jams else { return }
    let started = stations[station].started
    stations[station].jams = true
    stations[station].isLate = now - started > bus.time(bits: EthernetBus.slotBits)
    counters[station].collisions += 1
    if stations[station].isLate { counters[station].lateCollisions += 1 }
    tell(
      .failed(station: station, signal: old, reason: stations[station].isLate ? "late collision" : "collision"), at: now
    )
    let end = max(now, started + bus.time(bits: EthernetBus.preambleBits)) + bus.time(bits: EthernetBus.jamBits)
    agenda.add(.jamEnd(station: station, signal: old), at: end, rank: 0)
  }

  private mutating func endSending(_ station: Int, _ signal: Int, at now: Int64) {
    let jammed = stations[station].jams
    counters[station].airtime += .nanoseconds(now - stations[station].started)
    stations[station].signal = nil
    signals[signal]?.isWhole = !jammed
    for other in stations.indices where other != station {
      agenda.add(.signalEnd(station: other, signal: signal), at: now + distance(station, other), rank: 0)
    }
    if stations.count == 1 { forget(signal, at: now) }
    if stations[station].hearing.isEmpty { beginGap(station, at: now) }
    guard jammed else {
      counters[station].sent += 1
      counters[station].sentBytes += UInt64(stations[station].byteCount)
      stations[station].phase = .idle
      tell(.left(station: station, signal: signal), at: now)
      return tell(.sent(station: station), at: now)
    }
    let attempts = stations[station].attempts
    if stations[station].isLate || attempts >= bus.attemptLimit {
      counters[station].drops += 1
      stations[station].phase = .idle
      return tell(
        .dropped(
          station: station, reason: stations[station].isLate ? "late collision" : "\(attempts) collisions in a row"),
        at: now)
    }
    let range = UInt64(1) << UInt64(min(attempts, EthernetBus.backoffLimit))
    // The range is a power of two: its low bits are evenly spread.
    let slots = Int(stations[station].random.next() >> 11 & (range - 1))
    counters[station].backoffSlots += UInt64(slots)
    tell(.backedOff(station: station, slots: slots), at: now)
    stations[station].phase = .backingOff
    stations[station].backoffGeneration += 1
    agenda.add(
      .backoffEnd(station: station, generation: stations[station].backoffGeneration),
      at: now + Int64(slots) * bus.time(bits: EthernetBus.slotBits), rank: 1)
  }

  private mutating func beginGap(_ station: Int, at now: Int64) {
    let gap = bus.time(bits: EthernetBus.interframeGapBits)
    stations[station].generation += 1
    stations[station].deference = .gap(firstPart: now + gap * 2 / 3)
    agenda.add(.gapEnd(station: station, generation: stations[station].generation), at: now + gap, rank: 1)
  }

  // MARK: Hearing

  private mutating func beginHearing(_ station: Int, _ signal: Int, at now: Int64) {
    let isSpoiled = !stations[station].hearing.isEmpty || stations[station].signal != nil
    for index in stations[station].hearing.indices { stations[station].hearing[index].isSpoiled = true }
    stations[station].hearing.append(Hearing(signal: signal, start: now, isSpoiled: isSpoiled))
    switch stations[station].deference {
    case .clear: stations[station].deference = .busy
    case .gap(let firstPart) where now < firstPart:
      stations[station].deference = .busy
      stations[station].generation += 1
    case .gap, .busy: break
    }
    if stations[station].signal != nil { collide(station, at: now) }
  }

  private mutating func endHearing(_ station: Int, _ signal: Int, at now: Int64) {
    guard let index = stations[station].hearing.firstIndex(where: { $0.signal == signal }) else { return }
    let hearing = stations[station].hearing.remove(at: index)
    if signals[signal]?.isWhole == true {
      tell(
        hearing.isSpoiled
          ? .garbled(station: station, signal: signal, start: hearing.start)
          : .heard(station: station, signal: signal, start: hearing.start), at: now)
    }
    signals[signal]?.listeners -= 1
    if signals[signal]?.listeners == 0 { forget(signal, at: now) }
    if stations[station].hearing.isEmpty, stations[station].signal == nil, stations[station].deference == .busy {
      beginGap(station, at: now)
    }
  }

  private mutating func forget(_ signal: Int, at now: Int64) {
    signals[signal] = nil
    tell(.ended(signal: signal), at: now)
  }
}
