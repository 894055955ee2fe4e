import MartletWire
import Testing

@testable import MartletCore

/// One cell of SEGMENT ARRIVES (RFC 9293 section 3.10.7): a state, a segment, and all that follows from it.
struct Cell: Sendable, CustomTestStringConvertible {
  let state: TCPState
  let name: String
  let segment: ScriptSegment
  /// What is sent at once.
  let answers: [ScriptSegment]
  let next: TCPState
  let error: SocketError?
  /// Why the segment was dropped.
  let drop: Drop.Reason?
  /// How many bytes the program can read then.
  let text: Int
  let isUrgent: Bool

  init(
    _ state: TCPState, _ name: String, _ segment: ScriptSegment, _ answers: ScriptSegment..., next: TCPState? = nil,
    error: SocketError? = nil, drop: Drop.Reason? = nil, text: Int = 0, isUrgent: Bool = false
  ) {
    self.state = state
    self.name = name
    self.segment = segment
    self.answers = answers
    self.next = next ?? state
    self.error = error
    self.drop = drop
    self.text = text
    self.isUrgent = isUrgent
  }

  var testDescription: String { "\(state.name): \(name)" }

  func run() {
    let t = TCPScript.inState(state)
    t.receive(segment)
    t.expect(answers)
    t.expectState(next)
    t.expectError(error)
    if let drop { t.expectDrops(drop) } else { t.expectDrops() }
    #expect(t.changes().contains(.urgent) == isUrgent)
    let waiting = t.info.receiveQueueByteCount
    #expect(waiting == text)
    if text > 0 { #expect(t.read() == .bytes(text)) }
  }
}

@Suite("TCP: SEGMENT ARRIVES, state by state", .bothVersions)
struct SegmentArrivesTests {
  @Test("SYN-SENT", .rfc(9293, section: "3.10.7.3"), arguments: Cell.synSent)
  func synSent(cell: Cell) { cell.run() }

  @Test("SYN-RECEIVED", .rfc(9293, section: "3.10.7.4"), arguments: Cell.synReceived)
  func synReceived(cell: Cell) { cell.run() }

  @Test("ESTABLISHED", .rfc(9293, section: "3.10.7.4"), arguments: Cell.established)
  func established(cell: Cell) { cell.run() }

  @Test("FIN-WAIT-1", .rfc(9293, section: "3.10.7.4"), arguments: Cell.finWait1)
  func finWait1(cell: Cell) { cell.run() }

  @Test("FIN-WAIT-2", .rfc(9293, section: "3.10.7.4"), arguments: Cell.finWait2)
  func finWait2(cell: Cell) { cell.run() }

  @Test("CLOSE-WAIT", .rfc(9293, section: "3.10.7.4"), arguments: Cell.closeWait)
  func closeWait(cell: Cell) { cell.run() }

  @Test("CLOSING", .rfc(9293, section: "3.10.7.4"), arguments: Cell.closing)
  func closing(cell: Cell) { cell.run() }

  @Test("LAST-ACK", .rfc(9293, section: "3.10.7.4"), arguments: Cell.lastAck)
  func lastAck(cell: Cell) { cell.run() }

  @Test("TIME-WAIT", .rfc(9293, section: "3.10.7.4"), arguments: Cell.timeWait)
  func timeWait(cell: Cell) { cell.run() }
}

extension Cell {
  // Type checkers are slow with long literals of calls with defaults; each table has its type in sight.

