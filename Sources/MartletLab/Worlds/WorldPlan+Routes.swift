import MartletCore
import MartletWire

// Routes along the fewest routers, and by hand.

extension WorldPlan {
  /// To every segment along the fewest routers; a host behind one router sends it everything.
  mutating func computeRoutes() {
    let members = members()
    let routers = members.map { $0.filter { description.nodes[$0.node].kind == .router } }
    var subnets = [[Subnet]](repeating: [], count: domainCount)
    for domain in 0..<domainCount {
      for member in members[domain] {
        for address in interfaces[member.node][member.interface].addresses
        where !subnets[domain].contains(address.subnet) {
          subnets[domain].append(address.subnet)
        }
      }
    }
    for node in description.nodes.indices where description.nodes[node].hasStack {
      if description.nodes[node].kind == .host, domains[node].count == 1,
        routers[domains[node][0]].count <= 1
      {
        if let router = routers[domains[node][0]].first { addDefaultRoutes(node, via: router) }
        continue
      }
      computeRoutes(of: node, routers: routers, subnets: subnets)
    }
  }

  private mutating func addDefaultRoutes(_ node: Int, via router: (node: Int, interface: Int)) {
    for version in [IPVersion.v4, .v6] {
      guard
        let gateway = interfaces[router.node][router.interface].addresses.first(where: { $0.version == version })?
          .address
      else { continue }
      routes[node].append(Route(destination: Subnet(.any(version), prefixLength: 0), gateway: gateway, interface: 0))
    }
  }

  private mutating func computeRoutes(of node: Int, routers: [[(node: Int, interface: Int)]], subnets: [[Subnet]]) {
    struct Step {
      var router: Int
      /// The first router of the way: whom the node sends to, and by which of its interfaces.
      var first: (node: Int, interface: Int)
      var interface: Int
    }
    var isSeen = [Bool](repeating: false, count: description.nodes.count)
    var isReached = [Bool](repeating: false, count: domainCount)
    var queue: [Step] = []
    isSeen[node] = true
    for (interface, domain) in domains[node].enumerated() {
      isReached[domain] = true
      for router in routers[domain] where !isSeen[router.node] {
        isSeen[router.node] = true
        queue.append(Step(router: router.node, first: router, interface: interface))
      }
    }
    var next = 0
    while next < queue.count {
      let step = queue[next]
      next += 1
      for domain in domains[step.router] where !isReached[domain] {
        isReached[domain] = true
        for subnet in subnets[domain] {
          let gateway = interfaces[step.first.node][step.first.interface].addresses
            .first { $0.version == subnet.version }
          guard let gateway else { continue }
          routes[node].append(Route(destination: subnet, gateway: gateway.address, interface: step.interface))
        }
        for router in routers[domain] where !isSeen[router.node] {
          isSeen[router.node] = true
          queue.append(Step(router: router.node, first: step.first, interface: step.interface))
        }
      }
    }
  }

  mutating func addRoutesByHand() throws(Mistake) {
    for (index, node) in description.nodes.enumerated() {
      for route in node.routes {
        guard node.hasStack else {
          throw fail(
            .node(index), "\"\(node.name)\" is a \(node.kind.word) and has no routes", "Give them to a router.")
        }
        let place: Int?
        if let name = route.interface {
          place = interfaces[index].firstIndex { $0.name == name }
        } else {
          place = interfaces[index].firstIndex { interface in
            interface.addresses.contains { $0.subnet.contains(route.gateway ?? route.destination.network) }
          }
        }
        guard let place else {
          throw fail(
            .node(index), "\"\(node.name)\" has no interface for the route to \(route.destination)",
            "Its gateway has to be on a link of the node, or the interface named: it has \(interfaces[index].map { "\($0.name) \($0.addresses.map(\.description).joined(separator: " "))" }.joined(separator: ", "))."
          )
        }
        routes[index].removeAll { $0.destination == route.destination }
        routes[index].append(Route(destination: route.destination, gateway: route.gateway, interface: place))
      }
    }
  }
}
