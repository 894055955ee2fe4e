import MartletWire
import Testing

@testable import MartletCore

/// Resets, those of an attacker among them (RFC 9293 section 3.5.2, RFC 5961), and what the program learns of the end.
@Suite("TCP: resets and ends", .bothVersions)
struct TCPResetScripts {
  @Test(
    "A RST with data ends the connection like any other", .rfc(9293, "SHLD-2"),
    arguments: [TCPState.established, .finWait1, .finWait2])
  func resetWithData(state: TCPState) {
    let t = TCPScript.inState(state)
    t.receive(.rst(seq: 1, count: 100))
    t.expectState(.closed)
    t.expectError(.reset)
    #expect(t.info.receiveQueueByteCount == 0)
  }

  @Test("A RST with data in CLOSE-WAIT too", .rfc(9293, "SHLD-2"))
  func resetWithDataInCloseWait() {
    let t = TCPScript.inState(.closeWait)
    t.receive(.rst(seq: 2, count: 100))
    t.expectError(.reset)
  }

  @Test("A RST with FIN and SYN is a RST", .rfc(9293, section: "3.10.7.4"))
  func resetWithFIN() {
    let t = TCPScript()
    t.receive(.rst(seq: 1).with { $0.flags = [.rst, .fin, .syn, .ack] })
    t.expectState(.closed)
    t.expectNothing()
  }

  @Test("A RST answers no RST", .rfc(9293, section: "3.5.2"), arguments: TCPState.allCases)
  func noAnswer(state: TCPState) {
    let t = TCPScript.inState(state)
    t.receive(.rst(seq: 900_000), .rst(seq: -1))
    t.expectNothing()
    t.expectState(state)
  }

  @Test("The answer to a challenge, a RST at RCV.NXT, ends the connection", .rfc(5961, section: "3.2"))
  func answeredChallenge() {
    let t = TCPScript()
    t.receive(.rst(seq: 100))
    t.expect(.ack(1, seq: 1))
    t.receive(.rst(seq: 1))
    t.expectState(.closed)
  }

  @Test(
    "The answer to a challenge of a SYN, from a peer that started anew, ends the connection", .rfc(5961, section: "4.2")
  )
  func restartedPeer() {
    let t = TCPScript()
    t.receive(.syn().with { $0.seq = 12_345 })
    t.expect(.ack(1, seq: 1))
    t.receive(.rst(seq: 1))
    t.expectError(.reset)
  }

  @Test(
    "An ACK up to the largest window behind is taken, one before it is challenged", .rfc(9293, "MAY-12"),
    .rfc(5961, section: "5.2"), arguments: [(3_001, true), (3_000, false)])
  func oldAcknowledgment(number: Int, isTaken: Bool) {
    let t = TCPScript(.established(window: 1_000))
    for turn in 0..<4 { t.write(1_000).receive(.ack((turn + 1) * 1_000 + 1)) }
    t.ignore().receive(.data(seq: 1, count: 10, ack: number))
    #expect((t.read() == .bytes(10)) == isTaken)
  }

  @Test("Injected text with an ACK beyond what was sent is dropped", .rfc(5961, section: "5.2"))
  func injected() {
    let t = TCPScript()
    t.write(10).ignore()
    t.receive(.data(seq: 1, count: 10, ack: 12))
    t.expectDrops(.tcpBadAcknowledgment)
    #expect(t.read() == .wouldBlock)
    #expect(t.info.bytesInFlight == 10)
  }

  @Test("An ACK in an unacceptable segment acknowledges nothing", .rfc(9293, section: "3.10.7.4"))
  func unacceptable() {
    let t = TCPScript()
    t.write(10).ignore()
    t.receive(.data(seq: 5_000_000, count: 10, ack: 11))
    #expect(t.info.bytesInFlight == 10)
  }

  // MARK: What the program learns (MUST-12)

  /// How a connection ends, and what the program is told.
  struct End: Sendable, CustomTestStringConvertible {
    let name: String
    let error: SocketError?
    let read: ReadResult?
    let body: @Sendable (TCPScript) -> Void
    var testDescription: String { name }

    init(_ name: String, error: SocketError?, read: ReadResult?, _ body: @escaping @Sendable (TCPScript) -> Void) {
      self.name = name
      self.error = error
      self.read = read
      self.body = body
    }
  }

