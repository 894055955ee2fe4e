public import MartletWire

/// A way to the addresses of a block.
public struct Route: Hashable, Sendable, BitwiseCopyable {
  /// Who is sent the packet.
  public enum NextHop: Hashable, Sendable, BitwiseCopyable {
    /// The destination itself: it is on the interface's link.
    case onLink
    /// A router on the interface's link.
    case gateway(IPAddress)
  }

  /// Where the route leads.
  public var destination: Subnet
  public var nextHop: NextHop
  public var interface: InterfaceID
  /// Which of several routes to the same block is taken: the smallest metric.
  public var metric: UInt32
  /// The source address of packets that take the route, unless their sender chose one.
  public var preferredSource: IPAddress?

  public init(
    to destination: Subnet, via nextHop: NextHop = .onLink, on interface: InterfaceID, metric: UInt32 = 0,
    preferredSource: IPAddress? = nil
  ) {
    self.destination = destination
    self.nextHop = nextHop
    self.interface = interface
    self.metric = metric
    self.preferredSource = preferredSource
  }

  /// Whose link-layer address a packet to `destination` needs: the gateway's, or its own.
  @inlinable public func neighbor(for destination: IPAddress) -> IPAddress {
    switch nextHop {
    case .onLink: destination
    case .gateway(let gateway): gateway
    }
  }
}

/// Why a route was not added or removed.
public enum RouteTableError: Error, Hashable, Sendable {
  /// The table has as many routes as its bound allows.
  case full
  /// The same destination, next hop and interface are there already.
  case exists
  /// No route has that destination, next hop and interface.
  case notFound
  /// The gateway or the preferred source is of another IP version than the destination, or is not one host's address.
  case invalidAddress
}

/// Which way packets go: the longest prefix that matches wins (RFC 1812 section 5.2.4.3), then the smallest metric, then who
/// came first.
///
/// IPv4 and IPv6 live in one path-compressed binary trie over sixteen bytes; its nodes lie in one array.
package struct RouteTable: ~Copyable {
  fileprivate struct Node: BitwiseCopyable {
    var high: UInt64
    var low: UInt64
    /// The length of the prefix, 0 to 128, in the terms of the sixteen bytes.
    var length: UInt8
    var children: (Int32, Int32) = (-1, -1)
    /// The first of the routes to this very prefix; -1 if the node only branches.
    var routes: Int32 = -1

    init(_ address: IPv6Address, length: UInt8) {
      high = address.high
      low = address.low
      self.length = length
    }

    @inline(__always) func matches(_ address: IPv6Address) -> Bool {
      let highMask = length >= 64 ? UInt64.max : ~(UInt64.max &>> UInt64(length))
      let lowMask = length <= 64 ? 0 : UInt64.max &<< UInt64(128 &- length)
      return (address.high ^ high) & highMask | (address.low ^ low) & lowMask == 0
    }

    @inline(__always) func child(for address: IPv6Address) -> Int32 {
      address.bit(at: length) == 0 ? children.0 : children.1
    }
  }

  private struct Gateway: Equatable {
    var address: IPAddress
    var interface: InterfaceID
  }

  fileprivate struct Entry: BitwiseCopyable {
    var route: Route
    /// The next route to the same prefix, by metric and age.
    var next: Int32 = -1
    /// Whether its gateway was found not to answer.
    var isSuspect = false
    /// Whether its interface is down.
    var isDown = false
  }

  fileprivate var nodes: [Node] = []
  fileprivate var entries: [Entry] = []
  private var freeNodes: [Int32] = []
  private var freeEntries: [Int32] = []
  fileprivate var root: Int32 = -1
  /// Gateways that were found not to answer, the latest last.
  private var silent: [Gateway] = []
  /// How many routes there are.
  package private(set) var count = 0
  private let capacity: Int

  /// - Parameter maximumRoutes: the bound, ``Host/Configuration/Internet/maximumRoutes``.
  package init(maximumRoutes: Int) { capacity = maximumRoutes }
}

