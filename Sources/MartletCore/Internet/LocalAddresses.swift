internal import BasicContainers
internal import MartletWire

/// The addresses a host answers to, and on which interface each lives.
struct LocalAddresses: ~Copyable {
  struct Entry: BitwiseCopyable {
    var address: IPAddress
    var subnet: Subnet
    var interface: InterfaceID
  }

  private(set) var entries = UniqueArray<Entry>()

  /// Whether `address` is one of the host's, on whatever interface (the weak model of RFC 1122 section 3.3.4.2), or
  /// loopback. Link-local addresses count only on their own interface.
  func isLocal(_ address: IPAddress, on interface: InterfaceID) -> Bool {
    for index in 0..<entries.count {
      let entry = entries[index]
      if entry.address == address { return !address.isLinkLocal || entry.interface == interface }
    }
    return address.isLoopback && interface == .loopback
  }

  /// Whether any interface has `address`.
  func contains(_ address: IPAddress) -> Bool { entry(for: address) != nil }

  /// The entry of `address`.
  func entry(for address: IPAddress) -> Entry? {
    for index in 0..<entries.count where entries[index].address == address { return entries[index] }
    return nil
  }

  /// Whether `address` is the broadcast address of a subnet on `interface`, or the limited one.
  func isBroadcast(_ address: IPAddress, on interface: InterfaceID) -> Bool {
    guard let v4 = address.v4 else { return false }
    if v4.isLimitedBroadcast { return true }
    for index in 0..<entries.count {
      let entry = entries[index]
      if entry.interface == interface, entry.subnet.broadcast == v4 { return true }
    }
    return false
  }

  /// Whether the host listens to the IPv6 multicast group: all nodes, or the solicited-node group of an address.
  func isMember(of group: IPv6Address, on interface: InterfaceID) -> Bool {
    if group == .allNodes || group.high == 0xff01_0000_0000_0000 && group.low == 1 { return true }
    for index in 0..<entries.count {
      let entry = entries[index]
      if entry.interface == interface, !entry.address.isIPv4, entry.address.v6.solicitedNodeMulticast == group { return true }
    }
    return false
  }

  mutating func append(_ entry: Entry) { entries.append(entry) }
}
