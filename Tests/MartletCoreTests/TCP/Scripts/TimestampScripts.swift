import MartletWire
import Testing

@testable import MartletCore

@Suite("TCP: timestamps, samples and PAWS", .bothVersions)
struct TCPTimestampScripts {
  // MARK: The option (RFC 7323 section 3)

  @Test("A SYN offers timestamps with an echo of 0", .rfc(7323, section: "3.2"))
  func offered() {
    let t = TCPScript(.connecting())
    t.change { _ in }
    #expect(t.sent.map(\.echo) == [0])
    #expect(t.sent.map(\.timestamp) == [0])
  }

  @Test("The answer echoes the SYN's timestamp", .rfc(7323, section: "3.2"))
  func answered() {
    let t = TCPScript(.accepting { $0.timestamps = true })
    t.change { _ in }
    t.expect(.synAck(timestamp: 0, echo: 1_000))
  }

  @Test("A peer that does not offer them gets none", .rfc(7323, section: "3.2"))
  func notOffered() {
    let t = TCPScript()
    t.write(10)
    #expect(t.sent.map(\.timestamp) == [nil])
    #expect(!t.info.usesTimestamps)
  }

  @Test("A host that does not want them offers and answers none", .rfc(7323, section: "3.2"), arguments: [true, false])
  func switchedOff(isPassive: Bool) {
    let change: (inout TCPScript.Setup) -> Void = {
      $0.timestamps = true
      $0.configuration.timestamps = false
    }
    let t = TCPScript(isPassive ? .accepting(change) : .connecting(change))
    t.change { _ in }
    #expect(t.sent.map(\.timestamp) == [nil])
  }

  @Test("Timestamps that come without having been agreed on are ignored", .rfc(7323, section: "3.2"))
  func unasked() {
    let t = TCPScript()
    t.receive(.data(seq: 1, count: 10, ack: 1, timestamp: 5)).receive(.data(seq: 11, count: 10, ack: 1, timestamp: 4))
    t.expectDrops()
    #expect(t.read() == .bytes(20))
  }

  @Test("They take twelve bytes of every segment", .rfc(7323, section: "3.2"), .rfc(6691, section: "2"))
  func room() {
    let t = TCPScript(.established(timestamps: true))
    t.write(2_000)
    t.expect(.data(seq: 1, count: 988), .data(seq: 989, count: 988), .data(seq: 1_977, count: 24))
  }

  @Test("A FIN, a window update and an ACK carry them", .rfc(7323, section: "3.2"))
  func everywhere() {
    let t = TCPScript(.established(timestamps: true) { $0.options.receiveBufferByteCount = 1_000 })
    t.at(1).receive(.data(seq: 1, count: 988, ack: 1, timestamp: 2_000)).at(2)
    t.expect(.ack(989, timestamp: 1_040, echo: 2_000))
    t.read()
    t.expect(.ack(989, timestamp: 2_000, echo: 2_000))
    t.shutdown()
    t.expect(.fin(seq: 1).with { $0.timestamp = 2_000 })
  }

  @Test("The clock does not stop when nothing happens", .rfc(7323, section: "5.4"))
  func clock() {
    let t = TCPScript(.established(timestamps: true))
    t.at(100).write(1)
    t.expect(.data(seq: 1, count: 1, timestamp: 100_000))
  }

  // MARK: TS.Recent (section 4.3)

  @Test("A duplicate's timestamp is not echoed when it is older", .rfc(7323, section: "4.3"))
  func duplicate() {
    let t = TCPScript(.established(timestamps: true))
    t.receive(.data(seq: 1, count: 10, ack: 1, timestamp: 2_000)).at(1).ignore()
    t.receive(.data(seq: 1, count: 10, ack: 1, timestamp: 1_500))
    t.expect(.ack(11, echo: 2_000))
  }

