import Martlet
import MartletCore
import MartletServices
import MartletWire

/// The scenes of the demonstration; each says what it shows, does it, and checks that it happened.
struct DemoPlay {
  let stage: DemoStage
  var transcript: Transcript

  static let versions: [(IPVersion, String)] = [(.v4, "IPv4"), (.v6, "IPv6")]
  static let uppercasePort = SimpleService.uppercase.port

  var client: VirtualHost { stage.client }
  var server: VirtualHost { stage.server }

  mutating func open() throws {
    transcript.remark(
      """
      Two hosts on one wire of 1 Gbit/s and 1 ms, in virtual time: the times below are exact and the same in every run.

        client  192.0.2.1  2001:db8::1  \(DemoStage.clientMAC) ──── server  192.0.2.2  2001:db8::2  \(DemoStage.serverMAC)

      A line is a frame as it leaves its sender: time in seconds, who → whom, protocol, what it says.
      """)
    try SimpleService.uppercase.start(on: server)
    try stage.act {}
    transcript.packets(stage.observer.takeSightings())
  }

  // MARK: Neighbours

  mutating func resolve() throws {
    transcript.section(
      "Who has that address? (ARP and NDP)",
      "To send a frame the client needs an Ethernet address. It asks everyone (ARP, IPv4) or a group (NDP, IPv6),\n"
        + "keeps the packet meanwhile, and remembers the answer. The server learns from the question.")
    let client = client
    for (version, _) in Self.versions {
      _ = try stage.act { try await client.ping(DemoStage.Address.server(version)) }
    }
    transcript.packets(stage.observer.takeSightings())
    for host in [client, server] {
      var table = Table("address", "ethernet", "state")
      for neighbor in host.neighborTable() {
        table.add("\(neighbor.address)", neighbor.mac?.description ?? "?", "\(neighbor.state)")
      }
      transcript.table(table, "Neighbour cache of \(host.name)", kind: "neighbor", host: host.name)
    }
    for (version, name) in Self.versions {
      let address = DemoStage.Address.server(version)
      let known = client.neighborTable().first { $0.address == address }?.mac
      transcript.check(
        known == DemoStage.serverMAC, "\(name): the client knows that \(address) is at \(DemoStage.serverMAC)")
    }
  }

  mutating func ping() throws {
    transcript.section("Are you there? (ICMP echo)", "Now both know each other: a request and a reply, 1 ms each way.")
    let client = client
    for (version, name) in Self.versions {
      let time = try stage.act { try await client.ping(DemoStage.Address.server(version)) }
      transcript.packets(stage.observer.takeSightings())
      let milliseconds = seconds(time) * 1_000
      transcript.check(
        (2.0..<2.1).contains(milliseconds),
        "\(name): there and back in \(fixed(milliseconds, 3)) ms: 2 × 1 ms on the wire and the bits' own time")
    }
  }

  // MARK: Upper case

  mutating func uppercaseOverUDP() throws {
    transcript.section(
      "Upper case over UDP",
      "A datagram there, a datagram back: no connection, no guarantee. The server listens on port \(Self.uppercasePort)."
    )
    let client = client
    for (version, name) in Self.versions {
      let answer = try stage.act {
        let socket = try client.bindUDP()
        defer { socket.close() }
        try socket.send(
          "hello over UDP", to: SocketAddress(DemoStage.Address.server(version), port: Self.uppercasePort))
        return String(decoding: try await socket.receive().bytes, as: UTF8.self)
      }
      transcript.packets(stage.observer.takeSightings())
      transcript.check(answer == "HELLO OVER UDP", "\(name): the client got \"\(answer)\"")
    }
  }

