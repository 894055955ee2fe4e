import MartletWire
import Testing

@testable import MartletCore

@Suite("TCP: retransmission and congestion", .bothVersions)
struct TCPRetransmissionTests {
  @Test("A lost segment is resent after three duplicate ACKs", .rfc(9293, "MUST-19"), .rfc(5681, section: "3.2"))
  func fastRetransmit() {
    let t = TCPScript(.established(initialWindow: 4))
    t.at(0.000).write(4_000)
    t.expect(
      .data(seq: 1, count: 1_000), .data(seq: 1_001, count: 1_000), .data(seq: 2_001, count: 1_000),
      .data(seq: 3_001, count: 1_000))
    t.at(0.100).receive(.ack(1_001), .ack(1_001, sack: 2_001..<3_001), .ack(1_001, sack: 2_001..<4_001))
    t.expect()
    t.write(3_000)
    t.ignore()
    t.at(0.110).receive(.ack(1_001, sack: 2_001..<5_001))
    t.expect(.data(seq: 1_001, count: 1_000))
    #expect(t.info.isRecovering)
    t.expectNothing(until: 0.200)
  }

  @Test("Without SACK three duplicates resend one segment, and each partial ACK the next", .rfc(6582, section: "3.2"))
  func newReno() {
    let t = TCPScript(.established(initialWindow: 8, sack: false))
    t.write(8_000).ignore()
    t.at(0.1).receive(.ack(1), .ack(1))
    t.expectNothing()
    t.receive(.ack(1))
    t.expect(.data(seq: 1, count: 1_000))
    #expect(t.info.slowStartThreshold == 4_000)
    t.receive(.ack(1), .ack(1))
    t.expectNothing()
    // The first two were lost; the second is resent on the partial ACK, without waiting for duplicates.
    t.at(0.15).receive(.ack(1_001))
    t.expect(.data(seq: 1_001, count: 1_000))
    t.at(0.2).receive(.ack(8_001))
    #expect(!t.info.isRecovering)
    #expect(t.info.congestionWindow == 4_000)
    t.expectNothing(until: 1)
  }

  @Test("Several losses in one window are resent within one recovery", .rfc(6675, section: "5"))
  func selective() {
    let t = TCPScript(.established(initialWindow: 10))
    t.write(10_000).ignore()
    // The first, third and fifth are lost.
    t.at(0.1).receive(
      .ack(1, sack: 1_001..<2_001), .ack(1, sack: 3_001..<4_001, 1_001..<2_001),
      .ack(1, sack: 5_001..<6_001, 3_001..<4_001, 1_001..<2_001))
    t.expect(.data(seq: 1, count: 1_000))
    t.receive(.ack(1, sack: 5_001..<10_001, 3_001..<4_001, 1_001..<2_001))
    t.expect(.data(seq: 2_001, count: 1_000), .data(seq: 4_001, count: 1_000))
    t.receive(.ack(10_001))
    t.expectNothing(until: 2)
    #expect(t.info.retransmittedSegments == 3)
    #expect(t.info.timeouts == 0)
  }

  @Test(
    "Without an answer the timer resends, waiting twice as long each time", .rfc(6298, section: "5"),
    .rfc(9293, "MUST-19"))
  func timeout() {
    let t = TCPScript()
    t.at(0.1).write(3_000).ignore()
    t.expectNothing(until: 0.299)
    t.at(0.3).expect(.data(seq: 1, count: 1_000))
    t.expectNothing(until: 0.699)
    t.at(0.7).expect(.data(seq: 1, count: 1_000))
    #expect(!t.changes().contains(.softError))
    t.expectNothing(until: 1.499)
    t.at(1.5).expect(.data(seq: 1, count: 1_000))
    #expect(t.info.congestionWindow == 1_000)
    // Slow start from one segment.
    t.at(1.6).receive(.ack(1_001))
    t.expect(.data(seq: 1_001, count: 1_000), .data(seq: 2_001, count: 1_000))
    t.at(1.7).receive(.ack(3_001))
    t.expectNothing(until: 10)
  }

  @Test(
    "After three timeouts the program is told, and the connection goes on", .rfc(9293, "MUST-20"), .rfc(9293, "SHLD-9"),
    .rfc(9293, "SHLD-10"))
  func softError() {
    let t = TCPScript()
    t.at(0).write(100).at(1.3)
    #expect(!t.changes().contains(.softError))
    t.at(1.4)
    #expect(t.changes().contains(.softError))
    #expect(t.softError == .timedOut(after: .milliseconds(1_400)))
    t.expectState(.established)
    t.ignore().receive(.ack(101))
    t.expectNothing(until: 30)
  }

  @Test("R2: the connection is given up after the user timeout", .rfc(9293, "MUST-20"), .rfc(9293, "MUST-21"))
  func userTimeout() {
    let t = TCPScript(.established { $0.options.userTimeout = .seconds(10) })
    t.at(5).write(100).at(14.999)
    t.expectState(.established)
    t.ignore().at(15)
    t.expectState(.closed)
    t.expectError(.timedOut(after: .seconds(10)))
    t.expect(.rst(seq: 101, ack: 1))
    #expect(t.changes().contains(.closed))
  }

  @Test("R2 of data is at least 100 seconds by default", .rfc(9293, "SHLD-11"))
  func defaultUserTimeout() {
    let t = TCPScript()
    t.write(100).at(899)
    t.expectState(.established)
    t.at(900)
    t.expectState(.closed)
  }

