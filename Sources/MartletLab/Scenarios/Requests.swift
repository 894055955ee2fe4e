import Martlet
import MartletCore
import MartletWire

extension Scenario {
  /// Konstanz "Application example", Cornell s34 to s40: the upper-casing client and server, over either transport and either
  /// version of IP.
  static let uppercase = Scenario(
    "uppercase", "a line goes out and comes back in capitals: over UDP and TCP, IPv4 and IPv6"
  ) { stage in
    let world = try stage.world { line(&$0, services: [.init("uppercase")]) }
    let client = try world.host("client")
    let text = "hello, is anybody there?"
    let spans = try world.runAndWait { () -> [(from: Int64, until: Int64, answer: String)] in
      var spans: [(from: Int64, until: Int64, answer: String)] = []
      for address in addresses { _ = try await client.ping(address) }
      for address in addresses {
        for transport in ["UDP", "TCP"] {
          let start = client.loop.now.nanoseconds
          let server = SocketAddress(address, port: 12_000)
          let answer =
            transport == "UDP" ? try await datagram(text, client, server) : try await stream(text, client, server)
          // Until the connection is closed from both ends.
          try await client.loop.clock.sleep(for: .seconds(1))
          spans.append((start, client.loop.now.nanoseconds, answer))
        }
      }
      return spans
    }
    let recording = world.finish()
    for (index, span) in spans.enumerated() {
      stage.say(
        "\(index % 2 == 0 ? "UDP" : "TCP") over \(index < 2 ? "IPv4" : "IPv6"): \"\(text)\" → \"\(span.answer)\"")
      stage.ladder(recording, on: "line") { frame in
        let view = recording.view(frame)
        return frame.departure >= span.from && frame.departure < span.until && view.sourcePort > 0
      }
    }
    stage.say()
    stage.check(
      spans.allSatisfy { $0.answer == text.uppercased() },
      "the same answer by all four ways, from a server that was written once")
    return recording
  }

  /// Konstanz "Why is there a UDP?": one question and its answer by either transport.
  static let oneQuestion = Scenario(
    "one-question", "why is there a UDP? A question and its answer take one round trip, and by TCP two"
  ) { stage in
    let world = try stage.world { line(&$0, services: [.init("echo")]) }
    let client = try world.host("client")
    let server = SocketAddress(addresses[0], port: 7)
    let marks = try world.runAndWait { () -> [Int64] in
      _ = try await client.ping(addresses[0])
      var marks = [client.loop.now.nanoseconds]
      _ = try await datagram("what time is it?", client, server)
      marks.append(client.loop.now.nanoseconds)
      _ = try await stream("what time is it?", client, server)
      marks.append(client.loop.now.nanoseconds)
      try await client.loop.clock.sleep(for: .seconds(1))
      return marks
    }
    let recording = world.finish()
    let roundTrip: Int64 = 20_000_000
    var rows = [["", "frames", "bytes", "until the answer", "of which on the way", "of which on the line"]]
    for (index, transport) in [IPProtocol.udp, .tcp].enumerated() {
      let frames = recording.frames.filter { recording.view($0).protocol == transport }
      let time = marks[index + 1] - marks[index]
      // What the answer had to wait for: everything up to it, but for what left when it was there.
      let before = frames.filter { $0.arrival <= marks[index + 1] }
      let line = before.reduce(Int64(0)) { $0 + Int64($1.bytes.count) * 800 }
      rows.append([
        index == 0 ? "UDP" : "TCP", "\(frames.count)", "\(frames.reduce(0) { $0 + $1.bytes.count })",
        milliseconds(time),
        "\(index + 1) round trip\(index == 0 ? "" : "s") = \(milliseconds(roundTrip * Int64(index + 1)))",
        milliseconds(line),
      ])
      stage.check(
        time == roundTrip * Int64(index + 1) + line,
        "\(index == 0 ? "UDP: one round trip" : "TCP: two round trips"), and what its frames take on the line")
    }
    stage.say()
    stage.table(rows)
    stage.say("\nTCP asks whether anybody is there before it asks the question, and says goodbye behind the answer:")
    stage.ladder(recording, on: "line") { recording.view($0).protocol == .tcp }
    return recording
  }

