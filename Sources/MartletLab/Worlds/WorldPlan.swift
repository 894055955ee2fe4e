import MartletCore
import MartletWire

/// A description with everything worked out: who has which interfaces, addresses and routes.
struct WorldPlan {
  struct Interface {
    var name: String
    var mac: MACAddress
    var addresses: [AddressInSubnet]
    var link: Int
    /// 0 for the link's first end.
    var end: Int
  }

  struct Route {
    var destination: Subnet
    var gateway: IPAddress?
    var interface: Int
  }

  /// What a mistake is about, so that whoever read it from a file can say where.
  enum Subject: Hashable {
    case node(Int)
    case link(Int)
    case schedule(Int)
  }

  struct Mistake: Error {
    var error: WorldError
    var subject: Subject?
  }

  let description: WorldDescription
  var indices: [String: Int] = [:]
  var linkIndices: [String: Int] = [:]
  var interfaces: [[Interface]]
  var routes: [[Route]]
  /// By node and interface: the segment between routers that it is on.
  private(set) var domains: [[Int]]
  private(set) var domainCount = 0

  init(_ description: WorldDescription) throws(Mistake) {
    self.description = description
    interfaces = description.nodes.map { _ in [] }
    routes = description.nodes.map { _ in [] }
    domains = description.nodes.map { _ in [] }
    try nameNodes()
    try plugIn()
    try checkForRings()
    findDomains()
    try giveAddresses()
    try checkAddresses()
    if description.computesRoutes { computeRoutes() }
    try addRoutesByHand()
    try checkSchedule()
  }

  func fail(_ subject: Subject?, _ problem: String, _ remedy: String) -> Mistake {
    Mistake(error: WorldError(problem, remedy: remedy), subject: subject)
  }

  // MARK: Names and plugs

  private mutating func nameNodes() throws(Mistake) {
    for (index, node) in description.nodes.enumerated() {
      guard !node.name.isEmpty else { throw fail(.node(index), "A node has no name", "Give it one.") }
      guard indices.updateValue(index, forKey: node.name) == nil else {
        throw fail(.node(index), "Two nodes are called \"\(node.name)\"", "Give one of them another name.")
      }
      if !node.hasStack, !node.services.isEmpty {
        throw fail(
          .node(index), "\"\(node.name)\" is a \(node.kind.rawValue) and cannot run a service",
          "Run it on a host: a \(node.kind.rawValue) has no sockets.")
      }
      if node.kind == .router, !node.services.isEmpty {
        throw fail(
          .node(index), "\"\(node.name)\" is a router and cannot run a service",
          "Run it on a host: routers forward and offer no sockets to programs.")
      }
      for service in node.services {
        if let mistake = WorldService.mistake(in: service) {
          throw fail(.node(index), mistake.problem, mistake.remedy)
        }
      }
    }
  }

  private func index(of name: String, _ subject: Subject) throws(Mistake) -> Int {
    guard let index = indices[name] else {
      throw fail(subject, "There is no node called \"\(name)\"", Self.suggestion(name, description.nodes.map(\.name)))
    }
    return index
  }

  /// The nearest name, or all of them.
  static func suggestion(_ name: String, _ known: [String]) -> String {
    let near = known.min { distance(name, $0) < distance(name, $1) }
    if let near, distance(name, near) <= max(1, (name.count + 1) / 3), distance(name, near) < name.count {
      return "Did you mean \"\(near)\"?"
    }
    return known.isEmpty ? "There are none yet." : "There are \(known.prefix(12).joined(separator: ", "))."
  }

  /// How many letters have to be changed, put in or taken out.
  static func distance(_ left: String, _ right: String) -> Int {
    let right = Array(right)
    var row = Array(0...right.count)
    for (index, letter) in left.enumerated() {
      var diagonal = row[0]
      row[0] = index + 1
      for column in right.indices {
        let change = diagonal + (letter == right[column] ? 0 : 1)
        diagonal = row[column + 1]
        row[column + 1] = min(change, min(row[column], row[column + 1]) + 1)
      }
    }
    return row[right.count]
  }

