@testable import Martlet
import MartletCore
import MartletWire
import Synchronization
import Testing

@testable import MartletLab

@Suite("Machines whose clocks are wrong")
struct MachineTimeTests {
  private func pair(
    _ clock: ClockFault, seed: UInt64 = 1, schedule: [WorldDescription.ScheduledFault] = []
  ) throws -> (world: World, left: VirtualHost, right: VirtualHost) {
    var description = WorldDescription("pair", seed: seed)
    description.host("left")
    description.host("right") { $0.clock = clock }
    description.wire("left", "right", LinkDirection(delay: .milliseconds(1)), name: "line")
    description.schedule = schedule
    let world = try World(description)
    return (world, try world.host("left"), try world.host("right"))
  }

  @Test("A skewed clock is ahead in the calendar and nowhere else")
  func skew() throws {
    let (world, left, right) = try pair(ClockFault(skew: .seconds(3)))
    let readings = try world.runAndWait { () -> [Int64] in
      try await right.clock.sleep(for: .seconds(10))
      return [
        left.timeOfDay, right.timeOfDay, left.clock.now.nanoseconds, right.clock.now.nanoseconds,
        world.clock.now.nanoseconds,
      ]
    }
    let ten: Int64 = 10_000_000_000
    #expect(readings == [Loop.virtualEpoch + ten, Loop.virtualEpoch + ten + 3_000_000_000, ten, ten, ten])
    let recording = world.finish()
    #expect(recording.events.contains { $0.kind == "fault" && $0.text == "right has a wrong clock: 3 s ahead" })
    #expect(recording.nodes[1].faults == "its clock is 3 s ahead")
  }