  @Test("A SYN is resent, and given up after three minutes", .rfc(9293, "MUST-22"), .rfc(9293, "MUST-23"))
  func lostSYN() {
    let t = TCPScript(.connecting())
    t.change { _ in }
    t.expect(.syn())
    t.expectNothing(until: 0.999)
    t.at(1).expect(.syn())
    t.expectNothing(until: 2.999)
    t.at(3).expect(.syn())
    t.at(179.999).ignore()
    t.expectState(.synSent)
    t.at(180)
    t.expectState(.closed)
    t.expectError(.timedOut(after: .seconds(180)))
    t.expectNothing()
  }

  @Test(
    "After a lost SYN the first flight is one segment and the timeout three seconds", .rfc(6298, section: "5.7"),
    .rfc(5681, section: "3.1"))
  func afterLostSYN() {
    let t = TCPScript(.connecting { $0.sack = false })
    t.change { _ in }
    t.at(1.5).ignore().receive(.synAck(mss: 1_000)).ignore()
    t.at(2).write(3_000)
    t.expect(.data(seq: 1, count: 1_000))
    t.expectNothing(until: 4.999)
    t.at(5).expect(.data(seq: 1, count: 1_000))
  }

  @Test("No sample is taken from a segment that was resent", .rfc(9293, "MUST-18"))
  func karn() {
    let t = TCPScript()
    t.write(1_000).at(0.3).ignore()
    t.receive(.ack(1_001))
    #expect(t.info.smoothedRoundTrip == .zero)
  }

  @Test("With timestamps a resent segment does give a sample", .rfc(7323, section: "4.1"))
  func timestampSample() {
    let t = TCPScript(.established(timestamps: true))
    t.write(988)
    t.expect(.data(seq: 1, count: 988, timestamp: 0))
    t.at(0.2).expect(.data(seq: 1, count: 988, timestamp: 200))
    t.at(0.280).receive(.ack(989, timestamp: 1_100, echo: 200))
    #expect(t.info.smoothedRoundTrip == .milliseconds(10))
  }

  @Test(
    "Slow start doubles, congestion avoidance adds one segment a round trip", .rfc(5681, section: "3.1"),
    .rfc(9293, "MUST-19"))
  func slowStart() {
    let t = TCPScript(.established(initialWindow: 2))
    t.write(100_000)
    t.expect(.data(seq: 1, count: 1_000), .data(seq: 1_001, count: 1_000))
    t.at(0.1).receive(.ack(1_001))
    t.expect(.data(seq: 2_001, count: 1_000), .data(seq: 3_001, count: 1_000))
    t.receive(.ack(2_001))
    #expect(t.info.congestionWindow == 4_000)
    t.ignore()
    t.at(0.2).receive(.ack(6_001)).ignore()
    #expect(t.info.congestionWindow == 8_000)
    // A loss halves it, and from then on it grows by a segment a window.
    t.receive(.ack(6_001, sack: 7_001..<10_001)).ignore()
    #expect(t.info.slowStartThreshold == 4_000)
    t.at(0.3).receive(.ack(14_001)).ignore()
    #expect(!t.info.isRecovering)
    t.at(0.4).receive(.ack(18_001)).ignore()
    #expect(t.info.congestionWindow == 5_000)
  }

  @Test("After a pause longer than the timeout cwnd is the initial window again", .rfc(5681, section: "4.1"))
  func idleRestart() {
    let t = TCPScript(.established(initialWindow: 2))
    t.write(4_000).at(0.05).receive(.ack(2_001)).at(0.1).receive(.ack(4_001)).ignore()
    #expect(t.info.congestionWindow > 2_000)
    t.at(5).write(10_000)
    t.expect(.data(seq: 4_001, count: 1_000), .data(seq: 5_001, count: 1_000))
  }

  @Test("The first two duplicates let new data out", .rfc(3042, section: "2"), arguments: [true, false])
  func limitedTransmit(sack: Bool) {
    let t = TCPScript(.established(initialWindow: 4, sack: sack))
    t.write(10_000).ignore()
    t.at(0.1).receive(sack ? .ack(1, sack: 1_001..<2_001) : .ack(1))
    t.expect(.data(seq: 4_001, count: 1_000))
    t.receive(sack ? .ack(1, sack: 1_001..<3_001) : .ack(1))
    t.expect(.data(seq: 5_001, count: 1_000))
  }

  @Test("A FIN that is lost is resent")
  func lostFIN() {
    let t = TCPScript()
    t.write(500).close()
    t.expect(.data(seq: 1, count: 500), .fin(seq: 501))
    t.at(0.2).expect(.fin(seq: 1, count: 500))
    t.receive(.ack(501))
    t.at(0.6).expect(.fin(seq: 501))
    t.receive(.ack(502))
    t.expectState(.finWait2)
  }

  @Test("What the peer reported and let go again is resent after the second timeout", .rfc(2018, section: "8"))
  func reneging() {
    let t = TCPScript()
    t.write(3_000).ignore()
    t.at(0.1).receive(.ack(1, sack: 2_001..<3_001))
    t.at(0.3).ignore().receive(.ack(2_001))
    t.at(5).ignore()
    t.receive(.ack(2_001)).at(20)
    #expect(t.info.bytesInFlight == 1_000)
    t.receive(.ack(3_001))
    #expect(t.info.bytesInFlight == 0)
  }

  @Test("A super-segment stands for as many segments as cwnd and the peer's window take")
  func superSegment() {
    let t = TCPScript(.established(initialWindow: 10) { $0.superSegment = 65_000 })
    t.write(10_500)
    #expect(t.sent.first?.superSegment == 1_000)
    t.expect(.data(seq: 1, count: 10_000))
    t.at(0.1).receive(.ack(10_001))
    t.expect(.data(seq: 10_001, count: 500, push: true))
  }
}
