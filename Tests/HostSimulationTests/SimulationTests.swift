import HostSimulation
import Testing

@Suite("Model check")
struct SimulationTests {
  @Test("Whatever the network and the programs do, every byte arrives once and in order, and everything ends")
  func seeds() {
    var total = SimulationReport()
    for seed in 0..<200 as Range<UInt64> {
      let report = Simulation.run(.generated(seed: seed))
      if let failure = report.failure { Issue.record("seed \(seed): \(failure)") }
      total.add(report)
    }
    // A network that does nothing to packets passes everything.
    for kind in FaultCounts.Kind.allCases { #expect(total.faults[kind] > 0, "\(kind.name)") }
    #expect(total.packets > 20_000)
    #expect(total.bytes > 5_000_000)
    #expect(total.finished > 200)
    #expect(total.broken > 10)
  }

  @Test("A schedule has one outcome")
  func deterministic() {
    for seed in [3, 17, 40] as [UInt64] {
      let schedule = Schedule.generated(seed: seed)
      #expect(schedule == .generated(seed: seed))
      #expect(Simulation.run(schedule) == Simulation.run(schedule))
    }
  }

  @Test("A schedule's text reads back as the schedule")
  func text() throws {
    for seed in 0..<50 as Range<UInt64> {
      let schedule = Schedule.generated(seed: seed)
      #expect(try Schedule(text: schedule.description) == schedule)
    }
  }

  @Test(
    "A line that no schedule has is refused",
    arguments: ["host c", "packet a>b 3 vanish", "outage both at 3 for 1s", "program 0 a read 5 by 0", "mtu 500 at 1s"])
  func refusesText(line: String) {
    #expect(throws: Schedule.TextError.self) { try Schedule(text: "seed 1\n\(line)\n") }
  }
}

/// A model check that finds nothing wrong proves nothing unless it finds what is wrong.
@Suite("Model check: mutants are found")
struct MutantTests {
  private static let network = 14

  /// The flags of a frame's TCP segment over IPv4, and where its header and payload begin.
  private static func segment(in bytes: [UInt8]) -> (header: Int, payload: Int)? {
    guard bytes.count > network + 40, bytes[12] == 8, bytes[13] == 0, bytes[network + 9] == 6 else { return nil }
    let header = network + Int(bytes[network] & 0xf) * 4
    return (header, header + Int(bytes[header + 12] >> 4) * 4)
  }

  /// A long transfer both ways over a network that loses a little, with much that has nothing to do with what is wrong.
  private static func schedule(seed: UInt64) -> Schedule {
    var schedule = Schedule.generated(seed: seed)
    schedule.events.removeAll { event in
      switch event {
      case .connection: true
      case .action(_, _, let action): action == .letGo || action == .abort
      default: false
      }
    }
    schedule.hosts = [HostSetup(), HostSetup()]
    schedule.events.insert(.connection(ConnectionPlan(id: 0)), at: 0)
    for side in Schedule.Side.allCases {
      for count in [4_000, 1, 700] {
        schedule.events.append(.action(connection: 0, side, .write(count, bySlice: false)))
      }
    }
    return schedule
  }

  private func expectFound(
    _ rule: SimulationFailure.Rule, _ tamper: @escaping Tamper, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let schedule = Self.schedule(seed: 5)
    #expect(Simulation.run(schedule).failure == nil, sourceLocation: sourceLocation)
    var shrinker = try #require(Shrinker(schedule, tamper: tamper), sourceLocation: sourceLocation)
    shrinker.shrink()
    #expect(shrinker.failure.rule == rule, sourceLocation: sourceLocation)
    #expect(shrinker.schedule.events.count <= 10, "\(shrinker.schedule)", sourceLocation: sourceLocation)
    #expect(
      Simulation.run(shrinker.schedule, tamper: tamper).failure == shrinker.failure, sourceLocation: sourceLocation)
    #expect(Simulation.run(shrinker.schedule).failure == nil, sourceLocation: sourceLocation)
  }

  @Test("A host that changes two bytes so that the checksum stays right")
  func wrongPayload() throws {
    try expectFound(.content) { side, bytes in
      guard side == .a, let (_, payload) = Self.segment(in: bytes), bytes.count >= payload + 8,
        bytes[payload] != bytes[payload + 2]
      else { return true }
      bytes.swapAt(payload, payload + 2)
      return true
    }
  }

  @Test("A host that says no FIN")
  func noFIN() throws {
    try expectFound(.failed) { side, bytes in
      guard side == .b, let (header, _) = Self.segment(in: bytes) else { return true }
      return bytes[header + 13] & 1 == 0
    }
  }

  @Test("A host that acknowledges what it has not")
  func eagerAcknowledgment() throws {
    try expectFound(.sequence) { side, bytes in
      guard side == .b, let (header, _) = Self.segment(in: bytes), bytes[header + 13] & 2 == 0 else { return true }
      let low = UInt16(bytes[header + 10]) << 8 | UInt16(bytes[header + 11])
      Self.store(low &+ 1, at: header + 10, in: &bytes, header)
      return true
    }
  }

  /// Changes a 16-bit field of a TCP header, and the checksum with it (RFC 1624).
  private static func store(_ value: UInt16, at offset: Int, in bytes: inout [UInt8], _ header: Int) {
    let old = UInt32(bytes[offset]) << 8 | UInt32(bytes[offset + 1])
    let checksum = UInt32(bytes[header + 16]) << 8 | UInt32(bytes[header + 17])
    var sum = (~checksum & 0xffff) + (~old & 0xffff) + UInt32(value)
    sum = (sum & 0xffff) + sum >> 16
    sum = ~((sum & 0xffff) + sum >> 16) & 0xffff
    bytes[offset] = UInt8(value >> 8)
    bytes[offset + 1] = UInt8(value & 0xff)
    bytes[header + 16] = UInt8(sum >> 8)
    bytes[header + 17] = UInt8(sum & 0xff)
  }
}