  @Test("A resent segment that fills the gap brings its timestamp", .rfc(7323, section: "4.3"))
  func resent() {
    let t = TCPScript(.established(timestamps: true))
    t.receive(.data(seq: 101, count: 100, ack: 1, timestamp: 2_000)).ignore()
    t.receive(.data(seq: 201, count: 100, ack: 1, timestamp: 2_100)).ignore()
    t.receive(.data(seq: 1, count: 100, ack: 1, timestamp: 2_900))
    t.expect(.ack(301, echo: 2_900))
  }

  @Test("A bare ACK in order brings its timestamp", .rfc(7323, section: "4.3"))
  func bareAcknowledgment() {
    let t = TCPScript(.established(timestamps: true))
    t.receive(.ack(1, timestamp: 3_000)).write(10)
    t.expect(.data(seq: 1, count: 10, echo: 3_000))
  }

  @Test("An ACK that is out of the window leaves TS.Recent", .rfc(7323, section: "4.3"))
  func outsideWindow() {
    let t = TCPScript(.established(timestamps: true))
    t.receive(.data(seq: 5_000_000, count: 10, ack: 1, timestamp: 9_000)).ignore().write(10)
    t.expect(.data(seq: 1, count: 10, echo: 1_000))
  }

  @Test(
    "Nor does anything that is not taken bring a timestamp, or anyone could stop the stream with a large one",
    .rfc(7323, section: "5.3"),
    arguments: [
      .data(seq: 1, count: 10, ack: 1, timestamp: 9_000), .ack(1, seq: -500, timestamp: 9_000),
      .fin(seq: 3, ack: 1).with { $0.timestamp = 9_000 }, .syn(timestamp: 9_000),
      .data(seq: 11, count: 10, ack: 700, timestamp: 9_000),
      .data(seq: 11, count: 10, timestamp: 9_000).with { $0.flags = .psh },
    ] as [ScriptSegment])
  func forged(segment: ScriptSegment) {
    let t = TCPScript(.established(timestamps: true))
    t.receive(.data(seq: 1, count: 10, ack: 1, timestamp: 2_000)).at(1).ignore()
    t.receive(segment).at(2).ignore()
    t.receive(.data(seq: 11, count: 10, ack: 1, timestamp: 2_001)).at(3)
    t.expect(.ack(21, echo: 2_001))
    #expect(t.read() == .bytes(20))
  }

  // MARK: PAWS (section 5)

  @Test("An equal timestamp is not older", .rfc(7323, section: "5.3"))
  func equal() {
    let t = TCPScript(.established(timestamps: true))
    t.receive(.data(seq: 1, count: 10, ack: 1, timestamp: 1_000))
    t.expectDrops()
    #expect(t.read() == .bytes(10))
  }

  @Test("Timestamps pass their end like sequence numbers", .rfc(7323, section: "5.2"))
  func wraps() {
    let t = TCPScript(.established(timestamps: true))
    // Two steps of less than half the space each, and an ACK behind each.
    t.receive(.data(seq: 1, count: 10, ack: 1, timestamp: 0x7fff_0000)).at(1)
    t.receive(.data(seq: 11, count: 10, ack: 1, timestamp: 0xfff0_0000)).at(2)
    t.receive(.data(seq: 21, count: 10, ack: 1, timestamp: 5)).at(3)
    #expect(t.read() == .bytes(30))
    t.receive(.data(seq: 31, count: 10, ack: 1, timestamp: 0xfff0_0001))
    t.expectDrops(.tcpOldTimestamp)
  }

  @Test("An old ACK does not pass, and it acknowledges nothing", .rfc(7323, section: "5.3"))
  func oldAcknowledgment() {
    let t = TCPScript(.established(timestamps: true))
    t.receive(.ack(1, timestamp: 5_000)).write(988).ignore()
    t.receive(.ack(989, timestamp: 4_999))
    #expect(t.info.bytesInFlight == 988)
    t.receive(.ack(989, timestamp: 5_000))
    #expect(t.info.bytesInFlight == 0)
  }

  @Test("An old FIN does not close", .rfc(7323, section: "5.3"))
  func oldFIN() {
    let t = TCPScript(.established(timestamps: true))
    t.receive(.fin(seq: 1, ack: 1).with { $0.timestamp = 999 })
    t.expectState(.established)
    t.expect(.ack(1))
  }

