import MartletWire
import Testing

@testable import MartletCore

@Suite("TCP: opening", .bothVersions)
struct TCPHandshakeTests {
  @Test(
    "An active open sends SYN with its options and acknowledges the answer", .rfc(9293, "MUST-14"),
    .rfc(9293, "MUST-67"))
  func activeOpen() {
    let t = TCPScript(.connecting())
    t.expectState(.synSent)
    t.change { _ in }
    t.expect(.syn(mss: 1_460, scale: 8, sackPermitted: true, timestamp: 0))
    t.at(0.050).receive(.synAck(mss: 1_000, scale: 7, sackPermitted: true, timestamp: 9, echo: 0))
    t.expect(.ack(1, seq: 1, timestamp: 50, echo: 9))
    t.expectState(.established)
    #expect(t.changes() == [.connected, .writable])
    #expect(t.info.segmentSize == 988)
    #expect(t.info.smoothedRoundTrip == .milliseconds(50))
  }

  @Test("A passive open answers SYN, and the ACK establishes it", .rfc(9293, "MUST-14"))
  func passiveOpen() {
    let t = TCPScript(.accepting { $0.peerScale = 7 })
    t.change { _ in }
    t.expect(.synAck(mss: 1_460, scale: 8, sackPermitted: true))
    t.at(0.020).receive(.ack(1, seq: 1))
    t.expectNothing()
    t.expectState(.established)
    #expect(t.changes().contains(.connected))
  }

  @Test("Both ends open at once and end with one connection", .rfc(9293, "MUST-10"))
  func simultaneousOpen() {
    let t = TCPScript(.connecting())
    t.change { _ in }
    t.expect(.syn())
    t.at(0.1).receive(.syn(mss: 1_000, sackPermitted: true))
    t.expectState(.synReceived)
    t.expect(.synAck(mss: 1_460, sackPermitted: true))
    t.receive(.synAck(mss: 1_000, sackPermitted: true))
    t.expectState(.established)
    #expect(t.changes().contains(.connected))
    t.at(0.2).write(100)
    t.expect(.data(seq: 1, count: 100, ack: 1))
  }

  @Test("The peer's SYN is acknowledged even if its SYN, ACK comes before ours went out", .rfc(9293, "MUST-10"))
  func simultaneousOpenAtOnce() {
    let t = TCPScript(.connecting())
    t.change { _ in }
    t.ignore().receive(.syn(mss: 1_000), .synAck(mss: 1_000))
    t.expectState(.established)
    t.expect(.ack(1, seq: 1))
  }

  @Test(
    "A FIN that comes with the SYN of a simultaneous open waits until both know each other",
    .rfc(9293, section: "3.10.7.3"))
  func simultaneousOpenWithFIN() {
    let t = TCPScript(.connecting())
    t.change { _ in }
    t.expect(.syn())
    var both = ScriptSegment.syn(mss: 1_000, sackPermitted: true)
    both.flags.insert(.fin)
    t.at(0.1).receive(both)
    t.expectState(.synReceived)
    t.ignore().receive(.ack(1, seq: 1))
    t.expectState(.closeWait)
    t.ignore().at(0.2).write(100)
    t.expect(.data(seq: 1, count: 100, ack: 2))
  }

  @Test("After a simultaneous open a reset says that the open was refused", .rfc(9293, "MUST-11"))
  func resetAfterSimultaneousOpen() {
    let t = TCPScript(.connecting())
    t.change { _ in }
    t.receive(.syn(mss: 1_000)).receive(.rst(seq: 1))
    t.expectState(.closed)
    t.expectError(.refused)
  }

  @Test("A reset of a passive open goes back to LISTEN without a word", .rfc(9293, "MUST-11"))
  func resetOfPassiveOpen() {
    let t = TCPScript(.accepting())
    t.change { _ in }
    t.ignore().receive(.rst(seq: 1))
    t.expectState(.closed)
    t.expectError(nil)
    t.expectNothing(until: 10)
    t.change { $0.release() }
    #expect(t.isFinished)
  }

  @Test("A RST that acknowledges the SYN refuses it, another does not")
  func refused() {
    let t = TCPScript(.connecting())
    t.change { _ in }
    t.ignore()
    t.receive(.rst(seq: 0), .rst(seq: 0, ack: 7))
    t.expectDrops(.tcpResetIgnored, .tcpResetIgnored)
    t.expectState(.synSent)
    t.receive(.rst(seq: 0, ack: 1))
    t.expectState(.closed)
    t.expectError(.refused)
    t.expectNothing(until: 10)
  }

