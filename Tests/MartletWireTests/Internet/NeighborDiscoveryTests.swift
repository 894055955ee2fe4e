import MartletWire
import Testing

@Suite("Neighbor discovery")
struct NeighborDiscoveryTests {
  static let linkLocal = IPv6Address(high: 0xfe80_0000_0000_0000, low: 2)
  static let global = IPv6Address(high: 0x2001_0db8_0000_0000, low: 2)
  static let messages: [(String, NeighborDiscoveryMessage)] = [
    ("85 00 0000 00000000", .routerSolicitation),
    (
      "86 00 0000 40 c8 0708 00007530 000003e8",
      .routerAdvertisement(
        .init(
          currentHopLimit: 64, flags: 0xc8, routerLifetime: 1800, reachableTime: 30000, retransmissionTimer: 1000))
    ),
    ("87 00 0000 00000000 fe80000000000000 0000000000000002", .neighborSolicitation(target: linkLocal)),
    (
      "88 00 0000 e0000000 fe80000000000000 0000000000000002",
      .neighborAdvertisement(.init(isRouter: true, isSolicited: true, isOverride: true, target: linkLocal))
    ),
    (
      "88 00 0000 20000000 fe80000000000000 0000000000000002",
      .neighborAdvertisement(.init(isRouter: false, isSolicited: false, isOverride: true, target: linkLocal))
    ),
    (
      "89 00 0000 00000000 fe80000000000000 0000000000000002 20010db800000000 0000000000000002",
      .redirect(target: linkLocal, destination: global)
    ),
    (
      "89 00 0000 00000000 20010db800000000 0000000000000002 20010db800000000 0000000000000002",
      .redirect(target: global, destination: global)
    ),
  ]

  @Test("Messages of every type parse and write what they parse", arguments: messages)
  func parsesAndWrites(hex: String, message: NeighborDiscoveryMessage) throws {
    let bytes = [UInt8](hex: hex)
    #expect(try bytes.parse(NeighborDiscoveryMessage.init(parsing:)) == message)
    #expect(message.byteCount == bytes.count)
    #expect(message.type.isNeighborDiscovery)
    #expect(written(bytes.count) { message.write(to: &$0) } == bytes)
  }

  @Test("Every prefix is refused", arguments: messages)
  func refusesEveryPrefix(hex: String, message: NeighborDiscoveryMessage) {
    let bytes = [UInt8](hex: hex)
    #expect(bytes.acceptedPrefixes(below: bytes.count, NeighborDiscoveryMessage.init(parsing:)) == [])
  }

  @Test("A code other than 0 is refused", arguments: messages)
  func refusesCode(hex: String, message: NeighborDiscoveryMessage) {
    #expect(throws: WireError.malformed(field: "code")) {
      try [UInt8](hex: hex).replacing(at: 1, with: 1).parse(NeighborDiscoveryMessage.init(parsing:))
    }
  }

  @Test("Options of length 0 or past the end are refused", arguments: messages)
  func refusesOptionLengths(hex: String, message: NeighborDiscoveryMessage) {
    for option in ["0100000000000000", "0102000000000000", "01", "0101000000000000 0100"] {
      #expect(throws: WireError.malformed(field: "option length")) {
        try [UInt8](hex: hex + option).parse(NeighborDiscoveryMessage.init(parsing:))
      }
    }
  }

  @Test("A multicast target, a multicast destination and a redirect to a far router are refused")
  func refusesAddresses() {
    func expect(_ field: StaticString, _ bytes: [UInt8]) {
      #expect(throws: WireError.malformed(field: field)) {
        try bytes.parse(NeighborDiscoveryMessage.init(parsing:))
      }
    }
    for index in 2...4 { expect("target address", [UInt8](hex: Self.messages[index].0).replacing(at: 8, with: 0xff)) }
    let redirect = [UInt8](hex: Self.messages[5].0)
    expect("destination address", redirect.replacing(at: 24, with: 0xff))
    expect("target address", redirect.replacing(at: 8, with: 0x20))
    expect("type", redirect.replacing(at: 0, with: 138))
  }

  @Test("The flags of a router advertisement are apart")
  func flags() {
    let body = NeighborDiscoveryMessage.RouterAdvertisement(flags: 0xc8)
    #expect(body.isManaged && body.hasOtherConfiguration && body.preference == .high)
    #expect(NeighborDiscoveryMessage.RouterAdvertisement(flags: 0x18).preference == .low)
    #expect(NeighborDiscoveryMessage.RouterAdvertisement(flags: 0x10).preference == .medium)
    for preference in [RouterPreference.low, .medium, .high] {
      #expect(NeighborDiscoveryMessage.RouterAdvertisement(flags: preference.flags).preference == preference)
    }
  }

  @Test("A solicitation with its option has its checksum over the pseudo-header")
  func checksum() {
    let bytes = [UInt8](hex: "87 00 7a97 00000000 fe80000000000000 0000000000000002 0101020000000001")
    var sum = InternetChecksum()
    sum.addPseudoHeader(
      source: IPAddress(IPv6Address(high: 0xfe80_0000_0000_0000, low: 1)),
      destination: IPAddress(IPv6Address(high: 0xff02_0000_0000_0000, low: 0x1_ff00_0002)),
      protocol: .icmpv6, length: bytes.count)
    sum.add(unsafe bytes.span.bytes)
    #expect(sum.isValid)
  }
}
