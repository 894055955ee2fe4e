import Martlet
import MartletCore
import MartletWire

extension Scenario {
  /// Cornell s74: one, two, four segments.
  static let slowStart = Scenario("slow-start", "one segment, two, four, eight: a round trip each") { stage in
    let world = try stage.world { world in
      for name in ["sender", "receiver"] {
        world.host(name) {
          $0.tuning = .textbook
          $0.tuning.initialWindow = 1
        }
      }
      world.wire(
        "sender", "receiver", LinkDirection(rate: 10_000_000, delay: .milliseconds(50), mtu: 1_040), name: "line")
    }
    let (sender, receiver) = (try world.host("sender"), try world.host("receiver"))
    let address = SocketAddress(try world.address(of: "receiver"), port: 5_000)
    try world.runAndWait {
      _ = try await sender.ping(address.address)
      try Transfer.sink(on: receiver, port: 5_000)
      try await Transfer.send(31_000, from: sender, to: address)
    }
    let recording = world.finish()
    let segments = recording.dataSegments(of: "sender", on: "line", size: 1_000)
    var rounds: [[(number: Int, frame: Recording.Frame)]] = []
    for segment in segments {
      if let last = rounds.last?.last, segment.frame.queued - last.frame.queued < 50_000_000 {
        rounds[rounds.count - 1].append(segment)
      } else {
        rounds.append([segment])
      }
    }
    var rows = [["round", "begins at", "segments", ""]]
    let begin = segments.first?.frame.departure ?? 0
    for (index, round) in rounds.enumerated() {
      rows.append([
        "\(index + 1)", milliseconds(round[0].frame.departure - begin), "\(round.count)",
        String(repeating: "▮", count: round.count),
      ])
    }
    stage.table(rows)
    stage.check(rounds.map(\.count) == [1, 2, 4, 8, 16], "each round has twice the segments of the one before")
    let phases = recording.flows.flatMap(\.samples).filter(\.isClient).map(\.phase)
    stage.check(
      !phases.isEmpty && phases.allSatisfy { $0 == "slow start" }, "it is slow start all the time: nothing is lost")
    return recording
  }

  /// Cornell s70 and s75: the window grows by a segment each round trip and is halved when the queue overflows.
  static let sawtooth = Scenario("sawtooth", "additive increase, multiplicative decrease: the window over 40 seconds") {
    stage in
    let world = try stage.world { world in
      for name in ["sender", "receiver"] { world.host(name) { $0.tuning = .textbook } }
      world.router("router")
      world.wire("sender", "router", LinkDirection(rate: 10_000_000, delay: .milliseconds(5), mtu: 1_040))
      let queue = LinkDirection.Queue(maximumFrames: 10)
      world.wire(
        "router", "receiver", LinkDirection(rate: 400_000, delay: .milliseconds(45), queue: queue, mtu: 1_040),
        name: "bottleneck")
    }
    let (sender, receiver) = (try world.host("sender"), try world.host("receiver"))
    let address = SocketAddress(try world.address(of: "receiver"), port: 5_000)
    try world.runAndWait {
      _ = try await sender.ping(address.address)
      try Transfer.sink(on: receiver, port: 5_000)
      try await Transfer.send(until: Instant(nanoseconds: 40_000_000_000), from: sender, to: address)
    }
    let recording = world.finish()
    let samples = recording.flows.flatMap(\.samples).filter(\.isClient)
    // A point each second.
    var rows = [["second", "window", ""]]
    for second in stride(from: 0, through: 39, by: 1) {
      guard let sample = samples.last(where: { $0.time <= Int64(second) * 1_000_000_000 }) else { continue }
      rows.append([
        "\(second)", "\(sample.congestionWindow)",
        String(repeating: "▪", count: sample.congestionWindow / 1_000)
          + (sample.phase == "recovery" ? " recovery" : ""),
      ])
    }
    stage.table(rows)
    var teeth: [(before: Int, after: Int)] = []
    for (index, sample) in samples.enumerated()
    where sample.phase == "recovery" && index > 0 && samples[index - 1].phase != "recovery" {
      teeth.append((samples[index - 1].congestionWindow, sample.slowStartThreshold))
    }
    stage.say("At each loss the window was, and the threshold became:")
    stage.table(teeth.map { ["\($0.before)", "→", "\($0.after)"] })
    stage.check(teeth.count >= 3, "there are \(teeth.count) teeth")
    let isHalved = teeth.dropFirst().allSatisfy { tooth in
      let ratio = Double(tooth.after) / Double(max(1, tooth.before))
      return ratio > 0.4 && ratio < 0.62
    }
    stage.check(isHalved, "after slow start every loss halves it")
    let bottleneck = recording.link("bottleneck")
    let bytes = recording.frames.filter {
      $0.link == bottleneck && $0.end == 0 && $0.fate == .delivered && $0.departure > 5_000_000_000
        && $0.departure < 40_000_000_000
    }
    .reduce(0) { $0 + $1.bytes.count }
    let use = Double(bytes) * 8 / 35 / 400_000
    stage.check(
      use > 0.8, "the bottleneck was busy for \(decimal(use * 100, 1)) % of the time from the fifth second on")
    let deepest = recording.queues.filter { $0.link == bottleneck && $0.end == 0 }.map(\.frames).max() ?? 0
    stage.check(deepest == 10, "its queue of 10 frames was full")
    return recording
  }

