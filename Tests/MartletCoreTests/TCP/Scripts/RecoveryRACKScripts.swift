import MartletWire
import Testing

@testable import MartletCore

/// Which segments count as lost, and when. Round trips take 100 ms, so the reordering window is 25 ms at first.
@Suite("TCP: RACK (RFC 8985)", .bothVersions)
struct TCPRACKScripts {
  @Test(
    "One segment reported: what was sent with it is late for a quarter of a round trip, then lost",
    .rfc(8985, section: "6.2"))
  func reorderingTimer() {
    let t = TCPScript.measured()
    t.write(5_000).ignore().at(0.2).receive(.ack(1, sack: 1_001..<2_001))
    #expect(t.deadline == 0.225)
    t.expectNothing(until: 0.224)
    #expect(!t.info.isRecovering)
    t.at(0.225).expect(.data(seq: 1, count: 1_000))
    #expect(t.info.isRecovering)
    #expect(t.info.timeouts == 0)
  }

  @Test("What was late and came after all is not resent", .rfc(8985, section: "6.2"))
  func lateOnly() {
    let t = TCPScript.measured()
    t.write(5_000).ignore().at(0.2).receive(.ack(1, sack: 1_001..<2_001))
    t.at(0.22).receive(.ack(2_001))
    t.expectNothing(until: 0.3)
    #expect(!t.info.isRecovering)
  }

  @Test("Three segments reported on a path that never reordered: lost at once", .rfc(8985, section: "6.2"))
  func threshold() {
    let t = TCPScript.measured()
    t.write(5_000).ignore().at(0.2).receive(.ack(1, sack: 1_001..<3_001))
    t.expectNothing()
    t.receive(.ack(1, sack: 1_001..<4_001))
    t.expect(.data(seq: 1, count: 1_000))
  }

  @Test("Three segments in pieces count as three", .rfc(8985, section: "6.2"))
  func pieces() {
    let t = TCPScript.measured()
    t.write(8_000).ignore().at(0.2)
    t.receive(.ack(1, sack: 5_001..<6_001, 3_001..<4_001, 1_001..<2_001))
    // Two are in the network, and four may be.
    t.expect(.data(seq: 1, count: 1_000), .data(seq: 2_001, count: 1_000))
  }

  @Test(
    "Time counts, not order: what went out a reordering window earlier is lost with the first report",
    .rfc(8985, section: "6.2"))
  func time() {
    let t = TCPScript.measured()
    t.write(1_000).at(0.15).write(1_000).ignore()
    t.at(0.25).receive(.ack(1, sack: 1_001..<2_001))
    t.expect(.data(seq: 1, count: 1_000))
  }

  @Test("What was sent after all that was delivered is not lost", .rfc(8985, section: "6.2"))
  func later() {
    let t = TCPScript.measured()
    t.write(4_000).at(0.19).write(2_000).ignore()
    t.at(0.2).receive(.ack(1, sack: 1_001..<4_001))
    t.expect(.data(seq: 1, count: 1_000))
    t.at(0.29).receive(.ack(4_001)).expectNothing(until: 0.3)
  }

  @Test("A retransmission that is lost is found by what was sent after it", .rfc(8985, section: "6.2"))
  func lostRetransmission() {
    let t = TCPScript.measured()
    t.write(11_000).ignore().at(0.2).receive(.ack(1, sack: 1_001..<2_001))
    t.expect(.data(seq: 10_001, count: 1_000))
    t.receive(.ack(1, sack: 1_001..<4_001))
    t.expect(.data(seq: 1, count: 1_000))
    // All else that went out at first has arrived: that says nothing about the retransmission.
    t.at(0.21).receive(.ack(1, sack: 1_001..<10_001))
    t.expectNothing(until: 0.299)
    // What went out with it, behind it, has.
    t.at(0.3).receive(.ack(1, sack: 1_001..<11_001))
    t.expect(.data(seq: 1, count: 1_000))
    #expect(t.info.timeouts == 0)
  }

  @Test("On a path that was seen to reorder three reports are not enough", .rfc(8985, section: "6.2"))
  func reorderingSeen() {
    let t = TCPScript.measured()
    t.write(10_000).ignore().at(0.2).receive(.ack(1, sack: 1_001..<2_001), .ack(2_001))
    t.receive(.ack(2_001, sack: 3_001..<7_001))
    t.expectNothing(until: 0.224)
    t.at(0.225).expect(.data(seq: 2_001, count: 1_000))
  }

