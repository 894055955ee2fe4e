import MartletWire
import Testing

@testable import MartletCore

@Suite("TCP: acknowledgements and Nagle", .bothVersions)
struct TCPAcknowledgmentTests {
  @Test(
    "An ACK waits for a second segment, but not long", .rfc(9293, "SHLD-18"), .rfc(9293, "SHLD-19"),
    .rfc(9293, "MUST-40"))
  func delayed() {
    let t = TCPScript()
    t.receive(.data(seq: 1, count: 1_000, ack: 1))
    t.expectNothing(until: 0.039)
    t.at(0.040).expect(.ack(1_001))
    t.at(1).receive(.data(seq: 1_001, count: 1_000, ack: 1))
    t.expectNothing()
    t.receive(.data(seq: 2_001, count: 1_000, ack: 1))
    t.expect(.ack(3_001))
    t.expectNothing(until: 2)
  }

  @Test("No configuration holds an ACK for half a second", .rfc(9293, "MUST-40"))
  func boundOfDelay() {
    let t = TCPScript(.established { $0.configuration.delayedAcknowledgment = .seconds(3) })
    t.receive(.data(seq: 1, count: 10, ack: 1)).at(0.499)
    t.expect(.ack(11))
  }

  @Test("One ACK answers all segments of a batch", .rfc(9293, "MUST-58"), .rfc(9293, "MUST-59"))
  func batch() {
    let t = TCPScript()
    t.receive(
      .data(seq: 1, count: 1_000, ack: 1), .data(seq: 1_001, count: 1_000, ack: 1),
      .data(seq: 2_001, count: 1_000, ack: 1), .data(seq: 3_001, count: 1_000, ack: 1))
    t.expect(.ack(4_001))
  }

  @Test("Data carries the acknowledgement that waits")
  func piggyback() {
    let t = TCPScript()
    t.receive(.data(seq: 1, count: 10, ack: 1)).write(5)
    t.expect(.data(seq: 1, count: 5, ack: 11))
    t.expectNothing(until: 0.1)
  }

  @Test(
    "A segment out of order is kept and acknowledged at once", .rfc(9293, "SHLD-31"), .rfc(9293, "MAY-13"),
    .rfc(2018, section: "3"))
  func outOfOrder() {
    let t = TCPScript()
    t.receive(.data(seq: 1_001, count: 1_000, ack: 1))
    t.expect(.ack(1, sack: 1_001..<2_001))
    t.receive(.data(seq: 1, count: 1_000, ack: 1))
    t.expect(.ack(2_001).with { $0.sack = [] })
    #expect(t.read() == .bytes(2_000))
  }

  @Test("The first SACK block is the newest, the others follow by age", .rfc(2018, section: "4"))
  func blockOrder() {
    let t = TCPScript()
    t.receive(.data(seq: 1_001, count: 100, ack: 1)).receive(.data(seq: 2_001, count: 100, ack: 1))
    t.receive(.data(seq: 3_001, count: 100, ack: 1)).ignore()
    t.receive(.data(seq: 1_101, count: 100, ack: 1))
    t.expect(.ack(1, sack: 1_001..<1_201, 3_001..<3_101, 2_001..<2_101))
    t.receive(.data(seq: 4_001, count: 100, ack: 1)).receive(.data(seq: 5_001, count: 100, ack: 1)).ignore()
    t.receive(.data(seq: 6_001, count: 100, ack: 1))
    t.expect(.ack(1, sack: 6_001..<6_101, 5_001..<5_101, 4_001..<4_101, 1_001..<1_201))
    // The block that the cumulative ACK passes is reported no more.
    t.receive(.data(seq: 1, count: 1_000, ack: 1))
    t.expect(.ack(1_201, sack: 6_001..<6_101, 5_001..<5_101, 4_001..<4_101))
  }

