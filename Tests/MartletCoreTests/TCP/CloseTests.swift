import MartletWire
import Testing

@testable import MartletCore

@Suite("TCP: closing", .bothVersions)
struct TCPCloseTests {
  @Test("The side that closes first goes through FIN-WAIT to TIME-WAIT", .rfc(9293, "MUST-13"))
  func activeClose() {
    let t = TCPScript()
    t.at(1).shutdown()
    t.expect(.fin(seq: 1))
    t.expectState(.finWait1)
    t.receive(.ack(2))
    t.expectState(.finWait2)
    t.at(2).receive(.fin(seq: 1, ack: 2))
    t.expect(.ack(2, seq: 2))
    t.expectState(.timeWait)
    #expect(t.read() == .endOfStream)
    t.close()
    t.at(61.999)
    t.expectState(.timeWait)
    t.at(62)
    t.expectState(.closed)
    t.expectError(nil)
    #expect(t.isFinished)
    t.expectNothing(until: 100)
  }

  @Test("The side that closes second goes through CLOSE-WAIT and LAST-ACK", .rfc(9293, "MUST-12"))
  func passiveClose() {
    let t = TCPScript()
    t.receive(.fin(seq: 1, ack: 1))
    t.expect(.ack(2))
    t.expectState(.closeWait)
    #expect(t.read() == .endOfStream)
    t.write(100)
    t.expect(.data(seq: 1, count: 100))
    t.receive(.ack(101)).close()
    t.expect(.fin(seq: 101, ack: 2))
    t.expectState(.lastAck)
    t.receive(.ack(102))
    t.expectState(.closed)
    t.expectError(nil)
    #expect(t.isFinished)
  }

  @Test("Both ends close at once", .rfc(9293, section: "3.6"))
  func simultaneousClose() {
    let t = TCPScript()
    t.close()
    t.expect(.fin(seq: 1))
    t.receive(.fin(seq: 1, ack: 1))
    t.expectState(.closing)
    t.expect(.ack(2))
    t.receive(.ack(2))
    t.expectState(.timeWait)
  }

  @Test("FIN and its acknowledgement in one segment lead to TIME-WAIT at once")
  func finWithAcknowledgment() {
    let t = TCPScript()
    t.close().ignore()
    t.receive(.fin(seq: 1, ack: 2))
    t.expectState(.timeWait)
    t.expect(.ack(2))
  }

