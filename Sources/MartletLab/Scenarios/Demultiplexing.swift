import Martlet
import MartletCore
import MartletWire

extension Scenario {
  /// Cornell s46-49: clients at A:9157 and C:5775, sockets at B:53 and B:80, and then one at B:6428 for both.
  static let datagramDemultiplexing = Scenario(
    "udp-demultiplexing", "datagrams go by their destination's port alone; replies swap address and port"
  ) { stage in
    let world = try stage.world { lan(&$0) }
    let (a, b, c) = (try world.host("A"), try world.host("B"), try world.host("C"))
    let answers = try world.runAndWait { () -> [String] in
      for host in [a, c] { _ = try await host.ping("192.0.2.2") }
      for port: UInt16 in [53, 80, 6_428] {
        let socket = try b.bindUDP(on: port)
        b.loop.task {
          while true {
            let datagram = try await socket.receive()
            try socket.send("P at \(port) heard \(datagram.source)", to: datagram.source)
          }
        }
      }
      let first = try a.bindUDP(on: 9_157)
      let second = try c.bindUDP(on: 5_775)
      var answers: [String] = []
      for (socket, port) in [(first, UInt16(53)), (second, 80), (first, 6_428), (second, 6_428)] {
        try socket.send("hello", to: SocketAddress("192.0.2.2", port: port))
        answers.append(String(decoding: try await socket.receive().bytes, as: UTF8.self))
      }
      return answers
    }
    tellSockets(of: b, stage)
    let explanations = [
      (SocketAddress("192.0.2.1", port: 9_157), UInt16(6_428)), (SocketAddress("192.0.2.3", port: 5_775), 6_428),
    ]
    .map { b.explainDemultiplexing(protocol: .udp, from: $0.0, to: SocketAddress("192.0.2.2", port: $0.1)) }
    let recording = world.finish()
    stage.say("\nAt B:")
    var rows: [[String]] = []
    for frame in recording.frames where frame.link == recording.link("B-switch") {
      let view = recording.view(frame)
      guard view.protocol == .udp else { continue }
      rows.append([
        frame.end == 1 ? "in" : "out", "\(view.source.map { "\($0)" } ?? "?"):\(view.sourcePort)", "→",
        "\(view.destination.map { "\($0)" } ?? "?"):\(view.destinationPort)",
      ])
    }
    stage.table(rows)
    stage.check(
      answers == [
        "P at 53 heard 192.0.2.1:9157", "P at 80 heard 192.0.2.3:5775", "P at 6428 heard 192.0.2.1:9157",
        "P at 6428 heard 192.0.2.3:5775",
      ], "each datagram reached the socket of its port, with its sender's address")
    stage.check(
      explanations[0].socket != nil && explanations[0].socket == explanations[1].socket,
      "9157 → 6428 and 5775 → 6428 reach one socket")
    return recording
  }

  /// Cornell s59: three segments to B:80 reach three sockets, two of them from port 915.
  static let streamDemultiplexing = Scenario(
    "tcp-demultiplexing", "three connections to B:80, two from port 915: all four numbers say which socket it is"
  ) { stage in
    let world = try stage.world { lan(&$0) }
    let (a, b, c) = (try world.host("A"), try world.host("B"), try world.host("C"))
    let server = SocketAddress("192.0.2.2", port: 80)
    let ends = [
      (a, SocketAddress("192.0.2.1", port: 915)), (c, SocketAddress("192.0.2.3", port: 517)),
      (c, SocketAddress("192.0.2.3", port: 915)),
    ]
    let answers = try world.runAndWait { () -> [String] in
      let listener = try b.listen(on: 80)
      b.loop.task {
        for try await connection in listener {
          b.loop.task {
            let bytes = try await connection.read()
            try await connection.write(
              "\(String(decoding: bytes, as: UTF8.self)) is \(connection.remoteAddress.map { "\($0)" } ?? "?")")
            _ = try await connection.read()
          }
        }
      }
      var answers: [String] = []
      var connections: [TCPSocket] = []
      for (index, end) in ends.enumerated() {
        let connection = try await end.0.connect(to: server, from: end.1)
        try await connection.write("P\(index + 4)")
        answers.append(String(decoding: try await connection.read(), as: UTF8.self))
        connections.append(connection)
      }
      tellSockets(of: b, stage)
      var places: [SocketID] = []
      stage.say("\nWhere a segment goes:")
      for end in ends {
        let explanation = b.explainDemultiplexing(protocol: .tcp, from: end.1, to: server)
        stage.say("  \(end.1) → \(server): by \(explanation.step.rawValue)")
        if let socket = explanation.socket { places.append(socket) }
      }
      let stranger = b.explainDemultiplexing(protocol: .tcp, from: SocketAddress("192.0.2.1", port: 1_000), to: server)
      stage.say("  192.0.2.1:1000 → \(server): by \(stranger.step.rawValue), the listener")
      stage.check(Set(places).count == 3, "three segments to one port have three sockets")
      return answers
    }
    stage.check(
      answers == ["P4 is 192.0.2.1:915", "P5 is 192.0.2.3:517", "P6 is 192.0.2.3:915"],
      "each client talked to a socket of its own")
    return world.finish()
  }

  private static func lan(_ world: inout WorldDescription) {
    let lan = LinkDirection(rate: 100_000_000, delay: .microseconds(1))
    world.switch("switch")
    for (index, name) in ["A", "B", "C"].enumerated() {
      world.host(name)
      let address = AddressInSubnet(IPAddress(IPv4Address(192, 0, 2, UInt8(index + 1))), prefixLength: 24)
      world.wire(.init(name, addresses: [address]), "switch", lan)
    }
  }

  private static func tellSockets(of host: VirtualHost, _ stage: Stage) {
    stage.say("The sockets of \(host.name):")
    var rows = [["kind", "local", "remote", "state"]]
    for row in host.socketTable() {
      rows.append([
        row.kind.rawValue, Recorder.words(for: row.local), row.remote.map(Recorder.words) ?? "*:*", row.state ?? "",
      ])
    }
    stage.table(rows)
  }
}