extension IPv6Address {
  /// The bit at `position`, 0 being the leftmost; 0 past the end.
  @inline(__always)
  fileprivate func bit(at position: UInt8) -> UInt64 {
    if position < 64 { return high &>> UInt64(63 &- position) & 1 }
    return position < 128 ? low &>> UInt64(127 &- position) & 1 : 0
  }
}

// MARK: - Looking up

extension RouteTable {
  /// The route that packets to `destination` take.
  ///
  /// - Parameter interface: the only interface that may be used (the zone of a link-local address, a bound socket); nil for any.
  package func lookup(_ destination: IPAddress, on interface: InterfaceID? = nil) -> Route? {
    let address = destination.v6
    // Blocks of IPv6 hold no IPv4 address, though its mapped form lies in `::/0`.
    let shortest: UInt8 = destination.isIPv4 ? 96 : 0
    var best: Int32 = -1
    var place = root
    while place >= 0 {
      let node = nodes[Int(place)]
      guard node.matches(address) else { break }
      if node.routes >= 0, node.length >= shortest {
        let entry = choose(from: node.routes, on: interface)
        if entry >= 0 { best = entry }
      }
      place = node.child(for: address)
    }
    return best >= 0 ? entries[Int(best)].route : nil
  }

  /// The best of the routes to one prefix: a suspect gateway only if there is no other (RFC 1122 section 3.3.1.4,
  /// RFC 4861 section 6.3.6).
  @inline(__always)
  fileprivate func choose(from first: Int32, on interface: InterfaceID?) -> Int32 {
    var suspect: Int32 = -1
    var place = first
    while place >= 0 {
      let entry = entries[Int(place)]
      if !entry.isDown, interface == nil || entry.route.interface == interface {
        if !entry.isSuspect { return place }
        if suspect < 0 { suspect = place }
      }
      place = entry.next
    }
    return suspect
  }
}

// MARK: - Changing

extension RouteTable {
  /// Adds a route.
  package mutating func add(_ route: Route) throws(RouteTableError) {
    try check(route)
    if find(route) != nil { throw .exists }
    guard count < capacity else { throw .full }
    insert(route)
  }

  /// Adds a route in place of the one with the same destination, next hop and interface, if there is one.
  package mutating func replace(_ route: Route) throws(RouteTableError) {
    try check(route)
    if find(route) != nil { try remove(route) }
    try add(route)
  }

  /// Removes the route with the destination, next hop and interface of `route`.
  package mutating func remove(_ route: Route) throws(RouteTableError) {
    guard let (node, previous, entry) = find(route) else { throw .notFound }
    let next = entries[Int(entry)].next
    if previous >= 0 { entries[Int(previous)].next = next } else { nodes[Int(node)].routes = next }
    freeEntries.append(entry)
    count -= 1
    if nodes[Int(node)].routes < 0 { prune(route.destination) }
  }

  /// Removes every route for which `condition` holds.
  package mutating func removeAll(where condition: (Route) -> Bool) {
    for route in routes where condition(route) { try? remove(route) }
  }

  /// Notes that the neighbour at `address` does not answer. Routes by way of it are taken only when there is no other; where
  /// there is none that answers, each gets its turn (RFC 1122 section 3.3.1.4, RFC 4861 section 6.3.6).
  ///
  /// - Returns: Whether it is a gateway.
  package mutating func noteSilence(of address: IPAddress, on interface: InterfaceID) -> Bool {
    guard suspect(address, interface, true) else { return false }
    let gateway = Gateway(address: address, interface: interface)
    silent.removeAll { $0 == gateway }
    if silent.count == Self.maximumSilent {
      let oldest = silent.removeFirst()
      _ = suspect(oldest.address, oldest.interface, false)
    }
    silent.append(gateway)
    for node in nodes where node.routes >= 0 { giveAnotherItsTurn(node.routes) }
    return true
  }

  /// Notes that the neighbour at `address` was heard.
  ///
  /// - Returns: Whether it is a gateway that had not answered before.
  package mutating func noteAnswer(of address: IPAddress, on interface: InterfaceID) -> Bool {
    guard !silent.isEmpty, let place = silent.firstIndex(of: Gateway(address: address, interface: interface)) else {
      return false
    }
    silent.remove(at: place)
    return suspect(address, interface, false)
  }

