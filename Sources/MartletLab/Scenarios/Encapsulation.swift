import Martlet
import MartletCore
import MartletWire

extension Scenario {
  /// Cornell s15: source host, switch, router, router, destination; the headers at every hop.
  static let encapsulation = Scenario(
    "encapsulation", "HL|HN|HT|M: what each hop reads and changes of a message in capitals, over UDP and over TCP"
  ) { stage in
    let world = try stage.world { world in
      world.host("client")
      world.switch("s1")
      world.router("r1")
      world.router("r2")
      world.switch("s2")
      world.host("server", services: [.init("uppercase")])
      let lan = LinkDirection(rate: 100_000_000, delay: .microseconds(5))
      world.wire(.init("client", addresses: ["192.0.2.1/24"]), "s1", lan)
      world.wire("s1", .init("r1", addresses: ["192.0.2.254/24"]), lan)
      world.wire(
        .init("r1", addresses: ["203.0.113.1/30"]), .init("r2", addresses: ["203.0.113.2/30"]),
        LinkDirection(rate: 10_000_000, delay: .milliseconds(10)))
      world.wire(.init("r2", addresses: ["198.51.100.254/24"]), "s2", lan)
      world.wire("s2", .init("server", addresses: ["198.51.100.2/24"]), lan)
    }
    let client = try world.host("client")
    let server = SocketAddress("198.51.100.2", port: 12_000)
    let answers = try world.runAndWait { () -> [String] in
      // Who is where is found out first (ARP), so that what follows is the message alone.
      _ = try await client.ping("198.51.100.2")
      let datagrams = try client.bindUDP()
      defer { datagrams.close() }
      try datagrams.send("over UDP", to: server)
      let first = String(decoding: try await datagrams.receive().bytes, as: UTF8.self)
      let connection = try await client.connect(to: server)
      defer { connection.close() }
      try await connection.write("over TCP")
      let second = String(decoding: try await connection.read(), as: UTF8.self)
      return [first, second]
    }
    try world.run(for: .seconds(1))
    let recording = world.finish()
    for (transport, sent, got) in [("UDP", "over UDP", answers[0]), ("TCP", "over TCP", answers[1])] {
      for (text, title) in [(sent, "the request"), (got, "the answer")] {
        guard
          let last = recording.frames.lastIndex(where: { frame in
            recording.payload(frame) == text
              && recording.links[frame.link].ends[1 - frame.end].node
                == recording.node(text == sent ? "server" : "client")
          })
        else {
          stage.check(false, "\(transport): \(title) arrived")
          continue
        }
        stage.say("\(transport), \(title): M is \"\(text)\"")
        let way = recording.way(to: last)
        var rows = [["on", "HL: from → to", "HN: from → to, TTL, checksum", "HT"]]
        for index in way { rows.append(row(recording.frames[index], recording)) }
        stage.table(rows)
        stage.check(way.count == 5, "\(transport): \(title) took five links")
        check(way.map { recording.frames[$0].bytes }, transport, title, stage)
        stage.say()
      }
    }
    return recording
  }

  private static func row(_ frame: Recording.Frame, _ recording: Recording) -> [String] {
    let bytes = frame.bytes
    func mac(_ at: Int) -> String {
      let address = (0..<6).reduce(UInt64(0)) { $0 << 8 | UInt64(bytes[at + $1]) }
      return MACAddress(value: address).description
    }
    let view = recording.view(frame)
    let sum = String(UInt16(bytes[24]) << 8 | UInt16(bytes[25]), radix: 16)
    return [
      recording.links[frame.link].name, "\(mac(6)) → \(mac(0))",
      "\(view.source.map { "\($0)" } ?? "?") → \(view.destination.map { "\($0)" } ?? "?"), TTL \(bytes[22]), 0x\(sum)",
      "\(view.sourcePort) → \(view.destinationPort)",
    ]
  }

  /// HL is new behind each router, HN changes in TTL and checksum alone, HT and M not at all.
  private static func check(_ frames: [[UInt8]], _ transport: String, _ title: String, _ stage: Stage) {
    guard frames.count == 5 else { return }
    stage.check(frames[0] == frames[1] && frames[3] == frames[4], "a switch changes nothing")
    let changed = Set((0..<frames[1].count).filter { frames[1][$0] != frames[2][$0] })
    let allowed = Set(Array(0..<12) + [22, 24, 25])
    stage.check(changed.isSubset(of: allowed), "a router changes HL, the TTL and the header's checksum, nothing else")
    stage.check(
      frames[1][22] == frames[2][22] + 1 && frames[2][22] == frames[3][22] + 1, "each router takes one from the TTL")
  }
}
