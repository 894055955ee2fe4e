import Martlet
import MartletCore
import MartletWire

extension Scenario {
  /// Cornell s65: one data packet, one acknowledgement.
  static let stopAndWait = Scenario("stop-and-wait", "segments 17 to 20, one at a time: the line is idle nearly always")
  {
    try playWindow($0, TeachingTransport(window: 1), losing: nil)
  }

  /// Cornell s65-66: a window of four.
  static let pipelined = Scenario("pipelined", "segments 17 to 20 at once, then 21 to 24: four times as much") {
    try playWindow($0, TeachingTransport(window: 4), losing: nil)
  }

  static let goBackN = Scenario("go-back-n", "segment 18 is lost: 18, 19 and 20 go again") {
    try playWindow($0, TeachingTransport(window: 4), losing: 2)
  }

  static let selectiveRepeat = Scenario("selective-repeat", "segment 18 is lost: 18 alone goes again") {
    try playWindow($0, TeachingTransport(window: 4, isSelective: true), losing: 2)
  }

  /// Cornell s66: the window that moves over 17 to 24, and how large it has to be.
  static let window = Scenario("window", "segments 17 to 24 under a window of four, and the window that fills the line")
  {
    stage in
    let run = try SlidingWindowRun(stage, TeachingTransport(window: 4), count: 8)
    stage.table([["", "", "acknowledged", "in flight", "usable", "blocked"]] + run.windows)
    stage.check(run.isInOrder, "everything arrived once and in order")
    stage.check(run.windows.last?[2] == "17 18 19 20 21 22 23 24", "in the end all are acknowledged")

    let capacity = run.roundTrip * Double(SlidingWindowRun.rate) / 8_000 + 1
    stage.say()
    stage.say("R·(RTT + L/R) / L = \(decimal(capacity, 3)) segments fit into a round trip:")
    for size in 1...6 {
      let run = try SlidingWindowRun(stage, TeachingTransport(window: size), count: 48)
      let (formula, measured) = (run.utilisationByFormula, run.utilisation)
      stage.check(
        abs(measured - formula) < 1e-6 && (measured == 1) == (Double(size) >= capacity),
        "a window of \(size) uses \(decimal(measured * 100, 3)) % of the line, by formula \(decimal(formula * 100, 3)) %"
      )
    }
    return run.recording
  }

  private static func playWindow(
    _ stage: Stage, _ transport: TeachingTransport, losing lost: Int?
  ) throws -> Recording {
    let run = try SlidingWindowRun(stage, transport, count: lost == nil ? 40 : 8, losing: lost)
    stage.table(run.ladder(below: TeachingTransport.first + 8))
    stage.check(run.isInOrder, "everything arrived once and in order")
    guard lost == nil else {
      let again = run.sentAgain
      let expected: Set<String> = transport.isSelective ? ["18"] : ["18", "19", "20", "21"]
      stage.say("Sent more than once: \(again.sorted().joined(separator: ", ")).")
      stage.check(
        transport.isSelective
          ? again == expected : again.isSuperset(of: ["18", "19", "20"]) && again.isSubset(of: expected),
        transport.isSelective ? "only what was lost went again" : "all behind the loss went again")
      return run.recording
    }
    let (formula, measured) = (run.utilisationByFormula, run.utilisation)
    stage.say(
      "L/R = \(decimal(SlidingWindowRun.segmentTime * 1_000, 3)) ms, RTT = \(decimal(run.roundTrip * 1_000, 3)) ms, N = \(transport.window)"
    )
    stage.say("utilisation by formula, N·(L/R) / (RTT + L/R): \(decimal(formula * 100, 3)) %")
    stage.say("utilisation as measured:                       \(decimal(measured * 100, 3)) %")
    stage.check(abs(measured - formula) < 1e-6, "they are the same")
    return run.recording
  }
}

/// A teaching transport's way over a line of 1 Mbit/s and 15 ms, in segments of 1,000 bytes.
private struct SlidingWindowRun {
  static let rate: UInt64 = 1_000_000
  static let delay = 0.015
  /// L/R, in seconds.
  static let segmentTime = 1_000.0 * 8 / Double(rate)

