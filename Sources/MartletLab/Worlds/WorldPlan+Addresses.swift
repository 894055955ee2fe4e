import MartletCore
import MartletWire

// Addresses by hand and from the pools.

extension WorldPlan {
  mutating func giveAddresses() throws(Mistake) {
    let members = members()
    for version in [IPVersion.v4, .v6] {
      var pools = description.addressPools.filter { $0.version == version }
      // What is given by hand anywhere is not given again.
      let taken = Set(interfaces.joined().flatMap(\.addresses).filter { $0.version == version }.map(\.subnet))
      for domain in 0..<domainCount where !members[domain].isEmpty {
        let byHand = members[domain].flatMap { interfaces[$0.node][$0.interface].addresses }
          .filter { $0.version == version }
        let subnet: Subnet
        var used = Set(byHand.map(\.address))
        if let first = byHand.first {
          subnet = first.subnet
        } else {
          guard !pools.isEmpty else { continue }
          var carved: Subnet
          repeat {
            guard let next = Self.carve(&pools, hosts: members[domain].count, version) else {
              throw fail(nil, "The address pools are used up", "Give a larger pool, as 10.0.0.0/8.")
            }
            carved = next
          } while taken.contains { $0.contains(carved) || carved.contains($0) }
          subnet = carved
        }
        var next: UInt64 = 1
        for member in members[domain]
        where !interfaces[member.node][member.interface].addresses.contains(where: { $0.version == version }) {
          var address = Self.address(next, in: subnet)
          while let taken = address, used.contains(taken) {
            next += 1
            address = Self.address(next, in: subnet)
          }
          guard let address else {
            throw fail(
              .link(interfaces[member.node][member.interface].link),
              "\(subnet) has no address left for \"\(description.nodes[member.node].name)\"",
              "Give the segment a shorter prefix.")
          }
          used.insert(address)
          next += 1
          interfaces[member.node][member.interface].addresses.append(
            AddressInSubnet(address, prefixLength: subnet.prefixLength))
        }
      }
    }
  }

  /// Takes a subnet with room for `hosts` out of the first pool that has one.
  private static func carve(_ pools: inout [Subnet], hosts: Int, _ version: IPVersion) -> Subnet? {
    var length = version == .v4 ? 24 : 64
    while version == .v4, length > 8, hosts + 2 > 1 << (32 - length) { length -= 1 }
    for index in pools.indices {
      let pool = pools[index]
      guard pool.prefixLength <= length else { continue }
      let low = pool.network.v6.low
      if version == .v6 {
        let step = pool.network.v6.high
        let subnet = Subnet(IPAddress(IPv6Address(high: step, low: low)), prefixLength: length)
        // The rest of the pool begins behind what was taken.
        pools[index] = Subnet(IPAddress(IPv6Address(high: step + 1, low: low)), prefixLength: 64)
        return subnet
      }
      let size = UInt64(1) << UInt64(32 - length)
      let start = (low + size - 1) / size * size
      guard let network = v4(start), let rest = v4(start + size) else { continue }
      let subnet = Subnet(IPAddress(network), prefixLength: length)
      guard pool.contains(subnet) || pool.prefixLength == 32 || pool.network.v6.low <= start else { continue }
      pools[index] = Subnet(IPAddress(rest), prefixLength: length)
      return subnet
    }
    return nil
  }

  private static func v4(_ low: UInt64) -> IPv4Address? {
    low >> 32 == 0xffff ? IPv4Address(value: UInt32(truncatingIfNeeded: low)) : nil
  }

  /// The so manieth address of `subnet`; nil if it ends before, the broadcast address not being one.
  static func address(_ number: UInt64, in subnet: Subnet) -> IPAddress? {
    let network = subnet.network.v6
    let address = IPAddress(IPv6Address(high: network.high, low: network.low &+ number))
    guard subnet.contains(address), address.v4 == nil || address.v4 != subnet.broadcast else { return nil }
    return address
  }

  func checkAddresses() throws(Mistake) {
    var owners: [IPAddress: Int] = [:]
    for (node, plugs) in interfaces.enumerated() {
      for plug in plugs {
        for address in plug.addresses {
          if let other = owners.updateValue(node, forKey: address.address) {
            throw fail(
              .link(plug.link),
              "\(address.address) is given to \"\(description.nodes[other].name)\" and to \"\(description.nodes[node].name)\"",
              "Give one of them another address.")
          }
        }
      }
    }
  }
}
