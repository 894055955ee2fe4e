import Martlet
import MartletCore
import MartletWire
import Testing

@testable import MartletLab

@Suite("Machines that are slow")
struct ProcessorTests {
  /// Datagrams of 100 bytes, 142 on the wire, from left to right; when each is looked at.
  private func looked(
    _ count: Int, every gap: Duration = .zero, schedule: [WorldDescription.ScheduledFault] = [],
    _ change: (inout WorldDescription.Node) -> Void
  ) throws -> (times: [Int64], recording: Recording) {
    var description = WorldDescription("slow")
    description.host("left")
    description.host("right", change)
    // 142 bytes take 11,360 ns.
    description.wire("left", "right", LinkDirection(rate: 100_000_000, delay: .milliseconds(1)), name: "line")
    description.schedule = schedule
    let world = try World(description)
    let (left, right) = (try world.host("left"), try world.host("right"))
    let times = try world.runAndWait { () -> [Int64] in
      let target = SocketAddress(try world.address(of: "right"), port: 9)
      _ = try await left.ping(target.address)
      let (inbox, outbox) = (try right.bindUDP(on: 9), try left.bindUDP())
      let server = right.loop.task { () -> [Int64] in
        var times: [Int64] = []
        while times.count < count {
          do { _ = try await inbox.receive() } catch { break }
          times.append(world.clock.now.nanoseconds)
        }
        return times
      }
      try await world.clock.sleep(until: Instant(nanoseconds: 1_000_000_000))
      for number in 0..<count {
        try outbox.send([UInt8](repeating: UInt8(number), count: 100), to: target)
        if gap > .zero { try await world.clock.sleep(for: gap) }
      }
      try await world.clock.sleep(for: .seconds(5))
      inbox.close()
      return try await server.value
    }
    return (times.map { $0 - 1_000_000_000 }, world.finish())
  }

  @Test("A host looks at frames one after the other, as fast as its processor is, and none is lost")
  func slow() throws {
    let (times, _) = try looked(4) {
      $0.cpu = .init(perFrame: .microseconds(100), perByte: .nanoseconds(10))
    }
    // The first is there after its transmission and propagation; each takes 100 µs and 142 times 10 ns.
    let first: Int64 = 11_360 + 1_000_000
    let work: Int64 = 100_000 + 1_420
    #expect(times == (1...4).map { first + $0 * work })
  }

  @Test("Costs per byte are exact below a nanosecond")
  func fine() throws {
    let (times, _) = try looked(1) {
      $0.cpu.perByte = Duration(secondsComponent: 0, attosecondsComponent: 1_500_000_000 / 10)
    }
    // 142 bytes at 150 ps: 21.3 ns.
    #expect(times == [1_011_360 + 21])
  }

  @Test("A latency holds every frame up alike, beside what the processor needs")
  func latency() throws {
    let (times, _) = try looked(3) {
      $0.processing = .microseconds(500)
      $0.cpu.perFrame = .microseconds(100)
    }
    #expect(times == (1...3).map { 1_011_360 + $0 * 100_000 + 500_000 })
    let (plain, _) = try looked(3) { $0.processing = .microseconds(500) }
    #expect(plain == (1...3).map { $0 * 11_360 + 1_500_000 })
  }

