import Martlet
import MartletCore
import MartletWire

extension Scenario {
  /// Cornell s67-69: 18 is lost, 19 to 21 make the receiver say 17 three times more, 18 goes again.
  static let fastRetransmit = Scenario(
    "fast-retransmit", "18 is lost; three more acknowledgements of 17, and 18 goes again long before the timer"
  ) { try playLoss($0, count: 5, selective: false) }

  /// The slide's other variant: only two segments behind the loss.
  static let earlyRetransmit = Scenario(
    "early-retransmit", "18 is lost and only 19 and 20 follow: two duplicates are not three; RACK does with them"
  ) { try playLoss($0, count: 4, selective: true) }

  private static func playLoss(_ stage: Stage, count: Int, selective: Bool) throws -> Recording {
    let world = try stage.world { world in
      for name in ["sender", "receiver"] {
        world.host(name) {
          $0.tuning = .textbook
          $0.tuning.selectiveAcknowledgments = selective
        }
      }
      var there = LinkDirection(rate: 1_000_000, delay: .milliseconds(50), mtu: 1_040)
      there.script = [ScriptedFault(.lose, [2], of: FramePattern(.tcpData))]
      world.wire(
        "sender", "receiver", there: there, back: LinkDirection(rate: 1_000_000, delay: .milliseconds(50), mtu: 1_040),
        name: "line")
    }
    let (sender, receiver) = (try world.host("sender"), try world.host("receiver"))
    let address = SocketAddress(try world.address(of: "receiver"), port: 5_000)
    try world.runAndWait {
      _ = try await sender.ping(address.address)
      try Transfer.sink(on: receiver, port: 5_000)
      try await Transfer.send(count * 1_000, from: sender, to: address)
    }
    let recording = world.finish()
    let begin = recording.dataSegments(of: "sender", on: "line", size: 1_000).first?.frame.departure ?? 0
    let initial =
      recording.frames.first { recording.view($0).flags.contains(.syn) }
      .map { recording.view($0).sequenceNumber &+ 1 } ?? 0
    var rows: [[String]] = []
    var duplicates = 0
    var lastNumber = -1
    for frame in recording.frames where frame.departure >= begin && recording.view(frame).protocol == .tcp {
      let view = recording.view(frame)
      let arrow: String
      if case .lost = frame.fate { arrow = "──✗ lost" } else { arrow = "──▶ \(milliseconds(frame.arrival - begin))" }
      let time = milliseconds(frame.departure - begin)
      if frame.end == 0 {
        guard view.payloadByteCount > 0 else { continue }
        let number = Int(view.sequenceNumber &- initial) / 1_000 + 17
        let comment = frame.comment.hasPrefix("retransmission") ? "  [\(frame.comment)]" : ""
        rows.append([time, "data \(number)", arrow + comment])
      } else {
        let number = Int(view.acknowledgmentNumber &- initial) / 1_000 + 16
        if number == lastNumber, !view.flags.contains(.fin) { duplicates += 1 }
        lastNumber = number
        rows.append([time, "", arrow, "ack \(number)\(view.flags.contains(.fin) ? " and FIN" : "")"])
      }
    }
    stage.table(rows)
    let segments = recording.dataSegments(of: "sender", on: "line", size: 1_000)
    let again = segments.filter { pair in
      segments.contains { $0.number == pair.number && $0.frame.departure < pair.frame.departure }
    }
    stage.check(again.map(\.number) == [2], "18, and nothing else, went again")
    stage.check(duplicates >= (selective ? 2 : 3), "17 was acknowledged \(duplicates) times more")
    let timeouts = recording.events.count { $0.kind == "timeout" }
    stage.check(timeouts == 0, "the retransmission timer did not run out")
    if let frame = again.first?.frame, let cause = frame.cause {
      var chain: [String] = []
      var next: Int? = cause
      while let event = next, chain.count < 4 {
        chain.append(
          "\(recording.nodes[recording.events[event].node].name) \(recording.events[event].kind): \(recording.events[event].text)"
        )
        next = recording.events[event].cause
      }
      stage.say("Why 18 went again:")
      for line in chain { stage.say("  ← \(line)") }
    }
    return recording
  }
}