  /// Cornell s73: two connections and the line of fair shares.
  static let fairness = Scenario("fairness", "a second connection joins: both go towards the same share") { stage in
    let world = try stage.world { world in
      for name in ["first", "second", "receiver"] { world.host(name) { $0.tuning = .textbook } }
      world.router("router")
      let lan = LinkDirection(rate: 10_000_000, delay: .milliseconds(5), mtu: 1_040)
      world.wire("first", "router", lan)
      world.wire("second", "router", lan)
      let queue = LinkDirection.Queue(maximumFrames: 20)
      world.wire(
        "router", "receiver", LinkDirection(rate: 800_000, delay: .milliseconds(25), queue: queue, mtu: 1_040),
        name: "bottleneck")
    }
    let hosts = [try world.host("first"), try world.host("second")]
    let receiver = try world.host("receiver")
    let address = SocketAddress(try world.address(of: "receiver"), port: 5_000)
    try world.runAndWait {
      for host in hosts { _ = try await host.ping(address.address) }
      try Transfer.sink(on: receiver, port: 5_000)
      let end = Instant(nanoseconds: 50_000_000_000)
      let first = hosts[0].loop.task { try await Transfer.send(until: end, from: hosts[0], to: address) }
      try await hosts[0].loop.clock.sleep(for: .seconds(10))
      try await Transfer.send(until: end, from: hosts[1], to: address)
      try? await first.value
    }
    let recording = world.finish()
    let flows = recording.flows.indices.filter { recording.flows[$0].transport == "TCP" }
    let bottleneck = recording.link("bottleneck")
    func throughput(_ flow: Int, _ from: Int64, _ to: Int64) -> Double {
      let bytes = recording.frames.filter {
        $0.link == bottleneck && $0.end == 0 && $0.flow == flow && $0.fate == .delivered
          && $0.arrival >= from * 1_000_000_000
          && $0.arrival < to * 1_000_000_000
      }.reduce(0) { $0 + $1.bytes.count }
      return Double(bytes) * 8 / Double(to - from)
    }
    var rows = [["seconds", "first, kbit/s", "second, kbit/s", "Jain's index"]]
    func jain(_ values: [Double]) -> Double {
      let sum = values.reduce(0, +)
      let squares = values.reduce(0) { $0 + $1 * $1 }
      return squares == 0 ? 0 : sum * sum / (Double(values.count) * squares)
    }
    for start in stride(from: Int64(0), to: 50, by: 5) {
      let rates = flows.map { throughput($0, start, start + 5) }
      rows.append(["\(start) to \(start + 5)"] + rates.map { decimal($0 / 1_000, 1) } + [decimal(jain(rates), 3)])
    }
    stage.table(rows)
    let late = flows.map { throughput($0, 25, 50) }
    stage.check(flows.count == 2 && jain(late) > 0.9, "over the second half Jain's index is \(decimal(jain(late), 3))")
    stage.check(late.reduce(0, +) > 0.85 * 800_000, "and together they fill the line")
    return recording
  }
}
