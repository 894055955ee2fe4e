import MartletWire
import Testing

@testable import MartletCore

/// How much goes out during a recovery, and after it.
@Suite("TCP: proportional rate reduction (RFC 9937)", .bothVersions)
struct TCPReductionScripts {
  /// Ten segments in flight, the first is lost, and the next three reported: two more go out by limited transmit, so that
  /// RecoverFS is 12 - 3 + 1 segments, and ssthresh half of the ten.
  private static func recovering() -> TCPScript {
    let t = TCPScript.measured()
    t.write(30_000).ignore().at(0.2)
    t.receive(.ack(1, sack: 1_001..<2_001))
    t.expect(.data(seq: 10_001, count: 1_000))
    t.receive(.ack(1, sack: 1_001..<3_001))
    t.expect(.data(seq: 11_001, count: 1_000))
    t.receive(.ack(1, sack: 1_001..<4_001))
    // In proportion it would be 500 bytes: the first retransmission goes all the same.
    t.expect(.data(seq: 1, count: 1_000))
    return t
  }

  @Test("What limited transmit sent does not count for ssthresh", .rfc(5681, section: "3.2"))
  func threshold() {
    #expect(Self.recovering().info.slowStartThreshold == 5_000)
  }

  @Test(
    "Above ssthresh one segment goes out for two that arrive, below as many as bring the flight to ssthresh",
    .rfc(9937, section: "6"), .rfc(6937, section: "3"))
  func proportional() {
    let t = Self.recovering()
    // prr_delivered 2,000 to 4,000: 1,000, 1,500 and 2,000 may be out.
    t.receive(.ack(1, sack: 1_001..<5_001)).expectNothing()
    t.receive(.ack(1, sack: 1_001..<6_001)).expectNothing()
    t.receive(.ack(1, sack: 1_001..<7_001))
    t.expect(.data(seq: 12_001, count: 1_000))
    t.receive(.ack(1, sack: 1_001..<8_001)).expectNothing()
    // Five are in flight, which is ssthresh.
    t.receive(.ack(1, sack: 1_001..<9_001)).expectNothing()
    // Now four are.
    t.receive(.ack(1, sack: 1_001..<10_001))
    t.expect(.data(seq: 13_001, count: 1_000))
  }

  @Test("At the end cwnd is ssthresh", .rfc(9937, section: "6"))
  func end() {
    let t = Self.recovering()
    t.receive(.ack(1, sack: 1_001..<10_001)).ignore().at(0.3).receive(.ack(12_001))
    #expect(!t.info.isRecovering)
    #expect(t.info.congestionWindow == 5_000)
    #expect(t.info.bytesInFlight == 5_000)
  }

  @Test(
    "Far below ssthresh one goes out for each that arrives, two where the repair makes progress",
    .rfc(9937, section: "6"))
  func slowStart() {
    let t = TCPScript.measured()
    t.write(30_000).ignore().at(0.2).receive(.ack(1, sack: 9_001..<10_001))
    t.expect(.data(seq: 10_001, count: 1_000))
    t.at(0.225).expect(.data(seq: 1, count: 1_000))
    #expect(t.info.slowStartThreshold == 5_000)
    t.at(0.3).receive(.ack(1, sack: 9_001..<11_001))
    t.expect(.data(seq: 1_001, count: 1_000))
    t.at(0.325).receive(.ack(1_001, sack: 9_001..<11_001))
    t.expect(.data(seq: 2_001, count: 1_000), .data(seq: 3_001, count: 1_000))
  }

  @Test("The first retransmission goes even where the flight has the window for itself", .rfc(6675, section: "5"))
  func first() {
    let t = TCPScript.measured(initialWindow: 4)
    t.write(4_000).ignore().at(0.2).receive(.ack(1, sack: 1_001..<4_001))
    t.expect(.data(seq: 1, count: 1_000))
  }

  @Test("No small segment goes out because cwnd has little room", .rfc(9293, section: "3.8.6.2.1"))
  func noSmall() {
    let t = TCPScript.measured()
    t.write(30_000).ignore().at(0.2).receive(.ack(1_500))
    t.at(0.21).receive(.ack(2_700))
    #expect(t.sent.allSatisfy { $0.count == 1_000 })
  }

  // MARK: Super-segments

  @Test("Holes in a super-segment are resent alone", .rfc(6675, section: "5"))
  func superSegment() {
    let t = TCPScript.measured { $0.superSegment = 65_000 }
    t.write(10_000)
    t.expect(.data(seq: 1, count: 10_000))
    t.at(0.2).receive(.ack(1_001, sack: 2_001..<3_001, 4_001..<5_001, 6_001..<10_001))
    // 9 in flight, 6 of them and one more delivered, 2 lost: 1 in the network, 5 may be; one for each that arrived.
    t.expect(.data(seq: 1_001, count: 1_000), .data(seq: 3_001, count: 1_000), .data(seq: 5_001, count: 1_000))
  }

  @Test("What was lost as several packets goes out again as one", .rfc(9293, section: "3.8.1"))
  func joined() {
    let t = TCPScript.measured(initialWindow: 4, sack: false) { $0.options.noDelay = true }
    t.write(400).at(0.11).write(400).at(0.12).write(400).at(0.13).write(400).ignore()
    t.at(0.4).expect(.data(seq: 1, count: 1_000))
    t.at(0.5).receive(.ack(1_001))
    t.expect(.data(seq: 1_001, count: 600))
  }

  // MARK: Without SACK