  private mutating func plugIn() throws(Mistake) {
    for (number, link) in description.links.enumerated() {
      guard linkIndices.updateValue(number, forKey: link.name) == nil else {
        throw fail(.link(number), "Two links are called \"\(link.name)\"", "Give one of them another name.")
      }
      for (direction, way) in [(link.there, "there"), (link.back, "back")] {
        if direction.rate == 0 {
          throw fail(
            .link(number), "The line of \(link.name) (\(way)) has a rate of 0",
            "Leave the rate out for a line without one.")
        }
        if direction.mtu < 68 {
          throw fail(.link(number), "The MTU of \(link.name) (\(way)) is below 68", "Give it 68 or more (RFC 791).")
        }
      }
      for (end, plug) in [link.first, link.second].enumerated() {
        let node = try index(of: plug.node, .link(number))
        let kind = description.nodes[node].kind
        if end == 1, link.first.node == plug.node {
          throw fail(.link(number), "The wire leads from \"\(plug.node)\" to itself", "Name two nodes.")
        }
        if !description.nodes[node].hasStack, !plug.addresses.isEmpty {
          throw fail(
            .link(number), "\"\(plug.node)\" is a \(kind.rawValue) and has no addresses",
            "Give them to the hosts and routers on it.")
        }
        let count = interfaces[node].count
        let name = plug.interface ?? (description.nodes[node].hasStack ? "eth\(count)" : "port\(count)")
        if interfaces[node].contains(where: { $0.name == name }) {
          throw fail(.link(number), "\"\(plug.node)\" has two interfaces called \(name)", "Give one another name.")
        }
        let mac =
          plug.macAddress
          ?? MACAddress(value: 0x0200_0000_0000 | UInt64(node + 1) << 8 | UInt64((count + 1) & 0xff))
        interfaces[node].append(
          Interface(name: name, mac: mac, addresses: plug.addresses, link: number, end: end))
      }
    }
  }

