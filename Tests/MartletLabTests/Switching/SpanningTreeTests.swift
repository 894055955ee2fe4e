import Martlet
import MartletCore
import MartletWire
import Testing

@testable import MartletLab

@Suite("Switches in rings")
struct SpanningTreeTests {
  /// A tenth of the usual times.
  static let fast = SpanningTree(
    hello: .milliseconds(200), maximumAge: .seconds(2), forwardDelay: .milliseconds(1_500))
  static let line = LinkDirection(rate: 100_000_000, delay: .microseconds(1))

  /// Switches `s1` to `sN` with a host `hN` each, and wires between them.
  private func world(
    _ count: Int, _ wires: [(Int, Int)], tree: SpanningTree? = fast, rings: Bool = false, isRecorded: Bool = true
  ) throws(WorldError) -> World {
    var description = WorldDescription("ring")
    for number in 1...count {
      description.host("h\(number)")
      description.switch("s\(number)") { $0.spanningTree = tree }
    }
    description.allowsRings = rings
    for number in 1...count { description.wire(.init("h\(number)"), .init("s\(number)"), Self.line) }
    for (left, right) in wires { description.wire(.init("s\(left)"), .init("s\(right)"), Self.line) }
    return try World(description, isRecorded: isRecorded)
  }

  private let square = [(1, 2), (2, 3), (3, 4), (4, 1)]
  private let mesh = (1...5).flatMap { left in ((left + 1)..<6).map { (left, $0) } }

  /// Wires between switches whose both ends forward.
  private func openWires(_ world: World, _ count: Int) throws -> [String] {
    var ends: [String] = []
    for number in 1...count {
      for port in try world.spanningTree(of: "s\(number)").ports where port.neighbor.hasPrefix("s") {
        if port.state == "forwarding" { ends.append([port.neighbor, "s\(number)"].sorted().joined(separator: "-")) }
      }
    }
    return Set(ends).filter { wire in ends.count { $0 == wire } == 2 }.sorted()
  }

  /// How often each host heard a broadcast of the first.
  private func hear(_ world: World, _ hosts: [String]) throws -> [Int] {
    let first = try world.host(hosts[0])
    let others = try hosts.dropFirst().map { try world.host($0) }
    return try world.runAndWait {
      let inboxes = try others.map { try $0.bindUDP(on: 9) }
      var options = DatagramOptions()
      options.allowsBroadcast = true
      let outbox = try first.bindUDP(options: options)
      defer {
        for inbox in inboxes { inbox.close() }
        outbox.close()
      }
      try outbox.send("x", to: SocketAddress("10.0.0.255", port: 9))
      var counts: [Int] = []
      try await first.loop.clock.sleep(for: .milliseconds(50))
      for inbox in inboxes {
        var count = 0
        while (try? await first.loop.withTimeout(.milliseconds(1)) { try await inbox.receive() }) != nil { count += 1 }
        counts.append(count)
      }
      return counts
    }
  }

