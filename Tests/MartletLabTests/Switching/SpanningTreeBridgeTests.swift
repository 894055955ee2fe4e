import MartletCore
import MartletWire
import Testing

@testable import MartletLab

/// Bridges whose messages arrive at once, without frames or a world.
private struct Bridges {
  struct End: Hashable {
    var bridge: Int
    var port: Int
  }
  var bridges: [SpanningTreeBridge]
  var peers: [End: End] = [:]
  var now: Int64 = 0
  var messageCount = 0
  var silent: Set<Int> = []

  /// - Parameter wires: Pairs of bridges; the ports are counted in the order of the wires.
  init(_ priorities: [UInt16], wires: [(Int, Int)], cost: UInt32 = 19, settings: SpanningTree = SpanningTree()) {
    var counts = priorities.map { _ in 0 }
    for (left, right) in wires {
      let ends = (End(bridge: left, port: counts[left]), End(bridge: right, port: counts[right]))
      (peers[ends.0], peers[ends.1]) = (ends.1, ends.0)
      counts[left] += 1
      counts[right] += 1
    }
    bridges = priorities.enumerated().map { index, priority in
      var settings = settings
      settings.priority = priority
      return SpanningTreeBridge(
        settings, address: MACAddress(value: 0x0200_0000_0000 + UInt64(index + 1) << 8),
        pathCosts: Array(repeating: cost, count: counts[index]))
    }
    for index in bridges.indices { bridges[index].start(bridges[index].ports.map { _ in true }, at: 0) }
    exchange()
  }

  mutating func exchange() {
    var isQuiet = false
    while !isQuiet {
      isQuiet = true
      for index in bridges.indices where !silent.contains(index) {
        for output in bridges[index].takeOutputs() {
          guard case .send(let unit, let port) = output, let peer = peers[End(bridge: index, port: port)] else {
            continue
          }
          isQuiet = false
          messageCount += 1
          if !silent.contains(peer.bridge) { bridges[peer.bridge].receive(unit, on: peer.port, at: now) }
        }
      }
    }
  }

  mutating func run(until end: Duration) {
    let end = end.inNanoseconds
    while true {
      let next = bridges.indices.filter { !silent.contains($0) }.compactMap { bridges[$0].nextDeadline }.min()
      guard let next, next <= end else { break }
      now = next
      for index in bridges.indices where !silent.contains(index) { bridges[index].advance(to: now) }
      exchange()
    }
    now = end
  }

  func roles(_ bridge: Int) -> [SpanningTreeBridge.Role] {
    bridges[bridge].ports.indices.map { bridges[bridge].role(of: $0) }
  }

  func states(_ bridge: Int) -> [SpanningTreeBridge.PortState] { bridges[bridge].ports.map(\.state) }

  /// Whether the wires with both ends forwarding join all of `members` without a ring.
  func isTree(_ members: [Int]) -> Bool {
    var edges = 0
    var reached: Set<Int> = [members[0]]
    var hasGrown = true
    func forwards(_ end: End) -> Bool { bridges[end.bridge].ports[end.port].state == .forwarding }
    for (end, peer) in peers where members.contains(end.bridge) && members.contains(peer.bridge) {
      if forwards(end), forwards(peer) { edges += 1 }
    }
    while hasGrown {
      hasGrown = false
      for (end, peer) in peers
      where reached.contains(end.bridge) && !reached.contains(peer.bridge) && members.contains(peer.bridge)
        && forwards(end) && forwards(peer)
      {
        reached.insert(peer.bridge)
        hasGrown = true
      }
    }
    return reached.count == members.count && edges / 2 == members.count - 1
  }
}

@Suite("The spanning tree protocol of a bridge")
struct SpanningTreeBridgeTests {
  @Test("A bridge alone takes itself for the root, listens 15 s, learns 15 s and forwards")
  func alone() {
    var net = Bridges([32_768], wires: [])
    #expect(net.bridges[0].isRoot)
    net = Bridges([32_768, 32_768], wires: [(0, 1)])
    #expect(net.states(0) == [.listening])
    net.run(until: .milliseconds(14_999))
    #expect(net.states(0) == [.listening])
    net.run(until: .seconds(15))
    #expect(net.states(0) == [.learning])
    net.run(until: .milliseconds(29_999))
    #expect(net.states(0) == [.learning])
    net.run(until: .seconds(30))
    #expect(net.states(0) == [.forwarding])
    #expect(net.states(1) == [.forwarding])
  }

  @Test("In a ring the least identifier is the root, and the far wire's end with the greater identifier is blocked")
  func ring() {
    var net = Bridges([32_768, 32_768, 4_096, 32_768], wires: [(0, 1), (1, 2), (2, 3), (3, 0)])
    net.run(until: .seconds(40))
    #expect(net.bridges.allSatisfy { $0.designatedRoot == net.bridges[2].id })
    #expect(net.roles(2) == [.designated, .designated])
    #expect(net.roles(1) == [.designated, .root])
    #expect(net.roles(3) == [.root, .designated])
    // Both ways from the first to the root cost 38: by the lesser bridge, the second, it goes.
    #expect(net.roles(0) == [.root, .blocked])
    #expect(net.bridges[0].rootPathCost == 38)
    #expect(net.isTree([0, 1, 2, 3]))
  }

