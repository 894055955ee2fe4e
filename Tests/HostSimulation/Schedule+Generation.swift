import MartletCore

extension Schedule {
  /// The schedule of a seed.
  public static func generated(seed: UInt64) -> Schedule {
    var generator = ScheduleGenerator(seed: seed)
    return generator.schedule()
  }
}

/// Draws schedules: each seed gets a network of its own temper, so that some are nearly well and some nearly hopeless.
struct ScheduleGenerator {
  private typealias Side = Schedule.Side
  private typealias Event = Schedule.Event

  private var random: RandomStream
  private let seed: UInt64
  /// Faults befall the first packets only: past them the network is sound, so that everything can end.
  private static let faultHorizon = 2_500
  /// A peer backs off twofold each time: more losses in a row than these and even a patient one gives up.
  private static let longestBurst = 8

  init(seed: UInt64) {
    self.seed = seed
    random = RandomStream(seed: seed, forkedFor: "schedule")
  }

  private mutating func chance(_ p: Double) -> Bool { Double.random(in: 0..<1, using: &random) < p }
  private mutating func int(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }

  /// A number whose size, not whose value, is drawn evenly: as many below 100 as between 1,000 and 100,000.
  private mutating func magnitude(_ range: ClosedRange<Int>) -> Int {
    let lowest = Self.bits(range.lowerBound)
    let bits = int(lowest...Self.bits(range.upperBound))
    let value = bits == 0 ? 0 : int(1 << (bits - 1)...(1 << bits) - 1)
    return min(max(value, range.lowerBound), range.upperBound)
  }

  private static func bits(_ value: Int) -> Int { Int.bitWidth - value.leadingZeroBitCount }

  mutating func schedule() -> Schedule {
    var schedule = Schedule(seed: seed)
    let isPartitioned = chance(0.05)
    let isRude = chance(0.15)
    var plans: [ConnectionPlan] = []
    for id in 0..<(chance(0.4) ? 1 : int(2...6)) { plans.append(plan(id)) }
    for side in Side.allCases {
      schedule.hosts[side.rawValue] = host(isPatient: !isPartitioned, probes: isPartitioned || isRude)
      schedule.lanes[side.rawValue] = lane()
    }
    if chance(0.5) { schedule.lanes[1] = schedule.lanes[0] }
    for plan in plans {
      schedule.events.append(.connection(plan))
      for side in Side.allCases { program(of: plan.id, side, isRude: isRude, into: &schedule.events) }
    }
    weather(isPartitioned: isPartitioned, hasIPv6: plans.contains { $0.isIPv6 }, into: &schedule.events)
    for side in Side.allCases { faults(side, into: &schedule.events) }
    return schedule
  }

  private mutating func plan(_ id: Int) -> ConnectionPlan {
    var plan = ConnectionPlan(id: id)
    plan.opener = chance(0.7) ? .a : .b
    plan.isIPv6 = chance(0.5)
    plan.start = id == 0 || chance(0.4) ? 0 : magnitude(0...3_000_000)
    plan.isSimultaneous = chance(0.08)
    plan.writesEarly = chance(0.3)
    return plan
  }

  private mutating func host(isPatient: Bool, probes: Bool) -> HostSetup {
    var host = HostSetup()
    if chance(0.4) { host.mtu = [1_280, 1_400, 1_500, 4_000, 9_000][int(0...4)] }
    if chance(0.4) { host.offload = chance(0.5) ? .whole : .split }
    host.sendBuffer = magnitude(1_500...1_048_576)
    host.receiveBuffer = magnitude(1_500...1_048_576)
    host.timestamps = chance(0.7)
    host.selective = chance(0.7)
    host.scaling = chance(0.7)
    host.noDelay = chance(0.3)
    if chance(0.2) { host.reassemblyPieces = int(1...8) }
    if chance(0.1) { host.synQueue = int(0...1) }
    if chance(0.3) { host.backlog = int(1...2) }
    if chance(0.3) { host.acceptDelay = magnitude(0...2_000_000) }
    if chance(0.5) { host.thinkTime = magnitude(0...50_000) }
    if !isPatient { host.userTimeout = int(20...120) }
    // Somebody who was left alone finds out by asking.
    if probes || chance(0.1) { host.keepAlive = int(5...60) }
    return host
  }

  private mutating func lane() -> LaneSetup {
    var lane = LaneSetup()
    lane.delay = magnitude(10...150_000)
    if chance(0.3) { lane.jitter = magnitude(0...50_000) }
    if chance(0.3) {
      lane.rate = magnitude(300_000...1_000_000_000)
      lane.queue = magnitude(20_000...500_000)
    }
    return lane
  }