  static let synSent: [Cell] = [
    Cell(.synSent, "SYN", .syn(mss: 1_000), .synAck(), next: .synReceived),
    Cell(.synSent, "SYN, ACK of our SYN", .synAck(mss: 1_000), .ack(1, seq: 1), next: .established),
    Cell(
      .synSent, "SYN, ACK of what was never sent", .synAck().with { $0.ack = 9 }, .rst(seq: 9),
      drop: .tcpBadAcknowledgment),
    Cell(
      .synSent, "SYN, ACK of the number before", .synAck().with { $0.ack = 0 }, .rst(seq: 0),
      drop: .tcpBadAcknowledgment),
    Cell(.synSent, "ACK of our SYN without a SYN", .ack(1, seq: 0), drop: .tcpNoAcknowledgment),
    Cell(.synSent, "ACK of what was never sent", .ack(700, seq: 0), .rst(seq: 700), drop: .tcpBadAcknowledgment),
    Cell(.synSent, "RST without ACK", .rst(seq: 0), drop: .tcpResetIgnored),
    Cell(.synSent, "RST with an ACK of our SYN", .rst(seq: 0, ack: 1), next: .closed, error: .refused),
    Cell(.synSent, "RST with another ACK", .rst(seq: 0, ack: 2), drop: .tcpResetIgnored),
    Cell(.synSent, "text without a SYN", .data(seq: 1, count: 10, ack: 1), drop: .tcpNoAcknowledgment),
    Cell(
      .synSent, "text without SYN and ACK", .data(seq: 1, count: 10).with { $0.flags = .psh },
      drop: .tcpNoAcknowledgment),
    Cell(.synSent, "FIN without a SYN", .fin(seq: 1, ack: 1), drop: .tcpNoAcknowledgment),
    Cell(
      .synSent, "SYN, ACK with a FIN", .synAck(mss: 1_000).with { $0.flags.insert(.fin) }, .ack(2, seq: 1),
      next: .closeWait),
    Cell(
      .synSent, "SYN, ACK with text", .synAck(mss: 1_000).with { $0.count = 10 }, .ack(11, seq: 1), next: .established,
      text: 10),
    Cell(
      .synSent, "SYN, ACK with urgent text",
      .synAck(mss: 1_000).with {
        $0.count = 10
        $0.urgent = 5
        $0.flags.insert(.urg)
      }, .ack(11, seq: 1), next: .established, text: 10, isUrgent: true),
  ]

  static let synReceived: [Cell] = [
    Cell(.synReceived, "RST at RCV.NXT", .rst(seq: 1), next: .closed),
    Cell(.synReceived, "RST elsewhere in the window", .rst(seq: 2), .ack(1, seq: 1), drop: .tcpResetIgnored),
    Cell(.synReceived, "RST outside the window", .rst(seq: 0), drop: .tcpResetIgnored),
    Cell(.synReceived, "the SYN again", .syn(mss: 1_000), .synAck(), drop: .tcpDuplicate),
    Cell(
      .synReceived, "SYN in the window", .syn().with { $0.seq = 1 }, next: .closed, drop: .tcpSynOnSynchronized),
    Cell(
      .synReceived, "SYN outside the window", .syn().with { $0.seq = 900_000 }, .ack(1, seq: 1), drop: .tcpOutsideWindow
    ),
    Cell(.synReceived, "ACK of our SYN", .ack(1, seq: 1), next: .established),
    Cell(.synReceived, "ACK of what was never sent", .ack(2, seq: 1), .rst(seq: 2), drop: .tcpBadAcknowledgment),
    Cell(.synReceived, "ACK of the number before", .ack(0, seq: 1), .rst(seq: 0), drop: .tcpBadAcknowledgment),
    Cell(.synReceived, "old text", .data(seq: 0, count: 1, ack: 1), .ack(1, seq: 1), drop: .tcpDuplicate),
    Cell(
      .synReceived, "text past the window", .data(seq: 900_000, count: 10, ack: 1), .ack(1, seq: 1),
      drop: .tcpOutsideWindow),
    Cell(.synReceived, "text with the ACK", .data(seq: 1, count: 10, ack: 1), next: .established, text: 10),
    Cell(.synReceived, "FIN with the ACK", .fin(seq: 1, ack: 1), .ack(2, seq: 1), next: .closeWait),
    Cell(
      .synReceived, "urgent text with the ACK", .data(seq: 1, count: 10, ack: 1, urgent: 4), next: .established,
      text: 10,
      isUrgent: true),
    Cell(
      .synReceived, "text without an ACK", .data(seq: 1, count: 10).with { $0.flags = .psh }, drop: .tcpNoAcknowledgment
    ),
  ]

