import Testing

@testable import MartletCore

/// BBR in a closed loop: draft-ietf-ccwg-bbr is not an RFC, and has no number to carry.
@Suite("TCP: BBR")
struct BBRTests {
  private func path(
    megabits: Double = 100, delay: Nanoseconds = .milliseconds(40), products: Double = 2, loss: Double = 0,
    seed: UInt64 = 1
  ) -> Bottleneck {
    let product = megabits * 1e6 / 8 * Double(delay) * 1e-9
    return Bottleneck(
      .bbr, megabits: megabits, delay: delay, buffer: Int(product * products), loss: loss, seed: seed)
  }

  @Test(
    "It finds the bandwidth and the round-trip time within five percent", arguments: [(10.0, 100), (100, 40), (500, 5)])
  func findsPath(megabits: Double, milliseconds: Int) throws {
    let path = path(megabits: megabits, delay: .milliseconds(Int64(milliseconds)))
    path.run(until: 3)
    let model = try #require(path.model)
    let bandwidth = Double(model.bandwidth) * 8 / 1e6
    #expect(abs(bandwidth - megabits) <= 0.05 * megabits, "\(bandwidth)")
    let roundTrip = Double(try #require(model.minimumRoundTrip)) / 1e6
    #expect(abs(roundTrip - Double(milliseconds)) <= 0.05 * Double(milliseconds), "\(roundTrip)")
    #expect(path.run(until: 5) >= 0.95 * megabits)
    #expect(path.lost == 0)
  }

  @Test("Startup doubles the flight each round, ends when the bandwidth stays, and its queue is drained")
  func startupAndDrain() throws {
    let path = path()
    path.run(until: 1.5)
    // With the queue gone the first DOWN is over with the acknowledgement that begins it.
    #expect(path.modes.prefix(3).map(\.mode) == [.startup, .drain, .cruise])
    // From 10 segments to the 500 of the product are 6 rounds of 40 ms, and three more tell that it is full.
    let drain = try #require(path.modes.first { $0.mode == .drain }).at
    #expect(drain < Instant(nanoseconds: .milliseconds(11 * 40 + 150)))
    #expect(path.largestQueue > path.product / 4)
    path.largestQueue = 0
    path.run(until: 1.7)
    #expect(path.model?.mode == .cruise)
    #expect(path.largestQueue < path.product / 10, "\(path.largestQueue)")
  }

  @Test("Every two to three seconds, or 63 rounds, it probes for more, and finds what came free")
  func probesBandwidth() throws {
    let path = path(megabits: 50, delay: .milliseconds(20))
    path.run(until: 4)
    let ups = path.modes.filter { $0.mode == .up }.map { Double($0.at.nanoseconds) / 1e9 }
    #expect(ups.count >= 2)
    for (one, next) in zip(ups, ups.dropFirst()) { #expect((0.6...3.3).contains(next - one), "\(ups)") }
    path.rate *= 2
    path.buffer *= 2
    #expect(path.run(until: 12) > 70)
    #expect(path.run(until: 16) > 95)
  }

  @Test("After five seconds without a lower round-trip time the flight is halved for a moment to see one")
  func probesRoundTrip() throws {
    let path = path()
    path.run(until: 4.5)
    path.smallestFlight = .max
    path.run(until: 6.5)
    let index = try #require(path.modes.firstIndex { $0.mode == .probeRoundTrip })
    let began = path.modes[index].at
    #expect(began > Instant(nanoseconds: .seconds(5)))
    #expect(path.modes[index + 1].mode == .cruise)
    let span = path.modes[index + 1].at - began
    #expect(span >= .milliseconds(200) && span < .milliseconds(400), "\(span)")
    #expect(path.smallestFlight <= path.product * 11 / 20)
    #expect(path.smallestFlight >= path.product * 9 / 20)
  }

  @Test("Losses of one percent that are not congestion cost little", arguments: 1...5 as ClosedRange<UInt64>)
  func toleratesLoss(seed: UInt64) {
    let path = path(loss: 0.01, seed: seed)
    #expect(path.run(until: 10) > 85)
  }

  @Test(
    "Losses of three percent do not end Startup, as long as the bandwidth grows",
    arguments: 1...5 as ClosedRange<UInt64>)
  func startsThroughLoss(seed: UInt64) {
    let path = path(megabits: 200, delay: .milliseconds(100), loss: 0.03, seed: seed)
    path.run(until: 1.6)
    #expect(Double(path.delivered) * 8 / 1.6e6 > 50)
  }

  @Test("At five percent it yields", arguments: 1...3 as ClosedRange<UInt64>)
  func yields(seed: UInt64) {
    let path = path(seed: seed)
    path.run(until: 2)
    let before = path.congestion.window
    path.loss = 0.05
    path.run(until: 4)
    #expect(path.run(until: 10) < 85)
    #expect(path.congestion.window < before)
  }

  @Test("A queue too short for the probe is not overrun again and again")
  func shortQueue() {
    let path = path(products: 0.03)
    path.run(until: 2)
    let lost = path.lost
    let sent = path.delivered
    #expect(path.run(until: 12) > 80)
    #expect(Double(path.lost - lost) < 0.02 * Double(path.delivered - sent))
  }

  @Test("A path that becomes slower is followed within three cycles")
  func slower() throws {
    let path = path()
    path.run(until: 3)
    path.rate /= 4
    path.buffer = 2 * path.product
    path.run(until: 12)
    let bandwidth = Double(try #require(path.model).bandwidth) * 8 / 1e6
    #expect(abs(bandwidth - 25) < 2.5, "\(bandwidth)")
  }

  @Test(
    "A timeout leaves one segment; its end, or its being needless, brings the window back", arguments: [true, false])
  func timeout(isSpurious: Bool) {
    let path = path()
    path.run(until: 2)
    let window = path.congestion.window
    path.congestion.timedOut(flight: path.flight, segmentSize: 1_000, isFirst: true, now: path.now)
    #expect(path.congestion.window == 1_000)
    path.congestion.timedOut(flight: path.flight, segmentSize: 1_000, isFirst: false, now: path.now)
    if isSpurious { path.congestion.undo() } else { path.congestion.endRecovery(segmentSize: 1_000) }
    #expect(path.congestion.window == window)
  }

  @Test("Nothing is paced before a round-trip time is known, then an initial window at 2.77 times its rate")
  func firstRate() {
    let congestion = CongestionControl(.bbr, initialWindow: 10_000, segmentSize: 1_000, now: .zero)
    #expect(congestion.pacingRate(smoothedRoundTrip: -1, segmentSize: 1_000) == 0)
    #expect(congestion.pacingRate(smoothedRoundTrip: .milliseconds(100), segmentSize: 1_000) == 277_000)
    #expect(congestion.usesProportionalReduction == false)
    #expect(congestion.isSlowStart == true)
  }

  @Test("Two runs of one seed are the same, and other seeds probe at other times")
  func determinism() {
    func ups(_ seed: UInt64) -> [Int64] {
      let path = path(seed: seed)
      path.run(until: 9)
      return path.modes.filter { $0.mode == .refill }.map(\.at.nanoseconds)
    }
    #expect(ups(7) == ups(7))
    #expect(ups(7) != ups(8))
  }
}