  @Test("An old SYN is acknowledged and no more", .rfc(7323, section: "5.3"))
  func oldSYN() {
    let t = TCPScript(.established(timestamps: true))
    t.receive(.syn(timestamp: 5))
    t.expect(.ack(1, seq: 1))
    t.expectState(.established)
  }

  @Test(
    "The peer's timestamp is kept for 24 days and then counts no more", .rfc(7323, section: "5.5"),
    arguments: [(23, false), (25, true)])
  func age(days: Int, isTaken: Bool) {
    let t = TCPScript(.established(timestamps: true))
    t.at(Double(days) * 86_400).receive(.data(seq: 1, count: 10, ack: 1, timestamp: 900))
    #expect((t.read() == .bytes(10)) == isTaken)
  }

  @Test("In TIME-WAIT an old FIN starts the wait anew", .rfc(7323, section: "5.3"))
  func oldFINInTimeWait() {
    let t = TCPScript.inState(.timeWait)
    t.at(50).receive(.fin(seq: 1, ack: 2)).at(100)
    t.expectState(.timeWait)
    t.at(110)
    t.expectState(.closed)
  }

  // MARK: Samples (section 4.1, RFC 6298)

  @Test("The first sample sets the estimate", .rfc(6298, section: "2.2"))
  func firstSample() {
    let t = TCPScript(.connecting { $0.configuration.minimumRetransmissionTimeout = .milliseconds(1) })
    t.change { _ in }
    t.at(0.1).receive(.synAck(mss: 1_000))
    #expect(t.info.smoothedRoundTrip == .milliseconds(100))
    #expect(t.info.roundTripVariation == .milliseconds(50))
    #expect(t.info.retransmissionTimeout == .milliseconds(300))
  }

  @Test("Later samples move it by an eighth and a quarter", .rfc(6298, section: "2.3"))
  func laterSamples() {
    let t = TCPScript(.connecting { $0.configuration.minimumRetransmissionTimeout = .milliseconds(1) })
    t.change { _ in }
    t.at(0.1).receive(.synAck(mss: 1_000)).write(10).at(0.28).receive(.ack(11))
    // SRTT 7/8 · 100 + 1/8 · 180, RTTVAR 3/4 · 50 + 1/4 · 80.
    #expect(t.info.smoothedRoundTrip == .milliseconds(110))
    #expect(t.info.roundTripVariation == .microseconds(57_500))
    #expect(t.info.retransmissionTimeout == .milliseconds(340))
  }

  @Test("Without a sample the timeout is one second", .rfc(6298, section: "2.1"))
  func initialTimeout() {
    let t = TCPScript(.connecting())
    t.change { _ in }
    #expect(t.info.retransmissionTimeout == .seconds(1))
    t.ignore().expectNothing(until: 0.999)
    t.at(1).expect(.syn())
  }

  @Test("The timeout is never below its least", .rfc(6298, section: "2.4"))
  func leastTimeout() {
    let t = TCPScript()
    for turn in 0..<10 { t.write(10).receive(.ack(11 + turn * 10)) }
    #expect(t.info.retransmissionTimeout == .milliseconds(200))
  }

  @Test("... nor above its most, however often it doubles", .rfc(6298, section: "2.5"))
  func mostTimeout() {
    let t = TCPScript(.connecting { $0.configuration.maximumRetransmissionTimeout = .seconds(5) })
    t.change { _ in }
    t.at(60)
    #expect(t.info.retransmissionTimeout == .seconds(5))
    t.ignore()
    let next = t.deadline ?? 0
    #expect(next > 60 && next <= 65)
  }

  @Test("A sample after a back-off takes it back", .rfc(6298, section: "5"))
  func backOffEnds() {
    let t = TCPScript(.established(sack: false))
    t.write(100).at(3).ignore()
    #expect(t.info.retransmissionTimeout > .seconds(1))
    t.receive(.ack(101)).write(100).at(3.01).receive(.ack(201))
    #expect(t.info.retransmissionTimeout == .milliseconds(200))
  }
}
