import MartletWire
import Testing

@testable import MartletCore

/// What happens when it turns out that nothing had been lost.
@Suite("TCP: needless retransmissions", .bothVersions)
struct TCPUndoScripts {
  // MARK: Duplicates reported (RFC 2883, RFC 3708)

  @Test(
    "When all that was resent is reported as a duplicate the windows are as before", .rfc(3708, section: "3"),
    arguments: [false, true])
  func duplicates(isOver: Bool) {
    let t = TCPScript.measured()
    t.write(10_000).ignore().at(0.2).receive(.ack(1, sack: 1_001..<4_001))
    t.expect(.data(seq: 1, count: 1_000))
    #expect(t.info.congestionWindow < 10_000)
    t.at(0.21).receive(.ack(isOver ? 10_001 : 9_001)).at(0.3)
    #expect(t.info.isRecovering == !isOver)
    t.receive(.ack(isOver ? 10_001 : 9_001, sack: 1..<1_001))
    #expect(!t.info.isRecovering)
    #expect(t.info.congestionWindow >= 10_000)
    #expect(t.info.slowStartThreshold >= 10_000)
  }

  @Test("When only some is, they are not", .rfc(3708, section: "3"))
  func someDuplicates() {
    let t = TCPScript.measured()
    t.write(10_000).ignore().at(0.2).receive(.ack(1, sack: 2_001..<7_001))
    #expect(t.sent.first?.seq == 1)
    t.at(0.21).receive(.ack(1, sack: 2_001..<9_001))
    t.at(0.3).receive(.ack(10_001)).receive(.ack(10_001, sack: 1..<1_001))
    #expect(t.info.retransmittedSegments == 2)
    #expect(t.info.slowStartThreshold == 5_000)
    #expect(t.info.congestionWindow == 5_000)
  }

  @Test("A duplicate that was never resent, or resent before, undoes nothing", .rfc(3708, section: "3"))
  func otherDuplicates() {
    let t = TCPScript.measured()
    t.write(10_000).ignore().at(0.2).receive(.ack(1, sack: 1_001..<4_001))
    t.at(0.3).receive(.ack(10_001)).write(1_000).at(0.4).receive(.ack(11_001, sack: 10_001..<11_001))
    #expect(t.info.slowStartThreshold == 5_000)
  }

  // MARK: Timestamps (RFC 3522, RFC 4015)

  @Test(
    "An ACK that echoes the first transmission ends a recovery as if it had not been", .rfc(3522, section: "3.2"),
    .rfc(4015, section: "3"))
  func eifel() {
    let t = TCPScript.measured(timestamps: true)
    t.write(10_000).ignore().at(0.2)
    t.receive(.ack(1, sack: 1_001..<4_001, timestamp: 1_100, echo: t.stamp(at: 0.1)))
    t.expect(.data(seq: 1, count: 1_000))
    t.at(0.21).receive(.ack(4_001, timestamp: 1_110, echo: t.stamp(at: 0.1)))
    #expect(!t.info.isRecovering)
    #expect(t.info.congestionWindow >= 10_000)
    #expect(t.info.slowStartThreshold >= 10_000)
    t.expectNothing(until: 0.3)
  }

  @Test("After a timeout too", .rfc(3522, section: "3.2"), .rfc(4015, section: "3"), arguments: [true, false])
  func eifelTimeout(sack: Bool) {
    let t = TCPScript.measured(sack: sack, timestamps: true)
    t.write(3_000).ignore().at(0.4).expect(.data(seq: 1, count: 1_000))
    #expect(t.info.congestionWindow == 1_000)
    t.at(0.45).receive(.ack(1_001, timestamp: 1_350, echo: t.stamp(at: 0.1)))
    #expect(!t.info.isRecovering)
    #expect(t.info.congestionWindow >= 10_000)
    t.expectNothing(until: 0.5)
  }

  @Test("An ACK that echoes the retransmission does not", .rfc(3522, section: "3.2"), arguments: [true, false])
  func eifelGenuine(sack: Bool) {
    let t = TCPScript.measured(sack: sack, timestamps: true)
    t.write(3_000).ignore().at(0.4).expect(.data(seq: 1, count: 1_000))
    t.at(0.5).receive(.ack(1_001, timestamp: 1_450, echo: t.stamp(at: 0.4)))
    #expect(t.info.congestionWindow == 2_000)
    #expect(t.info.slowStartThreshold == 2_000)
    t.expect(.data(seq: 1_001, count: 1_000), .data(seq: 2_001, count: 1_000))
  }

  // MARK: Forward RTO recovery (RFC 5682)

