import MartletWire
import Testing

@testable import MartletCore

@Suite("TCP: at the window's edge")
struct TCPWindowEdgeTests {
  @Test(
    "Who acknowledges more has the newer window, though the segment has an older number",
    .rfc(9293, section: "3.10.7.4"))
  func windowOfNewerAcknowledgment() {
    let t = TCPScript(.established(window: 5_000))
    t.write(8_000).ignore()
    t.receive(.ack(1_001, seq: 201, window: 4_000)).ignore()
    // Sent again, and later: 3,001 and 2,000 make the same edge as before.
    t.receive(.data(seq: 1, count: 200, ack: 3_001, window: 2_000))
    t.expectNothing()
  }

  @Test("A corked stream that has ended does not wait for a window update that may be lost")
  func corkedEnd() {
    let t = TCPScript(.established(window: 1_000))
    t.change { $0.isCorked = true }
    t.write(1_500)
    t.expect(.data(seq: 1, count: 1_000))
    t.receive(.ack(1_001, window: 0))
    t.shutdown()
    t.at(0.5).expect(.data(seq: 1_001, count: 1))
  }

  @Test("A cork does not hold what a writer waits to be rid of")
  func corkedWriterWaits() throws {
    let t = TCPScript(.established { $0.options.sendBufferByteCount = 1_500 })
    t.change { $0.isCorked = true }
    t.write(1_500)
    t.expect(.data(seq: 1, count: 1_000))
    t.receive(.ack(1_001))
    t.expectNothing()
    try t.change { connection in
      let bytes = (1_501..<3_501).map { TCPScript.byte(at: $0) }
      let taken = try connection.write(unsafe bytes.span.bytes, from: t.pool, at: t.now)
      #expect(taken == 1_000)
    }
    t.expect(.data(seq: 1_001, count: 1_000), .data(seq: 2_001, count: 500))
  }

  @Test("A bare ACK does not stand past a closed window, into which a probe was sent")
  func acknowledgmentInsideWindow() {
    let t = TCPScript(.established(window: 1_000))
    t.write(3_000).ignore()
    t.receive(.ack(1_001, window: 0))
    t.at(0.2).expect(.data(seq: 1_001, count: 1))
    t.receive(.data(seq: 1, count: 1, ack: 1_001, window: 0))
    t.at(0.3).expect(.ack(2, seq: 1_001))
  }

  @Test("Data that fits the window only beside SACK blocks is sent again if it is lost")
  func persistEndsWithoutUpdate() {
    let t = TCPScript(.established(window: 5_000))
    t.write(9_000).ignore()
    // Too small for a segment, and less than half of the largest.
    t.receive(.ack(5_001, window: 990))
    t.expectNothing()
    t.receive(.data(seq: 101, count: 10, ack: 5_001, window: 990)).ignore()
    for _ in 0..<4 {
      guard let deadline = t.deadline else { break }
      t.at(deadline).expect(.data(seq: 5_001, count: 988))
    }
    #expect(t.deadline != nil)
  }
}