  /// The most silent gateways that are remembered; the longest silent one is trusted again.
  private static var maximumSilent: Int { 64 }

  private mutating func suspect(_ address: IPAddress, _ interface: InterfaceID, _ isSuspect: Bool) -> Bool {
    var isGateway = false
    for place in entries.indices
    where entries[place].route.interface == interface && entries[place].route.nextHop == .gateway(address) {
      entries[place].isSuspect = isSuspect
      isGateway = true
    }
    return isGateway
  }

  /// If all of the routes to one prefix are suspect, trusts the one again whose gateway has been silent for longest.
  private mutating func giveAnotherItsTurn(_ first: Int32) {
    var longest: (rank: Int, place: Int32)?
    var place = first
    while place >= 0 {
      let entry = entries[Int(place)]
      guard entry.isSuspect || entry.isDown else { return }
      if case .gateway(let address) = entry.route.nextHop,
        let rank = silent.firstIndex(of: Gateway(address: address, interface: entry.route.interface)),
        rank < longest?.rank ?? silent.count - 1
      {
        longest = (rank, place)
      }
      place = entry.next
    }
    if let longest { entries[Int(longest.place)].isSuspect = false }
  }

  /// Notes whether `interface` is up; routes over one that is down are not taken.
  package mutating func setInterface(_ interface: InterfaceID, isUp: Bool) {
    for place in entries.indices where entries[place].route.interface == interface { entries[place].isDown = !isUp }
  }

  /// All routes, by destination, metric and age.
  package var routes: [Route] {
    var found: [Route] = []
    var pending = root >= 0 ? [root] : []
    while let place = pending.popLast() {
      let node = nodes[Int(place)]
      var entry = node.routes
      while entry >= 0 {
        found.append(entries[Int(entry)].route)
        entry = entries[Int(entry)].next
      }
      if node.children.1 >= 0 { pending.append(node.children.1) }
      if node.children.0 >= 0 { pending.append(node.children.0) }
    }
    return found
  }

  private func check(_ route: Route) throws(RouteTableError) {
    if case .gateway(let gateway) = route.nextHop {
      guard gateway.version == route.destination.version, gateway.isUnicast else { throw .invalidAddress }
    }
    if let source = route.preferredSource {
      guard source.version == route.destination.version, source.isUnicast else { throw .invalidAddress }
    }
  }

  /// The node and the entry of a route, and the entry before it at the same node.
  private func find(_ route: Route) -> (node: Int32, previous: Int32, entry: Int32)? {
    let address = route.destination.network.v6
    var place = root
    while place >= 0, nodes[Int(place)].length < route.destination.mappedPrefixLength {
      guard nodes[Int(place)].matches(address) else { return nil }
      place = nodes[Int(place)].child(for: address)
    }
    guard place >= 0, nodes[Int(place)].length == route.destination.mappedPrefixLength,
      nodes[Int(place)].matches(address)
    else { return nil }
    var previous: Int32 = -1
    var entry = nodes[Int(place)].routes
    while entry >= 0 {
      let other = entries[Int(entry)].route
      if other.nextHop == route.nextHop, other.interface == route.interface { return (place, previous, entry) }
      previous = entry
      entry = entries[Int(entry)].next
    }
    return nil
  }

  private mutating func insert(_ route: Route) {
    let place = node(for: route.destination)
    let new = Entry(route: route)
    let entry: Int32
    if let free = freeEntries.popLast() {
      entry = free
      entries[Int(free)] = new
    } else {
      entry = Int32(entries.count)
      entries.append(new)
    }
    var previous: Int32 = -1
    var next = nodes[Int(place)].routes
    while next >= 0, entries[Int(next)].route.metric <= route.metric {
      previous = next
      next = entries[Int(next)].next
    }
    entries[Int(entry)].next = next
    if previous >= 0 { entries[Int(previous)].next = entry } else { nodes[Int(place)].routes = entry }
    count += 1
  }

