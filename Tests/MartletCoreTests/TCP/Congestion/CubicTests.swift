import Testing

@testable import MartletCore

@Suite("TCP: CUBIC")
struct CubicTests {
  @Test("The curve: K is the cube root of the drop over C, and the plateau is reached at K", .rfc(9438, section: "4.2"))
  func curve() {
    var curve = Cubic.Curve()
    curve.plateau = 100_000
    curve.start(window: 70_000, segmentSize: 1_000)
    // (100 - 70) / 0.4 = 75, whose cube root is 4.2171633.
    #expect(abs(Int(curve.k) - 4_217_163) <= 1)
    for (seconds, segments) in [
      (0.0, 70.0), (1, 86.6798), (2, 95.6403), (4.2171633, 100), (5.2171633, 100.4), (8.4343266, 130),
    ] {
      let target = curve.target(after: Nanoseconds(seconds * 1e9), segmentSize: 1_000)
      #expect(abs(target - segments * 1_000) < 1, "\(seconds): \(target)")
    }
  }

  @Test("Cube roots", arguments: [0, 1e-6, 0.5, 1, 2, 8, 75, 26.25, 1e6, 1e12])
  func cubeRoots(value: Double) {
    let root = Cubic.Curve.cubeRoot(value)
    #expect(abs(root * root * root - value) <= 1e-9 * max(value, 1e-3))
  }

  @Test(
    "On a long path the window follows the curve, concave up to K and convex after", .rfc(9438, section: "4.4"),
    .rfc(9438, section: "4.5"))
  func follows() {
    var congestion = CongestionControl(.cubic, segments: 1_000)
    var clock = AckClock()
    congestion.loseOne()
    #expect(congestion.window == 700_000)
    // K is the cube root of 300 / 0.4: 9.0856 s.
    for seconds in 1...15 {
      while clock.now < Instant(nanoseconds: .seconds(Int64(seconds))) { clock.round(&congestion) }
      let distance = Double(clock.now.nanoseconds) / 1e9 - 9.0856
      let expected = 1e6 + 400 * distance * distance * distance
      #expect(abs(Double(congestion.window) - expected) < 0.02 * expected, "\(seconds) s: \(congestion.window)")
    }
  }

  @Test(
    "On a short path it grows as Reno would: by 9/17 of a segment a round trip up to where it was, by one beyond",
    .rfc(9438, section: "4.3"))
  func friendly() {
    var congestion = CongestionControl(.cubic, segments: 20)
    var clock = AckClock(roundTrip: .milliseconds(10))
    congestion.loseOne()
    #expect(congestion.window == 14_000)
    func round() {
      clock.flight = congestion.window
      clock.now = clock.now + .milliseconds(10)
      congestion.acknowledged(clock.sample(congestion.window))
    }
    for count in 1...11 {
      round()
      #expect(abs(congestion.window - (14_000 + count * 9_000 / 17)) <= 2)
    }
    round()
    let window = congestion.window
    #expect(window > 20_000)
    round()
    #expect(abs(congestion.window - window - 1_000) <= 2)
  }

  @Test("A loss takes three tenths of the window, never below two segments", .rfc(9438, section: "4.6"))
  func reduction() {
    var congestion = CongestionControl(.cubic, segments: 100)
    congestion.beginRecovery(flight: 100_000, segmentSize: 1_000, now: .zero)
    #expect(congestion.threshold == 70_000)
    congestion.endRecovery(segmentSize: 1_000)
    // What was not in flight does not count (RFC 7661 section 4.4.1).
    congestion.beginRecovery(flight: 30_000, segmentSize: 1_000, now: .zero)
    #expect(congestion.threshold == 21_000)
    congestion.beginRecovery(flight: 1_000, segmentSize: 1_000, now: .zero)
    #expect(congestion.threshold == 2_000)
  }

