import MartletWire
import Testing

@testable import MartletCore

@Suite("TCP: windows", .bothVersions)
struct TCPWindowTests {
  @Test(
    "A closed window is probed after a timeout, then ever less often", .rfc(9293, "MUST-36"), .rfc(9293, "SHLD-29"),
    .rfc(9293, "SHLD-30"))
  func zeroWindowProbe() {
    let t = TCPScript(.established(window: 1_000))
    t.write(3_000)
    t.expect(.data(seq: 1, count: 1_000))
    t.at(0.1).receive(.ack(1_001, window: 0))
    // SRTT 12.5 ms, RTTVAR 25 ms: the timeout is the smallest.
    t.expectNothing(until: 0.299)
    t.at(0.3).expect(.data(seq: 1_001, count: 1))
    t.receive(.ack(1_001, window: 0))
    t.expectNothing(until: 0.699)
    t.at(0.7).expect(.data(seq: 1_001, count: 1))
    t.receive(.ack(1_001, window: 0))
    t.expectNothing(until: 1.499)
    t.at(1.5).expect(.data(seq: 1_001, count: 1))
    t.at(1.6).receive(.ack(1_001, window: 5_000))
    t.expect(.data(seq: 1_001, count: 1_000), .data(seq: 2_001, count: 1_000))
  }

  @Test("While probes are answered the window may stay closed for ever", .rfc(9293, "MUST-37"))
  func patience() {
    let t = TCPScript(.established(window: 1_000))
    t.write(3_000).receive(.ack(1_001, window: 0)).ignore()
    for _ in 0..<200 {
      guard let deadline = t.deadline else { break }
      t.at(deadline)
      t.expect(.data(seq: 1_001, count: 1))
      t.receive(.ack(1_001, window: 0))
    }
    t.expectState(.established)
    #expect(t.now > Instant(nanoseconds: .seconds(10_000)))
    // Without answers it ends.
    t.at(Double(t.now.nanoseconds) / 1e9 + 1_100)
    t.expectState(.closed)
  }

  @Test("A probe that was taken counts")
  func probeTaken() {
    let t = TCPScript(.established(window: 1_000))
    t.write(3_000).receive(.ack(1_001, window: 0)).ignore()
    t.at(0.2).expect(.data(seq: 1_001, count: 1))
    t.receive(.ack(1_002, window: 0))
    t.expectNothing(until: 0.399)
    t.at(0.4).expect(.data(seq: 1_002, count: 1))
  }

  @Test(
    "A peer that takes window back gets no new data, and what it had is resent", .rfc(9293, "MUST-34"),
    .rfc(9293, "SHLD-15"), .rfc(9293, "SHLD-16"))
  func shrinking() {
    let t = TCPScript(.established(window: 5_000))
    t.write(8_000).ignore()
    t.at(0.1).receive(.ack(1_001, window: 1_000))
    t.expectNothing(until: 0.299)
    t.at(0.3).expect(.data(seq: 1_001, count: 1_000))
    t.receive(.ack(2_001, window: 1_000))
    t.expect(.data(seq: 2_001, count: 1_000))
    t.receive(.ack(5_001, window: 10_000))
    t.expect(.data(seq: 5_001, count: 1_000), .data(seq: 6_001, count: 1_000))
  }

  @Test("A window taken back altogether does not end the connection while the peer answers", .rfc(9293, "SHLD-17"))
  func shrinkingToZero() {
    let t = TCPScript(.established(window: 5_000))
    t.write(5_000).ignore()
    t.receive(.ack(1, window: 0))
    for _ in 0..<40 {
      guard let deadline = t.deadline else { break }
      t.at(deadline).ignore().receive(.ack(1, window: 0)).ignore()
    }
    #expect(t.now > Instant(nanoseconds: .seconds(1_800)))
    t.expectState(.established)
  }

  @Test("An old segment does not change the window", .rfc(9293, section: "3.10.7.4"))
  func oldWindow() {
    let t = TCPScript()
    t.write(1_000).receive(.ack(1_001, window: 9_000))
    t.receive(.ack(1, window: 100))
    #expect(t.info.sendWindow == 9_000)
  }

