import MartletWire
import Testing

@testable import MartletCore

/// A call of the program in a state (RFC 9293 section 3.10.2 to 3.10.6).
struct Call: Sendable, CustomTestStringConvertible {
  let state: TCPState
  let name: String
  let body: @Sendable (TCPScript) -> Void

  init(_ state: TCPState, _ name: String, _ body: @escaping @Sendable (TCPScript) -> Void) {
    self.state = state
    self.name = name
    self.body = body
  }

  var testDescription: String { "\(state.name): \(name)" }
}

@Suite("TCP: the program's calls, state by state", .bothVersions)
struct UserCallTests {
  @Test("SEND", .rfc(9293, section: "3.10.2"), arguments: sends)
  func send(call: Call) { call.body(.inState(call.state)) }

  @Test("RECEIVE", .rfc(9293, section: "3.10.3"), arguments: receives)
  func receive(call: Call) { call.body(.inState(call.state)) }

  @Test("CLOSE", .rfc(9293, section: "3.10.4"), arguments: closes)
  func close(call: Call) { call.body(.inState(call.state)) }

  @Test("ABORT", .rfc(9293, section: "3.10.5"), arguments: aborts)
  func abort(call: Call) { call.body(.inState(call.state)) }

  @Test("STATUS names the state", .rfc(9293, section: "3.10.6"), arguments: TCPState.allCases)
  func status(state: TCPState) {
    let t = TCPScript.inState(state)
    #expect(t.info.state == state)
  }

  static let sends: [Call] = [
    Call(.closed, "says why the connection ended") { t in
      #expect(t.send(10) == .aborted)
      t.expectNothing(until: 10)
    },
    Call(.synSent, "waits for the connection") { t in
      t.write(10)
      t.expectNothing()
      t.receive(.synAck(mss: 1_000))
      t.expect(.data(seq: 1, count: 10, ack: 1))
    },
    Call(.synReceived, "waits for the connection") { t in
      t.write(10)
      t.expectNothing()
      t.receive(.ack(1, seq: 1))
      t.expect(.data(seq: 1, count: 10, ack: 1))
    },
    Call(.established, "sends with the acknowledgement") { t in
      t.write(10)
      t.expect(.data(seq: 1, count: 10, ack: 1))
    },
    Call(.finWait1, "is refused") { t in
      #expect(t.send(10) == .invalidState)
      t.expectNothing()
    },
    Call(.finWait2, "is refused") { t in
      #expect(t.send(10) == .invalidState)
      t.expectNothing(until: 10)
    },
    Call(.closeWait, "sends on") { t in
      t.write(10)
      t.expect(.data(seq: 1, count: 10, ack: 2))
    },
    Call(.closing, "is refused") { t in
      #expect(t.send(10) == .invalidState)
      t.expectNothing()
    },
    Call(.lastAck, "is refused") { t in
      #expect(t.send(10) == .invalidState)
      t.expectNothing()
    },
    Call(.timeWait, "is refused") { t in
      #expect(t.send(10) == .invalidState)
      t.expectNothing(until: 10)
    },
  ]