  static let established: [Cell] = [
    Cell(.established, "RST at RCV.NXT", .rst(seq: 1), next: .closed, error: .reset),
    Cell(.established, "RST elsewhere in the window", .rst(seq: 500), .ack(1, seq: 1), drop: .tcpResetIgnored),
    Cell(.established, "RST before the window", .rst(seq: 0), drop: .tcpResetIgnored),
    Cell(.established, "RST past the window", .rst(seq: 5_000_000), drop: .tcpResetIgnored),
    Cell(.established, "SYN in the window", .syn().with { $0.seq = 1 }, .ack(1, seq: 1), drop: .tcpSynOnSynchronized),
    Cell(.established, "SYN outside the window", .syn(), .ack(1, seq: 1), drop: .tcpSynOnSynchronized),
    Cell(.established, "the SYN, ACK again", .synAck(), .ack(1, seq: 1), drop: .tcpSynOnSynchronized),
    Cell(.established, "ACK of what was never sent", .ack(2, seq: 1), .ack(1, seq: 1), drop: .tcpBadAcknowledgment),
    Cell(.established, "an ACK that came before", .ack(1, seq: 1)),
    Cell(.established, "old text", .data(seq: 0, count: 1, ack: 1), .ack(1, seq: 1), drop: .tcpDuplicate),
    Cell(
      .established, "text past the window", .data(seq: 5_000_000, count: 10, ack: 1), .ack(1, seq: 1),
      drop: .tcpOutsideWindow),
    Cell(.established, "text", .data(seq: 1, count: 10, ack: 1), text: 10),
    Cell(.established, "text behind a gap", .data(seq: 11, count: 10, ack: 1), .ack(1, seq: 1, sack: 11..<21)),
    Cell(
      .established, "text, half of it old", .data(seq: -9, count: 20, ack: 1), .ack(11, seq: 1, sack: -9..<1), text: 10),
    Cell(
      .established, "text without an ACK", .data(seq: 1, count: 10).with { $0.flags = .psh }, drop: .tcpNoAcknowledgment
    ),
    Cell(.established, "urgent text", .data(seq: 1, count: 10, ack: 1, urgent: 10), text: 10, isUrgent: true),
    Cell(.established, "an urgent pointer alone", .data(seq: 1, count: 0, ack: 1, urgent: 10), isUrgent: true),
    Cell(.established, "FIN", .fin(seq: 1, ack: 1), .ack(2, seq: 1), next: .closeWait),
    Cell(.established, "FIN with text", .fin(seq: 1, count: 10, ack: 1), .ack(12, seq: 1), next: .closeWait, text: 10),
    Cell(.established, "FIN behind a gap", .fin(seq: 11, ack: 1), .ack(1, seq: 1)),
  ]

  static let finWait1: [Cell] = [
    Cell(.finWait1, "RST at RCV.NXT", .rst(seq: 1), next: .closed, error: .reset),
    Cell(.finWait1, "RST elsewhere in the window", .rst(seq: 2), .ack(1, seq: 2), drop: .tcpResetIgnored),
    Cell(.finWait1, "RST outside the window", .rst(seq: 0), drop: .tcpResetIgnored),
    Cell(.finWait1, "SYN in the window", .syn().with { $0.seq = 1 }, .ack(1, seq: 2), drop: .tcpSynOnSynchronized),
    Cell(.finWait1, "SYN outside the window", .syn(), .ack(1, seq: 2), drop: .tcpSynOnSynchronized),
    Cell(.finWait1, "ACK of our FIN", .ack(2, seq: 1), next: .finWait2),
    Cell(.finWait1, "ACK of what was never sent", .ack(3, seq: 1), .ack(1, seq: 2), drop: .tcpBadAcknowledgment),
    Cell(.finWait1, "an ACK that came before", .ack(1, seq: 1)),
    Cell(.finWait1, "old text", .data(seq: 0, count: 1, ack: 2), .ack(1, seq: 2), drop: .tcpDuplicate),
    Cell(
      .finWait1, "text past the window", .data(seq: 5_000_000, count: 10, ack: 1), .ack(1, seq: 2),
      drop: .tcpOutsideWindow),
    Cell(.finWait1, "text", .data(seq: 1, count: 10, ack: 1), text: 10),
    Cell(.finWait1, "text with the ACK of our FIN", .data(seq: 1, count: 10, ack: 2), next: .finWait2, text: 10),
    Cell(
      .finWait1, "text without an ACK", .data(seq: 1, count: 10).with { $0.flags = .psh }, drop: .tcpNoAcknowledgment),
    Cell(.finWait1, "urgent text", .data(seq: 1, count: 10, ack: 1, urgent: 10), text: 10, isUrgent: true),
    Cell(.finWait1, "FIN", .fin(seq: 1, ack: 1), .ack(2, seq: 2), next: .closing),
    Cell(.finWait1, "FIN with the ACK of ours", .fin(seq: 1, ack: 2), .ack(2, seq: 2), next: .timeWait),
    Cell(.finWait1, "FIN behind a gap, with the ACK of ours", .fin(seq: 11, ack: 2), .ack(1, seq: 2), next: .finWait2),
  ]

