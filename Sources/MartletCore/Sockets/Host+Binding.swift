internal import MartletWire

// Who may have which local address and port.

extension Host {
  /// Checks that `local` can be bound and picks a port if it has none.
  ///
  /// - Throws: ``SocketError/addressNotAvailable`` for an address the host does not have, ``SocketError/addressInUse``,
  ///   ``SocketError/noResources`` when every ephemeral port is taken.
  mutating func claim(
    _ local: SocketAddress, _ kind: SocketID.Kind, ipv6Only: Bool, reusesAddress: Bool
  ) throws(SocketError) -> SocketAddress {
    let address = local.address
    guard
      address.isUnspecified || address.isLoopback || addresses.contains(address)
        || address.isMulticast && kind == .datagram
    else { throw .addressNotAvailable }
    var claimed = local
    if local.port == 0 {
      claimed.port = try ephemeralPort(for: local, kind, ipv6Only: ipv6Only)
    } else if isTaken(local, kind, ipv6Only: ipv6Only, reusesAddress: reusesAddress) {
      throw .addressInUse
    }
    return claimed
  }

  /// A free port from the ephemeral range, in an order that cannot be guessed (RFC 6056 section 3.3).
  private mutating func ephemeralPort(
    for local: SocketAddress, _ kind: SocketID.Kind, ipv6Only: Bool
  ) throws(SocketError) -> UInt16 {
    let first = EphemeralPorts.range.lowerBound
    let count = EphemeralPorts.range.count
    let start = Int.random(in: 0..<count, using: &random)
    for step in 0..<count {
      var candidate = local
      candidate.port = first + UInt16((start + step) % count)
      if !isTaken(candidate, kind, ipv6Only: ipv6Only, reusesAddress: false) { return candidate.port }
    }
    throw .noResources
  }

  /// Whether a bound socket stands in the way of `local`.
  ///
  /// Two sockets conflict when their ports are equal and their addresses are, or one of them is unspecified and of a
  /// version the other serves too; unless both may reuse the address.
  private func isTaken(_ local: SocketAddress, _ kind: SocketID.Kind, ipv6Only: Bool, reusesAddress: Bool) -> Bool {
    var taken = false
    ports.forEachBinding(port: local.port, kind) { value in
      let tag = SocketTag(value)
      let other: SocketAddress
      let otherIsIPv6Only: Bool
      let otherReuses: Bool
      if kind == .listener {
        other = listeners[tag.index].local
        otherIsIPv6Only = listeners[tag.index].options.ipv6Only
        otherReuses = false
      } else {
        other = datagrams[tag.index].local
        otherIsIPv6Only = datagrams[tag.index].options.ipv6Only
        otherReuses = datagrams[tag.index].options.reusesAddress
      }
      if reusesAddress && otherReuses { return }
      if Self.overlap(local.address, ipv6Only, other.address, otherIsIPv6Only) { taken = true }
    }
    return taken
  }

  private static func overlap(_ a: IPAddress, _ aOnly: Bool, _ b: IPAddress, _ bOnly: Bool) -> Bool {
    if a == b { return true }
    func covers(_ wildcard: IPAddress, _ only: Bool, _ other: IPAddress) -> Bool {
      wildcard.isUnspecified && (wildcard.isIPv4 ? other.isIPv4 : !(other.isIPv4 && only))
    }
    return covers(a, aOnly, b) || covers(b, bOnly, a)
  }
}
