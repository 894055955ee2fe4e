import MartletWire
import Testing

@testable import MartletCore

@Suite("TCP: segments of an attacker (RFC 5961)", .bothVersions)
struct TCPRFC5961Tests {
  @Test("A RST elsewhere in the window is challenged", .rfc(5961, section: "3.2"))
  func resetInWindow() {
    let t = TCPScript()
    t.receive(.rst(seq: 2))
    t.expect(.ack(1, seq: 1))
    t.expectDrops(.tcpResetIgnored)
    t.expectState(.established)
  }

  @Test("A RST outside the window is dropped in silence", .rfc(5961, section: "3.2"))
  func resetOutsideWindow() {
    let t = TCPScript()
    t.receive(.rst(seq: 0), .rst(seq: 100_000_000))
    t.expectNothing()
    t.expectDrops(.tcpResetIgnored, .tcpResetIgnored)
    t.expectState(.established)
  }

  @Test("A SYN is challenged wherever it stands", .rfc(5961, section: "4.2"), arguments: [0, 1, 500, -500_000])
  func syn(seq: Int) {
    let t = TCPScript()
    t.receive(.syn().with { $0.seq = seq })
    t.expect(.ack(1, seq: 1))
    t.expectDrops(.tcpSynOnSynchronized)
    t.expectState(.established)
  }

  @Test("An ACK of what was never sent is challenged, and its data dropped", .rfc(9293, section: "3.10.7.4"))
  func futureAcknowledgment() {
    let t = TCPScript()
    t.receive(.data(seq: 1, count: 100, ack: 5_000))
    t.expect(.ack(1))
    t.expectDrops(.tcpBadAcknowledgment)
    #expect(t.read() == .wouldBlock)
  }

  @Test(
    "An ACK older than the largest window is challenged, and its data dropped", .rfc(9293, "MAY-12"),
    .rfc(5961, section: "5.2"))
  func ancientAcknowledgment() {
    let t = TCPScript(.established(window: 2_000))
    t.write(2_000).receive(.ack(2_001)).write(2_000).receive(.ack(4_001)).ignore()
    t.receive(.data(seq: 1, count: 100, ack: 2_000))
    t.expect(.ack(1))
    t.expectDrops(.tcpBadAcknowledgment)
    t.receive(.data(seq: 1, count: 100, ack: 2_001))
    t.expectDrops()
    #expect(t.read() == .bytes(100))
  }

  @Test("The host may refuse a challenge", .rfc(5961, section: "7"))
  func limit() {
    let t = TCPScript()
    let header = TCPHeader(
      sourcePort: 80, destinationPort: 5_001, sequenceNumber: TCPScript.peerBase + 5,
      acknowledgmentNumber: SequenceNumber(0), flags: .rst, window: 0)
    t.change { connection in
      guard let payload = t.pool.allocate() else { return }
      let reason = connection.receive(header, TCPOptions(), payload: payload, at: .zero)
      #expect(reason == .tcpResetIgnored)
      let owes = connection.owesChallenge
      #expect(owes)
      connection.forgetChallenge()
    }
    t.expectNothing(until: 1)
  }

  @Test("A segment without ACK is dropped", .rfc(9293, section: "3.10.7.4"))
  func noAcknowledgment() {
    let t = TCPScript()
    t.receive(.data(seq: 1, count: 10).with { $0.flags = .psh })
    t.expectDrops(.tcpNoAcknowledgment)
    #expect(t.read() == .wouldBlock)
  }
}
