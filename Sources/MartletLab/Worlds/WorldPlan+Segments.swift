// Which links are of one segment: what lies between routers.

extension WorldPlan {
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
