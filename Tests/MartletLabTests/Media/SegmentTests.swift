import Martlet
import MartletCore
import MartletWire
import Testing

@testable import MartletLab

@Suite("Segments in a world")
struct SegmentTests {
  private func world(
    _ medium: Medium, _ hosts: [String] = ["a", "b", "c"], positions: [Int?] = [nil, nil, nil],
    schedule: [WorldDescription.ScheduledFault] = [], change: (inout WorldDescription) -> Void = { _ in }
  ) throws -> World {
    var description = WorldDescription("segment")
    for host in hosts { description.host(host) }
    description.segment("lan", medium)
    for (index, host) in hosts.enumerated() {
      description.wire(
        .init(
          host, addresses: [AddressInSubnet(IPAddress(IPv4Address(192, 0, 2, UInt8(index + 1))), prefixLength: 24)],
          position: positions[index]), "lan")
    }
    change(&description)
    return try World(description)
  }

  @Test("A round trip on a bus takes what frames, cable and gaps take, to the nanosecond")
  func exact() throws {
    let world = try world(.bus(EthernetBus()), positions: [0, 1_000, 500])
    let a = try world.host("a")
    let time = try world.runAndWait {
      _ = try await a.ping("192.0.2.2")
      try await a.loop.clock.sleep(for: .seconds(1))
      return try await a.ping("192.0.2.2")
    }
    // 49 bytes are on the cable as 60, for (8 + 60 + 4) · 8 · 100 ns = 57.6 µs; 1,000 m are 5 µs. The answer is ready at once
    // but has to leave 9.6 µs of silence.
    #expect(time == .nanoseconds(2 * (57_600 + 5_000) + 9_600))
    let counters = try world.mediumCounters(of: "lan")
    #expect(counters.map(\.station) == ["a", "b", "c"])
    let recording = world.finish()
    let question = try #require(recording.frames.last { $0.link == recording.link("a-lan") && $0.end == 0 })
    let heard = try #require(
      recording.frames.last {
        $0.link == recording.link("b-lan") && $0.end == 1 && $0.origin.map { recording.frames[$0] } == question
      })
    #expect(question.arrival - question.departure == 57_600)
    #expect(heard.departure == question.departure + 5_000)
    #expect(heard.arrival == question.arrival + 5_000)
    #expect(recording.counters.contains { $0.name == "lan: frames through" && $0.value > 0 })
  }

  @Test("A round trip in a cell takes what frames, spaces and acknowledgements take, to the nanosecond")
  func exactCell() throws {
    let world = try world(.wireless(WirelessCell()))
    let a = try world.host("a")
    let time = try world.runAndWait {
      _ = try await a.ping("192.0.2.2")
      try await a.loop.clock.sleep(for: .seconds(1))
      return try await a.ping("192.0.2.2")
    }
    // 20 µs + (49 + 22) · 8 / 54 Mbit/s = 30.519 µs each. The answer waits for the acknowledgement, for DIFS, and for the
    // slots that its station draws because it finds the air reserved.
    let frame: Int64 = 30_519
    let rest = time.inNanoseconds - (frame + 16_000 + 24_667 + 34_000 + frame)
    #expect(rest >= 0 && rest % 9_000 == 0 && rest <= 15 * 9_000)
  }

  @Test("Two that send at the same moment collide, are recorded with the collision, and get through")
  func collision() throws {
    let world = try world(.bus(EthernetBus()), positions: [0, 200, 100])
    let (a, b, c) = (try world.host("a"), try world.host("b"), try world.host("c"))
    let count = try world.runAndWait { () -> Int in
      _ = try await a.ping("192.0.2.3")
      _ = try await b.ping("192.0.2.3")
      let inbox = try c.bindUDP(on: 9)
      let (left, right) = (try a.bindUDP(), try b.bindUDP())
      try left.send([UInt8](repeating: 1, count: 500), to: "192.0.2.3:9")
      try right.send([UInt8](repeating: 2, count: 500), to: "192.0.2.3:9")
      _ = try await inbox.receive()
      _ = try await inbox.receive()
      return 2
    }
    #expect(count == 2)
    let counters = try world.mediumCounters(of: "lan")
    #expect(counters[0].collisions >= 1 && counters[1].collisions >= 1)
    let recording = world.finish()
    let udp = recording.frames.filter {
      recording.view($0).protocol == .udp && $0.link == recording.link("a-lan") && $0.end == 0
    }
    #expect(udp.count > 1)
    #expect(udp.dropLast().allSatisfy { $0.lossReason == "collision" })
    let events = recording.events.filter { $0.time >= udp[0].queued }
    #expect(udp.last?.fate == .delivered)
    #expect(udp.last?.comment == "attempt \(udp.count)")
    // The chain of causes: sent, collided, waits, sent again.
    let died = try #require(events.first { $0.kind == "collision" })
    #expect(died.cause.map { recording.events[$0].kind } == "sent")
    let wait = try #require(events.first { $0.kind == "backoff" && $0.text.hasPrefix("a ") })
    #expect(wait.cause.map { recording.events[$0].kind } == "sent")
    let again = try #require(
      events.first { $0.kind == "sent" && $0.text.hasSuffix("(attempt 2)") && $0.node == recording.node("a") }
    )
    #expect(again.cause.map { recording.events[$0].kind } == "backoff")
  }

  @Test("A stream goes through each medium, over a switch on it as well, while others talk")
  func streams() throws {
    for medium in [
      Medium.bus(EthernetBus()), .wireless(WirelessCell()), .wireless(WirelessCell(requestThreshold: 200)),
      .wireless(WirelessCell(hidden: [["a", "c"]])),
    ] {
      let world = try world(medium) { description in
        description.switch("s")
        description.host("d", services: [.init("echo")])
        description.wire("s", "lan")
        description.wire(.init("d", addresses: ["192.0.2.9/24"]), "s", LinkDirection(rate: 100_000_000))
      }
      let (a, c) = (try world.host("a"), try world.host("c"))
      let sizes = try world.runAndWait {
        @Sendable func exchange(_ host: VirtualHost) async throws -> Int {
          let connection = try await host.connect(to: "192.0.2.9:7")
          defer { connection.close() }
          let writer = host.loop.task { try await connection.write([UInt8](repeating: 7, count: 50_000)) }
          var count = 0
          while count < 50_000 { count += try await connection.read(upTo: 65_536).count }
          try await writer.value
          return count
        }
        let other = c.loop.task { try await exchange(c) }
        return [try await exchange(a), try await other.value]
      }
      #expect(sizes == [50_000, 50_000])
      #expect(try world.mediumCounters(of: "lan").map(\.station) == ["a", "b", "c", "s"])
    }
  }

  @Test("What waits before a segment is bounded, and what is too much is dropped by name")
  func queue() throws {
    var description = WorldDescription("queue")
    description.host("a")
    description.host("b")
    description.segment("lan")
    description.wire(
      .init("a", addresses: ["192.0.2.1/24"]), "lan", LinkDirection(queue: .init(maximumFrames: 3)), name: "tap")
    description.wire(.init("b", addresses: ["192.0.2.2/24"]), "lan")
    let world = try World(description)
    let a = try world.host("a")
    try world.runAndWait {
      _ = try await a.ping("192.0.2.2")
      let outbox = try a.bindUDP()
      for _ in 0..<10 { try outbox.send([UInt8](repeating: 1, count: 500), to: "192.0.2.2:9") }
      try await a.loop.clock.sleep(for: .seconds(1))
    }
    #expect(try world.counters(of: "tap")[0].lost == 6)
    #expect(try world.mediumCounters(of: "lan")[0].drops == 6)
    let recording = world.finish()
    #expect(recording.frames.count { $0.lossReason == "queue full" } == 6)
  }

  @Test("A host that crashes says no more, and one whose wire is down is not heard")
  func faults() throws {
    let world = try world(.bus(EthernetBus()))
    let a = try world.host("a")
    #expect(try world.runAndWait { try await a.ping("192.0.2.2") } > .zero)
    try world.apply(.down(link: "b-lan"))
    #expect(throws: (any Error).self) {
      try world.runAndWait { try await a.ping("192.0.2.2", timeout: .seconds(1)) }
    }
    try world.apply(.up(link: "b-lan"))
    #expect(try world.runAndWait { try await a.ping("192.0.2.2") } > .zero)
    try world.apply(.crash("b"))
    #expect(throws: (any Error).self) {
      try world.runAndWait { try await a.ping("192.0.2.2", timeout: .seconds(1)) }
    }
  }

  @Test("The same seed has the same collisions, another has others")
  func repeats() throws {
    func run(_ seed: UInt64) throws -> Recording {
      var description = WorldDescription("repeats")
      for host in ["a", "b", "c"] { description.host(host) }
      description.segment("lan")
      for host in ["a", "b", "c"] { description.wire(.init(host), "lan") }
      let world = try World(description, seed: seed)
      let address = SocketAddress(try world.address(of: "c"), port: 9)
      let (a, b) = (try world.host("a"), try world.host("b"))
      try world.runAndWait {
        _ = try await a.ping(address.address)
        _ = try await b.ping(address.address)
        let (left, right) = (try a.bindUDP(), try b.bindUDP())
        for _ in 0..<20 {
          try left.send([UInt8](repeating: 1, count: 500), to: address)
          try right.send([UInt8](repeating: 2, count: 500), to: address)
        }
        try await a.loop.clock.sleep(for: .seconds(1))
      }
      return world.finish()
    }
    let (first, second, third) = (try run(1), try run(1), try run(2))
    #expect(first == second)
    #expect(first.fingerprint == second.fingerprint)
    #expect(first.fingerprint != third.fingerprint)
  }
}
