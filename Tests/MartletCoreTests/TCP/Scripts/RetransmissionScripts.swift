import MartletWire
import Testing

@testable import MartletCore

/// Timers and congestion of a sender without SACK (RFC 5681, RFC 6298, RFC 6582), and how long it is patient.
@Suite("TCP: a sender without SACK", .bothVersions)
struct TCPRetransmissionScripts {
  private static func script(_ initialWindow: Int = 10) -> TCPScript {
    TCPScript(.established(initialWindow: initialWindow, sack: false))
  }

  // MARK: The timer (RFC 6298 section 5)

  @Test("The timer starts with the first segment", .rfc(6298, section: "5.1"))
  func timerStarts() {
    let t = Self.script()
    #expect(t.deadline == nil)
    t.at(1).write(100)
    #expect(t.deadline == 1.2)
  }

  @Test("It stops when all is acknowledged", .rfc(6298, section: "5.2"))
  func timerStops() {
    let t = Self.script()
    t.write(2_000).at(0.1).receive(.ack(2_001)).ignore()
    #expect(t.deadline == nil)
    t.expectNothing(until: 100)
  }

  @Test("It starts anew when some is acknowledged", .rfc(6298, section: "5.3"))
  func timerRestarts() {
    let t = Self.script()
    t.write(3_000).ignore()
    t.at(0.15).receive(.ack(1_001))
    #expect((t.deadline ?? 0) >= 0.35)
    t.expectNothing(until: 0.349)
  }

  @Test("A duplicate does not start it anew", .rfc(6298, section: "5.3"))
  func duplicateLeavesTimer() {
    let t = Self.script()
    t.write(3_000).ignore()
    t.at(0.15).receive(.ack(1))
    #expect(t.deadline == 0.2)
  }

  @Test("New segments behind the first leave it", .rfc(6298, section: "5.1"))
  func laterSegmentsLeaveTimer() {
    let t = Self.script()
    t.write(1_000).at(0.15).write(1_000)
    #expect(t.deadline == 0.2)
  }

  @Test("Only the first segment is resent when it runs out", .rfc(6298, section: "5.4"))
  func earliestIsResent() {
    let t = Self.script()
    t.write(5_000).ignore().at(0.2)
    t.expect(.data(seq: 1, count: 1_000))
  }

  @Test("It doubles each time", .rfc(6298, section: "5.5"), .rfc(9293, "MUST-19"))
  func doubles() {
    let t = Self.script()
    t.write(1_000).ignore().at(20)
    #expect(t.sent.compactMap(\.time) == [0.2, 0.6, 1.4, 3.0, 6.2, 12.6])
  }

  @Test("Resent segments carry what is now to be acknowledged", .rfc(9293, section: "3.8.1"))
  func resentAcknowledges() {
    let t = Self.script()
    t.write(1_000).receive(.data(seq: 1, count: 10, ack: 1)).at(0.1).ignore()
    t.at(0.2).expect(.data(seq: 1, count: 1_000, ack: 11))
  }

  @Test("A timer that runs out gives no sample when the answer comes", .rfc(9293, "MUST-18"), .rfc(6298, section: "3"))
  func karn() {
    let t = Self.script()
    t.at(1).write(1_000).at(1.25)
    #expect(t.sent.count == 2)
    t.receive(.ack(1_001))
    // The SYN's sample of 0 is the only one, and the timeout stays backed off.
    #expect(t.info.smoothedRoundTrip == .zero)
    #expect(t.info.retransmissionTimeout == .milliseconds(400))
  }

  @Test("Fast retransmission gives no sample either", .rfc(9293, "MUST-18"))
  func karnFast() {
    let t = Self.script()
    t.write(5_000).ignore().at(0.1).receive(.ack(1), .ack(1), .ack(1))
    t.expect(.data(seq: 1, count: 1_000))
    t.at(0.15).receive(.ack(5_001))
    #expect(t.info.smoothedRoundTrip == .zero)
  }

  @Test("A SYN, ACK is resent with the same timer", .rfc(9293, "MUST-22"))
  func synAckResent() {
    let t = TCPScript.inState(.synReceived)
    t.at(8)
    #expect(t.sent.compactMap(\.time) == [1, 3, 7])
    #expect(t.sent.allSatisfy { $0.flags == [.syn, .ack] && $0.seq == 0 && $0.ack == 1 })
    t.at(180)
    t.expectState(.closed)
  }

  @Test("A lost FIN is resent, and given up at R2", .rfc(9293, "MUST-20"))
  func lostFIN() {
    let t = TCPScript.inState(.lastAck)
    t.at(0.2).expect(.fin(seq: 1, ack: 2))
    t.at(0.6).expect(.fin(seq: 1, ack: 2))
    t.ignore().at(901)
    t.expectState(.closed)
  }

