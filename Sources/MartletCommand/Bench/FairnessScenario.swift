import Martlet
import MartletCore
import MartletWire

/// Flows without end that share a bottleneck.
struct FairnessScenario: Equatable, Sendable {
  /// One of the flows.
  struct Flow: Equatable, Sendable {
    var congestion: CongestionChoice
    /// Which of the paths it takes.
    var path = 0
    /// When it begins, in milliseconds; nil for some time in the first second, by the seed.
    var startMilliseconds: Int?
  }

  /// The ways through the bottleneck; the first says its rate and queue.
  var paths: [BenchPath]
  var flows: [Flow]
  /// When counting begins, and when it ends.
  var fromSecond: Int
  var toSecond: Int

  /// What came of one run.
  struct Result: Equatable, Sendable {
    /// What each flow delivered while it counted, in bytes.
    var byteCounts: [Int]
    /// The share of the bottleneck's bits that were used, headers included.
    var utilization: Double
    /// The share of packets that the queue dropped.
    var dropRate: Double
    /// What each flow had delivered since the beginning, every ``sampleMilliseconds``.
    var samples: [[Int]]
    /// The seconds that were counted.
    var seconds: Int

    func megabitsPerSecond(_ flow: Int) -> Double { Double(byteCounts[flow]) * 8e-6 / Double(seconds) }

    /// How much of what all flows delivered these did.
    func share(of flows: Range<Int>) -> Double {
      Double(byteCounts[flows].reduce(0, +)) / Double(max(1, byteCounts.reduce(0, +)))
    }
  }

  static let sampleMilliseconds = 100

  /// Runs the flows in a network of their own.
  func run(seed: UInt64) throws -> Result {
    let network = try BenchNetwork(paths, seed: seed)
    let (loop, sender, receiver, counters) = (network.loop, network.sender, network.receiver, network.counters)
    let scenario = self
    return try loop.runAndWait {
      for path in scenario.paths.indices {
        try await BenchNetwork.meet(sender, BenchNetwork.receiverAddress(path))
      }
      let start = loop.now
      var random = loop.random(named: "flows")
      let meters = scenario.flows.map { _ in FlowMeter() }
      for (number, flow) in scenario.flows.enumerated() {
        let remote = SocketAddress(BenchNetwork.receiverAddress(flow.path), port: UInt16(5_001 + number))
        let listener = try receiver.listen(on: remote)
        let delay = Duration.microseconds(flow.startMilliseconds.map { $0 * 1_000 } ?? Int(random.next() % 1_000_000))
        loop.task {
          let connection = try await listener.accept()
          try await BulkTransfer.read(.max, from: connection, meters[number])
        }
        loop.task {
          try await loop.clock.sleep(until: start.advanced(by: delay))
          try await BulkTransfer.write(to: sender.connect(to: remote, options: flow.congestion.options))
        }
      }
      return try await scenario.watch(meters, counters, from: start, loop)
    }
  }

  private func watch(
    _ meters: [FlowMeter], _ counters: @Sendable () -> BenchNetwork.Counters, from start: Instant, _ loop: Loop
  ) async throws -> Result {
    var samples: [[Int]] = []
    let perSecond = 1_000 / Self.sampleMilliseconds
    var before = BenchNetwork.Counters()
    for tick in 0...toSecond * perSecond {
      try await loop.clock.sleep(until: start.advanced(by: .milliseconds(tick * Self.sampleMilliseconds)))
      samples.append(meters.map(\.byteCount))
      if tick == fromSecond * perSecond { before = counters() }
    }
    let after = counters()
    let (first, last) = (samples[fromSecond * perSecond], samples[toSecond * perSecond])
    let sent = after.sentPackets - before.sentPackets
    let drops = after.queueDrops - before.queueDrops
    let bits = Double(after.sentBytes - before.sentBytes) * 8
    return Result(
      byteCounts: zip(first, last).map { $1 - $0 },
      utilization: bits / (Double(paths[0].megabitsPerSecond) * 1e6 * Double(toSecond - fromSecond)),
      dropRate: Double(drops) / Double(max(1, sent + drops)), samples: samples, seconds: toSecond - fromSecond)
  }
}

/// Jain's fairness index (R. Jain, D. Chiu, W. Hawe, DEC-TR-301, 1984): 1 when all have the same, 1/n when one has it all.
func fairnessIndex(_ values: [Int]) -> Double {
  let sum = values.reduce(0.0) { $0 + Double($1) }
  let squares = values.reduce(0.0) { $0 + Double($1) * Double($1) }
  return squares == 0 ? 1 : sum * sum / (Double(values.count) * squares)
}

/// The value in the middle; of an even number the mean of the two there.
func median(_ values: [Double]) -> Double {
  guard !values.isEmpty else { return .nan }
  let sorted = values.sorted()
  return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
}
