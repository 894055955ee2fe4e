import MartletWire
import Testing

@testable import MartletCore

/// The probe that finds out about the end of a flight.
@Suite("TCP: tail-loss probes (RFC 8985)", .bothVersions)
struct TCPLossProbeScripts {
  private static func script(
    _ roundTrip: Double = 0.1, initialWindow: Int = 10, sack: Bool = true, window: Int = 65_535
  ) -> TCPScript {
    .measured(roundTrip, initialWindow: initialWindow, sack: sack) {
      $0.configuration.tailLossProbes = true
      $0.peerWindow = window
    }
  }

  @Test("After two round trips without a word the last segment goes out again, once", .rfc(8985, section: "7.2"))
  func last() {
    let t = Self.script()
    t.write(3_000).ignore()
    t.expectNothing(until: 0.299)
    t.at(0.3).expect(.data(seq: 2_001, count: 1_000))
    #expect(t.info.timeouts == 0)
    // Then the retransmission timer, whole, from the probe on (section 7.3).
    t.expectNothing(until: 0.599)
    t.at(0.6).expect(.data(seq: 1, count: 1_000))
    #expect(t.info.timeouts == 1)
  }

  @Test("Never sooner than after 10 ms", .rfc(8985, section: "7.2"))
  func shortest() {
    let t = Self.script(0.001)
    t.write(3_000).ignore()
    t.expectNothing(until: 0.0109)
    t.at(0.011).expect(.data(seq: 2_001, count: 1_000))
  }

  @Test("The peer of one segment may have kept its ACK back for 200 ms", .rfc(8985, section: "7.2"))
  func one() {
    let t = Self.script(0.3)
    t.write(1_000).ignore()
    t.expectNothing(until: 1.099)
    t.at(1.1).expect(.data(seq: 1, count: 1_000))
    #expect(t.info.timeouts == 0)
  }

  @Test("Not later than the retransmission timer", .rfc(8985, section: "7.2"))
  func notLater() {
    let t = Self.script()
    t.write(1_000).ignore().at(0.4).expect(.data(seq: 1, count: 1_000))
    #expect(t.info.timeouts == 0)
    t.at(0.7).expect(.data(seq: 1, count: 1_000))
    #expect(t.info.timeouts == 1)
  }

  @Test("New data puts it off, and so does an ACK", .rfc(8985, section: "7.2"))
  func putOff() {
    let t = Self.script()
    t.write(2_000).at(0.15).write(1_000).ignore()
    t.expectNothing(until: 0.349)
    t.at(0.35).expect(.data(seq: 2_001, count: 1_000))
    let u = Self.script()
    u.write(4_000).ignore().at(0.2).receive(.ack(2_001))
    u.expectNothing(until: 0.399)
    u.at(0.4).expect(.data(seq: 3_001, count: 1_000))
  }

  @Test("New data rather than old, whatever cwnd says", .rfc(8985, section: "7.3"))
  func new() {
    let t = Self.script(initialWindow: 3)
    t.write(5_000).ignore().at(0.3).expect(.data(seq: 3_001, count: 1_000))
  }

  @Test("The last segment where the peer takes nothing new", .rfc(8985, section: "7.3"))
  func closed() {
    let t = Self.script(window: 3_000)
    t.write(4_000).ignore().at(0.3).expect(.data(seq: 2_001, count: 1_000))
  }

  @Test("The end of the last segment where that is small", .rfc(8985, section: "7.3"))
  func small() {
    let t = Self.script()
    t.write(2_300).ignore().at(0.3)
    #expect(t.sent.count == 1)
    #expect((t.sent.first?.seq ?? 0) + (t.sent.first?.count ?? 0) == 2_301)
  }

  @Test("Not without SACK", .rfc(8985, section: "7.1"))
  func withoutSACK() {
    let t = Self.script(sack: false)
    t.write(3_000).ignore()
    t.expectNothing(until: 0.399)
    t.at(0.4).expect(.data(seq: 1, count: 1_000))
  }

  @Test("Not in a recovery, nor while something is reported", .rfc(8985, section: "7.2"))
  func recovering() {
    let t = Self.script()
    t.write(5_000).ignore().at(0.2).receive(.ack(1, sack: 1_001..<4_001))
    t.expect(.data(seq: 1, count: 1_000))
    t.expectNothing(until: 0.399)
    // SRTT 100 ms, RTTVAR 37.5 ms: the timer runs out 250 ms after the retransmission at the latest.
    t.at(0.46)
    #expect(t.info.timeouts == 1)
  }

  /// Two segments arrive, the third is lost and its probe goes out at 450 ms, where the timer would have been.
  private static func probed() -> TCPScript {
    let t = script()
    t.write(3_000).ignore().at(0.2).receive(.ack(2_001))
    t.at(0.45).expect(.data(seq: 2_001, count: 1_000))
    #expect(t.info.timeouts == 0)
    return t
  }

  @Test("A loss that the probe repaired slows down like any other", .rfc(8985, section: "7.4.2"))
  func repaired() {
    let t = Self.probed()
    t.at(0.55).receive(.ack(3_001))
    #expect(t.info.congestionWindow >= 10_000)
    t.write(1_000).at(0.65).receive(.ack(4_001))
    #expect(t.info.slowStartThreshold == 2_000)
    #expect(t.info.congestionWindow == 2_000)
    #expect(!t.info.isRecovering)
  }

  @Test("A report of a duplicate says that there was none", .rfc(8985, section: "7.4.2"), .rfc(2883, section: "4"))
  func duplicate() {
    let t = Self.probed()
    t.at(0.46).receive(.ack(3_001)).at(0.55).receive(.ack(3_001, sack: 2_001..<3_001))
    t.write(1_000).at(0.65).receive(.ack(4_001))
    #expect(t.info.congestionWindow >= 10_000)
  }

  @Test("So does the same ACK once more, from a peer that does not report duplicates", .rfc(8985, section: "7.4.2"))
  func repeated() {
    let t = Self.probed()
    t.at(0.46).receive(.ack(3_001)).at(0.55).receive(.ack(3_001))
    t.write(1_000).at(0.65).receive(.ack(4_001))
    #expect(t.info.congestionWindow >= 10_000)
  }

  @Test("The answer to a probe with new data lets RACK find the rest lost", .rfc(8985, section: "7.3"))
  func found() {
    let t = Self.script(initialWindow: 4)
    t.write(5_000).ignore().at(0.3).expect(.data(seq: 4_001, count: 1_000))
    t.at(0.4).receive(.ack(1, sack: 4_001..<5_001))
    t.expect(.data(seq: 1, count: 1_000))
    #expect(t.info.slowStartThreshold == 2_000)
    #expect(t.info.timeouts == 0)
  }
}
