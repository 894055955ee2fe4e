import MartletWire

// Rings of switches, and what keeps frames from circling in them.

extension WorldPlan {
  /// The address of a switch itself, its ports' addresses being those that follow.
  func bridgeAddress(of node: Int) -> MACAddress {
    MACAddress(value: 0x0200_0000_0000 | UInt64(node + 1) << 8)
  }

  /// Whether switches that keep a tree can be heard there.
  func mayHearBridges(_ interface: Interface) -> Bool {
    let link = description.links[interface.link]
    guard let other = indices[interface.end == 0 ? link.second.node : link.first.node] else { return false }
    return description.nodes[other].spanningTree != nil || description.nodes[other].kind == .hub
  }

  /// Without a spanning tree a frame to all circles in a ring for ever.
  func checkForRings() throws(Mistake) {
    for (index, node) in description.nodes.enumerated() {
      guard let tree = node.spanningTree else { continue }
      guard node.kind == .switch else {
        throw fail(
          .node(index), "\"\(node.name)\" is a \(node.kind.word) and has no spanning tree", "Give it to switches.")
      }
      if let problem = tree.problem {
        throw fail(
          .node(index), "The spanning tree of \"\(node.name)\" cannot be: \(problem)",
          "Keep hello, maximum age and forward delay in the proportions of 2 s, 20 s and 15 s.")
      }
    }
    var parent = Array(description.nodes.indices)
    func root(_ node: Int) -> Int {
      var node = node
      while parent[node] != node { node = parent[node] }
      return node
    }
    var links: [(number: Int, ends: [Int], isKept: Bool)] = []
    for (number, link) in description.links.enumerated() {
      let ends = [try index(of: link.first.node, .link(number)), try index(of: link.second.node, .link(number))]
      guard ends.allSatisfy({ !description.nodes[$0].hasStack }) else { continue }
      // A segment is a long wire.
      let isKept = ends.allSatisfy {
        description.nodes[$0].spanningTree != nil || description.nodes[$0].kind == .hub
      }
      links.append((number, ends, isKept))
    }
    // Wires between switches that keep a tree may close rings; joined first, they leave the rings that nobody opens.
    for link in links where link.isKept { parent[root(link.ends[0])] = root(link.ends[1]) }
    for link in links where !link.isKept {
      let (left, right) = (root(link.ends[0]), root(link.ends[1]))
      guard left == right else {
        parent[left] = right
        continue
      }
      let wire = description.links[link.number]
      guard description.allowsRings else {
        throw fail(
          .link(link.number), "The wire \(wire.name) closes a ring of switches, in which frames circle for ever",
          "Give all switches of the ring a spanning tree, put a router into it, or allow rings to watch the storm.")
      }
    }
    guard description.allowsRings else { return }
    for link in links where !link.isKept && medium(of: link.number) == nil {
      let wire = description.links[link.number]
      for way in [wire.there, wire.back] where way.rate == nil && way.delay <= .zero {
        throw fail(
          .link(link.number),
          "In a world with rings the wire \(wire.name) takes no time, so that time would stand still",
          "Give it a rate or a delay.")
      }
    }
  }
}