  /// Without a spanning tree a frame to all circles in a ring for ever.
  private func checkForRings() throws(Mistake) {
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

  // MARK: Segments between routers

  private mutating func findDomains() {
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
  private func members() -> [[(node: Int, interface: Int)]] {
    var members = [[(node: Int, interface: Int)]](repeating: [], count: domainCount)
    for kind in [WorldDescription.Node.Kind.router, .host] {
      for (node, places) in domains.enumerated() where description.nodes[node].kind == kind {
        for (interface, domain) in places.enumerated() { members[domain].append((node, interface)) }
      }
    }
    return members
  }

  // MARK: Addresses

  private mutating func giveAddresses() throws(Mistake) {
    let members = members()
    for version in [IPVersion.v4, .v6] {
      var pools = description.addressPools.filter { $0.version == version }
      for domain in 0..<domainCount where !members[domain].isEmpty {
        let byHand = members[domain].flatMap { interfaces[$0.node][$0.interface].addresses }
          .filter { $0.version == version }
        let subnet: Subnet
        var used = Set(byHand.map(\.address))
        if let first = byHand.first {
          subnet = first.subnet
        } else {
          guard !pools.isEmpty else { continue }
          guard let carved = Self.carve(&pools, hosts: members[domain].count, version) else {
            throw fail(nil, "The address pools are used up", "Give a larger pool, as 10.0.0.0/8.")
          }
          subnet = carved
        }
        var next: UInt64 = 1
        for member in members[domain]
        where !interfaces[member.node][member.interface].addresses.contains(where: { $0.version == version }) {
          var address = Self.address(next, in: subnet)
          while let taken = address, used.contains(taken) {
            next += 1
            address = Self.address(next, in: subnet)
          }
          guard let address else {
            throw fail(
              .link(interfaces[member.node][member.interface].link),
              "\(subnet) has no address left for \"\(description.nodes[member.node].name)\"",
              "Give the segment a shorter prefix.")
          }
          used.insert(address)
          next += 1
          interfaces[member.node][member.interface].addresses.append(
            AddressInSubnet(address, prefixLength: subnet.prefixLength))
        }
      }
    }
  }

  /// Takes a subnet with room for `hosts` out of the first pool that has one.
  private static func carve(_ pools: inout [Subnet], hosts: Int, _ version: IPVersion) -> Subnet? {
    var length = version == .v4 ? 24 : 64
    while version == .v4, length > 8, hosts + 2 > 1 << (32 - length) { length -= 1 }
    for index in pools.indices {
      let pool = pools[index]
      guard pool.prefixLength <= length else { continue }
      let low = pool.network.v6.low
      if version == .v6 {
        let step = pool.network.v6.high
        let subnet = Subnet(IPAddress(IPv6Address(high: step, low: low)), prefixLength: length)
        // The rest of the pool begins behind what was taken.
        pools[index] = Subnet(IPAddress(IPv6Address(high: step + 1, low: low)), prefixLength: 64)
        return subnet
      }
      let size = UInt64(1) << UInt64(32 - length)
      let start = (low + size - 1) / size * size
      guard let network = v4(start), let rest = v4(start + size) else { continue }
      let subnet = Subnet(IPAddress(network), prefixLength: length)
      guard pool.contains(subnet) || pool.prefixLength == 32 || pool.network.v6.low <= start else { continue }
      pools[index] = Subnet(IPAddress(rest), prefixLength: length)
      return subnet
    }
    return nil
  }

  private static func v4(_ low: UInt64) -> IPv4Address? {
    low >> 32 == 0xffff ? IPv4Address(value: UInt32(truncatingIfNeeded: low)) : nil
  }

  /// The so manieth address of `subnet`; nil if it ends before, the broadcast address not being one.
  static func address(_ number: UInt64, in subnet: Subnet) -> IPAddress? {
    let network = subnet.network.v6
    let address = IPAddress(IPv6Address(high: network.high, low: network.low &+ number))
    guard subnet.contains(address), address.v4 == nil || address.v4 != subnet.broadcast else { return nil }
    return address
  }

  private func checkAddresses() throws(Mistake) {
    var owners: [IPAddress: Int] = [:]
    for (node, plugs) in interfaces.enumerated() {
      for plug in plugs {
        for address in plug.addresses {
          if let other = owners.updateValue(node, forKey: address.address) {
            throw fail(
              .link(plug.link),
              "\(address.address) is given to \"\(description.nodes[other].name)\" and to \"\(description.nodes[node].name)\"",
              "Give one of them another address.")
          }
        }
      }
    }
  }

  // MARK: Routes

  /// To every segment along the fewest routers; a host behind one router sends it everything.
  private mutating func computeRoutes() {
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

  private mutating func addRoutesByHand() throws(Mistake) {
    for (index, node) in description.nodes.enumerated() {
      for route in node.routes {
        guard node.hasStack else {
          throw fail(
            .node(index), "\"\(node.name)\" is a \(node.kind.rawValue) and has no routes", "Give them to a router.")
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

  private func checkSchedule() throws(Mistake) {
    for (number, entry) in description.schedule.enumerated() {
      let subject = Subject.schedule(number)
      switch entry.fault {
      case .down(let link), .up(let link), .hold(let link), .release(let link):
        guard linkIndices[link] != nil else {
          throw fail(
            subject, "There is no link called \"\(link)\"", Self.suggestion(link, description.links.map(\.name)))
        }
      case .crash(let name), .restart(let name), .pause(let name), .resume(let name):
        let node = try index(of: name, subject)
        guard description.nodes[node].hasStack else {
          throw fail(subject, "\"\(name)\" is a \(description.nodes[node].kind.rawValue)", "Name a host or a router.")
        }
      case .partition(let left, let right, _):
        for name in left + right { _ = try index(of: name, subject) }
      case .heal: break
      }
    }
  }
}
