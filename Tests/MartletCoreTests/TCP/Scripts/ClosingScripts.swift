import MartletWire
import Testing

@testable import MartletCore

/// Closing while something is still under way (RFC 9293 section 3.6).
@Suite("TCP: closing under way", .bothVersions)
struct TCPClosingScripts {
  @Test("A FIN that finds the window closed goes out as the probe", .rfc(9293, "MUST-36"))
  func finAsProbe() {
    let t = TCPScript(.established(sack: false, window: 1_000))
    t.write(1_000).receive(.ack(1_001, window: 0)).ignore().close()
    t.expectNothing(until: 0.199)
    t.at(0.2).expect(.fin(seq: 1_001))
    t.receive(.ack(1_002, window: 0))
    t.expectState(.finWait2)
    t.expectNothing(until: 50)
  }

  @Test("... and again when the window opens, if the probe was not taken", .rfc(9293, "MUST-36"))
  func finAfterProbe() {
    let t = TCPScript(.established(sack: false, window: 1_000))
    t.write(1_000).receive(.ack(1_001, window: 0)).ignore().close().at(0.2).ignore()
    t.receive(.ack(1_001, window: 1_000))
    t.expect(.fin(seq: 1_001))
    t.receive(.ack(1_002))
    t.expectState(.finWait2)
  }

  @Test("A closed window and a peer that is gone do not hold a closed connection for ever", .rfc(9293, "MUST-20"))
  func goneWhileClosed() {
    let t = TCPScript(.established(sack: false, window: 1_000))
    t.write(3_000).receive(.ack(1_001, window: 0)).close().at(899)
    t.expectState(.finWait1)
    // With the first probe after R2.
    t.at(900 + 120)
    t.expectState(.closed)
    #expect(t.isFinished)
  }

  @Test("Text of ours that is not acknowledged keeps FIN-WAIT-1", .rfc(9293, section: "3.10.7.4"))
  func partOfFlight() {
    let t = TCPScript(.established(sack: false))
    t.write(3_000).close().ignore()
    t.receive(.ack(2_001))
    t.expectState(.finWait1)
    t.receive(.ack(3_001))
    t.expectState(.finWait1)
    t.receive(.ack(3_002))
    t.expectState(.finWait2)
  }

  @Test("The peer's FIN with an ACK of text alone leads to CLOSING", .rfc(9293, section: "3.10.7.4"))
  func closingWithFlight() {
    let t = TCPScript(.established(sack: false))
    t.write(3_000).close().ignore()
    t.receive(.fin(seq: 1, ack: 2_001))
    t.expectState(.closing)
    t.receive(.ack(3_002, seq: 2))
    t.expectState(.timeWait)
  }

  @Test("What is lost is resent in CLOSING", .rfc(9293, section: "3.8.1"))
  func resentInClosing() {
    let t = TCPScript(.established(sack: false))
    t.write(500).close().receive(.fin(seq: 1, ack: 1)).ignore()
    t.expectState(.closing)
    t.at(0.2).expect(.fin(seq: 1, count: 500, ack: 2))
    t.receive(.ack(502, seq: 2))
    t.expectState(.timeWait)
  }

  @Test("What is lost is resent in LAST-ACK, and then the connection is over", .rfc(9293, section: "3.8.1"))
  func resentInLastAck() {
    let t = TCPScript(.established(sack: false))
    t.receive(.fin(seq: 1, ack: 1)).write(500).close().ignore()
    t.at(0.2).expect(.fin(seq: 1, count: 500, ack: 2))
    t.receive(.ack(501, seq: 2)).at(5)
    #expect(t.sent.allSatisfy { $0.flags.contains(.fin) && $0.seq == 501 } && !t.sent.isEmpty)
    t.ignore()
    t.receive(.ack(502, seq: 2))
    t.expectState(.closed)
    #expect(t.isFinished)
  }

  @Test(
    "Nothing is resent in FIN-WAIT-2 and TIME-WAIT", .rfc(9293, section: "3.6"),
    arguments: [TCPState.finWait2, .timeWait])
  func nothingToResend(state: TCPState) {
    let t = TCPScript.inState(state)
    t.expectNothing(until: 59)
    t.expectState(state)
  }

  @Test("A reset forgets what was written, and says so to the next write", .rfc(9293, section: "3.10.7.4"))
  func resetForgets() {
    let t = TCPScript()
    t.write(50_000).ignore().receive(.rst(seq: 1))
    #expect(t.info.sendQueueByteCount == 0)
    #expect(t.send(10) == .reset)
    t.expectNothing(until: 100)
  }

