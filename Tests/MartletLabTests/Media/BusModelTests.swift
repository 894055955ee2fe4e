import MartletCore
import Testing

@testable import MartletLab

/// Events of a model, and frames offered at times.
struct MediumScript {
  struct Offer {
    var time: Int64
    var station: Int
    var byteCount: Int
    var to: Int?
  }

  /// Runs until nothing happens any more, or `end`; whoever is done gets its next frame at once, as long as it has some.
  static func run<Model: MediumModel>(_ model: inout Model, _ offers: [Offer], until end: Int64 = .max) -> [MediumEvent]
  {
    var events: [MediumEvent] = []
    var waiting = offers
    var busy: Set<Int> = []
    func hand(_ new: [MediumEvent]) -> [MediumEvent] {
      for event in new {
        switch event.kind {
        case .sent(let station), .dropped(let station, _): busy.remove(station)
        default: break
        }
      }
      return new
    }
    while true {
      let nextOffer = waiting.firstIndex { !busy.contains($0.station) }
      let due = nextOffer.map { max(waiting[$0].time, events.last?.time ?? 0) }
      let next = model.nextDeadline
      guard due != nil || next != nil, min(due ?? .max, next ?? .max) <= end else { return events }
      if let nextOffer, let due, due <= next ?? .max {
        let offer = waiting.remove(at: nextOffer)
        busy.insert(offer.station)
        events += hand(model.offer(offer.byteCount, by: offer.station, to: offer.to, at: due))
      } else {
        events += hand(model.step())
      }
    }
  }

  /// Stations that always have something to send, for `span`; the result is the bytes that got through.
  static func saturate<Model: MediumModel>(
    _ model: inout Model, stations: Range<Int>, byteCount: Int, to: Int?, for span: Int64
  ) -> [MediumEvent] {
    var events: [MediumEvent] = []
    for station in stations { events += model.offer(byteCount, by: station, to: to, at: 0) }
    while let next = model.nextDeadline, next <= span {
      let new = model.step()
      events += new
      for event in new {
        switch event.kind {
        case .sent(let station), .dropped(let station, _):
          if stations.contains(station) { events += model.offer(byteCount, by: station, to: to, at: next) }
        default: break
        }
      }
    }
    return events
  }
}

@Suite("A bus with collision detection")
struct BusModelTests {
  /// Stations at these metres on 10 Mbit/s: a bit is 100 ns, a metre 5 ns.
  private func model(_ positions: [Int], bus: EthernetBus = EthernetBus(), seed: UInt64 = 1) -> BusModel {
    BusModel(bus, positions: positions, random: positions.indices.map { RandomStream(seed: seed, forkedFor: "\($0)") })
  }

  private func times(_ events: [MediumEvent], _ body: (MediumEvent.Kind) -> Bool) -> [Int64] {
    events.filter { body($0.kind) }.map(\.time)
  }