  // MARK: Patience (RFC 9293 section 3.8.3)

  @Test("Any progress puts R2 off", .rfc(9293, "MUST-20"))
  func progress() {
    let t = TCPScript(.established(sack: false) { $0.options.userTimeout = .seconds(10) })
    t.write(3_000).at(9).receive(.ack(1_001)).at(18)
    t.expectState(.established)
    t.at(19.1)
    t.expectState(.closed)
    #expect(t.changes().contains(.closed))
  }

  @Test("R2 may be changed while the connection lives", .rfc(9293, "MUST-21"))
  func changeR2() {
    let t = Self.script()
    t.write(100).change { $0.setUserTimeout(.seconds(3)) }
    t.at(10)
    t.expectState(.closed)
  }

  @Test("After R1 the program is told once for what is in flight, and again the next time", .rfc(9293, "SHLD-9"))
  func toldOnce() {
    let t = Self.script()
    t.write(100).at(1.3)
    #expect(!t.changes().contains(.softError))
    t.at(1.5)
    #expect(t.changes().contains(.softError))
    t.at(30)
    #expect(!t.changes().contains(.softError))
    t.receive(.ack(101)).write(100).at(300)
    #expect(t.changes().contains(.softError))
  }

  @Test("An ACK of nothing new does not put R2 off", .rfc(9293, "MUST-20"))
  func noProgress() {
    let t = TCPScript(.established(sack: false) { $0.options.userTimeout = .seconds(10) })
    t.write(1_000)
    for turn in 1...9 { t.at(Double(turn)).receive(.ack(1)) }
    t.at(10.1)
    t.expectState(.closed)
  }

  @Test("A SYN lasts three minutes whatever the program's R2 is", .rfc(9293, "MUST-23"))
  func synOutlastsR2() {
    let t = TCPScript(.connecting { $0.options.userTimeout = .seconds(5) })
    t.change { _ in }
    t.at(179)
    t.expectState(.synSent)
  }

  // MARK: Fast retransmission and recovery (RFC 5681 section 3.2, RFC 6582)

  @Test("Two duplicates resend nothing", .rfc(5681, section: "3.2"))
  func twoDuplicates() {
    let t = Self.script(5)
    t.write(5_000).ignore()
    t.at(0.1).receive(.ack(1), .ack(1))
    t.expectNothing()
    #expect(!t.info.isRecovering)
  }

  @Test("An ACK with text is no duplicate", .rfc(5681, section: "2"))
  func withText() {
    let t = Self.script(5)
    t.write(5_000).ignore()
    for place in 0..<4 { t.at(0.01).receive(.data(seq: 1 + place * 10, count: 10, ack: 1)) }
    #expect(!t.info.isRecovering)
    #expect(t.info.retransmittedSegments == 0)
  }

  @Test("An ACK with another window is no duplicate", .rfc(5681, section: "2"))
  func withWindow() {
    let t = Self.script(5)
    t.write(5_000).ignore()
    for turn in 0..<4 { t.receive(.ack(1, window: 60_000 - turn)) }
    #expect(t.info.retransmittedSegments == 0)
  }

  @Test("An ACK when nothing is in flight is no duplicate", .rfc(5681, section: "2"))
  func withoutFlight() {
    let t = Self.script(5)
    t.receive(.ack(1), .ack(1), .ack(1), .ack(1))
    t.write(1_000)
    t.expect(.data(seq: 1, count: 1_000))
    #expect(!t.info.isRecovering)
  }

  @Test(
    "Recovery halves ssthresh, but not below two segments", .rfc(5681, section: "3.1"),
    arguments: [(8, 4_000), (4, 2_000), (2, 2_000)])
  func threshold(segments: Int, expected: Int) {
    let t = Self.script(segments)
    t.write(segments * 1_000).ignore()
    t.at(0.1).receive(.ack(1), .ack(1), .ack(1))
    #expect(t.info.slowStartThreshold == expected)
  }

  @Test("A full acknowledgement ends recovery with cwnd at ssthresh at most", .rfc(6582, section: "3.2"))
  func fullAcknowledgment() {
    let t = Self.script(8)
    t.write(8_000).ignore()
    t.at(0.1).receive(.ack(1), .ack(1), .ack(1)).ignore()
    t.at(0.15).receive(.ack(8_001))
    #expect(!t.info.isRecovering)
    #expect(t.info.congestionWindow <= 4_000)
  }

