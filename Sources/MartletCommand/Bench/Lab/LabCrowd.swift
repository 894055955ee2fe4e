import Martlet
import MartletCore
import MartletLab
import MartletWire

/// Many hosts, or many connections, and one server.
enum LabCrowd {
  private static let port: UInt16 = 7_777
  private static let hostsOfSwitch = 100

  /// Hosts on switches of a hundred, a router above them, a server.
  private static func world(hosts: Int) throws -> (WorldDescription, [String]) {
    var world = WorldDescription("crowd")
    world.router("router")
    world.host("server")
    let line = LinkDirection(rate: 100_000_000, delay: .microseconds(50))
    world.wire("server", "router", LinkDirection(rate: 1_000_000_000, delay: .milliseconds(5)))
    var names: [String] = []
    for number in 0..<hosts {
      let box = "switch\(number / hostsOfSwitch)"
      if number % hostsOfSwitch == 0 {
        world.switch(box)
        world.wire(.init(box), "router", line)
      }
      let name = "h\(number)"
      names.append(name)
      world.host(name)
      world.wire(.init(name), .init(box), line)
    }
    return (world, names)
  }

  private static func hops(_ description: WorldDescription, _ world: World) throws -> UInt64 {
    try description.links.reduce(0) { sum, link in
      try world.counters(of: link.name).reduce(sum) { $0 + $1.delivered }
    }
  }

  /// Answers with what comes, on every connection.
  private static func echo(_ host: VirtualHost) async throws {
    var options = ListenerOptions()
    options.backlog = 4_096
    let listener = try host.listen(on: port, options: options)
    while true {
      let socket = try await listener.accept()
      host.loop.task {
        while true {
          let bytes = try await socket.read(upTo: 256)
          guard !bytes.isEmpty else { break }
          try await socket.write(bytes)
        }
        socket.close()
      }
    }
  }

  private static func exchange(_ socket: TCPSocket, _ meter: LabMeter) async throws {
    try await socket.write([1, 2, 3, 4, 5, 6, 7, 8])
    guard try await socket.read(upTo: 256).count == 8 else {
      throw CommandFailure(.network, "an answer has another length than its question")
    }
    meter.exchanges += 1
  }

  /// A thousand hosts that each hold a connection to a server, over which TCP asks every minute whether the server is still there
  /// (RFC 9293 section 3.8.4).
  static func day(hours: Int, hosts: Int = 1_000, interval: Int = 60) throws -> LabFigures {
    let (description, names) = try world(hosts: hosts)
    let world = try World(description, isRecorded: false)
    let address = SocketAddress(try world.address(of: "server"), port: port)
    try world.application(on: "server") { try await echo($0) }
    var options = TCPSocketOptions()
    options.keepAlive = true
    options.keepAliveIdle = .seconds(interval)
    options.keepAliveInterval = .seconds(interval)
    for (number, name) in names.enumerated() {
      try world.application(on: name) { [options] host in
        // Not all at once.
        try await host.clock.sleep(for: .nanoseconds(Int64(number) * Int64(interval) * 1_000_000_000 / Int64(hosts)))
        let socket = try await host.connect(to: address, options: options)
        while try await !socket.read(upTo: 256).isEmpty {}
      }
    }
    let before = ProcessorSeconds.now(ofThread: false).total
    try world.run(for: .seconds(hours * 3_600))
    let elapsed = ProcessorSeconds.now(ofThread: false).total - before
    let hops = try hops(description, world)
    // A question and its answer cross three links each.
    let questions = hosts * (hours * 3_600 / interval - 1)
    guard hops > questions * 6 else {
      throw CommandFailure(.network, "\(hops) frames came through of \(questions * 6)")
    }
    return LabFigures(
      members: [
        ("hosts", JSON(hosts)), ("hours", JSON(hours)), ("seconds", .number(elapsed)), ("hops", JSON(hops)),
        ("hops_per_s", .number((Double(hops) / elapsed).rounded())),
      ],
      words: "\(fixed(elapsed, 1)) s of processor time for \(hours) hours of \(hosts) hosts, a keep-alive each "
        + "\(interval) s (\(fixed(Double(hops) / elapsed / 1e6, 2)) M hops/s)",
      order: elapsed)
  }

  /// What a host takes that has spoken once to a server and now does nothing, its wire and its port of a switch included.
  static func idleHosts(hosts: Int = 1_000) throws -> LabFigures {
    // What the first world takes for itself is not the hosts'.
    _ = try settled(hosts: hostsOfSwitch)
    let before = ProcessMeasures.residentByteCount
    let world = try settled(hosts: hosts)
    let perHost = Double(ProcessMeasures.residentByteCount - before) / Double(hosts)
    _ = world.finish()
    return LabFigures(
      members: [("hosts", JSON(hosts)), ("bytes_per_host", .number(perHost.rounded()))],
      words: "\(fixed(perHost / 1_024, 1)) KiB a host, of \(hosts)", order: perHost)
  }

  private static func settled(hosts: Int) throws -> World {
    let (description, names) = try world(hosts: hosts)
    let world = try World(description, isRecorded: false)
    let address = try world.address(of: "server")
    let all = try names.map { try world.host($0) }
    try world.runAndWait {
      for host in all { _ = try await host.ping(address) }
    }
    try world.run(for: .seconds(60))
    return world
  }

  /// Ten thousand connections to one server, each with a word there and back every second.
  static func connections(_ count: Int = 10_000, hosts: Int = 100, seconds: Int = 10) throws -> LabFigures {
    let (description, names) = try world(hosts: hosts)
    let world = try World(description, isRecorded: false)
    let address = SocketAddress(try world.address(of: "server"), port: port)
    try world.application(on: "server") { try await echo($0) }
    let all = try names.map { try world.host($0) }
    let memory = ProcessMeasures.residentByteCount
    let before = ProcessorSeconds.now(ofThread: false).total
    let meter = LabMeter()
    try world.runAndWait {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for (number, host) in all.enumerated() {
          group.addTask {
            var sockets: [TCPSocket] = []
            try await host.loop.clock.sleep(for: .milliseconds(number))
            for _ in 0..<count / hosts { sockets.append(try await host.connect(to: address)) }
            for _ in 0..<seconds {
              for socket in sockets { try await exchange(socket, meter) }
              try await host.loop.clock.sleep(for: .seconds(1))
            }
          }
        }
        try await group.waitForAll()
      }
    }
    let elapsed = ProcessorSeconds.now(ofThread: false).total - before
    let perConnection = Double(ProcessMeasures.residentByteCount - memory) / Double(count)
    guard meter.exchanges == count * seconds else {
      throw CommandFailure(.network, "\(meter.exchanges) of \(count * seconds) exchanges came about")
    }
    return LabFigures(
      members: [
        ("connections", JSON(count)), ("seconds", .number(elapsed)), ("exchanges", JSON(meter.exchanges)),
        ("bytes_per_connection", .number(perConnection.rounded())),
      ],
      words: "\(count) connections to one server, \(meter.exchanges) exchanges in \(fixed(elapsed, 2)) s of processor "
        + "time; \(fixed(perConnection / 1_024, 1)) KiB a connection, both ends and their programs",
      order: elapsed)
  }
}
