import Martlet
import MartletCore
import MartletWire

extension Scenario {
  /// Cornell s56 and s61: the life of a connection.
  static let handshake = Scenario("handshake", "SYN, SYN ACK, ACK; data; FIN both ways: the life of a connection") {
    stage in
    let recording = try playLife(stage, FramePattern(.tcpSYN), losing: [])
    let states = recording.events.filter { $0.kind == "state" }
    for node in ["client", "server"] {
      let mine = states.filter { recording.nodes[$0.node].name == node }.map(\.text)
      stage.say("\(node): " + mine.joined(separator: ", "))
    }
    let clientStates = states.filter { recording.nodes[$0.node].name == "client" }.map(\.text)
    stage.check(
      clientStates == [
        "CLOSED → SYN-SENT", "SYN-SENT → ESTABLISHED", "ESTABLISHED → FIN-WAIT-1", "FIN-WAIT-1 → FIN-WAIT-2",
        "FIN-WAIT-2 → TIME-WAIT",
      ], "the client went through the states of whoever closes first")
    return recording
  }

  /// "I'd tell you a joke about TCP, but you may not get it": the SYN is lost.
  static let lostSYN = Scenario("lost-syn", "nobody heard the SYN: a second later it is said again") { stage in
    let recording = try playLife(stage, FramePattern(.tcpSYN), losing: [1])
    let syns = recording.frames.filter { $0.end == 0 && recording.view($0).flags.contains(.syn) }
    stage.check(
      syns.count == 2 && syns[1].departure - syns[0].departure >= 1_000_000_000, "the SYN went again after a second")
    return recording
  }

  /// Cornell s62: data with 18 is lost, the sender's timer runs out, 18 goes again.
  static let timeout = Scenario("timeout", "the last segment is lost, nothing follows it: only the timer can tell") {
    stage in
    let recording = try playLife(stage, FramePattern(.tcpData, destinationPort: 80), losing: [1])
    stage.check(recording.events.contains { $0.kind == "timeout" }, "the retransmission timer ran out")
    let again = recording.frames.filter { $0.comment.hasPrefix("retransmission") }
    stage.check(again.count == 1, "the segment went again, once")
    return recording
  }

  private static func playLife(_ stage: Stage, _ pattern: FramePattern, losing numbers: [Int]) throws -> Recording {
    let world = try stage.world { world in
      for name in ["client", "server"] { world.host(name) { $0.tuning = .textbook } }
      var there = LinkDirection(rate: 10_000_000, delay: .milliseconds(20))
      if !numbers.isEmpty { there.script = [ScriptedFault(.lose, numbers, of: pattern)] }
      world.wire(
        "client", "server", there: there, back: LinkDirection(rate: 10_000_000, delay: .milliseconds(20)), name: "line")
    }
    let (client, server) = (try world.host("client"), try world.host("server"))
    let address = SocketAddress(try world.address(of: "server"), port: 80)
    let answer = try world.runAndWait { () -> String in
      _ = try await client.ping(address.address)
      let listener = try server.listen(on: 80)
      server.loop.task {
        let connection = try await listener.accept()
        defer { connection.close() }
        var line: [UInt8] = []
        while true {
          let bytes = try await connection.read()
          if bytes.isEmpty { break }
          line += bytes
          try await connection.write("I got it: \(String(decoding: line, as: UTF8.self))")
        }
      }
      let connection = try await client.connect(to: address)
      try await connection.write("do you get it?")
      let answer = String(decoding: try await connection.read(), as: UTF8.self)
      connection.close()
      try await client.loop.clock.sleep(for: .seconds(1))
      return answer
    }
    let recording = world.finish()
    stage.ladder(recording, on: "line") { recording.view($0).protocol == .tcp }
    stage.check(answer == "I got it: do you get it?", "the client heard: \(answer)")
    return recording
  }
}