  /// Konstanz "Addressing processes" and "Socket programming with TCP": who is reached, who refuses, and who is not there.
  static let refused = Scenario(
    "refused", "a port with a server, a port without, and a host that is gone: accepted, refused, given up"
  ) { stage in
    let world = try stage.world { line(&$0, services: [.init("echo"), .init("uppercase")]) }
    let (client, server) = (try world.host("client"), try world.host("server"))
    let words = try world.runAndWait { () -> [String] in
      _ = try await client.ping(addresses[0])
      func attempt(_ port: UInt16) async -> String {
        let start = client.loop.now
        do {
          return try await stream("both are here", client, SocketAddress(addresses[0], port: port))
        } catch {
          return "\(error) (\(milliseconds(start.duration(to: client.loop.now).inNanoseconds)))"
        }
      }
      var words = [await attempt(7), await attempt(12_000), await attempt(80)]
      do throws(SocketError) {
        _ = try server.listen(on: 7)
        words.append("a second server at port 7")
      } catch { words.append("\(error)") }
      try await client.loop.clock.sleep(for: .seconds(1))
      try world.apply(.crash("server"))
      words.append(await attempt(7))
      return words
    }
    let recording = world.finish()
    for (what, answer) in zip(
      [
        "port 7, echo", "port 12000, upper case", "port 80, nobody", "port 7 once more, by a second server",
        "port 7 of a machine that crashed",
      ],
      words)
    { stage.say("\(what): \(answer)") }
    stage.say("\nWhat was said to port 80, and to the machine that was gone:")
    let crash = recording.events.first { $0.kind == "fault" }?.time ?? 0
    stage.ladder(recording, on: "line") { frame in
      let view = recording.view(frame)
      return view.sourcePort == 80 || view.destinationPort == 80 || (frame.departure >= crash && view.protocol == .tcp)
    }
    stage.say()
    stage.check(
      words[0] == "both are here" && words[1] == "BOTH ARE HERE", "one address, two ports, two servers")
    stage.check(
      recording.frames.contains { recording.view($0).sourcePort == 80 && recording.view($0).flags.contains(.rst) },
      "where nobody listens a RST comes back, and connecting is refused")
    stage.check(words[3] == "\(SocketError.addressInUse)", "a port has one listener")
    let attempts = recording.frames.filter { $0.departure >= crash && recording.view($0).flags == .syn }
    let gaps = zip(attempts, attempts.dropFirst()).map { ($1.departure - $0.departure) / 1_000_000_000 }
    stage.check(
      gaps == [1, 2, 4],
      "\(attempts.count) SYNs to the machine that is gone, 1, 2 and 4 s apart; then ARP finds nobody either")
    return recording
  }

  private static let addresses: [IPAddress] = ["192.0.2.2", "2001:db8::2"]

  /// 10 Mbit/s and 10 ms, IPv4 and IPv6.
  private static func line(_ world: inout WorldDescription, services: [WorldDescription.Service]) {
    world.host("client") { $0.tuning = .textbook }
    world.host("server", services: services) { $0.tuning = .textbook }
    world.wire(
      .init("client", addresses: ["192.0.2.1/24", "2001:db8::1/64"]),
      .init("server", addresses: ["192.0.2.2/24", "2001:db8::2/64"]),
      LinkDirection(rate: 10_000_000, delay: .milliseconds(10)), name: "line")
  }

  private static func datagram(_ text: String, _ client: VirtualHost, _ server: SocketAddress) async throws -> String {
    let socket = try client.bindUDP()
    defer { socket.close() }
    try socket.send(text, to: server)
    return String(decoding: try await socket.receive().bytes, as: UTF8.self)
  }

  private static func stream(_ text: String, _ client: VirtualHost, _ server: SocketAddress) async throws -> String {
    let connection = try await client.connect(to: server)
    defer { connection.close() }
    try await connection.write(text)
    return String(decoding: try await connection.read(), as: UTF8.self)
  }
}
