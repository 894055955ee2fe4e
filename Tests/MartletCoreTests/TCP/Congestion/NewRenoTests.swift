import Testing

@testable import MartletCore

@Suite("TCP: NewReno")
struct NewRenoTests {
  @Test("Slow start doubles the window each round trip up to the threshold", .rfc(5681, section: "3.1"))
  func slowStart() {
    var congestion = CongestionControl(.newReno, segments: 10)
    var clock = AckClock()
    #expect(congestion.isSlowStart == true)
    for expected in [20_000, 40_000, 80_000] {
      clock.round(&congestion)
      #expect(congestion.window == expected)
    }
    congestion.loseOne()
    #expect(congestion.threshold == 40_000)
    #expect(congestion.isSlowStart == false)
  }

  @Test(
    "The sawtooth: a segment more each round trip, half of it on each loss", .rfc(5681, section: "3.1"),
    .rfc(3465, section: "2.1"))
  func sawtooth() {
    var congestion = CongestionControl(.newReno, segments: 20)
    var clock = AckClock()
    congestion.loseOne()
    for _ in 0..<3 {
      #expect(congestion.window == 10_000)
      for expected in 11...20 {
        clock.round(&congestion)
        #expect(congestion.window == expected * 1_000)
      }
      congestion.beginRecovery(flight: congestion.window, segmentSize: 1_000, now: clock.now)
      clock.round(&congestion, phase: .fast)
      congestion.endRecovery(segmentSize: 1_000)
    }
  }

  @Test(
    "Bytes count, not acknowledgements: an acknowledgement of two segments is worth two", .rfc(3465, section: "2.1"))
  func bytes() {
    var congestion = CongestionControl(.newReno, segments: 10)
    var clock = AckClock()
    congestion.acknowledged(clock.sample(2_000))
    #expect(congestion.window == 12_000)
    congestion.loseOne()
    for _ in 0..<3 { congestion.acknowledged(clock.sample(2_000)) }
    #expect(congestion.window == 7_000)
  }

  @Test("The threshold is never below two segments", .rfc(5681, section: "3.1"))
  func smallest() {
    var congestion = CongestionControl(.newReno, segments: 2)
    congestion.beginRecovery(flight: 1_000, segmentSize: 1_000, now: .zero)
    #expect(congestion.threshold == 2_000)
  }

  @Test(
    "After a timeout slow start begins with one segment and takes one an acknowledgement, and a second timeout leaves the threshold",
    .rfc(5681, section: "3.1"), .rfc(3465, section: "2.3"))
  func timeout() {
    var congestion = CongestionControl(.newReno, segments: 20)
    var clock = AckClock()
    congestion.timedOut(flight: 20_000, segmentSize: 1_000, isFirst: true, now: clock.now)
    #expect(congestion.window == 1_000)
    #expect(congestion.threshold == 10_000)
    congestion.timedOut(flight: 1_000, segmentSize: 1_000, isFirst: false, now: clock.now)
    #expect(congestion.threshold == 10_000)
    congestion.acknowledged(clock.sample(8_000, phase: .timeout))
    #expect(congestion.window == 2_000)
    congestion.endRecovery(segmentSize: 1_000)
    #expect(congestion.window == 2_000)
  }
}

/// What all that react to losses have in common.
@Suite("TCP: congestion windows", .serialized)
struct CongestionWindowTests {
  static let lossBased: [TCPCongestionControl] = [.newReno, .cubic]

  @Test(
    "A window that was not used does not grow", .rfc(7661, section: "4.2"), .rfc(9438, section: "5.8"),
    arguments: lossBased)
  func notLimited(algorithm: TCPCongestionControl) {
    var congestion = CongestionControl(algorithm, segments: 10)
    var clock = AckClock()
    clock.round(&congestion, wasLimited: false)
    #expect(congestion.window == 10_000)
    congestion.loseOne()
    let window = congestion.window
    for _ in 0..<30 { clock.round(&congestion, wasLimited: false) }
    #expect(congestion.window == window)
  }

