/// Cuts a schedule down to one that still breaks the same rule.
public struct Shrinker {
  private let tamper: Tamper?
  private let rule: SimulationFailure.Rule
  /// The smallest schedule found so far, and what is wrong with it.
  public private(set) var schedule: Schedule
  public private(set) var failure: SimulationFailure
  public private(set) var runs = 0
  private let mostRuns: Int
  private let progress: ((Shrinker) -> Void)?

  /// Nil if `schedule` does not fail.
  public init?(
    _ schedule: Schedule, tamper: Tamper? = nil, mostRuns: Int = 5_000, progress: ((Shrinker) -> Void)? = nil
  ) {
    guard let failure = Simulation.run(schedule, tamper: tamper).failure else { return nil }
    self.schedule = schedule
    self.failure = failure
    self.tamper = tamper
    self.mostRuns = mostRuns
    self.progress = progress
    rule = failure.rule
  }

  /// Shrinks as far as it can.
  public mutating func shrink() {
    var before: Schedule
    repeat {
      before = schedule
      removeConnections()
      removeEvents()
      simplifySetup()
      simplifyEvents()
    } while schedule != before && runs < mostRuns
  }

  /// Takes `candidate` if it fails in the same way.
  private mutating func accept(_ candidate: Schedule) -> Bool {
    guard candidate != schedule, runs < mostRuns else { return false }
    runs += 1
    guard let failure = Simulation.run(candidate, tamper: tamper).failure, failure.rule == rule else { return false }
    schedule = candidate
    self.failure = failure
    progress?(self)
    return true
  }

  /// Whole connections, with all that their programs do.
  private mutating func removeConnections() {
    for plan in schedule.plans where schedule.plans.count > 1 {
      var candidate = schedule
      candidate.events.removeAll { event in
        switch event {
        case .connection(let other): other.id == plan.id
        case .action(let id, _, _): id == plan.id
        default: false
        }
      }
      _ = accept(candidate)
    }
  }

  /// Zeller's ddmin: ever smaller parts are left out.
  private mutating func removeEvents() {
    var parts = 2
    while runs < mostRuns {
      let count = schedule.events.count
      let size = max(1, count / parts)
      var hasShrunk = false
      // From the end: what comes later mostly matters less.
      var end = count
      while end > 0, runs < mostRuns {
        let start = max(0, end - size)
        var candidate = schedule
        candidate.events.removeSubrange(start..<end)
        if accept(candidate) { hasShrunk = true }
        end = start
      }
      if size == 1 && !hasShrunk { return }
      parts = hasShrunk && size > 1 ? max(2, parts - 1) : min(max(2, schedule.events.count), parts * 2)
    }
  }

  /// What differs from the default becomes the default.
  private mutating func simplifySetup() {
    let plainHost = HostSetup()
    let plainLane = LaneSetup()
    for index in schedule.hosts.indices {
      var candidate = schedule
      candidate.hosts[index] = plainHost
      if accept(candidate) { continue }
      for (_, path) in HostSetup.numbers {
        candidate = schedule
        candidate.hosts[index][keyPath: path] = plainHost[keyPath: path]
        _ = accept(candidate)
      }
      for (_, path) in HostSetup.switches {
        candidate = schedule
        candidate.hosts[index][keyPath: path] = plainHost[keyPath: path]
        _ = accept(candidate)
      }
      candidate = schedule
      candidate.hosts[index].offload = plainHost.offload
      _ = accept(candidate)
    }
    for index in schedule.lanes.indices {
      for (_, path) in LaneSetup.numbers {
        var candidate = schedule
        candidate.lanes[index][keyPath: path] = plainLane[keyPath: path]
        _ = accept(candidate)
      }
    }
  }

  /// Smaller numbers in what is left.
  private mutating func simplifyEvents() {
    var index = 0
    while index < schedule.events.count {
      var simpler = Self.simpler(schedule.events[index])
      while let event = simpler {
        var candidate = schedule
        candidate.events[index] = event
        simpler = accept(candidate) ? Self.simpler(event) : nil
      }
      index += 1
    }
  }

  private static func simpler(_ event: Schedule.Event) -> Schedule.Event? {
    switch event {
    case .action(let id, let side, .write(let count, let bySlice)) where count > 1 || bySlice:
      bySlice
        ? .action(connection: id, side, .write(count, bySlice: false))
        : .action(connection: id, side, .write(count / 2, bySlice: false))
    case .action(let id, let side, .read(let count, let by)) where count > 1:
      .action(connection: id, side, .read(count / 2, by: by))
    case .connection(var plan) where plan.start > 0 || plan.isSimultaneous || plan.writesEarly:
      {
        if plan.start > 0 {
          plan.start = 0
        } else if plan.isSimultaneous {
          plan.isSimultaneous = false
        } else {
          plan.writesEarly = false
        }
        return .connection(plan)
      }()
    default: nil
    }
  }
}
