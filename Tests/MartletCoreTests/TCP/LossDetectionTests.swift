import MartletWire
import Testing

@testable import MartletCore

@Suite("TCP: loss detection")
struct LossDetectionTests {
  private static func number(_ value: Int) -> SequenceNumber { SequenceNumber(0xffff_ff00) + value }
  private static func time(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: .milliseconds(milliseconds)) }

  /// Something in flight: a segment of 1,000 bytes at each of `times`, in milliseconds.
  private static func flight(sentAt times: Int64...) -> LossDetection {
    var losses = LossDetection(from: number(0))
    var rate = DeliveryRate()
    for (index, sentAt) in times.enumerated() {
      losses.noteSent(
        from: number(index * 1_000), count: 1_000, rate.departure(of: 1_000, flight: index * 1_000, at: time(sentAt)),
        isApplicationLimited: false, at: time(sentAt))
    }
    return losses
  }

  /// The peer holds `runs`; what is lost at `now`, and how long to wait.
  private static func report(
    _ losses: inout LossDetection, _ runs: Range<Int>..., next: Int = 10_000, at now: Int64, recovering: Bool = false
  ) -> (lost: Int, wait: Nanoseconds) {
    var delivery = LossDetection.Delivery()
    for run in runs {
      losses.hold(
        SACKBlock(left: number(run.lowerBound), right: number(run.upperBound)), unacknowledged: number(0),
        next: number(next), into: &delivery)
    }
    if let newest = delivery.newest {
      losses.noteNewest(newest, isOfEarlier: false, minimumRoundTrip: .milliseconds(100), at: time(now))
    }
    return losses.detect(
      minimumRoundTrip: .milliseconds(100), smoothedRoundTrip: .milliseconds(100), isRecovering: recovering,
      segmentSize: 1_000, at: time(now))
  }

  @Test(
    "Before three segments are reported, something sent earlier is late for a quarter of a round trip, then lost",
    .rfc(8985, section: "6.2"))
  func reorderingWindow() {
    var losses = Self.flight(sentAt: 0, 1, 2, 3)
    let first = Self.report(&losses, 1_000..<2_000, at: 101)
    #expect(first.lost == 0)
    // RTT 100 ms and 25 ms more, of which 101 have gone since the first was sent.
    #expect(first.wait == .milliseconds(24))
    let later = Self.report(&losses, at: 125)
    #expect(later.lost == 1_000 && later.wait == 0)
    let lost = losses.firstLost()
    #expect(lost == 0)
    // What was sent after it is not lost.
    let count = losses.lostByteCount
    #expect(count == 1_000)
  }

  @Test("Three segments reported, and nothing ever out of order: lost at once", .rfc(8985, section: "6.2"))
  func threshold() {
    var losses = Self.flight(sentAt: 0, 1, 2, 3)
    _ = Self.report(&losses, 1_000..<2_000, at: 101)
    _ = Self.report(&losses, 2_000..<3_000, at: 102)
    let third = Self.report(&losses, 3_000..<4_000, at: 103)
    #expect(third.lost == 1_000 && third.wait == 0)
  }

  @Test("Once the path was seen to reorder, three segments are not enough", .rfc(8985, section: "6.2"))
  func afterReordering() {
    var losses = Self.flight(sentAt: 0, 0, 0, 10, 11, 12, 13)
    _ = Self.report(&losses, 2_000..<3_000, at: 100)
    _ = Self.report(&losses, 1_000..<2_000, at: 101)
    let hasReordering = losses.hasReordering
    #expect(hasReordering)
    let found = Self.report(&losses, 4_000..<7_000, at: 113)
    // The first was sent 113 ms ago, the fourth 103; both have until 100 + 25.
    #expect(found.lost == 0 && found.wait == .milliseconds(22))
  }

  @Test("A retransmission that is lost too is found by what was sent after it", .rfc(8985, section: "6.2"))
  func lostRetransmission() {
    var losses = Self.flight(sentAt: 0, 0, 0, 0)
    #expect(Self.report(&losses, 1_000..<4_000, at: 100).lost == 1_000)
    var rate = DeliveryRate()
    losses.noteResent(0, count: 1_000, rate.departure(of: 1_000, flight: 0, at: Self.time(100)), at: Self.time(100))
    let waiting = losses.lostByteCount
    #expect(waiting == 0)
    losses.noteSent(
      from: Self.number(4_000), count: 1_000, rate.departure(of: 1_000, flight: 1_000, at: Self.time(101)),
      isApplicationLimited: false, at: Self.time(101))
    #expect(Self.report(&losses, 4_000..<5_000, at: 201, recovering: true).lost == 1_000)
  }

  @Test("Blocks outside what is in flight, empty or turned round, are not believed", .rfc(2018, section: "4"))
  func nonsense() {
    var losses = Self.flight(sentAt: 0, 0)
    for run in [(0, 500), (1_500, 2_001), (-500, -100), (1_800, 1_200), (1_200, 1_200)] {
      var delivery = LossDetection.Delivery()
      losses.hold(
        SACKBlock(left: Self.number(run.0), right: Self.number(run.1)), unacknowledged: Self.number(0),
        next: Self.number(2_000), into: &delivery)
      #expect(delivery.count == 0, "\(run)")
    }
    let heldByteCount = losses.heldByteCount
    #expect(heldByteCount == 0)
  }

  @Test("The pipe and what is delivered are those of a model that looks at every byte", arguments: 0..<200)
  func model(seed: Int) {
    var random = RandomStream(seed: UInt64(seed))
    var losses = LossDetection(from: Self.number(0))
    var rate = DeliveryRate()
    var next = 0
    var held = [Bool](repeating: false, count: 800)
    var delivered = held
    var lost = held
    var unacknowledged = 0
    for step in 0..<120 {
      let now = Self.time(Int64(step))
      let before = delivered
      var delivery = LossDetection.Delivery()
      switch Int.random(in: 0..<8, using: &random) {
      case 0:
        unacknowledged = Int.random(in: unacknowledged...next, using: &random)
        for index in 0..<unacknowledged {
          delivered[index] = true
          lost[index] = false
          held[index] = false
        }
        losses.acknowledge(to: Self.number(unacknowledged), into: &delivery)
      case 1 where losses.lostByteCount > 0:
        guard let index = losses.firstLost() else { break }
        let run = losses.runs[index]
        let count = Int.random(in: 1...run.count, using: &random)
        let start = run.start - Self.number(0)
        #expect(lost[start..<start + count].allSatisfy { $0 })
        for place in start..<start + count { lost[place] = false }
        losses.noteResent(index, count: count, rate.departure(of: count, flight: 0, at: now), at: now)
      case 2:
        losses.markLost(olderThan: 0, at: now)
        for index in unacknowledged..<next where !held[index] { lost[index] = true }
      case 3...5 where next < 780:
        let count = Int.random(in: 1...20, using: &random)
        losses.noteSent(
          from: Self.number(next), count: count, rate.departure(of: count, flight: next - unacknowledged, at: now),
          isApplicationLimited: false, at: now)
        next += count
      default:
        guard next > unacknowledged + 2 else { break }
        let left = Int.random(in: unacknowledged + 1..<next, using: &random)
        let right = Int.random(in: left...min(next, left + 30), using: &random)
        for index in left..<right {
          held[index] = true
          delivered[index] = true
          lost[index] = false
        }
        losses.hold(
          SACKBlock(left: Self.number(left), right: Self.number(right)), unacknowledged: Self.number(unacknowledged),
          next: Self.number(next), into: &delivery)
      }
      #expect(delivery.count == zip(before, delivered).count { !$0 && $1 })
      let counts = (losses.lostByteCount, losses.heldByteCount)
      #expect(counts == (lost.count { $0 }, held.count { $0 }))
      let pipe = losses.pipe(unacknowledged: Self.number(unacknowledged), next: Self.number(next))
      #expect(pipe == (unacknowledged..<next).count { !held[$0] && !lost[$0] })
      // The runs lie one behind the other, from SND.UNA to SND.NXT.
      var end = unacknowledged
      for index in 0..<losses.runs.count {
        let run = losses.runs[index]
        #expect(run.start == Self.number(end) && run.count > 0)
        end += run.count
      }
      #expect(end == next)
    }
  }
}
