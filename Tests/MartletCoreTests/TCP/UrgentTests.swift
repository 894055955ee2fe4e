import MartletWire
import Testing

@testable import MartletCore

@Suite("TCP: urgent data", .bothVersions)
struct TCPUrgentTests {
  @Test(
    "The program is told when urgent data is announced and when its end moves on", .rfc(9293, "MUST-30"),
    .rfc(9293, "MUST-31"), .rfc(9293, "MUST-32"))
  func announced() {
    let t = TCPScript()
    t.receive(.data(seq: 1, count: 100, ack: 1, urgent: 50))
    #expect(t.changes().contains(.urgent))
    t.receive(.data(seq: 101, count: 100, ack: 1))
    #expect(!t.changes().contains(.urgent))
    t.receive(.data(seq: 201, count: 100, ack: 1, urgent: 5_000))
    #expect(t.changes().contains(.urgent))
  }

  @Test("The program learns how much is still urgent", .rfc(9293, "MUST-33"), .rfc(9293, "MUST-62"))
  func mark() {
    let t = TCPScript()
    t.receive(.data(seq: 1, count: 100, ack: 1, urgent: 50))
    #expect(t.urgentByteCount == 50)
    t.read(20)
    #expect(t.urgentByteCount == 30)
    t.read(30)
    #expect(t.urgentByteCount == nil)
    t.read(50)
    t.receive(.data(seq: 101, count: 100, ack: 1, urgent: 50))
    #expect(t.urgentByteCount == 50)
  }

  @Test("Urgent data that was sent carries the pointer behind it", .rfc(9293, "MUST-30"), .rfc(9293, "MUST-62"))
  func sent() {
    let t = TCPScript()
    t.change {
      let bytes = (1...1_500).map { TCPScript.byte(at: $0) }
      _ = unsafe try? $0.write(bytes.span.bytes, from: t.pool, at: t.now)
      $0.markUrgent()
    }
    t.expect(.data(seq: 1, count: 1_000, urgent: 1_500), .data(seq: 1_001, count: 500, urgent: 500))
    t.receive(.ack(1_501)).receive(.data(seq: 1, count: 10, ack: 1_501)).at(1)
    t.expect(.ack(11))
  }
}
