import MartletWire
import Testing

@testable import MartletCore

@Suite("TCP: urgent data, state by state", .bothVersions)
struct TCPUrgentScripts {
  @Test(
    "Urgent data may be a byte, a window, or longer than what came with the pointer", .rfc(9293, "MUST-31"),
    arguments: [1, 100, 1_000, 40_000])
  func anyLength(count: Int) {
    let t = TCPScript()
    t.receive(.data(seq: 1, count: 1_000, ack: 1, urgent: count))
    #expect(t.urgentByteCount == count)
    var place = 1_001
    while place < count {
      t.receive(.data(seq: place, count: 1_000, ack: 1))
      place += 1_000
    }
    t.read(count - 1)
    #expect(t.urgentByteCount == 1)
    t.read(1)
    #expect(t.urgentByteCount == nil)
  }

  @Test(
    "Urgent data of any length goes out", .rfc(9293, "MUST-31"), .rfc(9293, "MUST-30"), arguments: [1, 1_000, 5_500])
  func anyLengthSent(count: Int) {
    let t = TCPScript()
    t.change {
      let bytes = (1...count).map { TCPScript.byte(at: $0) }
      _ = unsafe try? $0.write(bytes.span.bytes, from: t.pool, at: t.now)
      $0.markUrgent()
    }
    #expect(t.sent.allSatisfy { $0.flags.contains(.urg) })
    // Every segment says where it ends: the byte behind the last.
    #expect(t.sent.allSatisfy { ($0.seq ?? 0) + ($0.urgent ?? 0) == count + 1 })
  }

  @Test("A pointer that stays is not told again, one that moves back is ignored", .rfc(9293, "MUST-32"))
  func toldOnce() {
    let t = TCPScript()
    t.receive(.data(seq: 1, count: 100, ack: 1, urgent: 500))
    #expect(t.changes().contains(.urgent))
    t.receive(.data(seq: 101, count: 100, ack: 1, urgent: 400))
    #expect(!t.changes().contains(.urgent))
    t.receive(.data(seq: 201, count: 100, ack: 1, urgent: 200))
    #expect(!t.changes().contains(.urgent))
    #expect(t.urgentByteCount == 500)
  }

  @Test("A pointer that moves on is told, and how much more there is", .rfc(9293, "MUST-32"), .rfc(9293, "MUST-33"))
  func movesOn() {
    let t = TCPScript()
    t.receive(.data(seq: 1, count: 100, ack: 1, urgent: 50))
    _ = t.changes()
    t.receive(.data(seq: 101, count: 100, ack: 1, urgent: 50))
    #expect(t.changes().contains(.urgent))
    #expect(t.urgentByteCount == 150)
  }

  @Test("The pointer comes before the data, in a segment of its own", .rfc(9293, "MUST-32"))
  func early() {
    let t = TCPScript()
    t.receive(.data(seq: 1, count: 0, ack: 1, urgent: 10))
    #expect(t.changes().contains(.urgent))
    #expect(t.urgentByteCount == 10)
    t.receive(.data(seq: 1, count: 10, ack: 1))
    #expect(t.read() == .bytes(10))
    #expect(t.urgentByteCount == nil)
  }

  @Test("A pointer to what was read already is no news", .rfc(9293, "MUST-32"))
  func old() {
    let t = TCPScript()
    t.receive(.data(seq: 1, count: 100, ack: 1))
    t.read()
    _ = t.changes()
    t.receive(.data(seq: 51, count: 100, ack: 1, urgent: 20))
    #expect(!t.changes().contains(.urgent))
    #expect(t.urgentByteCount == nil)
  }

  @Test("A segment without URG says nothing, whatever its pointer", .rfc(9293, section: "3.8.5"))
  func withoutFlag() {
    let t = TCPScript()
    t.receive(.data(seq: 1, count: 100, ack: 1).with { $0.urgent = 50 })
    #expect(!t.changes().contains(.urgent))
    #expect(t.urgentByteCount == nil)
  }

  @Test("The pointer names the byte behind the urgent data", .rfc(9293, "MUST-62"))
  func behind() {
    let t = TCPScript()
    t.receive(.data(seq: 1, count: 1, ack: 1, urgent: 1))
    #expect(t.urgentByteCount == 1)
    t.read(1)
    #expect(t.urgentByteCount == nil)
  }

  @Test("It is told with the window closed", .rfc(9293, "MUST-66"))
  func closedWindow() {
    let t = TCPScript(.established { $0.options.receiveBufferByteCount = 100 })
    t.receive(.data(seq: 1, count: 100, ack: 1)).at(1).ignore()
    _ = t.changes()
    t.receive(.data(seq: 101, count: 50, ack: 1, urgent: 50))
    #expect(t.changes().contains(.urgent))
    t.expect(.ack(101, window: 0))
  }

  @Test(
    "A RST at RCV.NXT counts with the window closed, and one beyond it does not", .rfc(9293, "MUST-66"),
    arguments: [(101, true), (102, false)])
  func resetWithClosedWindow(place: Int, counts: Bool) {
    let t = TCPScript(.established { $0.options.receiveBufferByteCount = 100 })
    t.receive(.data(seq: 1, count: 100, ack: 1)).at(1).ignore()
    t.receive(.rst(seq: place))
    t.expectState(counts ? .closed : .established)
  }

  @Test("The urgent mark of one stretch does not hide the next", .rfc(9293, "MUST-33"))
  func twoStretches() {
    let t = TCPScript()
    t.receive(.data(seq: 1, count: 50, ack: 1, urgent: 10))
    t.read()
    #expect(t.urgentByteCount == nil)
    t.receive(.data(seq: 51, count: 50, ack: 1, urgent: 30))
    #expect(t.urgentByteCount == 30)
  }

  @Test("What was sent as urgent is resent as urgent", .rfc(9293, "MUST-30"))
  func resent() {
    let t = TCPScript(.established(sack: false))
    t.change {
      let bytes = (1...10).map { TCPScript.byte(at: $0) }
      _ = unsafe try? $0.write(bytes.span.bytes, from: t.pool, at: t.now)
      $0.markUrgent()
    }
    t.ignore().at(0.2)
    t.expect(.data(seq: 1, count: 10, urgent: 10))
  }
}
