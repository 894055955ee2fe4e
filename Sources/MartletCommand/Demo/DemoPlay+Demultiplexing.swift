import Martlet
import MartletCore
import MartletWire

extension DemoPlay {
  /// Several connections to one port: which socket a segment is for.
  mutating func demultiplex() throws {
    transcript.section(
      "Whose segment is it? (demultiplexing)",
      "Three connections lead to one port. A segment is for the socket that matches all of protocol, local address, local\n"
        + "port, remote address and remote port; if none does, for one with its local address and port; else for one with\n"
        + "its local port.")
    let client = client
    let remote4 = SocketAddress(DemoStage.Address.server(.v4), port: Self.uppercasePort)
    let remote6 = SocketAddress(DemoStage.Address.server(.v6), port: Self.uppercasePort)
    let connections = try stage.act { () -> [TCPSocket] in
      var connections: [TCPSocket] = []
      for remote in [remote4, remote4, remote6] { connections.append(try await client.connect(to: remote)) }
      for connection in connections { try await connection.write("mine") }
      return connections
    }
    _ = stage.observer.takeSightings()
    transcript.sockets(of: client)
    transcript.sockets(of: server)
    transcript.remark("")

    var places: [SocketID] = []
    for connection in connections {
      guard let from = connection.localAddress, let to = connection.remoteAddress else { continue }
      let explanation = explain(.tcp, from, to)
      if explanation.step == .fiveTuple, let socket = explanation.socket { places.append(socket) }
    }
    transcript.check(Set(places).count == 3, "three segments to one port went to three sockets")
    let stranger = SocketAddress(DemoStage.Address.client(.v4), port: 50_000)
    transcript.check(
      explain(.tcp, stranger, remote4).step == .portAlone, "a new connection's SYN goes to the listener")
    transcript.check(
      explain(.udp, stranger, remote4).step == .portAlone,
      "a datagram to the same port goes to the UDP socket: UDP has ports of its own")
    let nowhere = SocketAddress(DemoStage.Address.server(.v4), port: 81)
    transcript.check(explain(.tcp, stranger, nowhere).step == .nobody, "port 81 leads to nobody")

    let answers = try stage.act { () -> [String] in
      var answers: [String] = []
      for connection in connections {
        answers.append(String(decoding: try await connection.read(), as: UTF8.self))
        connection.close()
      }
      return answers
    }
    _ = stage.observer.takeSightings()
    transcript.check(answers == ["MINE", "MINE", "MINE"], "each connection got its own answer")
  }

  /// Asks the server where a packet would go, and tells it.
  private func explain(
    _ kind: SocketStatus.Kind, _ from: SocketAddress, _ to: SocketAddress
  ) -> DemultiplexingExplanation {
    let explanation = server.explainDemultiplexing(protocol: kind, from: from, to: to)
    let row = server.socketTable().first { $0.socket == explanation.socket }
    let target = row.map { "\($0.kind.rawValue) \(words(for: $0.local)) ← \($0.remote.map(words) ?? "*")" } ?? "nobody"
    transcript.remark("\(kind.rawValue) from \(from) to \(to)  ⇒  \(target)  (by \(explanation.step.rawValue))")
    return explanation
  }
}
