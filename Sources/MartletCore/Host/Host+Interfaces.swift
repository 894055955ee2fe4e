internal import BasicContainers
public import MartletWire

// Interfaces, addresses and routes: what is set up before packets flow.

extension Host {
  /// Adds an interface, and gives it its IPv6 link-local address (RFC 4291 section 2.5.6) if it can carry IPv6.
  public mutating func addInterface(_ configuration: InterfaceConfiguration) -> InterfaceID {
    let id = InterfaceID(index: UInt16(interfaces.count))
    interfaces.append(Interface(configuration))
    if id != .loopback, configuration.mtu >= 1_280 {
      let linkLocal = IPAddress(IPv6Address(linkLocal: configuration.macAddress))
      try? addAddress(AddressInSubnet(linkLocal, prefixLength: 64), to: id)
    }
    return id
  }

  /// Gives `interface` an address, a route to its subnet, and tells the link (gratuitous ARP, unsolicited advertisement).
  ///
  /// - Throws: ``SocketError/addressInUse`` if the host has it already, ``SocketError/invalidAddress`` if it is not the
  ///   address of one host or there is no such interface.
  public mutating func addAddress(_ address: AddressInSubnet, to interface: InterfaceID) throws(SocketError) {
    guard Int(interface.index) < interfaces.count, address.address.isUnicast || address.address.isLoopback else {
      throw .invalidAddress
    }
    let isTaken =
      address.address.isLinkLocal
      ? addresses.contains(address.address, on: interface) : addresses.contains(address.address)
    if isTaken { throw .addressInUse }
    addresses.append(address, on: interface)
    forgetRoutes()
    if !address.address.isLinkLocal {
      try addRoute(to: address.subnet, via: nil, on: interface)
    }
    if interface != .loopback { announce(address.address, on: interface) }
  }

  /// Adds a route to `destination` through `gateway`, or straight onto the link if it is nil.
  ///
  /// - Throws: ``SocketError/noResources`` when the table is full, ``SocketError/invalidAddress`` for a gateway of the
  ///   other IP version or an interface that does not exist.
  public mutating func addRoute(
    to destination: Subnet, via gateway: IPAddress?, on interface: InterfaceID, metric: UInt32 = 0
  ) throws(SocketError) {
    guard Int(interface.index) < interfaces.count, gateway.map({ $0.version == destination.version }) ?? true else {
      throw .invalidAddress
    }
    forgetRoutes()
    let nextHop = gateway.map { Route.NextHop.gateway($0) } ?? .onLink
    do {
      try routes.add(Route(to: destination, via: nextHop, on: interface, metric: metric))
    } catch .full {
      throw .noResources
    } catch {
      // Two addresses of one subnet share its route.
    }
  }

  /// The interfaces' number, the loopback interface included.
  public var interfaceCount: Int { interfaces.count }

  /// The name of `interface`.
  public func name(of interface: InterfaceID) -> String { interfaces[Int(interface.index)].name }

  /// The Ethernet address of `interface`.
  public func macAddress(of interface: InterfaceID) -> MACAddress { interfaces[Int(interface.index)].macAddress }

  /// The MTU of `interface`, in bytes.
  public func mtu(of interface: InterfaceID) -> Int { interfaces[Int(interface.index)].mtu }

  /// What `interface` has carried.
  public func counters(of interface: InterfaceID) -> InterfaceCounters { interfaces[Int(interface.index)].counters }

  /// The addresses of `interface`, in the order they were added.
  public func addresses(of interface: InterfaceID) -> [AddressInSubnet] {
    var result: [AddressInSubnet] = []
    for index in 0..<addresses.entries.count where addresses.entries[index].interface == interface {
      result.append(addresses.entries[index].address)
    }
    return result
  }

  /// The routes, in a fixed order.
  public var routeTable: [Route] { routes.routes }

  /// Why a packet to `destination` would go where it goes.
  public func explainRoute(to destination: IPAddress) -> RouteExplanation { routes.explain(destination) }

  /// The neighbour cache, in a fixed order.
  public func neighborTable() -> [Neighbor] { neighbors.snapshot(at: now) }
}