  private mutating func program(of id: Int, _ side: Side, isRude: Bool, into events: inout [Event]) {
    func add(_ action: Action) { events.append(.action(connection: id, side, action)) }
    let isChatty = chance(0.2)
    for _ in 0..<(chance(0.15) ? 0 : chance(0.1) ? int(20...60) : int(1...10)) {
      if chance(0.25) { add(.pauseWriting(magnitude(0...chanceOfLongPause()))) }
      if chance(0.06) { add(.cork(chance(0.6))) }
      if chance(0.06) { add(.noDelay(chance(0.5))) }
      add(.write(isChatty ? int(1...300) : magnitude(1...65_536), bySlice: chance(0.3)))
    }
    if chance(0.3) { add(.pauseWriting(magnitude(0...3_000_000))) }
    if chance(0.2) { add(.shutdown) }
    for _ in 0..<(chance(0.4) ? 0 : int(1...5)) {
      if chance(0.4) { add(.pauseReading(magnitude(0...chanceOfLongPause()))) }
      add(.read(magnitude(1...100_000), by: magnitude(1...65_536)))
    }
    // A reader that does not read for long, and then does.
    if chance(0.1) { add(.pauseReading(int(1_000_000...90_000_000))) }
    if isRude, chance(0.5) { insertRudeness(id, side, into: &events) }
  }

  private mutating func chanceOfLongPause() -> Int { chance(0.1) ? 20_000_000 : 1_000_000 }

  private mutating func insertRudeness(_ id: Int, _ side: Side, into events: inout [Event]) {
    let mine = events.indices.filter { index in
      if case .action(id, side, _) = events[index] { true } else { false }
    }
    let place = mine.isEmpty ? events.count : mine[int(0...mine.count - 1)]
    events.insert(.action(connection: id, side, chance(0.5) ? .abort : .letGo), at: place)
  }

  private mutating func weather(isPartitioned: Bool, hasIPv6: Bool, into events: inout [Event]) {
    if chance(0.25) {
      for _ in 0..<int(1...2) {
        let side: Side? = chance(0.5) ? nil : chance(0.5) ? .a : .b
        events.append(.outage(side, at: magnitude(0...4_000_000), for: 1_000_000))
      }
    }
    if chance(0.05) { events.append(.outage(nil, at: magnitude(0...3_000_000), for: int(2_000_000...30_000_000))) }
    if isPartitioned {
      events.append(.outage(nil, at: magnitude(0...3_000_000), for: int(60_000_000...600_000_000)))
    }
    if chance(0.25) {
      // Nothing finds a black hole yet, so that those come to an end.
      let mtu = hasIPv6 ? int(1_280...1_499) : int(576...1_499)
      let reported = chance(0.6)
      events.append(
        .pathMTU(
          mtu, reported: reported, at: magnitude(0...2_000_000),
          for: reported ? magnitude(100_000...1_000_000_000) : magnitude(100_000...8_000_000)))
    }
  }

  private mutating func faults(_ side: Side, into events: inout [Event]) {
    if chance(0.05) { return }
    let loss = chance(0.5) ? Double.random(in: 0..<0.12, using: &random) : 0
    let isBursty = chance(0.3)
    // Gilbert and Elliott: a good and a bad state, and the chance to go from one to the other with each packet.
    let toBad = Double.random(in: 0.002..<0.05, using: &random)
    let toGood = Double.random(in: 0.15..<0.7, using: &random)
    let badLoss = Double.random(in: 0.4..<1, using: &random)
    let duplication = chance(0.35) ? Double.random(in: 0..<0.1, using: &random) : 0
    let lateness = chance(0.45) ? Double.random(in: 0..<0.25, using: &random) : 0
    let latest = magnitude(100...200_000)
    let corruption = chance(0.35) ? Double.random(in: 0..<0.05, using: &random) : 0
    let clamping = chance(0.15) ? Double.random(in: 0..<0.05, using: &random) : 0
    var isBad = false
    var inARow = 0
    for packet in 0..<Self.faultHorizon {
      func add(_ fault: Fault) { events.append(.fault(side, packet: packet, fault)) }
      if isBursty { isBad = isBad ? !chance(toGood) : chance(toBad) }
      if inARow < Self.longestBurst {
        if isBad && chance(badLoss) {
          add(.burstDrop)
          inARow += 1
          continue
        }
        if chance(loss) {
          add(.drop)
          inARow += 1
          continue
        }
        if chance(corruption) {
          let bits = chance(0.5) ? 1 : int(2...15)
          let pattern = UInt16(1) | (bits == 1 ? 0 : UInt16(1) << UInt16(bits - 1) | UInt16(int(0...(1 << bits) - 1)))
          // Mostly in the headers of small and in the payload of large packets.
          add(.corrupt(at: int(0...12_000), pattern: pattern))
          inARow += 1
          continue
        }
      }
      inARow = 0
      if chance(clamping) { add(.clampWindow(chance(0.5) ? 0 : magnitude(0...65_535))) }
      if chance(duplication) { add(.duplicate(after: magnitude(0...latest))) }
      if chance(lateness) { add(.late(magnitude(1...latest))) }
    }
  }
}