  static let receives: [Call] = [
    Call(.closed, "says why the connection ended") { t in
      #expect(t.read() == nil)
      t.expectError(.aborted)
    },
    Call(.synSent, "waits") { t in
      #expect(t.read() == .wouldBlock)
      t.receive(.synAck(mss: 1_000), .data(seq: 1, count: 10, ack: 1))
      #expect(t.read() == .bytes(10))
    },
    Call(.synReceived, "waits") { t in
      #expect(t.read() == .wouldBlock)
      t.receive(.data(seq: 1, count: 10, ack: 1))
      #expect(t.read() == .bytes(10))
    },
    Call(.established, "gives what there is, then waits") { t in
      t.receive(.data(seq: 1, count: 10, ack: 1))
      #expect(t.read(4) == .bytes(4))
      #expect(t.read() == .bytes(6))
      #expect(t.read() == .wouldBlock)
    },
    Call(.finWait1, "goes on") { t in
      #expect(t.read() == .wouldBlock)
      t.receive(.data(seq: 1, count: 10, ack: 1))
      #expect(t.read() == .bytes(10))
    },
    Call(.finWait2, "goes on") { t in
      #expect(t.read() == .wouldBlock)
      t.receive(.data(seq: 1, count: 10, ack: 2))
      #expect(t.read() == .bytes(10))
    },
    Call(.closeWait, "says that the stream ended") { t in #expect(t.read() == .endOfStream) },
    Call(.closing, "says that the stream ended") { t in #expect(t.read() == .endOfStream) },
    Call(.lastAck, "says that the stream ended") { t in #expect(t.read() == .endOfStream) },
    Call(.timeWait, "says that the stream ended") { t in #expect(t.read() == .endOfStream) },
  ]

  static let closes: [Call] = [
    Call(.closed, "changes nothing") { t in
      t.close()
      t.expectNothing(until: 10)
      #expect(t.isFinished)
    },
    Call(.synSent, "leaves nothing, and what was written is forgotten") { t in
      t.write(10).close()
      t.expectState(.closed)
      t.expectNothing(until: 10)
    },
    Call(.synReceived, "sends what was written and then FIN, once established") { t in
      t.write(10).close()
      t.expectNothing()
      t.receive(.ack(1, seq: 1))
      t.expect(.fin(seq: 1, count: 10, ack: 1))
      t.expectState(.finWait1)
    },
    Call(.established, "sends FIN") { t in
      t.close()
      t.expect(.fin(seq: 1, ack: 1))
      t.expectState(.finWait1)
    },
    Call(.finWait1, "sends no other FIN") { t in
      t.close().close()
      t.expectNothing()
      t.expectState(.finWait1)
    },
    Call(.finWait2, "sends no other FIN") { t in
      t.close().close()
      t.expectNothing(until: 10)
      t.expectState(.finWait2)
    },
    Call(.closeWait, "sends FIN behind what was written") { t in
      t.write(10).ignore().close()
      t.expect(.fin(seq: 11, ack: 2))
      t.expectState(.lastAck)
    },
    Call(.closing, "changes nothing") { t in
      t.close()
      t.expectNothing()
      t.expectState(.closing)
    },
    Call(.lastAck, "changes nothing") { t in
      t.close()
      t.expectNothing()
      t.expectState(.lastAck)
    },
    Call(.timeWait, "changes nothing, and the connection is gone after two lifetimes") { t in
      t.close()
      t.expectNothing(until: 59)
      t.expectState(.timeWait)
      t.at(60)
      #expect(t.isFinished)
    },
  ]

  static let aborts: [Call] = [
    Call(.closed, "changes nothing") { t in
      t.abort()
      t.expectNothing(until: 10)
    },
    Call(.synSent, "leaves nothing and sends nothing") { t in
      t.abort()
      t.expectState(.closed)
      t.expectNothing(until: 10)
      #expect(t.isFinished)
    },
    Call(.synReceived, "sends RST") { t in
      t.abort()
      t.expect(.rst(seq: 1, ack: 1))
      #expect(t.isFinished)
    },
    Call(.established, "sends RST, and what was not delivered is forgotten") { t in
      t.write(100_000).ignore().abort()
      t.expect(.rst(seq: 10_001, ack: 1))
      t.expectNothing(until: 10)
      #expect(t.isFinished)
    },
    Call(.finWait1, "sends RST") { t in
      t.abort()
      t.expect(.rst(seq: 2, ack: 1))
      #expect(t.isFinished)
    },
    Call(.finWait2, "sends RST") { t in
      t.abort()
      t.expect(.rst(seq: 2, ack: 1))
      #expect(t.isFinished)
    },
    Call(.closeWait, "sends RST") { t in
      t.abort()
      t.expect(.rst(seq: 1, ack: 2))
      #expect(t.isFinished)
    },
    Call(.closing, "sends nothing") { t in
      t.abort()
      t.expectNothing(until: 10)
      #expect(t.isFinished)
    },
    Call(.lastAck, "sends nothing") { t in
      t.abort()
      t.expectNothing(until: 10)
      #expect(t.isFinished)
    },
    Call(.timeWait, "sends nothing") { t in
      t.abort()
      t.expectNothing(until: 10)
      #expect(t.isFinished)
    },
  ]
}
