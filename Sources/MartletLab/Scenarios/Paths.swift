import Martlet
import MartletCore
import MartletWire

extension Scenario {
  /// Cornell s119 to s123, Kurose and Ross chapter 1: ping and traceroute through three routers.
  static let traceroute = Scenario(
    "traceroute", "ping says how far it is, traceroute by whom: routers tell when a packet has made its hops"
  ) { stage in
    let world = try stage.world { world in
      world.host("client")
      for name in ["r1", "r2", "r3"] { world.router(name) }
      world.host("server")
      for (first, second, delay) in [
        ("client", "r1", 1), ("r1", "r2", 10), ("r2", "r3", 5), ("r3", "server", 2),
      ] { world.wire(.init(first), .init(second), LinkDirection(delay: .milliseconds(delay))) }
    }
    let client = try world.host("client")
    let server = try world.address(of: "server")
    let (pings, hops, refusals) = try world.runAndWait { () -> ([Int64], [Hop], [String]) in
      var pings: [Int64] = []
      for _ in 1...3 { pings.append(try await client.ping(server).inNanoseconds) }
      let socket = try client.openEcho(.v4)
      defer { socket.close() }
      var hops: [Hop] = []
      for limit: UInt8 in 1...8 {
        let start = client.loop.now
        try socket.send(Array("are you there?".utf8), sequence: UInt16(limit), to: server, hopLimit: limit)
        let (echo, _) = try await socket.receive()
        hops.append(
          Hop(
            limit: limit, address: echo.source.address, isEnd: echo.kind == .reply,
            time: start.duration(to: echo.time).inNanoseconds))
        if echo.kind == .reply { break }
      }
      var refusals: [String] = []
      for address: IPAddress in ["203.0.113.7"] {
        do { _ = try await client.ping(address) } catch { refusals.append("\(address): \(error)") }
      }
      return (pings, hops, refusals)
    }
    let names = Dictionary(
      uniqueKeysWithValues: try ["r1", "r2", "r3", "server"].map { name in
        (name, try interfaces(of: name, world))
      })
    func name(of address: IPAddress) -> String {
      ["r1", "r2", "r3", "server"].first { names[$0]?.contains(address) == true } ?? "?"
    }
    let recording = world.finish()
    stage.say("ping \(server): \(pings.map(milliseconds).joined(separator: ", "))")
    stage.say("(the first has to find out on every link who is next: ARP)\n")
    stage.say("traceroute \(server):")
    stage.table(
      hops.map {
        [
          "\($0.limit)", "\($0.address)", name(of: $0.address), milliseconds($0.time),
          $0.isEnd ? "answer" : "time exceeded",
        ]
      })
    stage.say("\nping where no route leads: \(refusals.joined(separator: ", "))")
    stage.say("\nThe packet that had two hops, on its way:")
    for link in ["client-r1", "r1-r2", "r2-r3"] {
      stage.ladder(recording, on: link) { frame in
        let view = recording.view(frame)
        return view.protocol == .icmpv4 && isAbout(frame, hops[1].limit)
      }
    }
    stage.say()
    stage.check(
      hops.map { name(of: $0.address) } == ["r1", "r2", "r3", "server"], "each router on the way told its name")
    stage.check(
      hops.map(\.time) == [2_000_000, 22_000_000, 32_000_000, 36_000_000],
      "after the round trip to it: 2 · 1 ms, 2 · (1 + 10) ms, and so on")
    stage.check(
      pings[1] == 36_000_000 && pings[2] == pings[1] && pings[0] > pings[1], "ping measures the same to the end")
    stage.check(
      refusals.count == 1 && refusals[0].contains("nreachable"), "where no route leads the first router says so")
    return recording
  }

  private struct Hop {
    var limit: UInt8
    var address: IPAddress
    var isEnd: Bool
    var time: Int64
  }

  private static func interfaces(of name: String, _ world: World) throws -> [IPAddress] {
    guard let node = world.plan.indices[name] else { return [] }
    return world.plan.interfaces[node].flatMap { $0.addresses.map(\.address) }
  }

  /// Whether it is the echo request with that sequence number, or an error that quotes it.
  private static func isAbout(_ frame: Recording.Frame, _ sequence: UInt8) -> Bool {
    let icmp = 34
    guard frame.bytes.count > icmp + 8 else { return false }
    // An error quotes the packet behind its own eight bytes.
    let place = frame.bytes[icmp] == 11 ? icmp + 8 + 20 : icmp
    return frame.bytes.count > place + 7 && frame.bytes[place] == 8 && frame.bytes[place + 7] == sequence
  }
}
