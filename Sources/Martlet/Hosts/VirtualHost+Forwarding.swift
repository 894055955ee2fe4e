public import MartletCore

// Hosts that pass on what is for others.

extension VirtualHost {
  /// What a host is there for.
  public enum Role: Hashable, Sendable {
    /// Programs: it offers them sockets.
    case host
    /// Packets of others: it offers no sockets, and opening one throws ``SocketError/offersNoSockets``.
    case router
  }

  /// Whether the host is a router, which offers no sockets.
  public var isRouter: Bool { role == .router }

  /// What the host does with packets that are for others (RFC 1812, RFC 8200); also settable for a host with sockets.
  public var forwarding: Host.Configuration.Forwarding {
    get { withBox { _, box in box.host.forwarding } }
    set { withBox { _, box in box.host.setForwarding(newValue) } }
  }

  /// Whether the host forwards packets of IPv4 or IPv6; setting it turns both on or off.
  public var forwards: Bool {
    get { forwarding.isOn }
    set {
      withBox { _, box in
        var forwarding = box.host.forwarding
        forwarding.ipv4 = newValue
        forwarding.ipv6 = newValue
        box.host.setForwarding(forwarding)
      }
    }
  }

  /// Says whether what comes in by `interface` for others is forwarded, if the host forwards at all. It is, unless told.
  public func setForwarding(_ isOn: Bool, on interface: InterfaceID) {
    withBox { _, box in box.host.setForwarding(isOn, on: interface) }
  }

  /// What became of packets that the host forwards; those that went no further count among its ``drops``.
  public var forwardingCounters: ForwardingCounters { withBox { _, box in box.host.forwardingCounters } }
}

extension Loop {
  /// A new router named `name`: a host that forwards IPv4 and IPv6 packets between its interfaces and offers no sockets.
  ///
  /// - Parameters:
  ///   - name: What the router is called; its random numbers in virtual time depend on it.
  ///   - configuration: Its bounds and defaults. It forwards both IP versions unless this names one of them.
  @discardableResult
  public func router(_ name: String, configuration: Host.Configuration = Host.Configuration()) -> VirtualHost {
    var configuration = configuration
    if !configuration.forwarding.isOn {
      configuration.forwarding.ipv4 = true
      configuration.forwarding.ipv6 = true
    }
    configuration.offersSockets = false
    return host(name, configuration: configuration)
  }

  /// A new router named `name`, on which `setUp` is done first.
  @discardableResult
  public func router<E: Error>(
    _ name: String, configuration: Host.Configuration = Host.Configuration(),
    _ setUp: (VirtualHost) throws(E) -> Void
  ) throws(E) -> VirtualHost {
    let router = router(name, configuration: configuration)
    try setUp(router)
    return router
  }
}