  @Test(
    "The first two duplicates let one new segment out each, the third the lost one",
    .rfc(3042, section: "2"), .rfc(5681, section: "3.2"))
  func limitedTransmit() {
    let t = TCPScript.measured(initialWindow: 5, sack: false)
    t.write(20_000).ignore().at(0.2).receive(.ack(1))
    t.expect(.data(seq: 5_001, count: 1_000))
    t.receive(.ack(1))
    t.expect(.data(seq: 6_001, count: 1_000))
    t.receive(.ack(1))
    #expect(t.sent.first?.seq == 1)
    #expect(t.info.slowStartThreshold == 2_500)
  }

  @Test("Where the peer's window is full duplicates let nothing out", .rfc(3042, section: "2"))
  func limitedByWindow() {
    let t = TCPScript.measured(initialWindow: 5, sack: false) { $0.peerWindow = 5_000 }
    t.write(20_000).ignore().at(0.2).receive(.ack(1)).receive(.ack(1))
    t.expectNothing(until: 0.21)
  }

  @Test("Duplicates of what was in flight at the last recovery begin none", .rfc(6582, section: "4.1"))
  func recover() {
    let t = TCPScript.measured(initialWindow: 8, sack: false)
    t.write(8_000).ignore().at(0.2).receive(.ack(1)).receive(.ack(1)).receive(.ack(1))
    t.expect(.data(seq: 1, count: 1_000))
    t.at(0.3).receive(.ack(8_001)).write(4_000).ignore()
    #expect(t.info.slowStartThreshold == 4_000)
    t.receive(.ack(8_001)).receive(.ack(8_001)).receive(.ack(8_001))
    #expect(!t.info.isRecovering)
  }

  // MARK: Growth

  @Test(
    "ACKs of a few bytes each make cwnd no larger than one of all", .rfc(5681, section: "3.1"),
    .rfc(3465, section: "2.1"))
  func division() {
    let t = TCPScript.measured()
    t.write(10_000).at(0.2)
    for turn in 1...10 { t.receive(.ack(1 + turn * 100)) }
    #expect(t.info.congestionWindow == 11_000)
  }

  @Test("Half of a window that was not used for five minutes goes", .rfc(7661, section: "4.4.3"))
  func validation() {
    let t = TCPScript.measured()
    t.write(30_000).at(0.2).receive(.ack(10_001)).at(0.3).receive(.ack(30_001))
    #expect(t.info.congestionWindow >= 40_000)
    var end = 30_001
    func idle(from start: Double, rounds: Int) {
      for turn in 0..<rounds {
        t.at(start + 0.19 * Double(turn)).write(1_000)
        end += 1_000
        t.at(start + 0.19 * Double(turn) + 0.1).receive(.ack(end))
      }
    }
    idle(from: 0.35, rounds: 5)
    let window = t.info.congestionWindow
    idle(from: 0.35 + 5 * 0.19, rounds: 1_500)
    #expect(t.info.congestionWindow == window)
    idle(from: 0.35 + 1_505 * 0.19, rounds: 150)
    #expect(t.info.congestionWindow == window / 2)
  }

  // MARK: Other algorithms

  @Test("CUBIC, the default, goes down to seven tenths", .rfc(9438, section: "4.6"), .rfc(9293, "MAY-18"))
  func cubic() {
    let t = TCPScript.measured { $0.configuration.congestionControl = Host.Configuration.TCP().congestionControl }
    t.write(10_000).ignore().at(0.2).receive(.ack(1, sack: 1_001..<4_001))
    t.expect(.data(seq: 1, count: 1_000))
    #expect(t.info.slowStartThreshold == 7_000)
    t.at(0.3).receive(.ack(10_001))
    #expect(t.info.congestionWindow == 7_000)
  }

  @Test("BBR does not slow down for one loss", .rfc(9293, "MAY-18"))
  func bbr() {
    let t = TCPScript.measured { $0.configuration.congestionControl = .bbr }
    t.write(10_000).ignore().at(0.2).receive(.ack(1, sack: 1_001..<4_001))
    #expect(t.sent.first?.seq == 1)
    t.at(0.3).receive(.ack(10_001))
    #expect(!t.info.isRecovering)
    #expect(t.info.congestionWindow >= 10_000)
  }

  // MARK: Pace

  private static func paced() -> TCPScript {
    .measured { $0.configuration.pacing = true }
  }

  @Test("The initial window goes out at once", .rfc(6928, section: "2"))
  func initialUnpaced() {
    let t = Self.paced()
    t.write(30_000)
    #expect(t.sent.count == 10)
  }

  @Test("Later a window is spread over the round trip, two segments at once at most", .rfc(6928, section: "2"))
  func spread() {
    let t = Self.paced()
    t.write(60_000).ignore().at(0.2).receive(.ack(10_001)).at(0.299)
    let times = t.sent.compactMap(\.time)
    // The window has doubled, and is used whole.
    #expect(times.count == 20)
    #expect(Dictionary(grouping: times, by: { $0 }).values.allSatisfy { $0.count <= 2 })
    #expect((times.last ?? 0) > 0.22)
  }

  @Test("A fast path takes a millisecond's worth at once", .rfc(6928, section: "2"))
  func milliseconds() {
    let t = TCPScript.measured(0.002) { $0.configuration.pacing = true }
    t.write(60_000).ignore().at(0.004).receive(.ack(10_001))
    // 20 segments in 1 ms.
    #expect(t.sent.count >= 10 && t.sent.count <= 20)
    t.at(0.0059)
    #expect(t.sent.count == 20)
  }
}