  @Test("A frame is on the cable for its preamble, itself and its check sequence, and is heard later the farther away")
  func alone() {
    var bus = model([0, 200, 1_000])
    let events = MediumScript.run(&bus, [.init(time: 1_000, station: 0, byteCount: 1_000, to: 1)])
    // (8 + 1000 + 4) · 8 · 100 ns = 809.6 µs; 1 µs and 5 µs of cable.
    #expect(
      events == [
        MediumEvent(time: 1_000, kind: .began(station: 0, signal: 1, attempt: 1)),
        MediumEvent(time: 810_600, kind: .left(station: 0, signal: 1)),
        MediumEvent(time: 810_600, kind: .sent(station: 0)),
        MediumEvent(time: 811_600, kind: .heard(station: 1, signal: 1, start: 2_000)),
        MediumEvent(time: 815_600, kind: .heard(station: 2, signal: 1, start: 6_000)),
        MediumEvent(time: 815_600, kind: .ended(signal: 1)),
      ])
    #expect(bus.counters[0].airtime == .nanoseconds(809_600))
  }

  @Test("A short frame is as long as the shortest allowed one: 57.6 µs with its preamble")
  func padded() {
    var bus = model([0, 0])
    let events = MediumScript.run(&bus, [.init(time: 0, station: 0, byteCount: 42, to: 1)])
    #expect(events.last { $0.kind == .sent(station: 0) }?.time == 57_600)
  }

  @Test("Between a station's own frames there are 9.6 µs, and so a bus gives one station 98 % for large frames")
  func gap() {
    var bus = model([0, 100])
    let events = MediumScript.run(
      &bus, (0..<3).map { _ in .init(time: 0, station: 0, byteCount: 1_514, to: 1) })
    // (8 + 1514 + 4) · 800 ns = 1220.8 µs, and the gap.
    let starts = times(events) { if case .began = $0 { true } else { false } }
    #expect(starts == [0, 1_230_400, 2_460_800])
  }

  @Test("Who hears another waits for its end and 9.6 µs more")
  func defers() {
    var bus = model([0, 100])
    let events = MediumScript.run(
      &bus, [.init(time: 0, station: 0, byteCount: 100, to: 1), .init(time: 50_000, station: 1, byteCount: 100, to: 0)])
    // 89.6 µs of frame, 0.5 µs of cable, 9.6 µs of gap.
    #expect(times(events) { if case .began(1, _, _) = $0 { true } else { false } } == [99_700])
    #expect(events.contains(MediumEvent(time: 50_000, kind: .deferred(station: 1))))
    #expect(bus.counters.map(\.deferrals) == [0, 1])
    #expect(bus.counters.map(\.collisions) == [0, 0])
  }

  @Test("Who begins before it hears another collides: each notices it when the other's signal arrives, and jams")
  func collides() {
    var bus = model([0, 2_000])
    let events = MediumScript.run(
      &bus,
      [.init(time: 0, station: 0, byteCount: 100, to: 1), .init(time: 4_000, station: 1, byteCount: 100, to: 0)],
      until: 60_000)
    let failures = events.filter { if case .failed = $0.kind { true } else { false } }
    // The cable is 10 µs long: the second is on it since 4 µs, hears the first at 10 µs, is heard at 14 µs.
    #expect(
      failures == [
        MediumEvent(time: 10_000, kind: .failed(station: 1, signal: 2, reason: "collision")),
        MediumEvent(time: 14_000, kind: .failed(station: 0, signal: 1, reason: "collision")),
      ])
    // Both finish their preamble, which ends 6.4 µs after its begin, and jam for 3.2 µs.
    let backoffs = events.filter { if case .backedOff = $0.kind { true } else { false } }
    #expect(backoffs.map(\.time) == [13_600, 17_200])
    #expect(!events.contains { if case .heard = $0.kind { true } else { false } })
    #expect(bus.counters.map(\.collisions) == [1, 1])
  }

  @Test("A collision within the preamble jams when the preamble is over")
  func collidesEarly() {
    var bus = model([0, 20])
    let events = MediumScript.run(
      &bus, [.init(time: 0, station: 0, byteCount: 100, to: 1), .init(time: 50, station: 1, byteCount: 100, to: 0)],
      until: 20_000)
    let backoffs = events.filter { if case .backedOff = $0.kind { true } else { false } }
    #expect(backoffs.map(\.time) == [9_600, 9_650])
  }

  @Test("After a collision each waits for a whole number of slots of 51.2 µs, out of twice as many each time")
  func backsOff() {
    for seed in UInt64(1)...20 {
      var bus = model([0, 0], seed: seed)
      let events = MediumScript.run(
        &bus, [.init(time: 0, station: 0, byteCount: 100, to: 1), .init(time: 0, station: 1, byteCount: 100, to: 0)])
      var collisions = [0, 0]
      for event in events {
        if case .backedOff(let station, let slots) = event.kind {
          collisions[station] += 1
          #expect(slots < 1 << min(collisions[station], 10))
        }
      }
      #expect(collisions[0] >= 1)
      // The first try ends at 9.6 µs; a gap later at the earliest, or after the slots, the winner begins.
      let second = times(events) { if case .began(_, _, 2) = $0 { true } else { false } }
      let drawn = events.compactMap { if case .backedOff(_, let slots) = $0.kind { slots } else { nil } }.prefix(2)
      let earliest = drawn.min() ?? 0
      #expect(second.first == 9_600 + max(9_600, Int64(earliest) * 51_200))
      #expect(bus.counters.allSatisfy { $0.sent == 1 })
    }
  }

  @Test("After 16 collisions in a row a frame is given up")
  func givesUp() {
    // Two stations whose random numbers are the same never get apart.
    var bus = BusModel(
      EthernetBus(), positions: [0, 0], random: [RandomStream(seed: 7), RandomStream(seed: 7)])
    let events = MediumScript.run(
      &bus, [.init(time: 0, station: 0, byteCount: 100, to: 1), .init(time: 0, station: 1, byteCount: 100, to: 0)])
    #expect(bus.counters.map(\.attempts) == [16, 16])
    #expect(bus.counters.map(\.drops) == [1, 1])
    #expect(events.contains { $0.kind == .dropped(station: 0, reason: "16 collisions in a row") })
  }

  @Test("On a cable that is too long a collision comes late, and the frame is lost")
  func late() {
    // 12 km are 60 µs: more than 512 bits there and back.
    var bus = model([0, 12_000])
    let events = MediumScript.run(
      &bus,
      [.init(time: 0, station: 0, byteCount: 1_514, to: 1), .init(time: 59_000, station: 1, byteCount: 1_514, to: 0)],
      until: 200_000)
    #expect(events.contains(MediumEvent(time: 119_000, kind: .failed(station: 0, signal: 1, reason: "late collision"))))
    #expect(events.contains { $0.kind == .dropped(station: 0, reason: "late collision") })
    #expect(bus.counters.map(\.lateCollisions) == [1, 0])
  }

  @Test("A short frame on a cable that is too long is over before its sender could notice what happened to it")
  func unnoticed() {
    var bus = model([0, 12_000, 6_000])
    let events = MediumScript.run(
      &bus, [.init(time: 0, station: 0, byteCount: 60, to: 2), .init(time: 1_000, station: 1, byteCount: 60, to: 2)])
    #expect(bus.counters.map(\.collisions) == [0, 0, 0])
    #expect(events.contains { if case .garbled(2, 1, 30_000) = $0.kind { true } else { false } })
    #expect(events.contains { if case .garbled(2, 2, 31_000) = $0.kind { true } else { false } })
  }

  @Test(
    "With large frames a full bus carries more than with small ones, and with many stations little less than with two")
  func saturation() {
    func utilization(_ stations: Int, _ byteCount: Int, meters: Int = 500) -> Double {
      var bus = model((0..<stations).map { $0 * meters / (stations - 1) })
      _ = MediumScript.saturate(&bus, stations: 0..<stations, byteCount: byteCount, to: 0, for: 2_000_000_000)
      let frames = bus.counters.reduce(0) { $0 + $1.sent }
      return Double(frames) * Double(EthernetBus().time(ofFrame: byteCount)) / 2e9
    }
    let (two, ten, thirty) = (utilization(2, 1_514), utilization(10, 1_514), utilization(30, 1_514))
    let small = utilization(10, 60)
    #expect(two > 0.9)
    #expect(ten > 0.8 && ten < two)
    #expect(thirty > 0.75)
    // Who has got through sends on while the others wait: not even the smallest frames make it much worse.
    #expect(small < ten - 0.1)
    // Metcalfe and Boggs (1976): P/C over P/C + W·T, where Q stations that try in each slot, each with the chance 1/Q, waste
    // W = (1 - A)/A slots, A = (1 - 1/Q)^(Q - 1).
    let quiet = 0.9 * 0.9 * 0.9 * 0.9 * 0.9 * 0.9 * 0.9 * 0.9 * 0.9
    let wasted = (1 - quiet) / quiet * 51_200
    let frame = Double(EthernetBus().time(ofFrame: 1_514))
    #expect(abs(ten - frame / (frame + wasted + 9_600)) < 0.05)
  }
}