  /// Five segments in flight when the timer runs out; the first goes out again.
  private static func timedOut(sack: Bool, write count: Int = 20_000, window: Int = 65_535) -> TCPScript {
    let t = TCPScript.measured(initialWindow: 5, sack: sack) { $0.peerWindow = window }
    t.write(count).ignore().at(0.4)
    t.expect(.data(seq: 1, count: 1_000))
    return t
  }

  @Test("An ACK of the first segment lets two new ones out", .rfc(5682, section: "2.1"), arguments: [true, false])
  func tries(sack: Bool) {
    let t = Self.timedOut(sack: sack)
    t.at(0.41).receive(.ack(1_001))
    t.expect(.data(seq: 5_001, count: 1_000), .data(seq: 6_001, count: 1_000))
  }

  @Test(
    "One more ACK of what was not resent: the timeout was needless", .rfc(5682, section: "2.1"),
    arguments: [true, false])
  func spurious(sack: Bool) {
    let t = Self.timedOut(sack: sack)
    t.at(0.41).receive(.ack(1_001)).ignore().at(0.42).receive(.ack(2_001))
    #expect(!t.info.isRecovering)
    #expect(t.info.congestionWindow >= 5_000)
    #expect(t.info.retransmittedSegments == 1)
    t.at(0.43).receive(.ack(5_001)).at(0.45)
    #expect(t.info.retransmittedSegments == 1)
  }

  @Test("So it was when what was not resent is reported by SACK", .rfc(5682, section: "3.1"))
  func spuriousReport() {
    let t = Self.timedOut(sack: true)
    t.at(0.41).receive(.ack(1_001)).ignore().at(0.42).receive(.ack(1_001, sack: 2_001..<3_001))
    #expect(!t.info.isRecovering)
    #expect(t.info.congestionWindow >= 5_000)
  }

  @Test("A duplicate in answer to the new data: the loss was real", .rfc(5682, section: "2.1"))
  func real() {
    let t = Self.timedOut(sack: false)
    t.at(0.41).receive(.ack(1_001)).ignore().at(0.51).receive(.ack(1_001))
    #expect(t.info.isRecovering)
    #expect(t.info.congestionWindow <= 3_000)
    #expect(t.sent.first?.seq == 1_001)
    #expect(t.sent.allSatisfy { ($0.seq ?? 0) < 5_001 })
  }

  @Test("The new data reported, and nothing else: the loss was real", .rfc(5682, section: "3.1"))
  func realReport() {
    let t = Self.timedOut(sack: true)
    t.at(0.41).receive(.ack(1_001)).ignore().at(0.51).receive(.ack(1_001, sack: 5_001..<6_001))
    #expect(t.info.isRecovering)
    #expect(t.info.congestionWindow <= 3_000)
    #expect(t.sent.first?.seq == 1_001)
  }

  @Test("A duplicate before any progress: the ordinary recovery", .rfc(5682, section: "2.1"))
  func duplicateFirst() {
    let t = Self.timedOut(sack: false)
    t.at(0.41).receive(.ack(1)).ignore().at(0.42).receive(.ack(1_001))
    t.expect(.data(seq: 1_001, count: 1_000), .data(seq: 2_001, count: 1_000))
  }

  @Test("An ACK of all that was in flight decides nothing", .rfc(5682, section: "2.1"))
  func all() {
    let t = Self.timedOut(sack: false)
    t.at(0.5).receive(.ack(5_001))
    t.expect(.data(seq: 5_001, count: 1_000), .data(seq: 6_001, count: 1_000))
    #expect(t.info.congestionWindow == 2_000)
    #expect(t.info.slowStartThreshold == 2_500)
  }

  @Test("With nothing new to send: the ordinary recovery", .rfc(5682, section: "2.1"), arguments: [true, false])
  func nothingNew(sack: Bool) {
    let t = Self.timedOut(sack: sack, write: 5_000)
    t.at(0.41).receive(.ack(1_001))
    t.expect(.data(seq: 1_001, count: 1_000), .data(seq: 2_001, count: 1_000))
  }

  @Test(
    "With a window that takes nothing new: the ordinary recovery", .rfc(5682, section: "2.1"),
    arguments: [true, false])
  func fullWindow(sack: Bool) {
    let t = Self.timedOut(sack: sack, window: 5_000)
    t.at(0.41).receive(.ack(1_001, window: 4_000))
    t.expect(.data(seq: 1_001, count: 1_000), .data(seq: 2_001, count: 1_000))
  }

  @Test("After a second timeout of the same data nothing is tried", .rfc(5682, section: "2.1"))
  func second() {
    let t = Self.timedOut(sack: false)
    t.at(1).expect(.data(seq: 1, count: 1_000))
    t.at(1.01).receive(.ack(1_001))
    #expect(t.sent.first?.seq == 1_001)
  }
}
