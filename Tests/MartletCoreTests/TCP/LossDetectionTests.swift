import MartletWire
import Testing

@testable import MartletCore

@Suite("TCP: loss detection")
struct LossDetectionTests {
  private static func number(_ value: Int) -> SequenceNumber { SequenceNumber(0xffff_ff00) + value }

  private static func blocks(_ runs: [Range<Int>]) -> SACKBlocks {
    var blocks = SACKBlocks()
    for run in runs { blocks.append(SACKBlock(left: number(run.lowerBound), right: number(run.upperBound))) }
    return blocks
  }

  @Test("Three runs above, or more than two segments of bytes, make a byte lost", .rfc(6675, section: "4"))
  func isLost() {
    var losses = LossDetection(from: Self.number(0))
    func report(_ losses: inout LossDetection, _ runs: Range<Int>...) -> Bool {
      _ = losses.update(Self.blocks(runs), unacknowledged: Self.number(0), next: Self.number(20_000))
      return losses.markLost(unacknowledged: Self.number(0), segmentSize: 1_000)
    }
    let afterOne = report(&losses, 1_000..<2_000)
    let afterTwo = report(&losses, 2_000..<3_000)
    let afterMore = report(&losses, 3_000..<3_001)
    #expect(!afterOne && !afterTwo && afterMore)
    var others = LossDetection(from: Self.number(0))
    let two = report(&others, 1_000..<1_010, 2_000..<2_010)
    let three = report(&others, 3_000..<3_010)
    #expect(!two && three)
    let lost = others.nextLost(unacknowledged: Self.number(0))
    #expect(lost?.start == Self.number(0) && lost?.count == 1_000)
  }

  @Test("Blocks outside what is in flight, empty or turned round, are not believed", .rfc(2018, section: "4"))
  func nonsense() {
    var losses = LossDetection(from: Self.number(1_000))
    let new = losses.update(
      Self.blocks([500..<900]), unacknowledged: Self.number(1_000), next: Self.number(2_000))
    let beyond = losses.update(
      Self.blocks([1_500..<2_001, 1_000..<1_500]), unacknowledged: Self.number(1_000), next: Self.number(2_000))
    var turned = SACKBlocks()
    turned.append(SACKBlock(left: Self.number(1_800), right: Self.number(1_200)))
    let backwards = losses.update(turned, unacknowledged: Self.number(1_000), next: Self.number(2_000))
    #expect(new == 0 && beyond == 0 && backwards == 0)
  }

  @Test("The pipe and the lost bytes are those of a model that looks at every byte", arguments: 0..<200)
  func model(seed: Int) {
    var random = RandomStream(seed: UInt64(seed))
    var losses = LossDetection(from: Self.number(0))
    var held = [Bool](repeating: false, count: 400)
    var unacknowledged = 0
    let next = 400
    for _ in 0..<40 {
      if Int.random(in: 0..<8, using: &random) == 0 {
        unacknowledged = Int.random(in: unacknowledged...next, using: &random)
        losses.advance(to: Self.number(unacknowledged))
      } else {
        let left = Int.random(in: 0..<next, using: &random)
        let right = Int.random(in: left...min(next, left + 30), using: &random)
        let before = held
        if left < right, left > unacknowledged { for index in left..<right { held[index] = true } }
        let new = losses.update(
          Self.blocks([left..<right]), unacknowledged: Self.number(unacknowledged), next: Self.number(next))
        let expected = (unacknowledged..<next).filter { held[$0] && !before[$0] }.count
        #expect(new == expected)
      }
      let pipe = losses.pipe(unacknowledged: Self.number(unacknowledged), next: Self.number(next))
      let expected = (unacknowledged..<next).filter { !held[$0] }.count
      #expect(pipe == expected)
    }
    // After a timeout everything not held goes out once, in order.
    losses.markAllLost(unacknowledged: Self.number(unacknowledged), next: Self.number(next))
    var resent = [Bool](repeating: false, count: 400)
    while let lost = losses.nextLost(unacknowledged: Self.number(unacknowledged)) {
      let start = lost.start - Self.number(0)
      #expect(lost.count > 0)
      for index in start..<start + lost.count { resent[index] = true }
      losses.noteResent(upTo: lost.start + lost.count)
    }
    for index in unacknowledged..<next { #expect(resent[index] == !held[index]) }
  }
}
