public import MartletCore
public import MartletLinks
public import MartletWire

/// A host of a loop: a computer of its own with interfaces, addresses, routes and sockets.
///
/// A handle that may be passed anywhere. Calls that set the host up wait for the loop's thread; sockets are async.
public final class VirtualHost: Sendable {
  /// The name that ``Loop/host(_:configuration:)`` was given.
  public let name: String
  /// The loop the host lives on.
  public let loop: Loop
  /// What the host is there for.
  public let role: Role
  nonisolated(unsafe) let box: HostBox

  init(name: String, loop: Loop, role: Role, box: HostBox) {
    self.name = name
    self.loop = loop
    self.role = role
    unsafe self.box = box
  }

  /// Runs `body` with the host on the loop's thread.
  func withBox<T: Sendable, E: Error>(
    _ body: @escaping @Sendable (LoopCore, HostBox) throws(E) -> T
  ) throws(E) -> T {
    let core = loop.core
    return try core.sync { () throws(E) -> T in
      let box = unsafe self.box
      defer { core.touch(box) }
      return try body(core, box)
    }
  }
}

extension Loop {
  /// A new host named `name`.
  ///
  /// - Parameters:
  ///   - name: What the host is called; its random numbers in virtual time depend on it.
  ///   - configuration: The host's bounds and defaults.
  @discardableResult
  public func host(_ name: String, configuration: Host.Configuration = Host.Configuration()) -> VirtualHost {
    let core = core
    return core.sync { [self] in
      let count = core.hostNames[name, default: 0]
      core.hostNames[name] = count + 1
      var random = self.random(named: count == 0 ? "host:\(name)" : "host:\(name)#\(count + 1)")
      let box = HostBox(
        id: UInt32(core.entities.count),
        host: Host(name: name, configuration: configuration, pool: core.pool, seed: random.next()))
      core.entities.append(.host(box))
      core.touch(box)
      let role: VirtualHost.Role = configuration.offersSockets ? .host : .router
      return VirtualHost(name: name, loop: self, role: role, box: box)
    }
  }

  /// A new host named `name`, on which `setUp` is done first.
  @discardableResult
  public func host<E: Error>(
    _ name: String, configuration: Host.Configuration = Host.Configuration(),
    _ setUp: (VirtualHost) throws(E) -> Void
  ) throws(E) -> VirtualHost {
    let host = host(name, configuration: configuration)
    try setUp(host)
    return host
  }
}

extension VirtualHost {
  /// Connects the host to `link` by a new interface.
  ///
  /// - Parameters:
  ///   - link: The host's end of the link; from now on it may be used on the loop's thread alone (``Loop/sync(_:)``).
  ///   - name: What the interface is called; `eth0`, `eth1` … if nil.
  ///   - macAddress: Its Ethernet address; nil takes the link's, or one made from the loop's random numbers.
  ///   - addresses: Its Internet addresses.
  ///   - mtu: The largest IP packet, in bytes; nil takes the link's.
  /// - Returns: The interface, by which routes name it.
  @discardableResult
  public func attach(
    _ link: any Link, name: String? = nil, macAddress: MACAddress? = nil, addresses: [AddressInSubnet] = [],
    mtu: Int? = nil
  ) throws -> InterfaceID {
    // From here on the link is used by the loop alone, as the documentation asks.
    nonisolated(unsafe) let link = link
    return try attach(name: name, macAddress: macAddress, addresses: addresses, mtu: mtu) { _ throws(SocketError) in
      unsafe link
    }
  }

  /// Connects the host by a new interface to the link that `makeLink` makes, on the loop's thread, with the loop's
  /// memory for packets. Else as ``attach(_:name:macAddress:addresses:mtu:)``.
  ///
  /// - Throws: What `makeLink` throws, or ``SocketError``.
  @discardableResult
  public func attach<E: Error>(
    name: String? = nil, macAddress: MACAddress? = nil, addresses: [AddressInSubnet] = [], mtu: Int? = nil,
    _ makeLink: @escaping @Sendable (borrowing PacketPool) throws(E) -> any Link
  ) throws -> InterfaceID {
    try withBox { [loop, hostName = self.name] (core, box) throws -> InterfaceID in
      let link = try makeLink(core.pool)
      let index = box.attachments.count
      let interfaceName = name ?? "eth\(index)"
      var random = loop.random(named: "mac:\(hostName):\(interfaceName)")
      // Locally administered, unicast.
      let made = MACAddress(value: random.next() & 0xfcff_ffff_ffff | 0x0200_0000_0000)
      let address = macAddress ?? link.macAddressHint.map { MACAddress(value: $0) } ?? made
      let interface = box.host.addInterface(
        InterfaceConfiguration(
          name: interfaceName, macAddress: address, mtu: mtu ?? link.mtu, offloads: link.offloads))
      let attachment = Attachment(id: UInt32(core.entities.count), link: link, box: box, interface: interface)
      core.entities.append(.link(attachment))
      box.attachments.append(attachment)
      let id = attachment.id
      link.attach { [unowned core] in core.linkWoke(id) }
      core.deadlines.set(link.nextDeadline, for: id)
      if let descriptor = link.descriptor {
        guard core.watch(descriptor, for: .read, { [unowned core] _ in attachment.receive(core) }) != nil else {
          throw SocketError.noResources
        }
      }
      for address in addresses {
        try box.host.addAddress(address, to: interface)
        box.addresses.append(HostBox.InterfaceAddress(address: address, interface: interface))
      }
      return interface
    }
  }

  /// Gives `interface` one more address.
  public func addAddress(_ address: AddressInSubnet, to interface: InterfaceID) throws(SocketError) {
    try withBox { (_, box) throws(SocketError) in
      try box.host.addAddress(address, to: interface)
      box.addresses.append(HostBox.InterfaceAddress(address: address, interface: interface))
    }
  }

  /// Sends what goes to `destination` by way of `gateway` (nil: its hosts are on the link itself).
  public func addRoute(
    to destination: Subnet, via gateway: IPAddress?, on interface: InterfaceID, metric: UInt32 = 0
  ) throws(SocketError) {
    try withBox { (_, box) throws(SocketError) in
      try box.host.addRoute(to: destination, via: gateway, on: interface, metric: UInt32(clamping: metric))
    }
  }

  /// Sends what has no better route by way of `gateway`, which has to be on the link of one of the host's addresses.
  ///
  /// - Throws: ``SocketError/noRoute`` if it is on none, or link-local, when `interface` has to be named.
  public func addDefaultRoute(via gateway: IPAddress, on interface: InterfaceID? = nil) throws(SocketError) {
    try withBox { (_, box) throws(SocketError) in
      guard let interface = interface ?? box.interface(reaching: gateway) else { throw .noRoute }
      let everything = Subnet(.any(gateway.version), prefixLength: 0)
      try box.host.addRoute(to: everything, via: gateway, on: interface)
    }
  }

  /// All sockets of the host, in a fixed order.
  public func socketTable() -> [SocketStatus] { withBox { _, box in box.host.socketTable() } }

  /// How many packets the host dropped, by reason.
  public var drops: Drop.Counters { withBox { _, box in box.host.drops } }

  /// The names the host knows by itself.
  public var hosts: HostsTable {
    get { withBox { _, box in box.names } }
    set { withBox { _, box in box.names = newValue } }
  }

  /// The services the host knows by name.
  public var services: ServiceTable {
    get { withBox { _, box in box.services } }
    set { withBox { _, box in box.services = newValue } }
  }

  /// The addresses of the host's interfaces, as they were given.
  public var addresses: [AddressInSubnet] { withBox { _, box in box.addresses.map(\.address) } }
}