  static let finWait2: [Cell] = [
    Cell(.finWait2, "RST at RCV.NXT", .rst(seq: 1), next: .closed, error: .reset),
    Cell(.finWait2, "RST elsewhere in the window", .rst(seq: 2), .ack(1, seq: 2), drop: .tcpResetIgnored),
    Cell(.finWait2, "RST outside the window", .rst(seq: 0), drop: .tcpResetIgnored),
    Cell(.finWait2, "SYN in the window", .syn().with { $0.seq = 1 }, .ack(1, seq: 2), drop: .tcpSynOnSynchronized),
    Cell(.finWait2, "SYN outside the window", .syn(), .ack(1, seq: 2), drop: .tcpSynOnSynchronized),
    Cell(.finWait2, "ACK of what was never sent", .ack(3, seq: 1), .ack(1, seq: 2), drop: .tcpBadAcknowledgment),
    Cell(.finWait2, "an ACK that came before", .ack(1, seq: 1)),
    Cell(.finWait2, "old text", .data(seq: 0, count: 1, ack: 2), .ack(1, seq: 2), drop: .tcpDuplicate),
    Cell(
      .finWait2, "text past the window", .data(seq: 5_000_000, count: 10, ack: 2), .ack(1, seq: 2),
      drop: .tcpOutsideWindow),
    Cell(.finWait2, "text", .data(seq: 1, count: 10, ack: 2), text: 10),
    Cell(
      .finWait2, "text without an ACK", .data(seq: 1, count: 10).with { $0.flags = .psh }, drop: .tcpNoAcknowledgment),
    Cell(.finWait2, "urgent text", .data(seq: 1, count: 10, ack: 2, urgent: 10), text: 10, isUrgent: true),
    Cell(.finWait2, "FIN", .fin(seq: 1, ack: 2), .ack(2, seq: 2), next: .timeWait),
    Cell(.finWait2, "FIN with text", .fin(seq: 1, count: 10, ack: 2), .ack(12, seq: 2), next: .timeWait, text: 10),
    Cell(.finWait2, "FIN behind a gap", .fin(seq: 11, ack: 2), .ack(1, seq: 2)),
  ]

  static let closeWait: [Cell] = [
    Cell(.closeWait, "RST at RCV.NXT", .rst(seq: 2), next: .closed, error: .reset),
    Cell(.closeWait, "RST elsewhere in the window", .rst(seq: 3), .ack(2, seq: 1), drop: .tcpResetIgnored),
    Cell(.closeWait, "RST outside the window", .rst(seq: 1), drop: .tcpResetIgnored),
    Cell(.closeWait, "SYN in the window", .syn().with { $0.seq = 2 }, .ack(2, seq: 1), drop: .tcpSynOnSynchronized),
    Cell(.closeWait, "SYN outside the window", .syn(), .ack(2, seq: 1), drop: .tcpSynOnSynchronized),
    Cell(.closeWait, "ACK of what was never sent", .ack(2, seq: 2), .ack(2, seq: 1), drop: .tcpBadAcknowledgment),
    Cell(.closeWait, "an ACK that came before", .ack(1, seq: 2)),
    Cell(.closeWait, "old text", .data(seq: 0, count: 1, ack: 1), .ack(2, seq: 1), drop: .tcpDuplicate),
    Cell(
      .closeWait, "text past the window", .data(seq: 5_000_000, count: 10, ack: 1), .ack(2, seq: 1),
      drop: .tcpOutsideWindow),
    Cell(.closeWait, "text behind the FIN", .data(seq: 2, count: 10, ack: 1), drop: .tcpAfterClose),
    Cell(
      .closeWait, "text without an ACK", .data(seq: 2, count: 10).with { $0.flags = .psh }, drop: .tcpNoAcknowledgment),
    Cell(.closeWait, "an urgent pointer behind the FIN", .data(seq: 2, count: 0, ack: 1, urgent: 10)),
    Cell(.closeWait, "the FIN again", .fin(seq: 1, ack: 1), .ack(2, seq: 1), drop: .tcpDuplicate),
    Cell(.closeWait, "another FIN", .fin(seq: 2, ack: 1)),
  ]

