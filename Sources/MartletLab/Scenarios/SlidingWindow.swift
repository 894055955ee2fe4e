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

  /// Segments of 1,000 bytes over 1 Mbit/s and 15 ms.
  private static func playWindow(
    _ stage: Stage, _ transport: TeachingTransport, losing lost: Int?
  ) throws -> Recording {
    let rate: UInt64 = 1_000_000
    let delay = Duration.milliseconds(15)
    let world = try stage.world { world in
      world.host("sender")
      world.host("receiver")
      var there = LinkDirection(rate: rate, delay: delay)
      if let lost { there.script = [ScriptedFault(.lose, [lost], of: FramePattern(.udp))] }
      world.wire("sender", "receiver", there: there, back: LinkDirection(rate: rate, delay: delay), name: "line")
    }
    let count = lost == nil ? 40 : 8
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
    let recording = world.finish()
    let begin = recording.frames.first { recording.view($0).protocol == .udp }?.departure ?? 0
    var rows: [[String]] = []
    let shown = TeachingTransport.first + 8
    for frame in recording.frames where recording.view(frame).protocol == .udp {
      let number = String(recording.payload(frame).prefix { $0 != "|" })
      guard let value = Int(number), value < shown else { continue }
      let time = milliseconds(frame.departure - begin)
      let arrow: String
      if case .lost = frame.fate { arrow = "──✗ lost" } else { arrow = "──▶ \(milliseconds(frame.arrival - begin))" }
      rows.append(frame.end == 0 ? [time, "data \(number)", arrow] : [time, "", arrow, "ack \(number)"])
    }
    stage.table(rows)
    stage.check(
      delivered == Array(TeachingTransport.first..<TeachingTransport.first + count),
      "everything arrived once and in order")
    let data = recording.frames.filter { $0.end == 0 && recording.view($0).protocol == .udp }
    let numbers = data.map { String(recording.payload($0).prefix { $0 != "|" }) }
    if lost != nil {
      let again = Set(numbers.filter { number in numbers.count { $0 == number } > 1 })
      let expected: Set<String> = transport.isSelective ? ["18"] : ["18", "19", "20", "21"]
      stage.say("Sent more than once: \(again.sorted().joined(separator: ", ")).")
      stage.check(
        transport.isSelective
          ? again == expected : again.isSuperset(of: ["18", "19", "20"]) && again.isSubset(of: expected),
        transport.isSelective ? "only what was lost went again" : "all behind the loss went again")
      return recording
    }
    // The share of the time in which the sender's line is busy, over whole rounds.
    let segment = 1_000.0 * 8 / Double(rate)
    let roundTrip =
      2 * 0.015 + Double(
        recording.frames.first { $0.end == 1 && recording.view($0).protocol == .udp }?.bytes.count ?? 0) * 8
      / Double(rate)
    let formula = min(1, Double(transport.window) * segment / (roundTrip + segment))
    let rounds = count / transport.window - 1
    let span = Double(data[rounds * transport.window].departure - data[0].departure) / 1e9
    let measured = Double(rounds * transport.window) * segment / span
    stage.say(
      "L/R = \(decimal(segment * 1_000, 3)) ms, RTT = \(decimal(roundTrip * 1_000, 3)) ms, N = \(transport.window)")
    stage.say("utilisation by formula, N·(L/R) / (RTT + L/R): \(decimal(formula * 100, 3)) %")
    stage.say("utilisation as measured:                       \(decimal(measured * 100, 3)) %")
    stage.check(abs(measured - formula) < 1e-6, "they are the same")
    return recording
  }
}
