import MartletWire
import Testing

@testable import MartletCore

@Suite("TCP: duplicates are reported (RFC 2883)", .rfc(2883, section: "4"))
struct TCPDuplicateReportTests {
  @Test("A segment that was delivered before is reported once", .rfc(2883, section: "4.1"))
  func delivered() {
    let t = TCPScript()
    t.receive(.data(seq: 1, count: 500, ack: 1), .data(seq: 501, count: 500, ack: 1)).at(0.1).ignore()
    t.receive(.data(seq: 1, count: 500, ack: 1))
    t.expect(.ack(1_001, sack: 1..<501))
    t.receive(.data(seq: 3_001, count: 500, ack: 1))
    t.expect(.ack(1_001, sack: 3_001..<3_501))
  }

  @Test("What was delivered before is reported in front of what is held", .rfc(2883, section: "4.1.2"))
  func besideHeld() {
    let t = TCPScript()
    t.receive(.data(seq: 1, count: 500, ack: 1), .data(seq: 1_001, count: 500, ack: 1)).ignore()
    t.receive(.data(seq: 1, count: 500, ack: 1))
    t.expect(.ack(501, sack: 1..<501, 1_001..<1_501))
    t.receive(.data(seq: 2_001, count: 500, ack: 1))
    t.expect(.ack(501, sack: 2_001..<2_501, 1_001..<1_501))
  }

  @Test("A segment that is held is reported in front of the run it is part of", .rfc(2883, section: "4.1.3"))
  func held() {
    let t = TCPScript()
    t.receive(.data(seq: 1_001, count: 500, ack: 1), .data(seq: 1_501, count: 500, ack: 1)).ignore()
    t.receive(.data(seq: 1_501, count: 500, ack: 1))
    t.expect(.ack(1, sack: 1_501..<2_001, 1_001..<2_001))
  }

  @Test("Of a segment that is new in part, the other part is reported", .rfc(2883, section: "4.2"))
  func partial() {
    let t = TCPScript()
    t.receive(.data(seq: 1, count: 500, ack: 1)).at(0.1).ignore()
    t.receive(.data(seq: 301, count: 500, ack: 1))
    t.expect(.ack(801, sack: 301..<501))
    t.receive(.data(seq: 1_001, count: 500, ack: 1)).ignore()
    t.receive(.data(seq: 1_301, count: 500, ack: 1))
    t.expect(.ack(801, sack: 1_301..<1_501, 1_001..<1_801))
  }

  @Test("A segment that fills a gap and more reports what lay behind the gap")
  func beyondGap() {
    let t = TCPScript()
    t.receive(.data(seq: 501, count: 500, ack: 1)).ignore()
    t.receive(.data(seq: 1, count: 700, ack: 1))
    t.expect(.ack(1_001, sack: 501..<701))
  }

  @Test("Without SACK nothing is reported")
  func withoutSACK() {
    let t = TCPScript(.established(sack: false))
    t.receive(.data(seq: 1, count: 500, ack: 1)).at(0.1).ignore()
    t.receive(.data(seq: 1, count: 500, ack: 1))
    #expect(t.sent.count == 1 && t.sent.first?.sack == [])
  }

  @Test("Data that goes out carries the report, and the acknowledgement after it does not")
  func onData() {
    let t = TCPScript()
    t.receive(.data(seq: 1, count: 500, ack: 1)).at(0.1).ignore()
    t.change {
      let bytes = (1...10).map { TCPScript.byte(at: $0) }
      _ = unsafe try? $0.write(bytes.span.bytes, from: t.pool, at: t.now)
    }
    t.expect(.data(seq: 1, count: 10, ack: 501))
    t.receive(.data(seq: 1, count: 500, ack: 11))
    t.expect(.ack(501, sack: 1..<501))
    t.receive(.data(seq: 501, count: 500)).at(0.3)
    #expect(t.sent.count == 1 && t.sent.first?.sack == [])
  }

  @Test("However pieces overlap, every byte is there once, and runs that meet are one")
  func runs() {
    let t = TCPScript()
    for place in stride(from: 9_001, through: 1_001, by: -2_000) { t.receive(.data(seq: place, count: 1_000, ack: 1)) }
    t.ignore()
    t.receive(.data(seq: 8_001, count: 1_000, ack: 1))
    t.expect(.ack(1, sack: 7_001..<10_001, 1_001..<2_001, 3_001..<4_001, 5_001..<6_001))
    t.receive(.data(seq: 2_001, count: 5_000, ack: 1))
    t.expect(.ack(1, sack: 5_001..<6_001, 1_001..<10_001))
    t.receive(.data(seq: 1, count: 1_000, ack: 1))
    t.expect(.ack(10_001))
    #expect(t.read() == .bytes(10_000))
    #expect(t.info.outOfOrderByteCount == 0)
  }
}