  mutating func uppercaseOverTCP() throws {
    transcript.section(
      "Upper case over TCP",
      "Three segments open the connection (SYN, SYN ACK, ACK), data is acknowledged byte by byte, and each side closes\n"
        + "its direction (FIN). Numbers count from 0 at each side's SYN; SYN and FIN count as one byte each.")
    let client = client
    for (version, name) in Self.versions {
      let answer = try stage.act {
        let remote = SocketAddress(DemoStage.Address.server(version), port: Self.uppercasePort)
        let socket = try await client.connect(to: remote)
        try await socket.write("hello over TCP")
        let answer = String(decoding: try await socket.read(), as: UTF8.self)
        try socket.shutdownWrite()
        let rest = try await socket.read()
        socket.close()
        return rest.isEmpty ? answer : answer + " and more"
      }
      let sightings = stage.observer.takeSightings()
      transcript.packets(sightings)
      let flags = sightings.prefix(3).map { $0.frame.text }
      let isHandshake =
        flags.count == 3 && flags[0].contains("  SYN  ") && flags[1].contains("  SYN ACK  ")
        && flags[2].contains("  ACK  ")
      transcript.check(isHandshake, "\(name): three segments opened the connection")
      transcript.check(answer == "HELLO OVER TCP", "\(name): the client got \"\(answer)\", then the end of the stream")
      let fins = sightings.count { $0.frame.text.contains("FIN") }
      transcript.check(fins == 2, "\(name): each side closed its direction with a FIN")
    }
  }

  // MARK: Refusal

  mutating func refuse() throws {
    transcript.section(
      "Nobody listens there",
      "TCP answers with a reset (RST), UDP with an ICMP message that carries the datagram's beginning.")
    let client = client
    for (version, name) in Self.versions {
      let closed = SocketAddress(DemoStage.Address.server(version), port: 81)
      let tcp = try stage.act { () -> SocketError? in
        do throws(SocketError) {
          try await client.connect(to: closed).close()
          return nil
        } catch { return error }
      }
      let udp = try stage.act { () -> SocketError? in
        do throws(SocketError) {
          let socket = try client.bindUDP(on: SocketAddress(.any(version), port: 0))
          try socket.connect(to: closed)
          try socket.send("anyone?")
          _ = try await socket.receive()
          return nil
        } catch { return error }
      }
      transcript.packets(stage.observer.takeSightings())
      transcript.check(tcp == .refused, "\(name): connect to port 81 was refused")
      transcript.check(udp == .refused, "\(name): the connected UDP socket learned that port 81 is closed")
    }
  }

  // MARK: End

  mutating func end(file: String) throws {
    transcript.section(
      "After the end",
      "Who closed first keeps the connection in TIME-WAIT, lest a late segment reach a later connection.")
    transcript.sockets(of: client)
    transcript.sockets(of: server)
    let waiting = client.socketTable().count { $0.state == "TIME-WAIT" }
    transcript.check(waiting > 0, "\(waiting) connections of the client wait in TIME-WAIT")
    let before = stage.loop.now
    try stage.act(settling: .seconds(240)) {}
    let passed = fixed(seconds(before.duration(to: stage.loop.now)), 0)
    let left = (client.socketTable() + server.socketTable()).count { $0.kind == .tcp }
    transcript.check(left == 0, "\(passed) s of virtual time later no connection is left")

    for host in [client, server] {
      var table = Table("reason", "packets")
      let drops = host.drops
      for reason in Drop.Reason.allCases where drops[reason] > 0 { table.add("\(reason)", "\(drops[reason])") }
      transcript.table(table, "Packets dropped by \(host.name), by name", kind: "drop", host: host.name)
    }
    let drops = server.drops
    transcript.check(
      drops[.tcpNoSocket] == 2 && drops[.udpNoSocket] == 2, "the server dropped just what was sent to closed ports")

    let frames = stage.finishRecording()
    transcript.check((frames ?? 0) > 0, "\(frames ?? 0) frames, seen from both hosts, are in \(file)")
    transcript.remark("Open it with: wireshark \(file)   or: tshark -r \(file)")
  }
}

extension Transcript {
  /// The socket table of `host`.
  func sockets(of host: VirtualHost) {
    var table = Table("kind", "local", "remote", "state", "to read", "to send")
    for row in host.socketTable() {
      table.add(
        row.kind.rawValue, words(for: row.local), row.remote.map(words) ?? "*", row.state ?? "", "\(row.receiveQueue)",
        "\(row.sendQueue)")
    }
    self.table(table, "Sockets of \(host.name)", kind: "socket", host: host.name)
  }
}

/// An end of a socket; any address and any port are a star.
func words(for address: SocketAddress) -> String {
  let port = address.port == 0 ? "*" : "\(address.port)"
  return address.address.isUnspecified ? "*:\(port)" : address.port == 0 ? "\(address.address)" : "\(address)"
}
