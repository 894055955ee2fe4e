import MartletWire
import Testing

@Suite("Kinds of addresses")
struct AddressKindTests {
  /// A predicate, and the first and last address of a block in which it holds.
  struct Block<Address: Sendable>: Sendable, CustomTestStringConvertible {
    var name: String
    var holds: @Sendable (Address) -> Bool
    var first: Address
    var last: Address
    var testDescription: String { name }

    init(_ name: String, _ first: Address, _ last: Address, _ holds: @escaping @Sendable (Address) -> Bool) {
      self.name = name
      self.first = first
      self.last = last
      self.holds = holds
    }
  }

  @Test(
    "An IPv4 kind begins and ends where its block does",
    arguments: [
      Block("unspecified", "0.0.0.0", "0.0.0.0") { $0.isUnspecified },
      Block("this network", "0.0.0.0", "0.255.255.255") { $0.isThisNetwork },
      Block("loopback", "127.0.0.0", "127.255.255.255") { $0.isLoopback },
      Block("multicast", "224.0.0.0", "239.255.255.255") { $0.isMulticast },
      Block("link-local multicast", "224.0.0.0", "224.0.0.255") { $0.isLinkLocalMulticast },
      Block("broadcast", "255.255.255.255", "255.255.255.255") { $0.isLimitedBroadcast },
      Block("link-local", "169.254.0.0", "169.254.255.255") { $0.isLinkLocal },
      Block("private, 10", "10.0.0.0", "10.255.255.255") { $0.isPrivate },
      Block("private, 172", "172.16.0.0", "172.31.255.255") { $0.isPrivate },
      Block("private, 192", "192.168.0.0", "192.168.255.255") { $0.isPrivate },
      Block("shared", "100.64.0.0", "100.127.255.255") { $0.isShared },
      Block("documentation 1", "192.0.2.0", "192.0.2.255") { $0.isDocumentation },
      Block("documentation 2", "198.51.100.0", "198.51.100.255") { $0.isDocumentation },
      Block("documentation 3", "203.0.113.0", "203.0.113.255") { $0.isDocumentation },
      Block("benchmarking", "198.18.0.0", "198.19.255.255") { $0.isBenchmarking },
      Block("reserved", "240.0.0.0", "255.255.255.255") { $0.isReserved },
      Block("unicast", "1.0.0.0", "223.255.255.255") { $0.isUnicast },
      Block("site-local scope", "239.255.0.0", "239.255.255.255") { $0.scope == .siteLocal },
      Block("organization-local scope", "239.192.0.0", "239.195.255.255") { $0.scope == .organizationLocal },
    ] as [Block<IPv4Address>])
  func ipv4(block: Block<IPv4Address>) {
    #expect(block.holds(block.first))
    #expect(block.holds(block.last))
    if block.first.value > 0 { #expect(!block.holds(IPv4Address(value: block.first.value - 1))) }
    if block.last.value < .max { #expect(!block.holds(IPv4Address(value: block.last.value + 1))) }
  }

  @Test(
    "An IPv6 kind begins and ends where its block does",
    arguments: [
      Block("unspecified", "::", "::") { $0.isUnspecified },
      Block("loopback", "::1", "::1") { $0.isLoopback },
      Block("multicast", "ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff") { $0.isMulticast },
      Block("link-local", "fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff") { $0.isLinkLocal },
      Block("site-local", "fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff") { $0.isSiteLocal },
      Block("unique-local", "fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff") { $0.isUniqueLocal },
      Block("documentation 1", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff") { $0.isDocumentation },
      Block("documentation 2", "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff") { $0.isDocumentation },
      Block("mapped", "::ffff:0.0.0.0", "::ffff:255.255.255.255") { $0.isIPv4Mapped },
      Block("solicited-node", "ff02::1:ff00:0", "ff02::1:ffff:ffff") { $0.isSolicitedNode },
    ] as [Block<IPv6Address>])
  func ipv6(block: Block<IPv6Address>) {
    #expect(block.holds(block.first))
    #expect(block.holds(block.last))
    let (before, borrow) = block.first.low.subtractingReportingOverflow(1)
    if !block.first.isUnspecified {
      #expect(!block.holds(IPv6Address(high: block.first.high &- (borrow ? 1 : 0), low: before)))
    }
    let (after, carry) = block.last.low.addingReportingOverflow(1)
    if !(carry && block.last.high == .max) {
      #expect(!block.holds(IPv6Address(high: block.last.high &+ (carry ? 1 : 0), low: after)))
    }
  }

  @Test("A global address is one of no special block")
  func global() {
    let global: [IPAddress] = ["8.8.8.8", "134.34.240.80", "192.0.1.0", "2606:4700::1", "64:ff9b::1"]
    let notGlobal: [IPAddress] = [
      "0.0.0.0", "0.1.2.3", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.1.1", "192.0.0.8", "192.0.2.1",
      "192.168.1.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fc00::1",
      "fec0::1", "ff02::1", "2001:db8::1", "3fff::1",
    ]
    for address in global { #expect(address.isGlobal, "\(address)") }
    for address in notGlobal { #expect(!address.isGlobal, "\(address)") }
  }

  @Test("An Internet address is classified by its own version's rules")
  func either() {
    let v4: [IPAddress] = ["0.0.0.0", "127.0.0.1", "224.0.0.1", "169.254.0.1", "10.0.0.1", "192.0.2.1"]
    let v6: [IPAddress] = ["::", "::1", "ff02::1", "fe80::1", "fd00::1", "2001:db8::1"]
    let kinds: [(IPAddress) -> Bool] = [
      { $0.isUnspecified }, { $0.isLoopback }, { $0.isMulticast }, { $0.isLinkLocal }, { $0.isPrivate },
      { $0.isDocumentation },
    ]
    for row in kinds.indices {
      for column in kinds.indices {
        #expect(kinds[column](v4[row]) == (row == column), "\(v4[row])")
        #expect(kinds[column](v6[row]) == (row == column), "\(v6[row])")
      }
      #expect(v4[row].version == .v4 && v6[row].version == .v6)
      #expect(v4[row].isUnicast == (row != 0 && row != 2) && v6[row].isUnicast == (row != 0 && row != 2))
    }
    #expect(IPAddress("255.255.255.255" as IPv4Address).isLimitedBroadcast)
    #expect(IPAddress.any(.v4).v4 == .any && IPAddress.any(.v6).v6 == .any)
    #expect(IPAddress.loopback(.v4).v4 == .loopback && IPAddress.loopback(.v6).v6 == .loopback)
  }

  @Test(
    "The scope of an address is the one that address selection counts",
    arguments: [
      ("ff01::1", .interfaceLocal), ("ff02::1", .linkLocal), ("ff05::2", .siteLocal), ("ff08::1", .organizationLocal),
      ("ff0e::1", .global), ("fe80::1", .linkLocal), ("::1", .linkLocal), ("fec0::1", .siteLocal),
      ("2001:db8::1", .global), ("fd00::1", .global), ("10.0.0.1", .global), ("169.254.3.4", .linkLocal),
      ("127.0.0.1", .linkLocal), ("192.0.2.1", .global), ("224.0.0.1", .linkLocal), ("232.1.1.1", .global),
    ] as [(IPAddress, AddressScope)])
  func scope(address: IPAddress, scope: AddressScope) { #expect(address.scope == scope) }

  @Test("Only a group has a multicast scope")
  func multicastScope() {
    #expect(("ff12::1" as IPv6Address).multicastScope == .linkLocal)
    #expect(("2001:db8::1" as IPv6Address).multicastScope == nil)
  }

  @Test("An Ethernet address tells group, everyone and local")
  func mac() {
    let manufacturer: MACAddress = "00:34:2c:9a:de:cc"
    let local: MACAddress = "1a:34:2c:9a:de:cc"
    let group: MACAddress = "01:00:5e:00:00:01"
    #expect(!manufacturer.isMulticast && manufacturer.isUnicast && !manufacturer.isLocallyAdministered)
    #expect(!local.isMulticast && local.isLocallyAdministered && !local.isBroadcast)
    #expect(group.isMulticast && !group.isUnicast && !group.isBroadcast && !group.isLocallyAdministered)
    #expect(MACAddress.broadcast.isBroadcast && MACAddress.broadcast.isMulticast)
    #expect(!MACAddress.zero.isUnicast && !MACAddress.zero.isMulticast)
    #expect(MACAddress(value: .max) == .broadcast)
  }

  @Test("A group's frames go to the station group that its last bits make")
  func multicastMapping() {
    #expect(MACAddress(multicast: IPv4Address.allHosts) == "01:00:5e:00:00:01")
    #expect(MACAddress(multicast: "224.128.64.32" as IPv4Address) == "01:00:5e:00:40:20")
    #expect(MACAddress(multicast: "239.255.255.255" as IPv4Address) == "01:00:5e:7f:ff:ff")
    #expect(MACAddress(multicast: IPv6Address.allNodes) == "33:33:00:00:00:01")
    #expect(MACAddress(multicast: "ff02::1:ff01:2345" as IPAddress) == "33:33:ff:01:23:45")
    #expect(MACAddress(multicast: "224.0.0.251" as IPAddress) == "01:00:5e:00:00:fb")
  }

  @Test("An Ethernet address makes the interface identifier of RFC 4291 appendix A and the link-local address")
  func interfaceIdentifier() {
    // RFC 2464 section 4.
    #expect(("34:56:78:9a:bc:de" as MACAddress).interfaceIdentifier == 0x3656_78ff_fe9a_bcde)
    #expect(IPv6Address(linkLocal: "00:23:45:01:23:45") == "fe80::223:45ff:fe01:2345")
    #expect(IPv6Address(linkLocal: "02:00:00:00:00:01") == "fe80::ff:fe00:1")
  }

  @Test("A node listens to the solicited-node group of its last 24 bits")
  func solicitedNode() {
    // RFC 4291 section 2.7.1.
    let address: IPv6Address = "4037::01:800:200e:8c6c"
    #expect(address.solicitedNodeMulticast == "ff02::1:ff0e:8c6c")
    #expect(address.solicitedNodeMulticast.isSolicitedNode)
    #expect(!IPv6Address.allNodes.isSolicitedNode)
  }

  @Test("The common prefix of two addresses is counted in bits")
  func commonPrefix() {
    let address: IPv6Address = "2001:db8::1"
    #expect(address.commonPrefixLength(with: address) == 128)
    #expect(address.commonPrefixLength(with: "2001:db8::") == 127)
    #expect(address.commonPrefixLength(with: "2001:db8:0:0:8000::1") == 64)
    #expect(address.commonPrefixLength(with: "2001:db9::1") == 31)
    #expect(address.commonPrefixLength(with: "a001:db8::1") == 0)
  }

  @Test("Addresses are in the order of their numbers")
  func order() {
    let addresses: [IPAddress] = [
      "::", "::1", "0.0.0.0", "9.0.0.0", "10.0.0.0", "2001:db8::", "2001:db8::1", "ff02::1",
    ]
    #expect(addresses.reversed().sorted() == addresses)
    #expect(("9.0.0.0" as IPv4Address) < "10.0.0.0")
    #expect(("0a:00:00:00:00:00" as MACAddress) > "09:ff:ff:ff:ff:ff")
  }

  @Test("The groups and octets of an address are its parts in order")
  func parts() {
    let v6 = IPv6Address(1, 2, 3, 4, 5, 6, 7, 8)
    #expect((0..<8).map { v6.group($0) } == [1, 2, 3, 4, 5, 6, 7, 8])
    #expect(v6 == "1:2:3:4:5:6:7:8")
    #expect(IPv4Address(192, 0, 2, 10).octets == (192, 0, 2, 10))
  }
}