  @Test("Of two wires between two bridges one is blocked, at the greater port of the greater bridge")
  func parallel() {
    var net = Bridges([32_768, 32_768], wires: [(0, 1), (0, 1)])
    net.run(until: .seconds(40))
    #expect(net.roles(0) == [.designated, .designated])
    #expect(net.roles(1) == [.root, .blocked])
  }

  @Test("Any mesh of five becomes a tree, whichever of them is to be the root", arguments: 0..<5)
  func mesh(_ root: Int) {
    var priorities = [UInt16](repeating: 32_768, count: 5)
    priorities[root] = 0
    let wires = (0..<5).flatMap { left in (left + 1..<5).map { (left, $0) } }
    var net = Bridges(priorities, wires: wires)
    net.run(until: .seconds(60))
    #expect(net.bridges.allSatisfy { $0.designatedRoot == net.bridges[root].id })
    #expect(net.isTree([0, 1, 2, 3, 4]))
  }

  @Test("The root says hello every 2 s, and the others pass it on, a second older")
  func hello() {
    var net = Bridges([0, 32_768, 32_768], wires: [(0, 1), (1, 2)])
    net.run(until: .seconds(60))
    let before = net.messageCount
    net.run(until: .seconds(80))
    #expect(net.messageCount - before == 20)
    // What came by two bridges is an overestimate: as old as it is, and a second each.
    #expect(net.bridges[2].ports[0].messageBorn == net.bridges[1].ports[0].messageBorn.map { $0 - 1_000_000_000 })
  }

  @Test("When the root falls silent its word ages for 20 s, and the next best takes its place")
  func silence() {
    var net = Bridges([0, 4_096, 8_192, 32_768], wires: [(0, 1), (0, 2), (1, 3), (2, 3), (1, 2)])
    net.run(until: .seconds(61))
    #expect(net.isTree([0, 1, 2, 3]))
    net.silent = [0]
    net.run(until: .seconds(78))
    #expect(net.bridges[3].designatedRoot == net.bridges[0].id)
    net.run(until: .seconds(85))
    #expect([1, 2, 3].allSatisfy { net.bridges[$0].designatedRoot == net.bridges[1].id })
    net.run(until: .seconds(120))
    #expect(net.isTree([1, 2, 3]))
  }

  @Test("A wire that goes down opens the blocked one, and the root tells everyone to forget fast for 35 s")
  func wireDown() {
    var net = Bridges([0, 4_096, 8_192, 32_768], wires: [(0, 1), (1, 2), (2, 0), (2, 3)])
    net.run(until: .seconds(100))
    #expect(net.bridges.allSatisfy { !$0.isTopologyChange })
    #expect(net.roles(2) == [.blocked, .root, .designated])
    net.bridges[0].disable(1, at: net.now)
    net.bridges[2].disable(1, at: net.now)
    net.exchange()
    net.run(until: .seconds(101))
    #expect(net.roles(2) == [.root, .disabled, .designated])
    #expect(net.states(2) == [.listening, .disabled, .forwarding])
    net.run(until: .milliseconds(130_500))
    #expect(net.states(2) == [.forwarding, .disabled, .forwarding])
    net.run(until: .seconds(133))
    #expect(net.bridges.allSatisfy { $0.isTopologyChange })
    #expect(net.bridges[2].rootPathCost == 38)
    net.run(until: .seconds(170))
    #expect(net.bridges.allSatisfy { !$0.isTopologyChange })
    // It comes back, and the old tree with it.
    net.bridges[0].enable(1, at: net.now)
    net.bridges[2].enable(1, at: net.now)
    net.exchange()
    net.run(until: .seconds(210))
    #expect(net.roles(2) == [.blocked, .root, .designated])
    #expect(net.isTree([0, 1, 2, 3]))
  }

  @Test(
    "Times that cannot be are told",
    arguments: [
      (SpanningTree(hello: .milliseconds(1)), "hello is below 1/256 s"),
      (SpanningTree(maximumAge: .seconds(3)), "the maximum age is less than twice the hello time"),
      (SpanningTree(forwardDelay: .seconds(5)), "twice the forward delay is less than the maximum age"),
      (SpanningTree(forwardDelay: .seconds(256)), "a time of 256 s or more does not fit into its messages"),
    ])
  func times(_ tree: SpanningTree, _ problem: String) {
    #expect(tree.problem == problem)
    #expect(SpanningTree().problem == nil)
  }

  @Test("A faster line costs less")
  func costs() {
    #expect(
      [1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000, nil].map(SpanningTree.pathCost)
        == [250, 100, 19, 4, 2, 1])
  }
}
