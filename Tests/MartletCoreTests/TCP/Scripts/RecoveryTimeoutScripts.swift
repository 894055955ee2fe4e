import MartletWire
import Testing

@testable import MartletCore

/// Losses of all that is not plain data in the middle of a stream.
@Suite("TCP: timeouts and other timers", .bothVersions)
struct TCPTimeoutScripts {
  @Test("A peer that lets go of what it reported gets it again when the timer runs out", .rfc(2018, section: "8"))
  func reneging() {
    let t = TCPScript.measured()
    t.write(3_000).ignore().at(0.2).receive(.ack(1, sack: 1_001..<3_001))
    t.at(0.225).expect(.data(seq: 1, count: 1_000))
    t.at(0.3).receive(.ack(1_001))
    // SRTT 100 ms, RTTVAR 37.5 ms.
    t.expectNothing(until: 0.549)
    t.at(0.55).expect(.data(seq: 1_001, count: 1_000))
    t.at(0.65).receive(.ack(2_001))
    t.expect(.data(seq: 2_001, count: 1_000))
  }

  @Test(
    "A timeout in a recovery: one segment, then slow start around what is reported", .rfc(5681, section: "3.1"),
    .rfc(6675, section: "5.1"))
  func inRecovery() {
    let t = TCPScript.measured()
    t.write(10_000).ignore().at(0.2).receive(.ack(1, sack: 1_001..<4_001))
    t.expect(.data(seq: 1, count: 1_000))
    t.at(0.46).expect(.data(seq: 1, count: 1_000))
    #expect(t.info.timeouts == 1)
    #expect(t.info.congestionWindow == 1_000)
    t.at(0.56).receive(.ack(4_001))
    t.expect(.data(seq: 4_001, count: 1_000), .data(seq: 5_001, count: 1_000))
  }

  @Test("Backed off, the timer comes back with the next sample", .rfc(6298, section: "5"))
  func backOff() {
    let t = TCPScript.measured()
    t.write(1_000).ignore().at(0.4).ignore().at(1).expect(.data(seq: 1, count: 1_000))
    t.at(1.1).receive(.ack(1_001))
    #expect(t.info.retransmissionTimeout == .milliseconds(1_200))
    t.write(1_000).at(1.2).receive(.ack(2_001))
    #expect(t.info.retransmissionTimeout == .milliseconds(250))
  }

  @Test(
    "After a lost SYN one segment goes out, with a timer of three seconds", .rfc(5681, section: "3.1"),
    .rfc(6298, section: "5.7"), arguments: [true, false])
  func lostSYN(sack: Bool) {
    let t = TCPScript(.connecting())
    t.change { _ in }.at(1)
    t.expect(.syn(), .syn())
    t.at(1.1).receive(.synAck(mss: 1_000, sackPermitted: sack)).ignore()
    t.write(5_000)
    t.expect(.data(seq: 1, count: 1_000))
    #expect(t.deadline == 4.1)
  }

  @Test("A FIN goes out again with the data before it", .rfc(9293, "MUST-20"), arguments: [true, false])
  func dataWithFIN(sack: Bool) {
    let t = TCPScript.measured(initialWindow: 1, sack: sack)
    t.write(2_000).shutdown()
    t.expect(.data(seq: 1, count: 1_000))
    t.at(0.2).receive(.ack(1_001))
    t.expect(.fin(seq: 1_001, count: 1_000))
    t.at(0.45).expect(.fin(seq: 1_001, count: 1_000))
    t.at(0.5).receive(.ack(2_002))
    t.expectState(.finWait2)
  }

  @Test("A FIN that arrived before what is lost does not go out again", .rfc(2018, section: "5"))
  func finHeld() {
    let t = TCPScript.measured()
    t.write(5_000).shutdown().ignore()
    t.at(0.2).receive(.ack(1, sack: 1_001..<5_002))
    t.expect(.data(seq: 1, count: 1_000))
    t.at(0.3).receive(.ack(5_002))
    t.expectState(.finWait2)
  }

  @Test("A FIN that alone is lost goes out again alone", .rfc(9293, "MUST-20"))
  func finAlone() {
    let t = TCPScript.measured()
    t.write(3_000).ignore().shutdown()
    t.expect(.fin(seq: 3_001))
    t.at(0.2).receive(.ack(3_001))
    t.at(0.45).expect(.fin(seq: 3_001))
    t.receive(.ack(3_002))
    t.expectState(.finWait2)
  }

  // MARK: Windows, corks, keep-alive

  @Test(
    "A window that closes behind what is lost opens again, and the loss is repaired", .rfc(9293, "SHLD-17"),
    .rfc(9293, "MUST-36"), arguments: [true, false])
  func shrunken(sack: Bool) {
    let t = TCPScript.measured(sack: sack)
    t.write(5_000).ignore().at(0.2).receive(.ack(1_001, window: 0))
    t.at(0.6)
    // The first lost segment asks, and nothing else goes out.
    #expect(t.sent.count == 1 && t.sent.first?.seq == 1_001)
    t.ignore().at(0.61).receive(.ack(1_001, window: 20_000)).at(3)
    #expect(t.sent.contains { $0.seq == 1_001 })
    t.receive(.ack(5_001, window: 20_000))
    #expect(t.info.bytesInFlight == 0)
    t.expectState(.established)
  }

  @Test("A lost probe of a closed window is followed by the next", .rfc(9293, "SHLD-30"))
  func lostWindowProbe() {
    let t = TCPScript.measured()
    t.write(1_000).at(0.2).receive(.ack(1_001, window: 0)).write(3_000).ignore()
    t.at(2)
    // 250 ms, then twice, then four times as long.
    #expect(t.sent.map { $0.seq ?? 0 } == [1_001, 1_001, 1_001])
    #expect(t.sent.allSatisfy { $0.count == 1 })
    t.ignore().receive(.ack(1_001, window: 20_000))
    t.expect(.data(seq: 1_001, count: 1_000), .data(seq: 2_001, count: 1_000), .data(seq: 3_001, count: 1_000))
  }

  @Test("A loss lets nothing out that a cork holds back", .rfc(5681, section: "3.2"))
  func corked() {
    let t = TCPScript.measured()
    t.change { $0.isCorked = true }.write(5_300)
    #expect(t.sent.count == 5)
    t.ignore().at(0.2).receive(.ack(1, sack: 1_001..<5_001))
    t.expect(.data(seq: 1, count: 1_000))
    t.at(0.3).receive(.ack(5_001)).expectNothing(until: 1)
    t.change { $0.isCorked = false }
    t.expect(.data(seq: 5_001, count: 300))
  }

  @Test("While a loss is repaired nothing asks whether the peer is alive", .rfc(9293, "MUST-26"))
  func keepAlive() {
    let t = TCPScript.measured {
      $0.options.keepAlive = true
      $0.options.keepAliveIdle = .seconds(1)
      $0.options.keepAliveInterval = .seconds(1)
      $0.options.keepAliveProbes = 2
    }
    t.write(1_000).at(20)
    #expect(t.sent.allSatisfy { $0.seq == 1 && $0.count == 1_000 })
    t.expectState(.established)
    t.receive(.ack(1_001)).ignore().at(40)
    #expect(!t.sent.isEmpty)
    t.expectState(.closed)
  }
}