  @Test("After half-close the peer's data still comes in", .rfc(9293, "MAY-1"))
  func halfClose() {
    let t = TCPScript()
    t.shutdown().receive(.ack(2)).ignore()
    t.receive(.data(seq: 1, count: 1_000, ack: 2))
    #expect(t.read() == .bytes(1_000))
    #expect(throws: SocketError.invalidState) {
      try t.change { _ = unsafe try $0.write(([1] as [UInt8]).span.bytes, from: t.pool, at: t.now) }
    }
  }

  @Test("What was written before the close goes out before the FIN")
  func queuedData() {
    let t = TCPScript(.established(initialWindow: 2))
    t.write(3_500).close()
    t.expect(.data(seq: 1, count: 1_000), .data(seq: 1_001, count: 1_000))
    t.receive(.ack(2_001))
    t.expect(.data(seq: 2_001, count: 1_000), .fin(seq: 3_001, count: 500))
  }

  @Test("Closing with unread data resets", .rfc(9293, "SHLD-3"))
  func closeWithUnreadData() {
    let t = TCPScript()
    t.receive(.data(seq: 1, count: 10, ack: 1)).close()
    t.expect(.rst(seq: 1, ack: 11))
    t.expectState(.closed)
    #expect(t.isFinished)
  }

  @Test("Data that comes after the program has gone resets", .rfc(9293, "SHLD-3"))
  func dataAfterClose() {
    let t = TCPScript()
    t.close().receive(.ack(2)).ignore()
    t.receive(.data(seq: 1, count: 10, ack: 2))
    t.expectDrops(.tcpAfterClose)
    t.expect(.rst(seq: 2, ack: 1))
    #expect(t.isFinished)
  }

  @Test("Closing before the SYN was answered leaves nothing")
  func closeInSynSent() {
    let t = TCPScript(.connecting())
    t.change { _ in }
    t.ignore().close()
    t.expectState(.closed)
    t.expectNothing(until: 10)
    #expect(t.isFinished)
  }

  @Test("Closing in SYN-RECEIVED sends FIN once established", .rfc(9293, section: "3.10.4"))
  func closeInSynReceived() {
    let t = TCPScript(.accepting())
    t.change { _ in }
    t.close().ignore()
    t.receive(.ack(1, seq: 1))
    t.expect(.fin(seq: 1))
    t.expectState(.finWait1)
  }

  @Test("Abort sends RST and forgets", .rfc(9293, section: "3.10.5"))
  func abort() {
    let t = TCPScript()
    t.write(100).ignore().abort()
    t.expect(.rst(seq: 101, ack: 1))
    t.expectError(.aborted)
    #expect(t.isFinished)
    t.expectNothing(until: 10)
  }

  @Test(
    "A RST ends the connection with an error, and what came before it can be read", .rfc(9293, "MUST-12"),
    .rfc(9293, "SHLD-2"))
  func reset() {
    let t = TCPScript()
    t.receive(.data(seq: 1, count: 10, ack: 1), .rst(seq: 11, count: 5))
    t.expectState(.closed)
    t.expectError(.reset)
    #expect(t.changes().isSuperset(of: [.closed, .readable]))
    #expect(t.read() == .bytes(10))
    #expect(t.read() == nil)
    t.expectNothing(until: 10)
  }

  @Test("A FIN that comes again is acknowledged again and restarts TIME-WAIT", .rfc(9293, section: "3.10.7.4"))
  func duplicateFIN() {
    let t = TCPScript()
    t.close().receive(.fin(seq: 1, ack: 2)).ignore()
    t.at(30).receive(.fin(seq: 1, ack: 2))
    t.expect(.ack(2))
    t.at(89.9)
    t.expectState(.timeWait)
    t.at(90)
    t.expectState(.closed)
  }

  @Test("FIN-WAIT-2 of a connection nobody holds ends")
  func finWait2Timeout() {
    let t = TCPScript()
    t.close().receive(.ack(2))
    t.at(59.9)
    t.expectState(.finWait2)
    t.at(60)
    t.expectState(.closed)
    #expect(t.isFinished)
  }

  @Test("FIN-WAIT-2 of a half-closed connection does not")
  func finWait2OfHalfClosed() {
    let t = TCPScript()
    t.shutdown().receive(.ack(2)).at(10_000)
    t.expectState(.finWait2)
  }

  @Test("A FIN that comes before the data in front of it waits", arguments: [true, false])
  func earlyFIN(together: Bool) {
    let t = TCPScript()
    if together {
      t.receive(.fin(seq: 101, count: 100, ack: 1))
    } else {
      t.receive(.fin(seq: 201, ack: 1), .data(seq: 101, count: 100, ack: 1))
    }
    t.expectState(.established)
    t.expect(.ack(1))
    t.receive(.data(seq: 1, count: 100, ack: 1))
    t.expectState(.closeWait)
    t.expect(.ack(202))
    #expect(t.read() == .bytes(200))
    #expect(t.read() == .endOfStream)
  }

  @Test(
    "A new SYN may take the place of TIME-WAIT if its number or its timestamp is newer", .rfc(9293, "MAY-2"),
    .rfc(9293, "SHLD-4"))
  func reuse() {
    func syn(_ sequence: Int) -> TCPHeader {
      TCPHeader(
        sourcePort: 80, destinationPort: 5_001, sequenceNumber: TCPScript.peerBase + sequence,
        acknowledgmentNumber: SequenceNumber(0), flags: .syn, window: 1_000)
    }
    for timestamps in [false, true] {
      let t = TCPScript(.established(timestamps: timestamps))
      t.close().receive(.fin(seq: 1, ack: 2).with { if timestamps { $0.timestamp = 1_001 } })
      t.expectState(.timeWait)
      let newer = TCPOptions(timestamps: TCPTimestamps(value: 1_002, echoReply: 0))
      let older = TCPOptions(timestamps: TCPTimestamps(value: 1_000, echoReply: 0))
      t.change { connection in
        let byNumber = connection.acceptsReuse(by: syn(50_000), options: TCPOptions())
        let byOldNumber = connection.acceptsReuse(by: syn(-50_000), options: TCPOptions())
        let byTimestamp = connection.acceptsReuse(by: syn(-50_000), options: newer)
        let byOldTimestamp = connection.acceptsReuse(by: syn(50_000), options: older)
        #expect(byNumber)
        #expect(!byOldNumber)
        #expect(byTimestamp == timestamps)
        #expect(byOldTimestamp == !timestamps)
        let start = connection.smallestReusableSequence
        #expect(start > TCPScript.localBase + 2)
      }
    }
  }

  @Test("A FIN that overtook the last data counts as soon as the data is there")
  func earlyFIN() {
    let t = TCPScript(.established(mss: 1_000))
    t.receive(.fin(seq: 1_001, ack: 1))
    t.expectState(.established)
    t.ignore().receive(.data(seq: 1, count: 1_000, ack: 1))
    t.expectState(.closeWait)
  }
}
