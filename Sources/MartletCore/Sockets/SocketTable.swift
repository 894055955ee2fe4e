internal import MartletWire

/// The two ends of a connection or connected datagram socket: what the five-tuple table is keyed by, with the protocol.
package struct Flow: Hashable, Sendable, BitwiseCopyable {
  package var localAddress: IPAddress
  package var remoteAddress: IPAddress
  package var localPort: UInt16
  package var remotePort: UInt16
  /// The interface where an address means something on one link only (RFC 4007), else 0.
  package var zone: UInt16

  package init(
    localAddress: IPAddress, localPort: UInt16, remoteAddress: IPAddress, remotePort: UInt16, zone: UInt16 = 0
  ) {
    self.localAddress = localAddress
    self.remoteAddress = remoteAddress
    self.localPort = localPort
    self.remotePort = remotePort
    self.zone = zone
  }
}
