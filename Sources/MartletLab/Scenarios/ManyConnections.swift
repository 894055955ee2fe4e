import Martlet
import MartletCore
import MartletLinks
import MartletWire

extension Scenario {
  /// Konstanz "Connection-oriented demux": a server has a socket for each client, ten thousand of them.
  static let tenThousand = Scenario(
    "ten-thousand", "ten thousand connections to one port: a socket for each, found as fast as among a hundred",
    isLarge: true
  ) { stage in try ManyConnections.play(stage, hosts: 100, connectionsEach: 100) }
}

/// Clients on hosts of their own behind one switch, all connected to one server.
enum ManyConnections {
  /// How often the first connection of each host asks, before and after the others are there.
  private static let rounds = 40

  static func play(_ stage: Stage, hosts: Int, connectionsEach: Int) throws -> Recording {
    let count = hosts * connectionsEach
    let clients = (0..<hosts).map { "client\($0)" }
    // Nobody looks at a million frames: the counters tell.
    let world = try stage.world(isRecorded: false) { world in
      world.host("server", services: [.init("echo")])
      world.switch("switch")
      // All ask at one moment.
      let queue = LinkDirection.Queue(maximumFrames: 4 * count)
      let lan = LinkDirection(rate: 10_000_000_000, delay: .microseconds(50), queue: queue)
      world.wire("server", "switch", lan)
      for name in clients {
        world.host(name)
        world.wire(.init(name), "switch", lan)
      }
    }
    let server = try world.host("server")
    let machines = try clients.map { try world.host($0) }
    let address = SocketAddress(try world.address(of: "server"), port: 7)
    let outcome = try world.runAndWait { () -> Outcome in
      var outcome = Outcome()
      let first = try await connect(machines, 1, to: address)
      outcome.costBefore = try await cost(of: first)
      let memory = ProcessMeasures.residentByteCount
      let others = try await connect(machines, connectionsEach - 1, to: address)
      let all = first + others
      for round in 0..<2 { outcome.right += try await exchange(all, round) }
      outcome.established = established(on: server)
      outcome.bytesEach = (ProcessMeasures.residentByteCount - memory) / max(1, others.count)
      outcome.costAfter = try await cost(of: first)
      outcome.reached =
        Set(
          all.compactMap { connection in
            connection.localAddress.flatMap {
              server.explainDemultiplexing(protocol: .tcp, from: $0, to: address).socket
            }
          }
        ).count
      for connection in all { connection.close() }
      try await server.loop.clock.sleep(for: .seconds(1))
      outcome.left = established(on: server)
      return outcome
    }
    let wire = try world.counters(of: "server-switch")
    let recording = world.finish()
    stage.say("\(hosts) hosts with \(connectionsEach) connections each to \(address), all at a time.\n")
    stage.table([
      ["established at the server", "\(outcome.established)"],
      ["sockets that their segments reach", "\(outcome.reached)"],
      ["questions of all, two each, and right answers", "\(2 * count), \(outcome.right)"],
      ["established when all were closed", "\(outcome.left)"],
      ["frames from the server, and to it", "\(wire[0].sent), \(wire[1].sent)"],
      ["of them lost", "\(wire[0].lost + wire[1].lost)"],
    ])
    stage.say()
    stage.check(outcome.established == count, "\(count) connections are established at one port of one host")
    stage.check(outcome.reached == count, "each has a socket of its own")
    stage.check(outcome.right == 2 * count, "all got their own answers")
    stage.check(outcome.left == 0, "and all were closed")
    stage.check(wire[0].lost + wire[1].lost == 0, "nothing was lost")
    let ratio = outcome.costAfter / outcome.costBefore
    // Each look-up of a list would cost a hundred times as much; the bound leaves room for cold memory and busy machines.
    stage.check(ratio < 3, "a question among \(count) connections costs what it cost among \(hosts)")
    stage.remark(
      "a question and its answer took \(decimal(outcome.costBefore / 1e3, 1)) µs of the processor among \(hosts) "
        + "connections, \(decimal(outcome.costAfter / 1e3, 1)) µs among \(count): \(decimal(ratio, 2)) times as much")
    stage.remark("a connection, both of its ends, took \(outcome.bytesEach / 1_024) KiB of memory")
    return recording
  }

  private struct Outcome: Sendable {
    var established = 0
    var reached = 0
    var right = 0
    var left = 0
    var bytesEach = 0
    /// Of one exchange, in nanoseconds of the thread's time.
    var costBefore = 1.0
    var costAfter = 1.0
  }

  private static func established(on host: VirtualHost) -> Int {
    host.socketTable().count { $0.kind == .tcp && $0.state == "ESTABLISHED" }
  }

  /// Opens `count` connections from each of `hosts`, one after another on each, on all at a time.
  private static func connect(
    _ hosts: [VirtualHost], _ count: Int, to server: SocketAddress
  ) async throws -> [TCPSocket] {
    try await withThrowingTaskGroup(of: (Int, [TCPSocket]).self) { group in
      for (index, host) in hosts.enumerated() {
        group.addTask {
          var connections: [TCPSocket] = []
          for _ in 0..<count { connections.append(try await host.connect(to: server)) }
          return (index, connections)
        }
      }
      var all = [[TCPSocket]](repeating: [], count: hosts.count)
      for try await (index, connections) in group { all[index] = connections }
      return all.flatMap(\.self)
    }
  }

  /// Asks on all connections before it listens for an answer, and counts those that are right.
  private static func exchange(_ connections: [TCPSocket], _ round: Int) async throws -> Int {
    var right = 0
    for (index, connection) in connections.enumerated() { try await connection.write("question \(index) of \(round)") }
    for (index, connection) in connections.enumerated() {
      right += try await connection.read() == Array("question \(index) of \(round)".utf8) ? 1 : 0
    }
    return right
  }

  private static func cost(of connections: [TCPSocket]) async throws -> Double {
    var least = Double.infinity
    // The first time fills caches, and another program may have emptied them any other time.
    for _ in 0..<3 {
      let start = ProcessMeasures.threadNanoseconds
      for round in 0..<rounds { _ = try await exchange(connections, round) }
      least = min(least, Double(ProcessMeasures.threadNanoseconds - start))
    }
    return least / Double(rounds * connections.count)
  }
}