  static let ends: [End] = [
    End("the peer closed, then we", error: nil, read: .endOfStream) { t in
      t.receive(.fin(seq: 1, ack: 1)).shutdown().receive(.ack(2, seq: 2))
    },
    End("we closed, then the peer, and the wait is over", error: nil, read: .endOfStream) { t in
      t.shutdown().receive(.fin(seq: 1, ack: 2)).at(61)
    },
    End("both closed at once", error: nil, read: .endOfStream) { t in
      t.shutdown().receive(.fin(seq: 1, ack: 1)).receive(.ack(2, seq: 2)).at(61)
    },
    End("the peer reset", error: .reset, read: nil) { t in t.receive(.rst(seq: 1)) },
    End("the peer reset after its FIN", error: .reset, read: .endOfStream) { t in
      t.receive(.fin(seq: 1, ack: 1)).receive(.rst(seq: 2))
    },
    End("we aborted", error: .aborted, read: nil) { t in t.abort() },
    End("nobody answered", error: .timedOut(after: .seconds(900)), read: nil) { t in t.write(10).at(901) },
  ]

  @Test("The program learns whether the end was normal", .rfc(9293, "MUST-12"), arguments: ends)
  func end(end: End) {
    let t = TCPScript()
    end.body(t)
    t.expectState(.closed)
    t.expectError(end.error)
    #expect(t.changes().contains(.closed))
    #expect(t.read() == end.read)
  }

  // MARK: Half-close and close (section 3.6)

  @Test("After a half-close the peer's text and FIN come in as ever", .rfc(9293, "MAY-1"))
  func halfClose() {
    let t = TCPScript.inState(.finWait2)
    for place in 0..<5 { t.receive(.data(seq: 1 + place * 1_000, count: 1_000, ack: 2)) }
    #expect(t.read() == .bytes(5_000))
    t.receive(.fin(seq: 5_001, ack: 2))
    #expect(t.read() == .endOfStream)
    t.expectState(.timeWait)
  }

  @Test("Text after a full close is answered by RST", .rfc(9293, "SHLD-3"), arguments: [TCPState.finWait1, .finWait2])
  func textAfterClose(state: TCPState) {
    let t = TCPScript.inState(state)
    t.close().receive(.data(seq: 1, count: 10, ack: 2))
    t.expectState(.closed)
    #expect(t.sent.map(\.flags) == [[.rst, .ack]])
  }

  @Test(
    "A full close with text unread resets, wherever it happens", .rfc(9293, "SHLD-3"),
    arguments: [TCPState.established, .finWait1, .finWait2])
  func closeWithUnread(state: TCPState) {
    let t = TCPScript.inState(state)
    t.receive(.data(seq: 1, count: 10, ack: 1)).ignore().close()
    #expect(t.sent.map(\.flags) == [[.rst, .ack]])
    t.expectState(.closed)
  }

  @Test("In CLOSE-WAIT with text unread too", .rfc(9293, "SHLD-3"))
  func closeWithUnreadInCloseWait() {
    let t = TCPScript()
    t.receive(.fin(seq: 1, count: 10, ack: 1)).ignore().close()
    #expect(t.sent.map(\.flags) == [[.rst, .ack]])
  }

  @Test("A close after all was read is an orderly one", .rfc(9293, "SHLD-3"))
  func closeAfterRead() {
    let t = TCPScript()
    t.receive(.data(seq: 1, count: 10, ack: 1))
    t.read()
    t.ignore().close()
    t.expect(.fin(seq: 1, ack: 11))
  }

  @Test("TIME-WAIT lasts twice the lifetime that the host is given", .rfc(9293, "MUST-13"), arguments: [1, 30, 120])
  func lifetime(seconds: Int) {
    let t = TCPScript(.established { $0.configuration.maximumSegmentLifetime = .seconds(seconds) })
    t.shutdown().receive(.fin(seq: 1, ack: 2)).at(Double(2 * seconds) - 0.01)
    t.expectState(.timeWait)
    t.at(Double(2 * seconds))
    t.expectState(.closed)
  }

  @Test("CLOSING waits as long", .rfc(9293, "MUST-13"))
  func lifetimeAfterClosing() {
    let t = TCPScript.inState(.closing)
    t.at(1).receive(.ack(2, seq: 2)).at(60.9)
    t.expectState(.timeWait)
    t.at(61)
    t.expectState(.closed)
  }

  @Test("The side that closes second does not wait", .rfc(9293, section: "3.6"))
  func noWait() {
    let t = TCPScript.inState(.lastAck)
    t.receive(.ack(2, seq: 2))
    t.expectState(.closed)
    #expect(t.deadline == nil)
  }
}