  @Test("A receive ring keeps so many frames, and those beyond are dropped by name, counted and told")
  func ring() throws {
    let (times, recording) = try looked(20) {
      $0.cpu.perFrame = .milliseconds(1)
      $0.ring = 4
    }
    // 20 come within a quarter of a millisecond: one is being worked on and three wait, the others find no place.
    #expect(times.count == 4)
    #expect(times == (1...4).map { 1_011_360 + $0 * 1_000_000 })
    let lost = recording.frames.filter { $0.lossReason == "receive ring full" }
    #expect(lost.count == 16)
    #expect(
      recording.counters.first { $0.name == "eth0 dropped: receive ring full" }
        == Recording.Counter(node: 1, name: "eth0 dropped: receive ring full", value: 16))
    #expect(recording.counters.first { $0.name == "eth0 most frames in the receive ring" }?.value == 4)
    let drops = recording.events.filter { $0.kind == "dropped" }
    #expect(drops.count == 16)
    for drop in drops {
      #expect(drop.node == 1 && drop.interface == 0)
      #expect(drop.text.hasPrefix("dropped at right's eth0: receive ring full: "))
      let cause = try #require(drop.cause.map { recording.events[$0] })
      #expect(cause.kind == "sent" && cause.frame == drop.frame && cause.node == 0)
    }
    #expect(recording.nodes[1].faults == "works 1 ms a frame; a receive ring of 4 frames")
  }

  @Test("A ring drains as the processor works: at its pace nothing is lost, above it the surplus")
  func pace() throws {
    let change: (inout WorldDescription.Node) -> Void = {
      $0.cpu.perFrame = .milliseconds(1)
      $0.ring = 4
    }
    let (all, _) = try looked(100, every: .milliseconds(1), change)
    #expect(all.count == 100)
    // Two a millisecond: half of them go, but for the places in the ring.
    let (half, recording) = try looked(100, every: .microseconds(500), change)
    #expect((50...54).contains(half.count))
    #expect(recording.frames.count { $0.lossReason == "receive ring full" } == 100 - half.count)
  }

  @Test("A processor and a ring may change while the world runs")
  func changes() throws {
    let (times, recording) = try looked(
      30, every: .milliseconds(100),
      schedule: [
        .init(at: .milliseconds(1_950), .cpu("right", .init(perFrame: .milliseconds(250)))),
        .init(at: .milliseconds(1_950), .ring("right", 2)),
        .init(at: .milliseconds(2_950), .cpu("right", .init())), .init(at: .milliseconds(2_950), .ring("right", nil)),
      ]
    ) { _ in }
    let lost = recording.frames.count { $0.lossReason == "receive ring full" }
    // Ten in each second: in the slow one four are worked on and two may wait.
    #expect((4...6).contains(lost))
    #expect(times.count == 30 - lost)
    #expect(times[..<10].allSatisfy { $0 < 1_000_000_000 })
    #expect(
      recording.events.filter { $0.kind == "fault" }.map(\.text) == [
        "right is slow now: 250 ms a frame", "right keeps 2 received frames an interface at most",
        "right works as fast as it receives again", "right keeps all frames that it receives",
      ])
  }

  @Test("Both interfaces of a router share its processor, and each has a ring of its own")
  func router() throws {
    var description = WorldDescription("two ways in")
    description.host("a")
    description.host("b")
    description.host("c")
    description.router("r") {
      $0.cpu.perFrame = .milliseconds(1)
      $0.ring = 8
    }
    for name in ["a", "b", "c"] {
      description.wire(.init(name), "r", LinkDirection(rate: 1_000_000_000), name: name)
    }
    let world = try World(description)
    let (a, b, c) = (try world.host("a"), try world.host("b"), try world.host("c"))
    let received = try world.runAndWait { () -> (count: Int, last: Int64) in
      let target = SocketAddress(try world.address(of: "c"), port: 9)
      _ = try await a.ping(target.address)
      _ = try await b.ping(target.address)
      let inbox = try c.bindUDP(on: 9)
      let sockets = [try a.bindUDP(), try b.bindUDP()]
      let start = world.clock.now.nanoseconds
      for _ in 0..<6 { for socket in sockets { try socket.send([UInt8](repeating: 1, count: 100), to: target) } }
      var count = 0
      var last: Int64 = 0
      while (try? await world.loop.withTimeout(.seconds(1), { try await inbox.receive() })) != nil {
        count += 1
        last = world.clock.now.nanoseconds - start
      }
      return (count, last)
    }
    #expect(received.count == 12)
    // Twelve, one after the other.
    #expect(received.last >= 12_000_000 && received.last < 12_100_000)
    #expect(world.finish().frames.allSatisfy { $0.lossReason == nil })
  }

  @Test("What a host has in its ring is gone when it crashes, and waits when it stands still")
  func crashAndPause() throws {
    let busy: (inout WorldDescription.Node) -> Void = { $0.cpu.perFrame = .milliseconds(100) }
    let (none, recording) = try looked(
      5, schedule: [.init(at: .milliseconds(1_150), .crash("right"))], busy)
    #expect(none.count <= 1)
    #expect(recording.frames.count { $0.lossReason == "its receiver is gone" } == 4)
    let (later, _) = try looked(
      5,
      schedule: [.init(at: .milliseconds(1_150), .pause("right")), .init(at: .milliseconds(2_150), .resume("right"))],
      busy)
    let first: Int64 = 1_011_360
    #expect(later == [first + 100_000_000] + (2...5).map { first + 1_000_000_000 + $0 * 100_000_000 })
  }

  @Test("A node without such faults has no place where frames wait")
  func costsNothing() throws {
    let world = try World(figure())
    #expect(world.core.lanes.allSatisfy { $0.intake == nil })
    _ = world.finish()
  }
}