  @Test("Timestamps tell that an ACK was sent for the original: nothing else is late", .rfc(8985, section: "6.2"))
  func original() {
    let t = TCPScript.measured(timestamps: true)
    t.write(5_000).ignore().at(0.2).receive(.ack(1, sack: 1_001..<2_001, timestamp: 1_100, echo: t.stamp(at: 0.1)))
    t.at(0.225).expect(.data(seq: 1, count: 1_000))
    t.at(0.23).receive(.ack(2_001, timestamp: 1_130, echo: t.stamp(at: 0.1)))
    t.expectNothing(until: 0.3)
  }

  @Test(
    "A retransmission acknowledged sooner than the path can do was needless: nothing else is late",
    .rfc(8985, section: "6.2"))
  func tooSoon() {
    let t = TCPScript.measured()
    t.write(5_000).ignore().at(0.2).receive(.ack(1, sack: 1_001..<2_001))
    t.at(0.225).expect(.data(seq: 1, count: 1_000))
    t.at(0.23).receive(.ack(2_001))
    t.expectNothing(until: 0.3)
  }

  @Test("A retransmission that arrived shows that what went out before it is lost", .rfc(8985, section: "6.2"))
  func retransmissionArrived() {
    let t = TCPScript.measured(timestamps: true)
    t.write(5_000).ignore().at(0.2).receive(.ack(1, sack: 1_001..<2_001, timestamp: 1_100, echo: t.stamp(at: 0.1)))
    t.at(0.225).ignore()
    t.at(0.325).receive(.ack(2_001, timestamp: 1_225, echo: t.stamp(at: 0.225)))
    // Nothing is in the network; one segment was delivered; a loss was found: one goes out (RFC 9937).
    t.expect(.data(seq: 2_001, count: 1_000))
  }

  @Test(
    "A report of a duplicate makes the reordering window longer, once in a round trip",
    .rfc(8985, section: "6.2"), arguments: [1, 2])
  func duplicates(count: Int) {
    let t = TCPScript.measured()
    t.write(3_000).ignore().at(0.2).receive(.ack(1, sack: 1_001..<2_001))
    t.at(0.225).expect(.data(seq: 1, count: 1_000))
    t.at(0.23).receive(.ack(2_001))
    for _ in 0..<count { t.receive(.ack(2_001, sack: 1..<1_001)) }
    t.at(0.25).receive(.ack(3_001)).at(0.3).write(2_000).ignore()
    t.at(0.4).receive(.ack(3_001, sack: 4_001..<5_001))
    #expect(t.deadline == 0.45)
    t.at(0.45).expect(.data(seq: 3_001, count: 1_000))
  }

  @Test("The reordering window is never longer than the smoothed round trip", .rfc(8985, section: "6.2"))
  func cap() {
    let t = TCPScript.measured()
    for turn in 0..<10 {
      let end = turn * 1_000 + 1_001
      t.at(0.1 + 0.2 * Double(turn)).write(1_000).at(0.2 + 0.2 * Double(turn))
      t.receive(.ack(end, sack: end - 1_000..<end))
    }
    t.at(3).write(2_000).ignore().at(3.1).receive(.ack(10_001, sack: 11_001..<12_001))
    t.expectNothing(until: 3.199)
    t.at(3.2).expect(.data(seq: 10_001, count: 1_000))
    #expect(t.info.timeouts == 0)
  }

  @Test(
    "After sixteen recoveries without a duplicate the window is short again", .rfc(8985, section: "6.2"),
    arguments: [(15, 0.05), (16, 0.025)])
  func persistence(recoveries: Int, window: Double) {
    let t = TCPScript.measured()
    t.write(1_000).at(0.2).receive(.ack(1_001, sack: 1..<1_001))
    var end = 1_001
    for turn in 0..<recoveries {
      let start = 1 + Double(turn) * 0.5
      t.at(start).write(2_000).ignore().at(start + 0.1).receive(.ack(end, sack: end + 1_000..<end + 2_000))
      t.at(start + 0.16).expect(.data(seq: end, count: 1_000))
      end += 2_000
      t.at(start + 0.3).receive(.ack(end))
    }
    t.at(20).write(2_000).ignore().at(20.1).receive(.ack(end, sack: end + 1_000..<end + 2_000))
    #expect(abs((t.deadline ?? 0) - 20.1 - window) < 1e-6)
  }

  @Test("When the timer runs out only what is old enough is lost", .rfc(8985, section: "6.3"))
  func timeout() {
    let t = TCPScript.measured()
    t.write(1_000).at(0.2).receive(.ack(1_001))
    // SRTT 100 ms, RTTVAR 37.5 ms: 250 ms.
    t.write(1_000).at(0.4).write(1_000).ignore()
    t.at(0.45).expect(.data(seq: 1_001, count: 1_000))
    t.at(0.48).receive(.ack(2_001))
    t.expectNothing(until: 0.49)
  }
}
