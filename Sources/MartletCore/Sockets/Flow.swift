package import MartletWire

/// What tells one connection of a host from another (RFC 9293 section 3.4: a pair of sockets).
package struct Flow: Hashable, Sendable, BitwiseCopyable {
  package var localAddress: IPAddress
  package var remoteAddress: IPAddress
  package var localPort: UInt16
  package var remotePort: UInt16
  /// The interface to which link-local addresses belong (RFC 4007), the loopback interface for all others.
  package var zone: InterfaceID

  package init(
    localAddress: IPAddress, localPort: UInt16, remoteAddress: IPAddress, remotePort: UInt16,
    zone: InterfaceID = .loopback
  ) {
    self.localAddress = localAddress
    self.localPort = localPort
    self.remoteAddress = remoteAddress
    self.remotePort = remotePort
    self.zone = zone
  }

  /// The same connection as its other end sees it.
  package var reversed: Flow {
    Flow(
      localAddress: remoteAddress, localPort: remotePort, remoteAddress: localAddress, remotePort: localPort, zone: zone
    )
  }
}

extension KeyedHash {
  /// The hash of `flow`; two IPv4 addresses are one word together.
  @inline(__always)
  package func hash(_ flow: Flow) -> UInt64 {
    let rest = UInt64(flow.localPort) << 32 | UInt64(flow.remotePort) << 16 | UInt64(flow.zone.index)
    if flow.localAddress.isIPv4, flow.remoteAddress.isIPv4 {
      return hash(flow.localAddress.v6.low << 32 | flow.remoteAddress.v6.low & 0xffff_ffff, rest)
    }
    return hash(
      flow.localAddress.v6.high, flow.localAddress.v6.low, flow.remoteAddress.v6.high, flow.remoteAddress.v6.low, rest)
  }

  /// The hash of `flow` and `salt`.
  @inline(__always)
  package func hash(_ flow: Flow, salt: UInt64) -> UInt64 {
    hash(
      flow.localAddress.v6.high ^ salt, flow.localAddress.v6.low, flow.remoteAddress.v6.high, flow.remoteAddress.v6.low,
      UInt64(flow.localPort) << 32 | UInt64(flow.remotePort) << 16 | UInt64(flow.zone.index))
  }
}
