import MartletWire
import Testing

@testable import MartletCore

/// What a receiver says of segments out of order (RFC 2018), and what it keeps of them.
@Suite("TCP: a receiver with SACK", .bothVersions)
struct TCPSelectiveScripts {
  @Test("SACK is offered in the SYN and answered in kind", .rfc(2018, section: "2"), arguments: [true, false])
  func offered(sack: Bool) {
    let t = TCPScript(.accepting { $0.sack = sack })
    t.change { _ in }
    #expect(t.sent.map(\.sackPermitted) == [sack])
    t.receive(.ack(1, seq: 1))
    #expect(t.info.usesSelectiveAcknowledgments == sack)
  }

  @Test("A host that does not want SACK offers none", .rfc(2018, section: "2"))
  func switchedOff() {
    let t = TCPScript(.connecting { $0.configuration.selectiveAcknowledgments = false })
    t.change { _ in }
    #expect(t.sent.map(\.sackPermitted) == [false])
    t.receive(.synAck(mss: 1_000, sackPermitted: true)).ignore()
    t.receive(.data(seq: 101, count: 10, ack: 1))
    t.expect(.ack(1).with { $0.sack = [] })
  }

  @Test("SACK-permitted in a segment without SYN is ignored", .rfc(2018, section: "2"))
  func permittedLater() {
    let t = TCPScript(.established(sack: false))
    t.receive(.ack(1).with { $0.sackPermitted = true }).receive(.data(seq: 101, count: 10, ack: 1))
    t.expect(.ack(1).with { $0.sack = [] })
  }

  @Test("In order there are no blocks", .rfc(2018, section: "4"))
  func inOrder() {
    let t = TCPScript()
    t.receive(.data(seq: 1, count: 1_000, ack: 1), .data(seq: 1_001, count: 1_000, ack: 1))
    t.expect(.ack(2_001).with { $0.sack = [] })
  }

  @Test("Each new segment beyond a gap is acknowledged at once", .rfc(2018, section: "4"), .rfc(5681, section: "4.2"))
  func eachOutOfOrder() {
    let t = TCPScript()
    for place in 1...4 {
      t.receive(.data(seq: 1 + place * 100, count: 100, ack: 1))
      t.expect(.ack(1, sack: 101..<(101 + place * 100)))
    }
  }

  @Test("A segment that joins two blocks makes one", .rfc(2018, section: "4"))
  func joins() {
    let t = TCPScript()
    t.receive(.data(seq: 101, count: 100, ack: 1)).receive(.data(seq: 301, count: 100, ack: 1)).ignore()
    t.receive(.data(seq: 201, count: 100, ack: 1))
    t.expect(.ack(1, sack: 101..<401))
  }

  @Test("A segment that fills the first gap leaves the blocks behind the second", .rfc(2018, section: "4"))
  func fillsFirst() {
    let t = TCPScript()
    t.receive(.data(seq: 101, count: 100, ack: 1)).receive(.data(seq: 301, count: 100, ack: 1)).ignore()
    t.receive(.data(seq: 1, count: 100, ack: 1))
    t.expect(.ack(201, sack: 301..<401))
    #expect(t.read() == .bytes(200))
  }

  @Test("A segment that overlaps a block on its left widens it", .rfc(2018, section: "4"))
  func overlapsLeft() {
    let t = TCPScript()
    t.receive(.data(seq: 201, count: 100, ack: 1)).ignore()
    t.receive(.data(seq: 151, count: 100, ack: 1))
    // What came twice is reported first (RFC 2883 section 4.1).
    t.expect(.ack(1, sack: 201..<251, 151..<301))
  }

  @Test("A segment that covers two blocks swallows them", .rfc(2018, section: "4"))
  func covers() {
    let t = TCPScript()
    t.receive(.data(seq: 201, count: 50, ack: 1)).receive(.data(seq: 301, count: 50, ack: 1)).ignore()
    t.receive(.data(seq: 101, count: 400, ack: 1))
    #expect(t.sent.last?.sack?.last == 101..<501)
    t.expect(.ack(1))
  }

  @Test("What is left of a segment that is partly old goes on", .rfc(9293, section: "3.10.7.4"))
  func partlyOld() {
    let t = TCPScript()
    t.receive(.data(seq: 1, count: 100, ack: 1)).receive(.data(seq: 51, count: 100, ack: 1))
    #expect(t.read() == .bytes(150))
  }