  @Test("An ACK of something else in SYN-SENT is answered by a reset", .rfc(9293, section: "3.10.7.3"))
  func oldAcknowledgment() {
    let t = TCPScript(.connecting())
    t.change { _ in }
    t.ignore()
    t.receive(.synAck().with { $0.ack = 9 })
    t.expect(.rst(seq: 9))
    t.expectState(.synSent)
    t.receive(.ack(0, seq: 5))
    t.expect(.rst(seq: 0))
  }

  @Test("An ACK of something else in SYN-RECEIVED is answered by a reset", .rfc(9293, section: "3.10.7.4"))
  func wrongAcknowledgmentOfAnswer() {
    let t = TCPScript(.accepting())
    t.change { _ in }
    t.ignore()
    t.receive(.ack(40, seq: 1))
    t.expect(.rst(seq: 40))
    t.expectState(.synReceived)
  }

  @Test("A SYN that comes again is answered again")
  func duplicateSYN() {
    let t = TCPScript(.accepting())
    t.change { _ in }
    t.expect(.synAck())
    t.at(0.5).receive(.syn(mss: 1_000))
    t.expect(.synAck())
    t.at(1).expect(.synAck())
  }

  @Test("Without an MSS option segments are at most 536 bytes over IPv4", .rfc(9293, "MUST-15"))
  func defaultSegmentSize() {
    let t = TCPScript(.connecting { $0.version = .v4 })
    t.change { _ in }
    t.receive(.synAck()).ignore()
    t.write(1_000)
    t.expect(.data(seq: 1, count: 536), .data(seq: 537, count: 464))
  }

  @Test("Over IPv6 they are at most 1220", .rfc(9293, "MUST-15"))
  func defaultSegmentSizeOverIPv6() {
    let flow = Flow(localAddress: "2001:db8::1", localPort: 1, remoteAddress: "2001:db8::2", remotePort: 2)
    let header = TCPHeader(
      sourcePort: 2, destinationPort: 1, sequenceNumber: SequenceNumber(0), acknowledgmentNumber: SequenceNumber(0),
      flags: .syn, window: 1_000)
    let connection = TCPConnection(
      accepting: flow, syn: header, options: TCPOptions(), configuration: Host.Configuration.TCP(),
      initialSequence: SequenceNumber(0), maximumSegmentSize: 1_460, now: .zero)
    let info = connection.info
    #expect(info.segmentSize == 1_220)
  }

  @Test("The path limits segments below what the peer takes, and options count", .rfc(9293, "MUST-16"))
  func effectiveSegmentSize() {
    let t = TCPScript(.established(mss: 9_000, timestamps: true))
    #expect(t.info.segmentSize == 1_448)
  }

  @Test("An answer repeats only what the SYN offered", .rfc(7323, section: "2.2"), .rfc(2018, section: "2"))
  func answerToPlainSYN() {
    let t = TCPScript(.accepting { $0.sack = false })
    t.change { _ in }
    t.expect(.synAck(mss: 1_460, sackPermitted: false).with { $0.sack = [] })
    #expect(t.info.receiveWindowScale == 0)
    #expect(!t.info.usesTimestamps)
  }

  @Test("The MSS option is in segments with SYN only", .rfc(9293, "MUST-65"))
  func optionOnlyInSYN() {
    let t = TCPScript()
    t.write(10)
    #expect(t.sent.map(\.mss) == [nil])
  }

  @Test("Data that came with the SYN, ACK is taken")
  func dataWithSYN() {
    let t = TCPScript(.connecting())
    t.change { _ in }
    t.receive(.synAck(mss: 1_000).with { $0.count = 0 }, .data(seq: 1, count: 50, ack: 1))
    #expect(t.read() == .bytes(50))
  }

  @Test("A window shift above 14 is taken for 14", .rfc(7323, section: "2.3"))
  func largeScale() {
    let t = TCPScript(.connecting())
    t.change { _ in }
    t.receive(.synAck(mss: 1_000, scale: 200))
    #expect(t.info.sendWindowScale == 14)
  }

  @Test("Data goes both ways")
  func data() {
    let t = TCPScript()
    t.at(0.1).write(2_500)
    t.expect(.data(seq: 1, count: 1_000), .data(seq: 1_001, count: 1_000), .data(seq: 2_001, count: 500, push: true))
    t.at(0.2).receive(.data(seq: 1, count: 700, ack: 2_501))
    #expect(t.read() == .bytes(700))
    t.expectNothing(until: 0.239)
    t.at(0.240).expect(.ack(701))
    t.at(0.3).close()
    t.expect(.fin(seq: 2_501, ack: 701))
    t.receive(.fin(seq: 701, ack: 2_502))
    t.expect(.ack(702))
    t.expectState(.timeWait)
    t.at(61)
    t.expectState(.closed)
    #expect(t.isFinished)
  }
}