  @Test("A loss below the last plateau puts the next one lower", .rfc(9438, section: "4.7"))
  func fastConvergence() throws {
    var cubic = Cubic(initialWindow: 100_000, now: .zero)
    cubic.beginRecovery(flight: 100_000, segmentSize: 1_000)
    cubic.endRecovery()
    #expect(try #require(cubic.curve).plateau == 100_000)
    cubic.beginRecovery(flight: 70_000, segmentSize: 1_000)
    cubic.endRecovery()
    // 70 (1 + 0.7) / 2 = 59.5; the window is 49.
    #expect(try #require(cubic.curve).plateau == 59_500)
    var clock = AckClock()
    cubic.acknowledged(clock.sample(1_000))
    // The cube root of 10.5 / 0.4.
    #expect(abs(Int(try #require(cubic.curve).k) - 2_971_949) < 1_000)
  }

  @Test(
    "After a timeout slow start leads to the threshold, where the curve begins at its plateau",
    .rfc(9438, section: "4.8"))
  func timeout() throws {
    var cubic = Cubic(initialWindow: 100_000, now: .zero)
    cubic.timedOut(flight: 100_000, segmentSize: 1_000, isFirst: true)
    #expect(cubic.window == 1_000)
    #expect(cubic.threshold == 70_000)
    var clock = AckClock()
    cubic.acknowledged(clock.sample(30_000, phase: .timeout))
    cubic.endRecovery()
    #expect(cubic.window == 31_000)
    cubic.acknowledged(clock.sample(39_000))
    #expect(cubic.window == 70_000)
    cubic.acknowledged(clock.sample(1_000))
    let curve = try #require(cubic.curve)
    #expect(curve.k == 0)
    #expect(curve.plateau == 70_000)
  }

  @Test("The window grows by half of itself a round trip at most", .rfc(9438, section: "4.2"))
  func clamp() {
    var congestion = CongestionControl(.cubic, segments: 100)
    var clock = AckClock()
    congestion.loseOne()
    congestion.acknowledged(clock.sample(1_000))
    clock.now = Instant(nanoseconds: .seconds(60))
    let window = congestion.window
    congestion.acknowledged(clock.sample(window))
    #expect(congestion.window == window * 3 / 2)
  }

  @Test(
    "Time in which the window was not used, or nothing was sent, does not count", .rfc(9438, section: "4.2"),
    .rfc(9438, section: "5.8"))
  func limitedTime() throws {
    var cubic = Cubic(initialWindow: 100_000, now: .zero)
    var clock = AckClock()
    cubic.beginRecovery(flight: 100_000, segmentSize: 1_000)
    cubic.endRecovery()
    cubic.acknowledged(clock.sample(1_000))
    clock.now = Instant(nanoseconds: .milliseconds(100))
    cubic.acknowledged(clock.sample(1_000))
    #expect(try #require(cubic.curve).elapsed == 100_000)
    clock.now = Instant(nanoseconds: .seconds(10))
    cubic.acknowledged(clock.sample(1_000, wasLimited: false))
    clock.now = clock.now + .milliseconds(50)
    cubic.acknowledged(clock.sample(1_000))
    #expect(try #require(cubic.curve).elapsed == 150_000)
    cubic.sent(flight: 0, now: Instant(nanoseconds: .seconds(20)))
    clock.now = Instant(nanoseconds: .milliseconds(20_100))
    cubic.acknowledged(clock.sample(1_000))
    #expect(try #require(cubic.curve).elapsed == 250_000)
  }

  @Test("A needless recovery gives the curve back, time and all", .rfc(9438, section: "4.9.2"))
  func undo() throws {
    var cubic = Cubic(initialWindow: 100_000, now: .zero)
    var clock = AckClock()
    cubic.beginRecovery(flight: 100_000, segmentSize: 1_000)
    cubic.endRecovery()
    for _ in 0..<20 {
      clock.now = clock.now + .milliseconds(100)
      cubic.acknowledged(clock.sample(Int(cubic.window)))
    }
    let before = try #require(cubic.curve)
    cubic.beginRecovery(flight: Int(cubic.window), segmentSize: 1_000)
    cubic.endRecovery()
    cubic.undo()
    let after = try #require(cubic.curve)
    #expect(after.plateau == before.plateau)
    #expect(after.k == before.k)
    #expect(after.elapsed == before.elapsed)
    #expect(after.friendly == before.friendly)
  }
}