  @Test("Each partial acknowledgement resends one segment more", .rfc(6582, section: "3.2"))
  func partialAcknowledgments() {
    let t = Self.script(8)
    t.write(8_000).ignore()
    t.at(0.01).receive(.ack(1), .ack(1), .ack(1))
    t.expect(.data(seq: 1, count: 1_000))
    for place in 1...3 {
      t.at(0.01 * Double(place + 1)).receive(.ack(place * 1_000 + 1))
      t.expect(.data(seq: place * 1_000 + 1, count: 1_000))
    }
    t.receive(.ack(8_001))
    #expect(t.info.timeouts == 0)
  }

  @Test("Duplicates of what was sent before a timeout begin no recovery", .rfc(6582, section: "4"))
  func duplicatesAfterTimeout() {
    let t = Self.script(8)
    t.write(8_000).ignore().at(0.2)
    t.expect(.data(seq: 1, count: 1_000))
    let threshold = t.info.slowStartThreshold
    t.receive(.ack(1), .ack(1), .ack(1), .ack(1))
    #expect(t.info.slowStartThreshold == threshold)
    #expect(t.info.congestionWindow == 1_000)
  }

  @Test("A timeout sets cwnd to one segment, and ssthresh to half the flight", .rfc(5681, section: "3.1"))
  func timeout() {
    let t = Self.script(8)
    t.write(8_000).at(0.2)
    #expect(t.info.congestionWindow == 1_000)
    #expect(t.info.slowStartThreshold == 4_000)
  }

  @Test("A second timeout of the same data leaves ssthresh", .rfc(5681, section: "3.1"))
  func secondTimeout() {
    let t = Self.script(8)
    t.write(8_000).at(5)
    #expect(t.info.timeouts > 2)
    #expect(t.info.slowStartThreshold == 4_000)
  }

  @Test("After a timeout slow start goes up to ssthresh", .rfc(5681, section: "3.1"), .rfc(9293, "MUST-19"))
  func slowStartAfterTimeout() {
    let t = Self.script(8)
    // With more to send the second ACK would show that the timeout was needless (RFC 5682).
    t.write(8_000).ignore().at(0.2).ignore()
    t.receive(.ack(1_001))
    #expect(t.info.congestionWindow == 2_000)
    t.receive(.ack(2_001))
    #expect(t.info.congestionWindow == 3_000)
    t.receive(.ack(3_001)).receive(.ack(4_001))
    #expect(t.info.congestionWindow <= 5_000)
  }

  @Test(
    "The initial window is ten segments of up to 1460 bytes", .rfc(6928, section: "2"),
    arguments: [(536, 5_360), (1_000, 10_000), (1_460, 14_600)])
  func initialWindow(mss: Int, expected: Int) {
    let t = TCPScript(.established(mss: mss, sack: false))
    #expect(t.info.congestionWindow == expected)
    t.write(50_000)
    #expect(t.sent.count == 10)
  }

  @Test("A program that sends little does not grow cwnd", .rfc(7661, section: "4.3"))
  func applicationLimited() {
    let t = Self.script(10)
    for turn in 0..<20 { t.write(500).at(0.01 * Double(turn + 1)).receive(.ack((turn + 1) * 500 + 1)) }
    #expect(t.info.congestionWindow == 10_000)
  }

  // MARK: Keep-alive (RFC 9293 section 3.8.4)

  private static func keepAlive() -> TCPScript {
    TCPScript(
      .established(sack: false) {
        $0.options.keepAlive = true
        $0.options.keepAliveIdle = .seconds(100)
        $0.options.keepAliveInterval = .seconds(10)
        $0.options.keepAliveProbes = 3
      })
  }

  @Test("Probes go on at the interval until one is answered", .rfc(9293, "MUST-27"), .rfc(9293, "MUST-29"))
  func keepAliveProbes() {
    let t = Self.keepAlive()
    t.at(121)
    #expect(t.sent.compactMap(\.time) == [100, 110, 120])
    t.ignore().receive(.ack(1))
    t.expectNothing(until: 220.9)
    t.expectState(.established)
  }

  @Test("Nothing is probed while data is outstanding", .rfc(9293, "MUST-26"))
  func keepAliveWaits() {
    let t = Self.keepAlive()
    t.at(99).write(10).at(300)
    #expect(t.sent.allSatisfy { $0.seq == 1 && $0.count == 10 })
  }

  @Test("Text that comes puts probes off", .rfc(9293, "MUST-26"))
  func keepAliveHears() {
    let t = Self.keepAlive()
    for turn in 1...5 {
      t.at(Double(turn) * 90).receive(.data(seq: turn, count: 1, ack: 1))
      t.at(Double(turn) * 90 + 1)
      t.expect(.ack(turn + 1))
    }
  }

  @Test("A RST in answer to a probe ends the connection", .rfc(9293, section: "3.8.4"))
  func keepAliveReset() {
    let t = Self.keepAlive()
    t.at(100).receive(.rst(seq: 1))
    t.expectState(.closed)
    t.expectError(.reset)
  }
}