  @Test(
    "Windows above 32,767 are not negative, and scaled ones are whole", .rfc(9293, "MUST-1"), .rfc(9293, "REC-1"),
    .rfc(7323, section: "2.3"))
  func large() {
    let t = TCPScript(.established(mss: 1_460, initialWindow: 100, scale: 14, window: 65_535))
    t.receive(.ack(1, window: 65_535))
    #expect(t.info.sendWindow == 65_535 << 14)
  }

  @Test("The window of a SYN is not scaled", .rfc(7323, section: "2.2"))
  func synWindow() {
    let t = TCPScript(.connecting())
    t.change { _ in }
    #expect(t.sent.first?.window == 65_535)
    t.receive(.synAck(mss: 1_000, scale: 7, window: 1_000))
    #expect(t.info.sendWindow == 1_000)
  }

  @Test(
    "The right edge never moves back, and moves on only by a segment or half the buffer", .rfc(9293, "SHLD-14"),
    .rfc(9293, "MUST-39"))
  func receiverSillyWindow() {
    let t = TCPScript(.established { $0.options.receiveBufferByteCount = 4_000 })
    t.receive(.data(seq: 1, count: 1_000, ack: 1), .data(seq: 1_001, count: 1_000, ack: 1))
    t.expect(.ack(2_001, window: 2_000))
    t.receive(.data(seq: 2_001, count: 1_000, ack: 1), .data(seq: 3_001, count: 1_000, ack: 1))
    t.expect(.ack(4_001, window: 0))
    t.read(1_000)
    t.expectNothing()
    t.read(400)
    t.expectNothing()
    t.read(700)
    t.expect(.ack(4_001, window: 2_100))
  }

  @Test("With a closed window RST and the acknowledgement still count", .rfc(9293, "MUST-66"))
  func closedReceiveWindow() {
    let t = TCPScript(.established { $0.options.receiveBufferByteCount = 1_000 })
    t.write(100).ignore()
    t.receive(.data(seq: 1, count: 1_000, ack: 1)).ignore()
    t.receive(.data(seq: 1_001, count: 1, ack: 101))
    t.expect(.ack(1_001, window: 0))
    #expect(t.info.bytesInFlight == 0)
    t.receive(.data(seq: 1_001, count: 1, ack: 101, urgent: 1))
    #expect(t.changes().contains(.urgent))
    t.receive(.rst(seq: 1_001))
    t.expectState(.closed)
  }

  @Test("What lies past the right edge is cut off")
  func beyondEdge() {
    let t = TCPScript(.established { $0.options.receiveBufferByteCount = 1_000 })
    t.receive(.data(seq: 1, count: 1_500, ack: 1))
    t.expect(.ack(1_001, window: 0))
    #expect(t.read() == .bytes(1_000))
  }

  @Test(
    "A sender does not send sillily small segments into a window that opens a little", .rfc(9293, "MUST-38"),
    .rfc(9293, "MUST-35"))
  func senderSillyWindow() {
    let t = TCPScript(.established(window: 4_000))
    t.write(10_000).ignore()
    t.at(0.01).receive(.ack(4_001, window: 300))
    t.expectNothing(until: 0.2)
    // The override: what the window takes, after a timeout.
    t.at(0.21).expect(.data(seq: 4_001, count: 300))
    // Half of the largest window is worth a segment.
    t.receive(.ack(4_301, window: 2_000))
    t.expect(.data(seq: 4_301, count: 1_000), .data(seq: 5_301, count: 1_000))
  }

  @Test("A program that reads nothing bounds what is held")
  func bounded() {
    let t = TCPScript(.established { $0.options.receiveBufferByteCount = 10_000 })
    for place in 0..<20 { t.receive(.data(seq: 1 + place * 1_000, count: 1_000, ack: 1)) }
    #expect(t.read() == .bytes(10_000))
  }

  @Test("Many tiny segments do not each hold a block")
  func tinySegments() {
    let t = TCPScript()
    let before = t.pool.statistics.blocksInUse
    for place in 0..<1_000 { t.receive(.data(seq: 1 + place, count: 1, ack: 1)) }
    let held = t.pool.statistics.blocksInUse - before
    #expect(held <= 1)
    #expect(t.read() == .bytes(1_000))
  }
}