  @Test("In a ring of four and a mesh of five there is one way from each to each, and nothing arrives twice")
  func forms() throws {
    for (count, wires) in [(4, square), (5, mesh)] {
      let world = try world(count, wires)
      try world.run(for: .seconds(5))
      #expect(try openWires(world, count).count == count - 1)
      let root = try world.spanningTree(of: "s1").bridge
      for number in 1...count { #expect(try world.spanningTree(of: "s\(number)").root == root) }
      #expect(try hear(world, (1...count).map { "h\($0)" }) == Array(repeating: 1, count: count - 1))
    }
  }

  @Test("Until the tree stands nothing is passed on")
  func listens() throws {
    let world = try world(4, square)
    #expect(try hear(world, ["h1", "h3"]) == [0])
    try world.run(for: .seconds(4))
    #expect(try hear(world, ["h1", "h3"]) == [1])
  }

  @Test("When a wire of the tree goes down another way opens, and stations are learnt anew")
  func wireDown() throws {
    let world = try world(4, square)
    let (first, third) = (try world.host("h1"), try world.address(of: "h3"))
    try world.run(for: .seconds(5))
    _ = try world.runAndWait { try await first.ping(third) }
    #expect(try openWires(world, 4) == ["s1-s2", "s1-s4", "s2-s3"])
    let before = try world.stations(of: "s1")
    try world.apply(.down(link: "s2-s3"))
    try world.run(for: .seconds(6))
    #expect(try openWires(world, 4) == ["s1-s2", "s1-s4", "s3-s4"])
    let took = try world.runAndWait { try await first.ping(third) }
    #expect(took < .milliseconds(1))
    let mac = before[1][0]
    #expect(try world.stations(of: "s1").first { $0[0] == mac } != before.first { $0[0] == mac })
    #expect(try hear(world, ["h1", "h2", "h3", "h4"]) == [1, 1, 1])
    try world.apply(.up(link: "s2-s3"))
    try world.run(for: .seconds(6))
    #expect(try openWires(world, 4) == ["s1-s2", "s1-s4", "s2-s3"])
    #expect(try hear(world, ["h1", "h2", "h3", "h4"]) == [1, 1, 1])
  }

  @Test("When the root crashes, or stands still, the others agree on another, and take it back when it returns")
  func rootGone() throws {
    for isCrash in [true, false] {
      let world = try world(4, square)
      try world.run(for: .seconds(5))
      let (root, next) = (try world.spanningTree(of: "s1").bridge, try world.spanningTree(of: "s2").bridge)
      try world.apply(isCrash ? .crash("s1") : .pause("s1"))
      // A crash is seen at once; silence only when what the root said is too old.
      try world.run(for: .seconds(1))
      #expect(try world.spanningTree(of: "s2").root == (isCrash ? next : root))
      try world.run(for: .seconds(6))
      for number in 2...4 { #expect(try world.spanningTree(of: "s\(number)").root == next) }
      #expect(try hear(world, ["h2", "h3", "h4"]) == [1, 1])
      try world.apply(isCrash ? .restart("s1") : .resume("s1"))
      try world.run(for: .seconds(6))
      for number in 1...4 { #expect(try world.spanningTree(of: "s\(number)").root == root) }
      #expect(try openWires(world, 4).count == 3)
      #expect(try hear(world, ["h2", "h1", "h3", "h4"]) == [1, 1, 1])
    }
  }

  @Test("While the tree changes, stations age with the forward delay")
  func ageing() throws {
    let world = try world(4, square)
    let (first, third) = (try world.host("h1"), try world.address(of: "h3"))
    try world.run(for: .seconds(10))
    _ = try world.runAndWait { try await first.ping(third) }
    try world.run(for: .seconds(3))
    // Five minutes are the rule.
    #expect(try world.stations(of: "s3").count == 2)
    try world.apply(.down(link: "s3-s4"))
    try world.apply(.down(link: "s4-s1"))
    try world.apply(.up(link: "s4-s1"))
    try world.run(for: .milliseconds(5_500))
    #expect(try world.spanningTree(of: "s3").isChanging)
    #expect(try world.stations(of: "s3").isEmpty)
  }

  @Test("A segment between switches is a long wire of the tree")
  func throughSegment() throws {
    var description = WorldDescription("segment")
    for name in ["s1", "s2", "s3"] { description.switch(name) { $0.spanningTree = Self.fast } }
    description.segment("ether")
    for number in 1...3 {
      description.host("h\(number)")
      description.wire(.init("h\(number)"), .init("s\(number)"), Self.line)
      description.wire(.init("s\(number)"), "ether")
    }
    description.wire("s1", "s2", Self.line)
    let world = try World(description)
    try world.run(for: .seconds(5))
    let blocked = try (1...3).flatMap { try world.spanningTree(of: "s\($0)").ports }.filter { $0.role == "blocked" }
    #expect(blocked.map(\.neighbor) == ["ether"])
    #expect(try hear(world, ["h3", "h1", "h2"]) == [1, 1])
  }

  @Test("The recording tells of roots, of ports' states and why, and has a table of the ports")
  func recording() throws {
    let world = try world(4, square)
    try world.run(for: .seconds(5))
    let recording = world.finish()
    let s3 = recording.node("s3")
    let words = recording.events.filter { $0.kind == "tree" && $0.node == s3 }
    #expect(words.first?.text == "port0, to h3, is blocking")
    #expect(words.contains { $0.text == "s3 takes 32768/02:00:00:00:02:00 for the root" && $0.cause != nil })
    #expect(words.contains { $0.text == "port1, to s2, is forwarding" })
    let table = recording.tables.last { $0.kind == .ports && $0.node == s3 }
    #expect(table?.columns == ["port", "leads to", "role", "state", "cost", "designated bridge"])
    #expect(table?.rows.map { $0[2] } == ["designated", "root", "blocked"].map { $0 } || table?.rows.count == 3)
    let units = recording.frames.filter { recording.view($0).type.isLength }
    #expect(units.count > 40)
    #expect(units.allSatisfy { $0.bytes.count == 60 && Array($0.bytes[0..<6]) == [0x01, 0x80, 0xc2, 0, 0, 0] })
  }

  @Test("A ring is a mistake, unless all switches in it keep a tree or rings are allowed")
  func rings() throws {
    #expect(throws: WorldError.self) { try world(4, square, tree: nil) }
    _ = try world(4, square)
    _ = try world(4, square, tree: nil, rings: true)
    var description = WorldDescription("mixed")
    for name in ["a", "b", "c", "d"] { description.switch(name) { $0.spanningTree = name < "c" ? Self.fast : nil } }
    for (left, right) in [("a", "b"), ("a", "b"), ("b", "c"), ("c", "d")] {
      description.wire(.init(left), .init(right), Self.line)
    }
    _ = try World(description)
    description.wire("d", "a", Self.line)
    #expect(throws: WorldError.self) { try World(description) }
    description.allowsRings = true
    _ = try World(description)
    description.wire("c", "d")
    #expect(throws: WorldError.self) { try World(description) }
  }

  @Test("In a ring without a tree one broadcast becomes a storm, as long as the world runs")
  func storm() throws {
    let world = try world(3, [(1, 2), (2, 3), (3, 1)], tree: nil, rings: true, isRecorded: false)
    func carried() throws -> UInt64 {
      try ["s1-s2", "s2-s3", "s3-s1"].reduce(0) { sum, link in
        try sum + world.counters(of: link).reduce(0) { $0 + $1.sent }
      }
    }
    // What hosts say of themselves when they begin is enough.
    try world.run(for: .milliseconds(10))
    let first = try carried()
    try world.run(for: .milliseconds(10))
    let second = try carried() - first
    // Each of six directions of 100 Mbit/s is full: frames of 42 to 86 bytes take 3.36 to 6.88 µs.
    #expect(second > 6 * 10_000 * 100 / 688)
    #expect(second < 6 * 10_000 * 100 / 336)
  }
}