  let transport: TeachingTransport
  let count: Int
  let recording: Recording
  let isInOrder: Bool
  /// Those with UDP in them.
  private let frames: [Recording.Frame]

  init(_ stage: Stage, _ transport: TeachingTransport, count: Int, losing lost: Int? = nil) throws {
    let world = try stage.world { world in
      world.host("sender")
      world.host("receiver")
      let back = LinkDirection(rate: Self.rate, delay: .seconds(Self.delay))
      var there = back
      if let lost { there.script = [ScriptedFault(.lose, [lost], of: FramePattern(.udp))] }
      world.wire("sender", "receiver", there: there, back: back, name: "line")
    }
    let (sender, receiver) = (try world.host("sender"), try world.host("receiver"))
    let address = SocketAddress(try world.address(of: "receiver"), port: 4_000)
    let delivered = try world.runAndWait { () -> [Int] in
      _ = try await sender.ping(address.address)
      try await sender.loop.clock.sleep(for: .seconds(1))
      let inbox = try receiver.bindUDP(on: 4_000)
      let outbox = try sender.bindUDP()
      let taker = receiver.loop.task { try await transport.receive(count, on: inbox) }
      try await transport.send(count, from: outbox, to: address)
      return try await taker.value
    }
    self.transport = transport
    self.count = count
    isInOrder = delivered == Array(TeachingTransport.first..<TeachingTransport.first + count)
    let recording = world.finish()
    frames = recording.frames.filter { recording.view($0).protocol == .udp }
    self.recording = recording
  }

  private func number(of frame: Recording.Frame) -> String { String(recording.payload(frame).prefix { $0 != "|" }) }

  private var data: [Recording.Frame] { frames.filter { $0.end == 0 } }

  private var begin: Int64 { frames.first?.departure ?? 0 }

  /// Every frame up to a segment, as it left and as it arrived.
  func ladder(below end: Int) -> [[String]] {
    frames.compactMap { frame in
      let number = number(of: frame)
      guard let value = Int(number), value < end else { return nil }
      let time = milliseconds(frame.departure - begin)
      let arrow: String
      if case .lost = frame.fate { arrow = "──✗ lost" } else { arrow = "──▶ \(milliseconds(frame.arrival - begin))" }
      return frame.end == 0 ? [time, "data \(number)", arrow] : [time, "", arrow, "ack \(number)"]
    }
  }

  /// What the window holds after each segment that leaves and each acknowledgement that arrives.
  var windows: [[String]] {
    let moments = frames.map { ($0.end == 0 ? $0.departure : $0.arrival, $0) }
      .sorted { ($0.0, $1.1.end) < ($1.0, $0.1.end) }
    let (first, last) = (TeachingTransport.first, TeachingTransport.first + count)
    var (acknowledged, sent) = (first, first)
    return moments.map { time, frame in
      let number = Int(number(of: frame)) ?? 0
      if frame.end == 0 { sent = max(sent, number + 1) } else { acknowledged = max(acknowledged, number + 1) }
      let edge = min(last, acknowledged + transport.window)
      func list(_ range: Range<Int>) -> String { range.map(String.init).joined(separator: " ") }
      return [
        milliseconds(time - begin), frame.end == 0 ? "data \(number) leaves" : "ack \(number) arrives",
        list(first..<acknowledged), list(acknowledged..<sent), list(sent..<max(sent, edge)), list(edge..<last),
      ]
    }
  }

  var sentAgain: Set<String> {
    let numbers = data.map(number)
    return Set(numbers.filter { number in numbers.count { $0 == number } > 1 })
  }

  /// From a segment's last bit to its acknowledgement's, in seconds.
  var roundTrip: Double {
    2 * Self.delay + Double((frames.first { $0.end == 1 }?.bytes.count ?? 0) * 8) / Double(Self.rate)
  }

  var utilisationByFormula: Double {
    min(1, Double(transport.window) * Self.segmentTime / (roundTrip + Self.segmentTime))
  }

  /// The share of the time in which the sender's line is busy, over whole rounds.
  var utilisation: Double {
    let (data, segments) = (data, (count / transport.window - 1) * transport.window)
    return Double(segments) * Self.segmentTime / (Double(data[segments].departure - data[0].departure) / 1e9)
  }
}
