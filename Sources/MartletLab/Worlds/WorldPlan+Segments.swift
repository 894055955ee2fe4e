// Which links are of one segment: what lies between routers.

extension WorldPlan {
  /// Without a spanning tree a frame to all circles in a ring for ever.
  func checkForRings() throws(Mistake) {
    var parent = Array(description.nodes.indices)
    func root(_ node: Int) -> Int {
      var node = node
      while parent[node] != node { node = parent[node] }
      return node
    }
    for (number, link) in description.links.enumerated() {
      let ends = (try index(of: link.first.node, .link(number)), try index(of: link.second.node, .link(number)))
      guard !description.nodes[ends.0].hasStack, !description.nodes[ends.1].hasStack else { continue }
      let (left, right) = (root(ends.0), root(ends.1))
      guard left != right else {
        throw fail(
          .link(number), "The wire \(link.name) closes a ring of switches, in which frames circle for ever",
          "Leave it out, or put a router into the ring.")
      }
      parent[left] = right
    }
  }

  mutating func findDomains() {
    // Links that meet in a switch or hub are of one segment.
    var parent = Array(description.links.indices)
    func root(_ link: Int) -> Int {
      var link = link
      while parent[link] != link { link = parent[link] }
      return link
    }
    for (node, plugs) in interfaces.enumerated() where !description.nodes[node].hasStack {
      guard let first = plugs.first else { continue }
      for plug in plugs {
        let (left, right) = (root(first.link), root(plug.link))
        if left != right { parent[max(left, right)] = min(left, right) }
      }
    }
    var numbers: [Int: Int] = [:]
    for link in description.links.indices {
      let root = root(link)
      if numbers[root] == nil { numbers[root] = numbers.count }
    }
    domainCount = numbers.count
    for node in interfaces.indices {
      domains[node] = interfaces[node].map { numbers[root($0.link)] ?? 0 }
    }
  }

  /// The interfaces of hosts and routers by segment: routers first.
  func members() -> [[(node: Int, interface: Int)]] {
    var members = [[(node: Int, interface: Int)]](repeating: [], count: domainCount)
    for kind in [WorldDescription.Node.Kind.router, .host] {
      for (node, places) in domains.enumerated() where description.nodes[node].kind == kind {
        for (interface, domain) in places.enumerated() { members[domain].append((node, interface)) }
      }
    }
    return members
  }
}