  @Test("What was reported is kept, not let go, until it is delivered", .rfc(2018, section: "8"))
  func noReneging() {
    let t = TCPScript(.established { $0.options.receiveBufferByteCount = 4_000 })
    t.receive(.data(seq: 1_001, count: 3_000, ack: 1)).at(100).ignore()
    t.receive(.data(seq: 1, count: 1_000, ack: 1))
    t.expect(.ack(4_001, window: 0))
    #expect(t.read() == .bytes(4_000))
  }

  @Test("Data that goes out while there is a gap carries the blocks", .rfc(2018, section: "4"))
  func blocksOnData() {
    let t = TCPScript()
    t.receive(.data(seq: 101, count: 100, ack: 1)).ignore()
    t.write(10)
    t.expect(.data(seq: 1, count: 10, ack: 1).with { $0.sack = [101..<201] })
  }

  @Test("A RST carries no blocks", .rfc(2018, section: "4"))
  func noneOnReset() {
    let t = TCPScript()
    t.receive(.data(seq: 101, count: 100, ack: 1)).ignore().abort()
    t.expect(.rst(seq: 1, ack: 1).with { $0.sack = [] })
  }

  @Test(
    "The gap's end is acknowledged at once, with all that was kept", .rfc(5681, section: "4.2"), .rfc(9293, "SHLD-31"))
  func gapEnds() {
    let t = TCPScript(.established(sack: false))
    t.receive(.data(seq: 101, count: 900, ack: 1)).ignore()
    t.receive(.data(seq: 1, count: 100, ack: 1))
    t.expect(.ack(1_001))
    #expect(t.read() == .bytes(1_000))
  }

  @Test("A part of a gap is acknowledged at once too", .rfc(5681, section: "4.2"))
  func partOfGap() {
    let t = TCPScript(.established(sack: false))
    t.receive(.data(seq: 201, count: 100, ack: 1)).ignore()
    t.receive(.data(seq: 1, count: 100, ack: 1))
    t.expect(.ack(101))
  }

  @Test("A FIN beyond a gap is remembered, and counts when the gap is filled", .rfc(9293, section: "3.10.7.4"))
  func finBeyondGap() {
    let t = TCPScript()
    t.receive(.fin(seq: 101, count: 100, ack: 1)).ignore()
    t.expectState(.established)
    t.receive(.data(seq: 1, count: 100, ack: 1))
    t.expect(.ack(202))
    t.expectState(.closeWait)
  }

  @Test("Text beyond a FIN is nobody's", .rfc(9293, section: "3.10.7.4"))
  func textBeyondFIN() {
    let t = TCPScript()
    t.receive(.fin(seq: 101, ack: 1), .data(seq: 102, count: 100, ack: 1), .data(seq: 1, count: 100, ack: 1))
    t.expectState(.closeWait)
    #expect(t.read() == .bytes(100))
    #expect(t.read() == .endOfStream)
  }

  // MARK: Acknowledgements (RFC 9293 section 3.8.6.3)

  @Test("Two small segments wait together for one ACK", .rfc(9293, "SHLD-18"))
  func twoSmall() {
    let t = TCPScript()
    t.receive(.data(seq: 1, count: 10, ack: 1)).at(0.02).receive(.data(seq: 11, count: 10, ack: 1))
    t.expectNothing(until: 0.039)
    t.at(0.040).expect(.ack(21))
  }

  @Test("Every second full segment is acknowledged, whatever comes between", .rfc(9293, "SHLD-19"))
  func everySecond() {
    let t = TCPScript()
    var acknowledgments = 0
    for place in 0..<20 {
      t.receive(.data(seq: 1 + place * 1_000, count: 1_000, ack: 1))
      acknowledgments += t.sent.count
      t.ignore()
    }
    #expect(acknowledgments == 10)
  }

  @Test("A FIN is acknowledged at once, with the text before it", .rfc(9293, section: "3.10.7.4"))
  func finAtOnce() {
    let t = TCPScript()
    t.receive(.data(seq: 1, count: 10, ack: 1), .fin(seq: 11, ack: 1))
    t.expect(.ack(12))
  }

  @Test("A bare ACK is never acknowledged", .rfc(9293, section: "3.10.7.4"))
  func neverAcknowledged() {
    let t = TCPScript()
    t.receive(.ack(1), .ack(1), .ack(1))
    t.expectNothing(until: 10)
  }

  @Test("No ACK waits for half a second, whatever comes", .rfc(9293, "MUST-40"), arguments: [1, 100, 999])
  func soon(count: Int) {
    let t = TCPScript()
    for turn in 0..<5 {
      t.at(Double(turn)).receive(.data(seq: 1 + turn * count, count: count, ack: 1))
      t.at(Double(turn) + 0.499)
      #expect(t.sent.last?.ack == 1 + (turn + 1) * count)
      t.ignore()
    }
  }
}