  /// The node of exactly `destination`, made if there is none.
  private mutating func node(for destination: Subnet) -> Int32 {
    let address = destination.network.v6
    let length = destination.mappedPrefixLength
    var parent: Int32 = -1
    var place = root
    while place >= 0 {
      let node = nodes[Int(place)]
      let common = UInt8(
        min(
          Int(min(node.length, length)), address.commonPrefixLength(with: IPv6Address(high: node.high, low: node.low))))
      if common < node.length {
        // The new prefix parts from this node's: above it, or at a branch.
        let new = makeNode(Node(address, length: length))
        if common == length {
          link(place, under: new)
          link(new, under: parent)
        } else {
          let branch = makeNode(Node(address, length: common))
          link(place, under: branch)
          link(new, under: branch)
          link(branch, under: parent)
        }
        return new
      }
      if node.length == length { return place }
      parent = place
      place = node.child(for: address)
    }
    let new = makeNode(Node(address, length: length))
    link(new, under: parent)
    return new
  }

  private mutating func makeNode(_ node: Node) -> Int32 {
    if let free = freeNodes.popLast() {
      nodes[Int(free)] = node
      return free
    }
    nodes.append(node)
    return Int32(nodes.count - 1)
  }

  private mutating func link(_ child: Int32, under parent: Int32) {
    guard parent >= 0 else {
      root = child
      return
    }
    let address = IPv6Address(high: nodes[Int(child)].high, low: nodes[Int(child)].low)
    setChild(child, of: parent, at: address.bit(at: nodes[Int(parent)].length))
  }

  private mutating func setChild(_ child: Int32, of parent: Int32, at bit: UInt64) {
    if bit == 0 { nodes[Int(parent)].children.0 = child } else { nodes[Int(parent)].children.1 = child }
  }

  /// Takes the node of `destination` out if it has no routes left, and its parent if that branches no more.
  private mutating func prune(_ destination: Subnet) {
    let address = destination.network.v6
    var path: [Int32] = []
    var place = root
    while place >= 0, nodes[Int(place)].length <= destination.mappedPrefixLength {
      path.append(place)
      place = nodes[Int(place)].child(for: address)
    }
    while let last = path.popLast() {
      let node = nodes[Int(last)]
      guard node.routes < 0, node.children.0 < 0 || node.children.1 < 0 else { return }
      let child = max(node.children.0, node.children.1)
      if let parent = path.last {
        setChild(child, of: parent, at: address.bit(at: nodes[Int(parent)].length))
      } else {
        root = child
      }
      freeNodes.append(last)
    }
  }
}

// MARK: - Explaining

extension RouteTable {
  /// How ``lookup(_:on:)`` comes to its answer.
  package func explain(_ destination: IPAddress, on interface: InterfaceID? = nil) -> RouteExplanation {
    let address = destination.v6
    var explanation = RouteExplanation(destination: destination)
    var place = root
    while place >= 0 {
      let node = nodes[Int(place)]
      let matches = node.matches(address)
      var entry = node.routes
      let chosen = matches && entry >= 0 ? choose(from: entry, on: interface) : -1
      while entry >= 0 {
        let candidate = entries[Int(entry)]
        if candidate.route.destination.version == destination.version {
          let verdict: RouteExplanation.Verdict
          if !matches {
            verdict = .doesNotMatch
          } else if candidate.isDown {
            verdict = .interfaceDown
          } else if let interface, candidate.route.interface != interface {
            verdict = .otherInterface
          } else if entry == chosen {
            verdict = .won
          } else {
            verdict = candidate.isSuspect ? .gatewaySilent : .greaterMetric
          }
          if verdict == .won {
            // A shorter prefix that was ahead so far has lost.
            for index in explanation.steps.indices where explanation.steps[index].verdict == .won {
              explanation.steps[index].verdict = .shorterPrefix
            }
            explanation.route = candidate.route
          }
          explanation.steps.append(RouteExplanation.Step(route: candidate.route, verdict: verdict))
        }
        entry = candidate.next
      }
      guard matches else { break }
      place = node.child(for: address)
    }
    return explanation
  }
}