@Suite("TCP: HyStart++")
struct HyStartTests {
  /// Takes a CUBIC in its first slow start through a round of 50 ms.
  private func started(_ congestion: inout CongestionControl) -> AckClock {
    var clock = AckClock(roundTrip: .milliseconds(50))
    clock.round(&congestion)
    #expect(congestion.window == 40_000)
    return clock
  }

  @Test("A rise below an eighth of the round-trip time changes nothing", .rfc(9406, section: "4.2"))
  func smallRise() {
    var congestion = CongestionControl(.cubic, segments: 20)
    var clock = started(&congestion)
    clock.round(&congestion, roundTrip: .milliseconds(56))
    clock.round(&congestion, roundTrip: .milliseconds(62))
    #expect(congestion.window == 160_000)
  }

  @Test("A rise by an eighth, seen in eight samples, slows growth to a quarter", .rfc(9406, section: "4.2"))
  func rise() {
    var congestion = CongestionControl(.cubic, segments: 20)
    var clock = started(&congestion)
    // The first seven segments count whole, the other 33 for a quarter.
    clock.round(&congestion, roundTrip: .milliseconds(57))
    #expect(congestion.window == 40_000 + 7_000 + 33 * 250)
    #expect(congestion.isSlowStart == true)
    #expect(
      congestion.pacingRate(smoothedRoundTrip: .milliseconds(50), segmentSize: 1_000) == UInt64(congestion.window) * 25)
  }

  @Test(
    "The rise that counts is between 4 and 16 ms", .rfc(9406, section: "4.3"),
    arguments: [(8, 11, 12), (400, 415, 416)])
  func bounds(base: Int64, below: Int64, above: Int64) {
    for (next, isConservative) in [(below, false), (above, true)] {
      var congestion = CongestionControl(.cubic, segments: 20)
      var clock = AckClock(roundTrip: .milliseconds(base))
      clock.round(&congestion)
      clock.round(&congestion, roundTrip: .milliseconds(next))
      #expect((congestion.window < 80_000) == isConservative)
    }
  }

  @Test("If the round-trip time falls again, slow start goes on", .rfc(9406, section: "4.2"))
  func falseAlarm() {
    var congestion = CongestionControl(.cubic, segments: 20)
    var clock = started(&congestion)
    clock.round(&congestion, roundTrip: .milliseconds(60))
    clock.round(&congestion, roundTrip: .milliseconds(50))
    #expect(congestion.isSlowStart == true)
    let window = congestion.window
    clock.round(&congestion, roundTrip: .milliseconds(50))
    #expect(congestion.window == 2 * (window / 1_000) * 1_000 + window % 1_000)
  }

  @Test("After five rounds, that in which it began included, the window is the threshold", .rfc(9406, section: "4.2"))
  func end() {
    var congestion = CongestionControl(.cubic, segments: 20)
    var clock = started(&congestion)
    for round in 1...5 {
      clock.round(&congestion, roundTrip: .milliseconds(60))
      #expect(congestion.isSlowStart == true, "round \(round)")
    }
    let window = congestion.window
    // 47 + 33 / 4 segments, then a quarter more each round.
    #expect((128_000...137_000).contains(window), "\(window)")
    // The fifth ends with the first acknowledgements of the next.
    clock.round(&congestion, roundTrip: .milliseconds(60))
    #expect(congestion.isSlowStart == false)
    #expect(congestion.threshold >= window)
    #expect(congestion.threshold <= window + 4_000)
    #expect(congestion.window < congestion.threshold + 4_000)
  }

  @Test(
    "Only the first slow start is watched: after a timeout it goes to the threshold whatever the delay",
    .rfc(9406, section: "4.2"))
  func onlyFirst() {
    var congestion = CongestionControl(.cubic, segments: 20)
    var clock = started(&congestion)
    congestion.timedOut(flight: 40_000, segmentSize: 1_000, isFirst: true, now: clock.now)
    congestion.endRecovery(segmentSize: 1_000)
    for round in 0..<4 { clock.round(&congestion, roundTrip: .milliseconds(50 + 20 * Int64(round))) }
    #expect(congestion.window == 16_000)
  }
}
