import Martlet
import MartletCore
import MartletWire

extension Scenario {
  /// Cornell s104: 1 2 3.
  static let fragments = Scenario("fragments", "a datagram in fragments 1 2 3, put together at its destination") {
    stage in
    try playFragments(stage, losing: nil)
  }

  static let lostFragment = Scenario("lost-fragment", "fragments 1 and 3 arrive, 2 is lost: the datagram is lost") {
    stage in
    try playFragments(stage, losing: 2)
  }

  private static func playFragments(_ stage: Stage, losing lost: Int?) throws -> Recording {
    let world = try stage.world { world in
      world.host("sender")
      world.router("router")
      world.host("receiver")
      world.wire("sender", "router", LinkDirection(rate: 10_000_000, delay: .milliseconds(1)))
      var there = LinkDirection(rate: 10_000_000, delay: .milliseconds(1))
      if let lost { there.script = [ScriptedFault(.lose, [lost], of: FramePattern(.fragment))] }
      world.wire("router", "receiver", there: there, back: LinkDirection(rate: 10_000_000, delay: .milliseconds(1)))
    }
    let (sender, receiver) = (try world.host("sender"), try world.host("receiver"))
    let address = SocketAddress(try world.address(of: "receiver"), port: 5_000)
    let byteCount = try world.runAndWait { () -> Int? in
      _ = try await sender.ping(address.address)
      let inbox = try receiver.bindUDP(on: 5_000)
      defer { inbox.close() }
      let outbox = try sender.bindUDP()
      defer { outbox.close() }
      try outbox.send((0..<4_000).map { UInt8(truncatingIfNeeded: $0) }, to: address)
      return try? await receiver.loop.withTimeout(.seconds(90)) { try await inbox.receive().bytes.count }
    }
    let drops = receiver.drops[.fragmentTimeout]
    let recording = world.finish()
    stage.say("4,000 bytes and a UDP header do not fit into 1,500:")
    var rows = [["fragment", "bytes of the datagram", "more follow", "became"]]
    let fragments = recording.frames.filter {
      $0.link == recording.link("router-receiver") && $0.end == 0 && recording.view($0).isFragment
    }
    for (index, frame) in fragments.enumerated() {
      let view = recording.view(frame)
      let length = Int(frame.bytes[16]) << 8 + Int(frame.bytes[17]) - 20
      let fate: String
      if case .lost(let reason) = frame.fate {
        fate = "lost: \(reason)"
      } else {
        fate = "arrived at \(milliseconds(frame.arrival))"
      }
      rows.append([
        "\(index + 1)", "\(view.fragmentOffset) to \(view.fragmentOffset + length - 1)",
        frame.bytes[20] & 0x20 != 0 ? "yes" : "no", fate,
      ])
    }
    stage.table(rows)
    stage.check(fragments.count == 3, "there are three")
    stage.check(
      Set(fragments.map { recording.view($0).identification }).count == 1, "all have the same identification")
    if lost == nil {
      stage.check(byteCount == 4_000, "the program got the 4,000 bytes at once")
    } else {
      stage.check(byteCount == nil, "the program got nothing, though two of three arrived")
      stage.check(drops > 0, "after a minute the receiver gave up and let go of what it had")
    }
    return recording
  }
}