  @Test("Three blocks fit beside timestamps", .rfc(2018, section: "3"))
  func blocksWithTimestamps() {
    let t = TCPScript(.established(timestamps: true))
    for place in 1...4 { t.receive(.data(seq: place * 1_000, count: 100, ack: 1, timestamp: 1_001)) }
    #expect(t.sent.last?.sack?.count == 3)
    t.ignore().write(5_000)
    // A segment with blocks is not larger than one without.
    t.expect(
      .data(seq: 1, count: 960), .data(seq: 961, count: 960), .data(seq: 1_921, count: 960),
      .data(seq: 2_881, count: 960),
      .data(seq: 3_841, count: 960), .data(seq: 4_801, count: 200))
  }

  @Test("Without SACK no blocks are sent and none are believed", .rfc(2018, section: "2"))
  func withoutSelective() {
    let t = TCPScript(.established(sack: false))
    t.receive(.data(seq: 1_001, count: 100, ack: 1))
    t.expect(.ack(1).with { $0.sack = [] })
    t.write(5_000).ignore()
    t.receive(.ack(1, sack: 1_001..<5_001))
    t.expectNothing()
  }

  @Test(
    "Overlapping segments give every byte once",
    arguments: [
      [1_001..<1_501, 1_401..<2_001, 1..<1_101], [2_001..<2_501, 1_001..<3_001, 1..<1_001],
      [1_001..<3_001, 1_501..<2_001, 501..<1_201, 1..<4_001], [101..<201, 301..<401, 501..<601, 51..<551, 1..<101],
    ])
  func overlaps(runs: [Range<Int>]) {
    let t = TCPScript()
    for run in runs { t.receive(.data(seq: run.lowerBound, count: run.count, ack: 1)) }
    let end = runs.map(\.upperBound).max() ?? 0
    #expect(t.read() == .bytes(end - 1))
    #expect(t.info.outOfOrderByteCount == 0)
  }

  @Test("The number of pieces is bounded")
  func boundedPieces() {
    let t = TCPScript(.established { $0.configuration.maximumReassemblyPieces = 3 })
    for place in 1...5 { t.receive(.data(seq: place * 1_000, count: 100, ack: 1)) }
    t.expectDrops(.tcpReassemblyFull, .tcpReassemblyFull)
    #expect(t.info.outOfOrderByteCount == 300)
  }

  @Test("A duplicate is acknowledged at once")
  func duplicate() {
    let t = TCPScript()
    t.receive(.data(seq: 1, count: 100, ack: 1)).at(0.1).ignore()
    t.receive(.data(seq: 1, count: 100, ack: 1))
    t.expect(.ack(101))
    t.expectDrops(.tcpDuplicate)
  }

  // MARK: Nagle

  @Test("A small segment waits while another one is unacknowledged", .rfc(9293, "SHLD-7"))
  func nagle() {
    let t = TCPScript()
    t.write(10)
    t.expect(.data(seq: 1, count: 10))
    t.write(10).write(10)
    t.expectNothing(until: 0.1)
    t.receive(.ack(11))
    t.expect(.data(seq: 11, count: 20, push: true))
  }

  @Test("A full segment does not wait", .rfc(9293, "SHLD-28"))
  func fullSegment() {
    let t = TCPScript()
    t.write(10).ignore()
    t.write(995)
    t.expectNothing()
    t.write(10)
    t.expect(.data(seq: 11, count: 1_000))
  }

  @Test("A program can switch that off", .rfc(9293, "MUST-17"))
  func noDelay() {
    let t = TCPScript(.established { $0.options.noDelay = true })
    t.write(10).write(10)
    t.expect(.data(seq: 1, count: 10), .data(seq: 11, count: 10))
  }

  @Test("Corked, only full segments go out")
  func cork() {
    let t = TCPScript()
    t.change { $0.isCorked = true }.write(1_500)
    t.expect(.data(seq: 1, count: 1_000))
    t.receive(.ack(1_001))
    t.expectNothing(until: 1)
    t.change { $0.isCorked = false }
    t.expect(.data(seq: 1_001, count: 500))
  }

  @Test("The last segment of what was written carries PSH", .rfc(9293, "MUST-60"), .rfc(9293, "MUST-61"))
  func push() {
    let t = TCPScript()
    t.write(2_500)
    t.expect(
      .data(seq: 1, count: 1_000, push: false), .data(seq: 1_001, count: 1_000, push: false),
      .data(seq: 2_001, count: 500, push: true))
  }
}