  @Test(
    "What was needless is undone: window and threshold are as before", .rfc(4015, section: "3"),
    .rfc(9438, section: "4.9.2"), arguments: lossBased, [false, true])
  func undo(algorithm: TCPCongestionControl, byTimeout: Bool) {
    var congestion = CongestionControl(algorithm, segments: 40)
    var clock = AckClock()
    congestion.loseOne()
    for _ in 0..<5 { clock.round(&congestion) }
    let before = (congestion.window, congestion.threshold)
    if byTimeout {
      congestion.timedOut(flight: before.0, segmentSize: 1_000, isFirst: true, now: clock.now)
      congestion.timedOut(flight: before.0, segmentSize: 1_000, isFirst: false, now: clock.now)
    } else {
      congestion.beginRecovery(flight: before.0, segmentSize: 1_000, now: clock.now)
      // A timeout in the middle belongs to the same chain.
      congestion.timedOut(flight: before.0, segmentSize: 1_000, isFirst: true, now: clock.now)
    }
    #expect(congestion.window == 1_000)
    congestion.undo()
    #expect(congestion.window == before.0)
    #expect(congestion.threshold == before.1)
    // There is nothing more to undo.
    congestion.window = 5_000
    congestion.undo()
    #expect(congestion.window == 5_000)
  }

  @Test("Undone in the first slow start, it goes on", arguments: lossBased)
  func undoSlowStart(algorithm: TCPCongestionControl) {
    var congestion = CongestionControl(algorithm, segments: 10)
    var clock = AckClock()
    clock.round(&congestion)
    congestion.loseOne()
    congestion.undo()
    #expect(congestion.isSlowStart == true)
    clock.round(&congestion)
    #expect(congestion.window == 40_000)
  }

  @Test("Acknowledgements in a fast recovery do not grow the window", .rfc(5681, section: "3.2"), arguments: lossBased)
  func recovery(algorithm: TCPCongestionControl) {
    var congestion = CongestionControl(algorithm, segments: 20)
    var clock = AckClock()
    congestion.beginRecovery(flight: 20_000, segmentSize: 1_000, now: clock.now)
    // Proportional rate reduction leads the window meanwhile.
    congestion.window = 17_000
    clock.round(&congestion, phase: .fast)
    #expect(congestion.window == 17_000)
    congestion.endRecovery(segmentSize: 1_000)
    #expect(congestion.window == congestion.threshold)
  }

  @Test(
    "A mark reduces once, cannot be undone, and counts for nothing in a recovery", .rfc(3168, section: "6.1.2"),
    .rfc(8511, section: "3"), arguments: zip(lossBased, [10_000, 17_000]))
  func marks(algorithm: TCPCongestionControl, expected: Int) {
    var congestion = CongestionControl(algorithm, segments: 20)
    congestion.congestionExperienced(flight: 20_000, segmentSize: 1_000, now: .zero)
    #expect(congestion.window == expected)
    #expect(congestion.threshold == expected)
    congestion.undo()
    #expect(congestion.window == expected)
    congestion.beginRecovery(flight: expected, segmentSize: 1_000, now: .zero)
    let window = congestion.window
    congestion.congestionExperienced(flight: window, segmentSize: 1_000, now: .zero)
    #expect(congestion.window == window)
  }

