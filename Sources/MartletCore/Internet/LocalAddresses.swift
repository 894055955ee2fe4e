internal import BasicContainers
internal import MartletWire

/// The addresses a host answers to, and on which interface each lives.
struct LocalAddresses: ~Copyable {
  private(set) var entries = UniqueArray<AddressSelection.Candidate>()
  /// Changes whenever what was found good is forgotten.
  private(set) var generation: UInt64 = 0
  /// Addresses of unicast packets that were found good, each pair at a place its source decides: most packets are like one
  /// before.
  private let good = FixedArray(repeating: GoodPair(), count: 16)

  struct GoodPair: BitwiseCopyable {
    var source = IPAddress(IPv6Address.any)
    var destination = IPAddress(IPv6Address.any)
    /// Both as an IPv4 header has them, the source in the upper half; 0 if they are no IPv4 addresses, or belong to a link.
    var ipv4: UInt64 = 0
    /// The loopback interface in a place that is free.
    var interface = InterfaceID.loopback
  }

  @inline(__always)
  private static func place(of source: IPAddress) -> Int {
    Int(truncatingIfNeeded: ((source.v6.low ^ source.v6.high) &* 0x9e37_79b9_7f4a_7c15) &>> 60)
  }

  /// Whether a unicast packet with these addresses was found good on `interface`, and nothing has changed since.
  @inline(__always)
  func isKnownGood(from source: IPAddress, to destination: IPAddress, on interface: InterfaceID) -> Bool {
    let place = Self.place(of: source)
    return good[place].source == source && good[place].destination == destination && good[place].interface == interface
      && interface != .loopback
  }

  /// The same for two addresses as an IPv4 header has them, the source in the upper half; false for what belongs to a link.
  @inline(__always)
  func isKnownGood(ipv4 addresses: UInt64, on interface: InterfaceID) -> Bool {
    let source = IPAddress(IPv4Address(value: UInt32(truncatingIfNeeded: addresses &>> 32)))
    let pair = unsafe good.pointer(at: Self.place(of: source))
    return unsafe pair.pointee.ipv4 == addresses && addresses != 0 && pair.pointee.interface == interface
      && interface != .loopback
  }

  /// Notes that a unicast packet with these addresses is good on `interface`.
  mutating func noteGood(from source: IPAddress, to destination: IPAddress, on interface: InterfaceID) {
    guard !source.isUnspecified else { return }
    var ipv4: UInt64 = 0
    if let source = source.v4, let destination = destination.v4, !source.isLinkLocal {
      ipv4 = UInt64(source.value) &<< 32 | UInt64(destination.value)
    }
    good[Self.place(of: source)] = GoodPair(
      source: source, destination: destination, ipv4: ipv4, interface: interface)
  }

  /// Whether a packet to `address` that came in by `interface` is for this host: any of its addresses will do (the weak
  /// model of RFC 1122 section 3.3.4.2), but a link-local address counts on its own link only.
  func isLocal(_ address: IPAddress, on interface: InterfaceID) -> Bool {
    for index in 0..<entries.count where entries[index].address.address == address {
      if !address.isLinkLocal || entries[index].interface == interface { return true }
    }
    return address.isLoopback && interface == .loopback
  }

  /// Whether any interface has `address`.
  func contains(_ address: IPAddress) -> Bool {
    for index in 0..<entries.count where entries[index].address.address == address { return true }
    return false
  }

  /// Whether `interface` has `address`.
  func contains(_ address: IPAddress, on interface: InterfaceID) -> Bool {
    for index in 0..<entries.count
    where entries[index].address.address == address && entries[index].interface == interface { return true }
    return false
  }

  /// Whether `address` is the broadcast address of a subnet on `interface`, or the limited one.
  func isBroadcast(_ address: IPAddress, on interface: InterfaceID) -> Bool {
    guard let v4 = address.v4 else { return false }
    if v4.isLimitedBroadcast { return true }
    for index in 0..<entries.count
    where entries[index].interface == interface && entries[index].address.broadcast == v4 { return true }
    return false
  }

  /// Whether the host listens to the IPv6 multicast group: all nodes, or the solicited-node group of an address.
  func isMember(of group: IPv6Address, on interface: InterfaceID) -> Bool {
    if group == .allNodes { return true }
    for index in 0..<entries.count {
      let entry = entries[index]
      if entry.interface == interface, !entry.address.address.isIPv4,
        entry.address.address.v6.solicitedNodeMulticast == group
      {
        return true
      }
    }
    return false
  }

  mutating func append(_ address: AddressInSubnet, on interface: InterfaceID) {
    generation &+= 1
    for place in 0..<good.count { good[place] = GoodPair() }
    entries.append(AddressSelection.Candidate(address, on: interface))
  }
}