  @Test(
    "A program's sleep and time-out take as long as its host's clock says",
    arguments: [(100_000.0, 9_090_909_091), (-500_000.0, 20_000_000_000), (50.0, 9_999_500_025), (0.0, 10_000_000_000)]
  )
  func drift(partsPerMillion: Double, nanoseconds: Int64) throws {
    let (world, _, right) = try pair(ClockFault(drift: partsPerMillion))
    let times = try world.runAndWait { () -> [Int64] in
      try await right.clock.sleep(for: .seconds(10))
      var times = [world.clock.now.nanoseconds]
      #expect(right.clock.now.nanoseconds >= 10_000_000_000)
      #expect(right.clock.now.nanoseconds <= 10_000_000_001)
      let start = world.clock.now
      let deadline = right.clock.now.advanced(by: .seconds(10))
      try await Task.sleep(until: deadline, clock: right.clock)
      times.append(start.duration(to: world.clock.now).inNanoseconds)
      do {
        let clock = world.clock
        try await right.withTimeout(.seconds(10)) { try await clock.sleep(for: .seconds(1_000)) }
        Issue.record("nothing cut it off")
      } catch let error as SocketError { #expect(error == .timedOut(after: .seconds(10))) }
      times.append(world.clock.now.nanoseconds)
      return times
    }
    #expect(times[0] == nanoseconds)
    #expect(abs(times[1] - nanoseconds) <= 1)
    #expect(abs(times[2] - 3 * nanoseconds) <= 3)
  }

  @Test("A stack's timers follow its host's clock: the first retransmission of a SYN is due after a second of it")
  func stackTimers() throws {
    func gap(_ drift: Double) throws -> Int64 {
      let (world, left, right) = try pair(ClockFault(drift: drift))
      try world.runAndWait {
        _ = try await right.ping(try world.address(of: "left"))
        try world.apply(.down(link: "line"))
        let target = SocketAddress(try world.address(of: "left"), port: 80)
        _ = try? await right.withTimeout(.seconds(2)) { try await right.connect(to: target) }
        _ = left
      }
      let recording = world.finish()
      let attempts = recording.frames.filter { recording.view($0).protocol == .tcp }.map(\.queued)
      try #require(attempts.count == 2)
      return attempts[1] - attempts[0]
    }
    #expect(try gap(0) == 1_000_000_000)
    #expect(try gap(1_000_000) == 500_000_000)
    #expect(try gap(-500_000) == 2_000_000_000)
  }

  @Test("A round trip is measured by the clock of the host that measures")
  func roundTrip() throws {
    let (world, left, right) = try pair(ClockFault(drift: 250_000))
    let times = try world.runAndWait { () -> [Duration] in
      let (one, other) = (try world.address(of: "left"), try world.address(of: "right"))
      _ = try await left.ping(other)
      return [try await left.ping(other), try await right.ping(one)]
    }
    #expect(times == [.milliseconds(2), .microseconds(2_500)])
  }

  @Test("A drift that begins or ends later moves sleepers, and the clock never jumps")
  func changes() throws {
    let (world, _, right) = try pair(
      ClockFault(),
      schedule: [
        .init(at: .seconds(10), .clock("right", ClockFault(drift: 1_000_000))),
        .init(at: .seconds(20), .clock("right", ClockFault(skew: .seconds(-5)))),
      ])
    let times = try world.runAndWait { () -> [Int64] in
      // 10 s at the right rate and 10 s at twice that make 30 s by 20; then it is right again, and keeps the lead.
      async let first: Void = right.clock.sleep(until: Instant(nanoseconds: 16_000_000_000))
      async let second: Void = right.clock.sleep(until: Instant(nanoseconds: 40_000_000_000))
      try await first
      var times = [world.clock.now.nanoseconds]
      try await second
      times += [world.clock.now.nanoseconds, right.clock.now.nanoseconds, right.timeOfDay - Loop.virtualEpoch]
      return times
    }
    #expect(times == [13_000_000_000, 30_000_000_000, 40_000_000_000, 35_000_000_000])
  }

  @Test("A transfer between hosts whose clocks differ ends with the same bytes, and the same seed repeats it")
  func transfer() throws {
    func run(_ seed: UInt64) throws -> UInt64 {
      var description = WorldDescription("drift", seed: seed)
      description.host("left") { $0.clock = ClockFault(skew: .seconds(-60), drift: -200.5) }
      description.host("right") { $0.clock = ClockFault(drift: 30_000) }
      var line = LinkDirection(rate: 10_000_000, delay: .milliseconds(5))
      line.loss = .random(0.02)
      description.wire("left", "right", line)
      let world = try World(description)
      let (left, right) = (try world.host("left"), try world.host("right"))
      let data = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 9) }
      let received = try world.runAndWait { () -> [UInt8] in
        let listener = try right.listen(on: 80)
        let server = right.loop.task { () -> [UInt8] in
          let connection = try await listener.accept()
          defer { connection.close() }
          return try await connection.readToEnd()
        }
        let connection = try await left.connect(to: SocketAddress(try world.address(of: "right"), port: 80))
        try await connection.write(data)
        try connection.shutdownWrite()
        return try await server.value
      }
      #expect(received == data)
      return world.finish().fingerprint
    }
    let first = try run(3)
    #expect(try run(3) == first)
    #expect(try run(4) != first)
  }

  @Test("Clocks are converted both ways without a nanosecond of error, and never go back")
  func arithmetic() {
    var random = SystemRandomNumberGenerator()
    for drift in [1, -1, 999_999_999, -499_999_999, 1_000_000_000, -500_000_000, 123_456_789, 20_000] as [Int64] {
      let start = Int64.random(in: 0...1 << 50, using: &random)
      let time = HostTime(
        drift: drift, since: Instant(nanoseconds: start), at: Instant(nanoseconds: start / 2 + 7))
      var before = Instant.zero
      for _ in 0..<300 {
        let span = Int64.random(in: 0...1 << Int64.random(in: 1...60, using: &random), using: &random)
        let shown = time.time(at: Instant(nanoseconds: start + span))
        // What it should be, with more digits.
        let exact =
          Int128(start / 2 + 7) + (Int128(span) * Int128(1_000_000_000 + drift)).flooredQuotient(1_000_000_000)
        #expect(Int128(shown.nanoseconds) == min(exact, Int128(Int64.max)))
        guard exact < Int128(Int64.max) else { continue }
        let moment = time.moment(of: shown)
        #expect(time.time(at: moment) >= shown)
        #expect(moment.nanoseconds <= start + span)
        if moment.nanoseconds > start {
          #expect(time.time(at: Instant(nanoseconds: moment.nanoseconds - 1)) < shown)
        }
      }
      for step in 0..<1_000 {
        let shown = time.time(at: Instant(nanoseconds: start + Int64(step)))
        #expect(shown >= before)
        before = shown
      }
    }
  }
}

extension Int128 {
  fileprivate func flooredQuotient(_ divisor: Int128) -> Int128 {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
  }
}
