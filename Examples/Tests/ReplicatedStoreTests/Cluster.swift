import MartletLabTesting
import MartletWire
import ReplicatedStore

/// Three replicas and a client in a world, each on a host of its own.
struct Cluster {
  let world: World
  let replicas: [Replica]

  /// A switch with the client and the replicas on it; `reordering` says whether frames to and from followers may overtake each
  /// other.
  static func world(reordering: Bool) -> WorldDescription {
    let orderly = LinkDirection(rate: 100_000_000, delay: .milliseconds(1))
    var unruly = orderly
    unruly.reordering = .init(0.4, by: .milliseconds(40))
    var description = WorldDescription(reordering ? "store, frames overtake" : "store")
    description.switch("office")
    for name in ["client", "primary", "first", "second"] {
      description.host(name)
      let isFollower = name == "first" || name == "second"
      description.wire(.init(name), "office", reordering && isFollower ? unruly : orderly)
    }
    return description
  }

  init(in world: World, _ rule: Replica.TableRule) throws {
    self.world = world
    let followers = ["first", "second"]
    let primary = try world.address(of: "primary")
    replicas =
      try [
        Replica(
          on: world.host("primary"), following: nil, followers: followers.map { try world.address(of: $0) }, rule: rule)
      ]
      + followers.map { try Replica(on: world.host($0), following: primary, rule: rule) }
    for replica in replicas {
      world.loop.task { try await replica.serve() }
      world.loop.task { try await replica.listen() }
    }
    let first = replicas[0]
    world.loop.task { try await first.beat() }
  }

  /// Writes now and then for two seconds, with the follower called first cut off for one of them or not, and sees that all replicas
  /// have the same in the end.
  func run(partition: Bool) async throws {
    var random = world.random("client")
    let connection = try await world.host("client").connect(
      to: SocketAddress(world.address(of: "primary"), port: Replica.port))
    func write(for span: Duration) async throws {
      let end = world.loop.now.advanced(by: span)
      while world.loop.now < end {
        try await connection.write("set key\(random.next() % 50) \(random.next() % 1_000)\n")
        _ = try await connection.readLine()
        try await world.sleep(for: .milliseconds(Int64(random.next() % 20)))
      }
    }
    try await write(for: .milliseconds(500))
    if partition {
      try await world.partition(["first"]) { try await write(for: .seconds(1)) }
    } else {
      try await write(for: .seconds(1))
    }
    try await write(for: .milliseconds(500))
    try await world.eventually("all replicas have the same", within: .seconds(10), every: .milliseconds(50)) {
      let contents = await (replicas[0].contents, replicas[1].contents, replicas[2].contents)
      return contents.0 == contents.1 && contents.0 == contents.2
    }
  }
}
