public import MartletCore
public import MartletWire

// What a program may look at: everything a host knows can be printed.

extension VirtualHost {
  /// What the host knows of its neighbours, in a fixed order.
  public func neighborTable() -> [Neighbor] { withBox { _, box in box.host.neighborTable() } }

  /// The host's routes, in a fixed order.
  public func routeTable() -> [Route] { withBox { _, box in box.host.routeTable } }

  /// Which route a packet to `destination` takes, and why none of the others.
  public func explainRoute(to destination: IPAddress) -> RouteExplanation {
    withBox { _, box in box.host.explainRoute(to: destination) }
  }

  /// Which socket a packet from `remote` to `local` reaches, and which table knew it.
  public func explainDemultiplexing(
    protocol kind: SocketStatus.Kind, from remote: SocketAddress, to local: SocketAddress
  ) -> DemultiplexingExplanation {
    withBox { _, box in box.host.explainDemultiplexing(protocol: kind, from: remote, to: local) }
  }

  /// How often each reason dropped a packet.
  public var drops: Drop.Counters { withBox { _, box in box.host.drops } }

  /// What went through `interface`.
  public func counters(of interface: InterfaceID) -> InterfaceCounters {
    withBox { _, box in box.host.counters(of: interface) }
  }

  /// The Ethernet address of `interface`.
  public func macAddress(of interface: InterfaceID) -> MACAddress {
    withBox { _, box in box.host.macAddress(of: interface) }
  }
}

extension Loop {
  /// Runs `body` on the loop's thread with the loop's memory for packets, which devices and recorders are made with.
  public func withPool<T: Sendable, E: Error>(
    _ body: @escaping @Sendable (borrowing PacketPool) throws(E) -> T
  ) throws(E) -> T {
    let core = core
    return try core.sync { () throws(E) -> T in try body(core.pool) }
  }
}
