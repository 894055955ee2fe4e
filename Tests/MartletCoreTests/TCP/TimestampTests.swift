import MartletWire
import Testing

@testable import MartletCore

@Suite("TCP: timestamps and PAWS (RFC 7323)", .bothVersions)
struct TCPTimestampTests {
  @Test("Every segment carries the clock and the peer's last timestamp", .rfc(7323, section: "3.2"))
  func clock() {
    let t = TCPScript(.established(timestamps: true))
    t.at(1.2345).receive(.data(seq: 1, count: 10, ack: 1, timestamp: 2_000)).write(10)
    t.expect(.data(seq: 1, count: 10, ack: 11, timestamp: 1_234, echo: 2_000))
  }

  @Test("A segment with an older timestamp is dropped and acknowledged", .rfc(7323, section: "5.3"))
  func old() {
    let t = TCPScript(.established(timestamps: true))
    t.receive(.data(seq: 1, count: 10, ack: 1, timestamp: 2_000)).at(0.1).ignore()
    t.receive(.data(seq: 11, count: 10, ack: 1, timestamp: 1_999))
    t.expect(.ack(11, echo: 2_000))
    t.expectDrops(.tcpOldTimestamp)
    #expect(t.read() == .bytes(10))
  }

  @Test("A timestamp older than 24 days compares with nothing", .rfc(7323, section: "5.5"))
  func stale() {
    let t = TCPScript(.established(timestamps: true))
    t.receive(.data(seq: 1, count: 10, ack: 1, timestamp: 2_000)).at(25 * 86_400).ignore()
    t.receive(.data(seq: 11, count: 10, ack: 1, timestamp: 5))
    #expect(t.read() == .bytes(20))
  }

  @Test("Without the option a segment is dropped once both agreed on it", .rfc(7323, section: "3.2"))
  func missing() {
    let t = TCPScript(.established(timestamps: true))
    t.receive(.data(seq: 1, count: 10, ack: 1))
    t.expectDrops(.tcpOldTimestamp)
    #expect(t.read() == .wouldBlock)
  }

  @Test("A RST counts whatever its timestamp", .rfc(7323, section: "5.2"))
  func reset() {
    let t = TCPScript(.established(timestamps: true))
    t.receive(.rst(seq: 1))
    t.expectError(.reset)
  }

  @Test("The echo is of the segment that the last ACK waited for, not of one beyond a gap", .rfc(7323, section: "4.3"))
  func echoAfterGap() {
    let t = TCPScript(.established(timestamps: true))
    t.receive(.data(seq: 101, count: 100, ack: 1, timestamp: 3_000))
    t.expect(.ack(1, echo: 1_000))
    t.receive(.data(seq: 1, count: 100, ack: 1, timestamp: 2_500))
    t.expect(.ack(201, echo: 2_500))
  }

  @Test("The echo is of the first of the segments that one ACK answers", .rfc(7323, section: "4.3"))
  func echoOfDelayed() {
    let t = TCPScript(.established(timestamps: true))
    t.receive(.data(seq: 1, count: 988, ack: 1, timestamp: 1_100))
    t.at(0.01).receive(.data(seq: 989, count: 988, ack: 1, timestamp: 1_200))
    t.expect(.ack(1_977, echo: 1_100))
  }
}