  static let closing: [Cell] = [
    Cell(.closing, "RST at RCV.NXT", .rst(seq: 2), next: .closed),
    Cell(.closing, "RST elsewhere in the window", .rst(seq: 3), .ack(2, seq: 2), drop: .tcpResetIgnored),
    Cell(.closing, "RST outside the window", .rst(seq: 1), drop: .tcpResetIgnored),
    Cell(.closing, "SYN in the window", .syn().with { $0.seq = 2 }, .ack(2, seq: 2), drop: .tcpSynOnSynchronized),
    Cell(.closing, "SYN outside the window", .syn(), .ack(2, seq: 2), drop: .tcpSynOnSynchronized),
    Cell(.closing, "ACK of our FIN", .ack(2, seq: 2), next: .timeWait),
    Cell(.closing, "ACK of what was never sent", .ack(3, seq: 2), .ack(2, seq: 2), drop: .tcpBadAcknowledgment),
    Cell(.closing, "an ACK that came before", .ack(1, seq: 2)),
    Cell(.closing, "old text", .data(seq: 0, count: 1, ack: 1), .ack(2, seq: 2), drop: .tcpDuplicate),
    Cell(.closing, "text behind the FIN", .data(seq: 2, count: 10, ack: 1), drop: .tcpAfterClose),
    Cell(
      .closing, "text without an ACK", .data(seq: 2, count: 10).with { $0.flags = .psh }, drop: .tcpNoAcknowledgment),
    Cell(.closing, "an urgent pointer behind the FIN", .data(seq: 2, count: 0, ack: 1, urgent: 10)),
    Cell(.closing, "the FIN again", .fin(seq: 1, ack: 1), .ack(2, seq: 2), drop: .tcpDuplicate),
    Cell(.closing, "another FIN", .fin(seq: 2, ack: 1)),
  ]

  static let lastAck: [Cell] = [
    Cell(.lastAck, "RST at RCV.NXT", .rst(seq: 2), next: .closed),
    Cell(.lastAck, "RST elsewhere in the window", .rst(seq: 3), .ack(2, seq: 2), drop: .tcpResetIgnored),
    Cell(.lastAck, "RST outside the window", .rst(seq: 1), drop: .tcpResetIgnored),
    Cell(.lastAck, "SYN in the window", .syn().with { $0.seq = 2 }, .ack(2, seq: 2), drop: .tcpSynOnSynchronized),
    Cell(.lastAck, "SYN outside the window", .syn(), .ack(2, seq: 2), drop: .tcpSynOnSynchronized),
    Cell(.lastAck, "ACK of our FIN", .ack(2, seq: 2), next: .closed),
    Cell(.lastAck, "ACK of what was never sent", .ack(3, seq: 2), .ack(2, seq: 2), drop: .tcpBadAcknowledgment),
    Cell(.lastAck, "an ACK that came before", .ack(1, seq: 2)),
    Cell(.lastAck, "old text", .data(seq: 0, count: 1, ack: 1), .ack(2, seq: 2), drop: .tcpDuplicate),
    Cell(.lastAck, "text behind the FIN", .data(seq: 2, count: 10, ack: 1), drop: .tcpAfterClose),
    Cell(
      .lastAck, "text without an ACK", .data(seq: 2, count: 10).with { $0.flags = .psh }, drop: .tcpNoAcknowledgment),
    Cell(.lastAck, "an urgent pointer behind the FIN", .data(seq: 2, count: 0, ack: 1, urgent: 10)),
    Cell(.lastAck, "the FIN again", .fin(seq: 1, ack: 1), .ack(2, seq: 2), drop: .tcpDuplicate),
    Cell(.lastAck, "another FIN", .fin(seq: 2, ack: 1)),
  ]

  static let timeWait: [Cell] = [
    Cell(.timeWait, "RST at RCV.NXT", .rst(seq: 2), next: .closed),
    Cell(.timeWait, "RST elsewhere in the window", .rst(seq: 3), .ack(2, seq: 2), drop: .tcpResetIgnored),
    Cell(.timeWait, "RST outside the window", .rst(seq: 1), drop: .tcpResetIgnored),
    Cell(.timeWait, "SYN in the window", .syn().with { $0.seq = 2 }, .ack(2, seq: 2), drop: .tcpSynOnSynchronized),
    Cell(.timeWait, "SYN outside the window", .syn(), .ack(2, seq: 2), drop: .tcpSynOnSynchronized),
    Cell(.timeWait, "ACK of what was never sent", .ack(3, seq: 2), .ack(2, seq: 2), drop: .tcpBadAcknowledgment),
    Cell(.timeWait, "an ACK that came before", .ack(2, seq: 2)),
    Cell(.timeWait, "old text", .data(seq: 0, count: 1, ack: 2), .ack(2, seq: 2), drop: .tcpDuplicate),
    Cell(.timeWait, "text behind the FIN", .data(seq: 2, count: 10, ack: 2), drop: .tcpAfterClose),
    Cell(
      .timeWait, "text without an ACK", .data(seq: 2, count: 10).with { $0.flags = .psh }, drop: .tcpNoAcknowledgment),
    Cell(.timeWait, "an urgent pointer behind the FIN", .data(seq: 2, count: 0, ack: 2, urgent: 10)),
    Cell(.timeWait, "the FIN again", .fin(seq: 1, ack: 2), .ack(2, seq: 2), drop: .tcpDuplicate),
  ]
}
