import MartletCore
import Testing

@testable import MartletLab

@Suite("A wireless cell with collision avoidance")
struct CellModelTests {
  /// Stations who all hear each other, but for `hidden` pairs.
  private func model(
    _ count: Int, _ cell: WirelessCell = WirelessCell(), hidden: [(Int, Int)] = [], seed: UInt64 = 1
  ) -> CellModel {
    let hears = (0..<count).map { one in
      (0..<count).map { other in one != other && !hidden.contains { $0 == (one, other) || $0 == (other, one) } }
    }
    return CellModel(cell, hears: hears, random: (0..<count).map { RandomStream(seed: seed, forkedFor: "\($0)") })
  }

  @Test("In a silent cell a frame goes at once, and is acknowledged after 16 µs")
  func alone() {
    var cell = model(2)
    let events = MediumScript.run(&cell, [.init(time: 1_000, station: 0, byteCount: 1_328, to: 1)])
    // 20 µs + 1350 · 8 / 54 Mbit/s = 220 µs; 16 µs; 20 µs + 14 · 8 / 24 Mbit/s = 24.667 µs.
    #expect(
      events == [
        MediumEvent(time: 1_000, kind: .began(station: 0, signal: 1, attempt: 1)),
        MediumEvent(time: 221_000, kind: .left(station: 0, signal: 1)),
        MediumEvent(time: 221_000, kind: .heard(station: 1, signal: 1, start: 1_000)),
        MediumEvent(time: 221_000, kind: .ended(signal: 1)),
        MediumEvent(time: 237_000, kind: .control(station: 1, to: 0, word: "ACK")),
        MediumEvent(time: 261_667, kind: .sent(station: 0)),
      ])
  }

  @Test("What is for a group is not acknowledged")
  func group() {
    var cell = model(3)
    let events = MediumScript.run(&cell, [.init(time: 0, station: 0, byteCount: 1_328, to: nil)])
    #expect(events.contains(MediumEvent(time: 220_000, kind: .sent(station: 0))))
    #expect(events.count { if case .heard = $0.kind { true } else { false } } == 2)
    #expect(!events.contains { if case .control = $0.kind { true } else { false } })
  }

  @Test("Between a station's own frames there are DIFS and the slots that it drew")
  func postBackoff() {
    var cell = model(2)
    let events = MediumScript.run(&cell, (0..<20).map { _ in .init(time: 0, station: 0, byteCount: 1_328, to: 1) })
    let starts = events.filter { if case .began = $0.kind { true } else { false } }.map(\.time)
    let ends = events.filter { $0.kind == .sent(station: 0) }.map(\.time)
    for (end, start) in zip(ends, starts.dropFirst()) {
      // DIFS is 16 + 2 · 9 µs.
      let slots = start - end - 34_000
      #expect(slots >= 0 && slots % 9_000 == 0 && slots <= 15 * 9_000)
    }
    #expect(cell.counters[0].sent == 20)
  }

  @Test("Who hears another draws slots, counts them down while it is silent, and keeps what is left")
  func freezes() {
    for seed in UInt64(1)...10 {
      var cell = model(3, seed: seed)
      let events = MediumScript.run(
        &cell,
        [
          .init(time: 0, station: 0, byteCount: 1_328, to: 2),
          .init(time: 100_000, station: 1, byteCount: 1_328, to: 2),
          .init(time: 101_000, station: 0, byteCount: 1_328, to: 2),
        ])
      let drawn = events.first { if case .backedOff(1, _) = $0.kind { true } else { false } }
      guard case .backedOff(_, let slots) = drawn?.kind else {
        Issue.record("the second does not wait")
        continue
      }
      #expect(cell.counters[1].deferrals >= 1)
      // The first is through at 260.667 µs; both count down from 34 µs later.
      let first = events.filter { if case .began(0, _, _) = $0.kind { true } else { false } }.map(\.time)
      let second = events.filter { if case .began(1, _, _) = $0.kind { true } else { false } }.map(\.time)
      let free = Int64(260_667 + 34_000)
      let mine = (first[1] - free) / 9_000
      if mine > Int64(slots) {
        #expect(second[0] == free + Int64(slots) * 9_000)
      } else if mine < Int64(slots) {
        // What was left when the first began again is counted down behind its acknowledgement.
        #expect(second[0] == first[1] + 260_667 + 34_000 + (Int64(slots) - mine) * 9_000)
      } else {
        #expect(second[0] == first[1])
        #expect(cell.counters[0].collisions == 1)
      }
    }
  }

  @Test("Two that begin at the same moment collide: nobody answers, and each draws from twice as many slots")
  func collides() {
    var cell = model(3)
    let events = MediumScript.run(
      &cell, [.init(time: 0, station: 0, byteCount: 1_328, to: 2), .init(time: 0, station: 1, byteCount: 1_328, to: 2)])
    // The answer should have begun 16 + 9 + 20 µs after the end.
    let failures = events.filter { if case .failed = $0.kind { true } else { false } }
    #expect(
      failures.prefix(2) == [
        MediumEvent(time: 265_000, kind: .failed(station: 0, signal: 1, reason: "collision")),
        MediumEvent(time: 265_000, kind: .failed(station: 1, signal: 2, reason: "collision")),
      ])
    #expect(events.count { if case .garbled(2, _, 0) = $0.kind { true } else { false } } == 2)
    #expect(cell.counters.map(\.sent) == [1, 1, 0])
  }

  @Test("After seven attempts without an answer a frame is given up")
  func givesUp() {
    // The receiver is out of sight.
    var cell = model(2, hidden: [(0, 1)])
    let events = MediumScript.run(&cell, [.init(time: 0, station: 0, byteCount: 100, to: 1)])
    #expect(cell.counters[0].attempts == 7)
    #expect(events.last?.kind == .dropped(station: 0, reason: "no answer to 7 attempts"))
    // From 32 to 1,024 slots at most, in between.
    let slots = events.compactMap { if case .backedOff(_, let slots) = $0.kind { slots } else { nil } }
    #expect(slots.count == 6)
    for (index, count) in slots.enumerated() { #expect(count <= min(1_023, 32 << index - 1)) }
  }

  @Test("A request to send silences those who hear only the answer")
  func requests() {
    // Two who do not hear each other, and one in their midst.
    let asking = WirelessCell(requestThreshold: 500)
    var cell = model(3, asking, hidden: [(0, 1)])
    let events = MediumScript.run(
      &cell,
      [.init(time: 0, station: 0, byteCount: 1_328, to: 2), .init(time: 80_000, station: 1, byteCount: 1_328, to: 2)])
    // RTS 20 + 6.667, SIFS, CTS 20 + 4.667, SIFS, frame 220, SIFS, ACK 24.667.
    let control = events.filter { if case .control = $0.kind { true } else { false } }
    #expect(
      control.prefix(3) == [
        MediumEvent(time: 0, kind: .control(station: 0, to: 2, word: "RTS")),
        MediumEvent(time: 42_667, kind: .control(station: 2, to: 0, word: "CTS")),
        MediumEvent(time: 319_334, kind: .control(station: 2, to: 0, word: "ACK")),
      ])
    #expect(events.contains(MediumEvent(time: 83_334, kind: .began(station: 0, signal: 3, attempt: 1))))
    #expect(events.contains(MediumEvent(time: 80_000, kind: .deferred(station: 1))))
    // The other asks when the reservation, DIFS and its slots are over.
    let drawn = events.compactMap { if case .backedOff(1, let slots) = $0.kind { slots } else { nil } }
    #expect(control[3].time == 344_001 + 34_000 + Int64(drawn[0]) * 9_000)
    #expect(cell.counters.map(\.collisions) == [0, 0, 0])
    #expect(cell.counters.map(\.sent) == [1, 1, 0])
  }

  @Test("Hidden from each other, two collide at the one between them; with requests to send they hardly do")
  func hiddenTerminals() {
    func run(_ threshold: Int?) -> CellModel {
      var cell = model(3, WirelessCell(requestThreshold: threshold), hidden: [(0, 1)])
      _ = MediumScript.saturate(&cell, stations: 0..<2, byteCount: 1_514, to: 2, for: 1_000_000_000)
      return cell
    }
    let (without, with) = (run(nil), run(500))
    func share(_ cell: CellModel) -> Double {
      Double(cell.counters[0].collisions + cell.counters[1].collisions)
        / Double(cell.counters[0].attempts + cell.counters[1].attempts)
    }
    #expect(share(without) > 0.3)
    #expect(share(with) < 0.05)
    #expect(
      with.counters[0].sentBytes + with.counters[1].sentBytes > without.counters[0].sentBytes
        + without.counters[1].sentBytes)
  }

  @Test("Full of stations, a cell carries what Bianchi's model says", arguments: [2, 5, 10, 20])
  func saturation(_ count: Int) {
    let settings = WirelessCell()
    var cell = model(count + 1)
    let span: Int64 = 10_000_000_000
    _ = MediumScript.saturate(&cell, stations: 0..<count, byteCount: 1_478, to: count, for: span)
    let sent = cell.counters.reduce(0) { $0 + $1.sent }
    let throughput = Double(sent) * 1_478 * 8 / (Double(span) / 1e9)
    // G. Bianchi, JSAC 18(3), 2000: tau and p from equations 7 and 9 by bisection, W = 16 and m = 6.
    var (low, high) = (0.0, 1.0)
    func power(_ base: Double, _ exponent: Int) -> Double { (0..<exponent).reduce(1.0) { value, _ in value * base } }
    func tau(_ p: Double) -> Double {
      2 * (1 - 2 * p) / ((1 - 2 * p) * 17 + p * 16 * (1 - power(2 * p, 6)))
    }
    for _ in 0..<60 {
      let p = (low + high) / 2
      if 1 - power(1 - tau(p), count - 1) > p { low = p } else { high = p }
    }
    let t = tau((low + high) / 2)
    let some = 1 - power(1 - t, count)
    let one = Double(count) * t * power(1 - t, count - 1) / some
    let frame = Double(settings.time(ofFrame: 1_478))
    let success = frame + 16_000 + Double(settings.acknowledgmentTime) + 34_000
    // Those who did not understand a collision wait as long as an answer would have taken.
    let collision = frame + Double(settings.extendedSpace)
    let mean = (1 - some) * 9_000 + some * one * success + some * (1 - one) * collision
    let expected = some * one * 1_478 * 8 / (mean / 1e9)
    #expect(abs(throughput / expected - 1) < 0.05, "\(throughput / 1e6) Mbit/s, not \(expected / 1e6)")
  }
}