  @Test(
    "After five minutes at less than half of the window half of it goes, and the threshold remembers",
    .rfc(7661, section: "4.4.3"), arguments: lossBased)
  func validation(algorithm: TCPCongestionControl) {
    var congestion = CongestionControl(algorithm, segments: 100)
    congestion.loseOne()
    congestion.window = 100_000
    func note(_ second: Int64, _ flight: Int) {
      congestion.notLimited(
        flight: flight, segmentSize: 1_000, timeout: .seconds(1), now: Instant(nanoseconds: .seconds(second)))
    }
    note(10, 30_000)
    note(200, 60_000)
    note(310, 30_000)
    note(609, 30_000)
    #expect(congestion.window == 100_000)
    note(612, 30_000)
    #expect(congestion.window == 50_000)
    #expect(congestion.threshold == 75_000)
    note(613, 5_000)
    note(912, 5_000)
    #expect(congestion.window == 50_000)
    note(915, 5_000)
    #expect(congestion.window == 25_000)
    // Never below the initial window.
    for second in 1...5 { note(915 + Int64(second) * 305, 0) }
    #expect(congestion.window == 10_000)
  }

  @Test(
    "NewReno begins anew with the initial window after a pause, CUBIC gives up half for each timeout",
    .rfc(5681, section: "4.1"))
  func idle() {
    func window(_ algorithm: TCPCongestionControl, idle: Nanoseconds) -> (Int, Bool) {
      var congestion = CongestionControl(algorithm, segments: 80)
      congestion.restartAfterIdle(
        idle: idle, timeout: .milliseconds(200), initialWindow: 10_000, segmentSize: 1_000, now: .zero)
      return (congestion.window, congestion.isSlowStart)
    }
    #expect(window(.newReno, idle: .milliseconds(201)) == (10_000, true))
    #expect(window(.cubic, idle: .milliseconds(201)) == (40_000, true))
    #expect(window(.cubic, idle: .milliseconds(500)) == (20_000, true))
    #expect(window(.cubic, idle: .seconds(5)) == (10_000, true))
    #expect(window(.bbr, idle: .seconds(5)).0 == 80_000)
  }

  @Test(
    "A window is paced over half of a round trip in slow start, over four fifths later, and not at all without a sample",
    arguments: lossBased)
  func pacing(algorithm: TCPCongestionControl) {
    var congestion = CongestionControl(algorithm, segments: 40)
    #expect(congestion.pacingRate(smoothedRoundTrip: -1, segmentSize: 1_000) == 0)
    #expect(congestion.pacingRate(smoothedRoundTrip: .milliseconds(100), segmentSize: 1_000) == 800_000)
    congestion.loseOne()
    let window = UInt64(congestion.window)
    #expect(congestion.pacingRate(smoothedRoundTrip: .milliseconds(100), segmentSize: 1_000) == window * 125 / 10)
  }

  @Test("A window no larger than an initial one is not paced", .rfc(6928, section: "2"), arguments: lossBased)
  func smallWindow(algorithm: TCPCongestionControl) {
    let ten = CongestionControl(algorithm, segments: 10)
    #expect(ten.pacingRate(smoothedRoundTrip: .milliseconds(100), segmentSize: 1_000) == 0)
    let eleven = CongestionControl(algorithm, segments: 11)
    #expect(eleven.pacingRate(smoothedRoundTrip: .milliseconds(100), segmentSize: 1_000) == 220_000)
  }

  @Test("The initial window is ten segments, or two large ones", .rfc(6928, section: "2"))
  func initialWindow() {
    #expect(CongestionControl.initialWindow(segments: 10, segmentSize: 1_460) == 14_600)
    #expect(CongestionControl.initialWindow(segments: 10, segmentSize: 536) == 5_360)
    #expect(CongestionControl.initialWindow(segments: 10, segmentSize: 8_960) == 17_920)
  }

  @Test("Each algorithm says which one it is, and none makes a sender larger than 96 bytes")
  func algorithms() {
    for algorithm in TCPCongestionControl.allCases {
      let congestion = CongestionControl(algorithm, segments: 10)
      #expect(congestion.algorithm == algorithm)
      #expect(congestion.window == 10_000)
      #expect(congestion.usesProportionalReduction == (algorithm != .bbr))
      #expect((congestion.pathModel == nil) == (algorithm != .bbr))
    }
    #expect(MemoryLayout<CongestionControl>.size <= 96)
  }
}