  @Test("A reset behind a gap keeps what came in order and drops the rest", .rfc(9293, section: "3.10.7.4"))
  func resetBehindGap() {
    let t = TCPScript()
    t.receive(.data(seq: 1, count: 10, ack: 1), .data(seq: 21, count: 10, ack: 1)).ignore()
    t.receive(.rst(seq: 11))
    #expect(t.read() == .bytes(10))
    #expect(t.info.outOfOrderByteCount == 0)
    t.expectError(.reset)
  }

  @Test("What the peer wrote before its FIN can be read after it, and then the end", .rfc(9293, section: "3.10.3"))
  func readAfterFIN() {
    let t = TCPScript()
    t.receive(.data(seq: 1, count: 1_000, ack: 1), .fin(seq: 1_001, count: 500, ack: 1))
    #expect(t.read(700) == .bytes(700))
    #expect(t.read() == .bytes(800))
    #expect(t.read() == .endOfStream)
    #expect(t.read() == .endOfStream)
  }

  @Test("An abort with text unread and unsent leaves nothing", .rfc(9293, section: "3.10.5"))
  func abortLeavesNothing() {
    let t = TCPScript()
    t.write(50_000).receive(.data(seq: 1, count: 10, ack: 1), .data(seq: 21, count: 10, ack: 1)).ignore().abort()
    #expect(t.info.sendQueueByteCount == 0 && t.info.receiveQueueByteCount == 0 && t.info.outOfOrderByteCount == 0)
    #expect(t.deadline == nil)
    #expect(t.isFinished)
  }

  @Test("A RST into a closed window stands where the peer waits, not behind the probe", .rfc(9293, section: "3.10.5"))
  func abortIntoClosedWindow() {
    let t = TCPScript(.established(sack: false, window: 1_000))
    t.write(3_000).receive(.ack(1_001, window: 0)).ignore()
    t.at(1).ignore().abort()
    t.expect(.rst(seq: 1_001, ack: 1))
  }

  @Test("A peer that never sends FIN does not hold a connection that nobody holds", .rfc(9293, section: "3.6"))
  func orphan() {
    let t = TCPScript.inState(.finWait1)
    t.close().at(5).receive(.ack(2, seq: 1)).at(64.9)
    t.expectState(.finWait2)
    t.at(65)
    #expect(t.isFinished)
  }

  @Test("Written, closed, lost: all of it arrives in the end", .rfc(9293, section: "3.10.4"))
  func lostAndClosed() {
    let t = TCPScript(.established(initialWindow: 4, sack: false))
    t.write(3_500).close().ignore()
    t.at(0.2).expect(.data(seq: 1, count: 1_000))
    t.receive(.ack(1_001))
    t.expect(.data(seq: 1_001, count: 1_000), .data(seq: 2_001, count: 1_000))
    t.receive(.ack(3_001))
    t.expect(.fin(seq: 3_001, count: 500))
    t.receive(.ack(3_502))
    t.expectState(.finWait2)
  }

  // MARK: Sizes (section 3.7.1, RFC 6691)

  @Test("An MSS of next to nothing is not taken at its word", .rfc(9293, section: "3.7.1"), arguments: [0, 1, 40])
  func tinySegments(mss: Int) {
    let t = TCPScript(.established(mss: mss, sack: false))
    t.write(256)
    #expect(t.sent.allSatisfy { ($0.count ?? 0) >= 52 })
    #expect(t.sent.reduce(0) { $0 + ($1.count ?? 0) } == 256)
  }

  @Test(
    "The peer's MSS counts without the options that a segment has", .rfc(6691, section: "2"), .rfc(9293, "MUST-16"),
    arguments: [(false, 1_000), (true, 988)])
  func sizeWithOptions(timestamps: Bool, size: Int) {
    let t = TCPScript(.established(mss: 1_000, sack: false, timestamps: timestamps))
    t.write(3_000)
    #expect(t.sent.first?.count == size)
    #expect(t.info.segmentSize == size)
  }

  @Test("The path counts when it takes less than the peer", .rfc(9293, "MUST-16"))
  func sizeOfPath() {
    let t = TCPScript(.established(mss: 9_000, sack: false))
    t.write(3_000)
    t.expect(.data(seq: 1, count: 1_460), .data(seq: 1_461, count: 1_460), .data(seq: 2_921, count: 80))
  }

  @Test("A smaller path makes later segments smaller", .rfc(9293, "SHLD-6"))
  func smallerPath() {
    let t = TCPScript(.established(mss: 1_460, sack: false))
    t.change { $0.followPath(mtu: 1_300 + (t.setup.version == .v4 ? 40 : 60), at: t.now) }
    t.write(3_100)
    t.expect(.data(seq: 1, count: 1_300), .data(seq: 1_301, count: 1_300), .data(seq: 2_601, count: 500))
  }
}
