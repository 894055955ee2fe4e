import MartletWire
import Testing

@testable import MartletCore

@Suite("TCP: opening")
struct TCPHandshakeTests {
  @Test("An active open sends SYN with its options and acknowledges the answer", .rfc(9293, "MUST-14"), .rfc(9293, "MUST-67"))
  func activeOpen() {
    let t = TCPScript(.connecting())
    t.expectState(.synSent)
    t.change { _ in }
    t.expect(.syn(mss: 1_460, scale: 5, sackPermitted: true, timestamp: 0))
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
    t.expect(.synAck(mss: 1_460, scale: 5, sackPermitted: true))
    t.at(0.020).receive(.ack(1, seq: 1))
    t.expectNothing()
    t.expectState(.established)
    #expect(t.changes().contains(.connected))
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
