import Martlet
import MartletCore
import MartletWire

extension Scenario {
  /// Cornell s101: "What is the physical address of the host named 128.84.96.89?" "I am at 1a:34:2c:9a:de:cc."
  static let addressResolution = Scenario("arp", "who has 128.84.96.89? The question goes to all, the answer to one") {
    stage in
    let world = try stage.world { world in
      world.host("asker")
      world.host("laptop")
      world.host("bystander")
      world.switch("switch")
      let lan = LinkDirection(rate: 100_000_000, delay: .microseconds(1))
      world.wire(.init("asker", addresses: ["128.84.96.1/24"]), "switch", lan)
      world.wire(.init("laptop", addresses: ["128.84.96.89/24"], macAddress: "1a:34:2c:9a:de:cc"), "switch", lan)
      world.wire(.init("bystander", addresses: ["128.84.96.90/24"]), "switch", lan)
    }
    let asker = try world.host("asker")
    try world.run(for: .seconds(1))
    let before = world.loop.now.nanoseconds
    let times = try world.runAndWait {
      let first = try await asker.ping("128.84.96.89")
      let second = try await asker.ping("128.84.96.89")
      return [first.inNanoseconds, second.inNanoseconds]
    }
    let neighbors = asker.neighborTable()
    let stations = try world.stations(of: "switch")
    let recording = world.finish()
    for link in ["asker-switch", "laptop-switch", "bystander-switch"] {
      stage.say("On \(link):")
      stage.ladder(recording, on: link) { $0.departure >= before }
    }
    stage.say("\nWhat the asker knows now:")
    stage.table(
      [["address", "ethernet", "state"]]
        + neighbors.filter { $0.address.isIPv4 }.map {
          ["\($0.address)", $0.mac?.description ?? "?", "\($0.state)"]
        })
    stage.say("What the switch has learnt:")
    stage.table([["station", "port"]] + stations)
    stage.say("\nPings: \(milliseconds(times[0])), then \(milliseconds(times[1])).")
    let bystander = recording.frames.filter {
      $0.link == recording.link("bystander-switch") && $0.departure >= before
    }
    stage.check(
      neighbors.contains { $0.address == "128.84.96.89" && $0.mac == "1a:34:2c:9a:de:cc" },
      "128.84.96.89 is at 1a:34:2c:9a:de:cc")
    stage.check(
      bystander.count == 1 && recording.view(bystander[0]).type == .arp,
      "the bystander heard the question and nothing else")
    stage.check(times[0] > times[1], "the second ping asks no more")
    return recording
  }

  /// Cornell s118: the table with 128.84.216/23, host routes in it, and what each look-up finds.
  static let routingTable = Scenario("routing-table", "128.84.216/23 and the routes in it: the longest prefix wins") {
    stage in
    let world = try stage.world { world in
      world.host("host")
      world.host("36")
      world.host("80")
      world.router("gateway")
      world.host("far")
      world.switch("en")
      let lan = LinkDirection(rate: 100_000_000, delay: .microseconds(1))
      world.wire(.init("host", addresses: ["128.84.216.10/23"], interface: "en0"), "en", lan)
      world.wire(.init("36", addresses: ["128.84.216.36/23"], macAddress: "74:ea:3a:00:00:36"), "en", lan)
      world.wire(.init("80", addresses: ["128.84.216.80/23"], macAddress: "74:ea:3a:00:00:80"), "en", lan)
      world.wire(.init("gateway", addresses: ["128.84.216.1/23"], macAddress: "c4:2c:03:00:00:01"), "en", lan)
      world.wire(.init("gateway", addresses: ["192.0.2.1/24"]), .init("far", addresses: ["192.0.2.9/24"]), lan)
    }
    let host = try world.host("host")
    let interface = InterfaceID(index: 1)
    for destination: Subnet in ["128.84.216.36/32", "128.84.216.80/32"] {
      try host.addRoute(to: destination, via: nil, on: interface)
    }
    try world.run(for: .seconds(1))
    _ = try world.runAndWait {
      for address: IPAddress in ["128.84.216.36", "128.84.216.80", "192.0.2.9"] { _ = try await host.ping(address) }
    }
    stage.say("The table:")
    let neighbors = host.neighborTable()
    var rows = [["destination", "next hop", "interface", "ethernet"]]
    for route in host.routeTable() where route.destination.version == .v4 {
      let gateway: IPAddress?
      if case .gateway(let address) = route.nextHop { gateway = address } else { gateway = nil }
      let asked = gateway ?? (route.destination.prefixLength == 32 ? route.destination.network : nil)
      let mac = neighbors.first { $0.address == asked }?.mac?.description ?? ""
      rows.append([
        "\(route.destination)", gateway?.description ?? "on the link", route.interface.index == 0 ? "lo0" : "en0", mac,
      ])
    }
    stage.table(rows)
    stage.say()
    let expectations: [(IPAddress, String, String)] = [
      ("128.84.216.36", "128.84.216.36/32", "the host's own route beats the block it is in"),
      ("128.84.216.80", "128.84.216.80/32", "and so does this one"),
      ("128.84.217.200", "128.84.216.0/23", "a neighbour without a route of its own is in the block"),
      ("128.84.217.255", "128.84.216.0/23", "the block's last address is everybody on the link"),
      ("127.0.0.1", "127.0.0.0/8", "the loopback never leaves the host"),
      ("192.0.2.9", "0.0.0.0/0", "what is nowhere else goes to the gateway"),
    ]
    for (destination, expected, words) in expectations {
      let explanation = try world.explainRoute(on: "host", to: destination)
      stage.say(explanation.description { $0.index == 0 ? "lo0" : "en0" })
      stage.check(explanation.route.map { "\($0.destination)" } == expected, "\(destination) → \(expected): \(words)")
    }
    return world.finish()
  }
}
