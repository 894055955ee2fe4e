import MartletWire
import Testing

@Suite("Options of neighbor discovery")
struct NDPOptionsTests {
  static let prefix = IPv6Address(high: 0x2001_0db8_0000_0000, low: 0)

  func all(_ hex: String) throws(WireError) -> [NDPOption] {
    try [UInt8](hex: hex).parse { (bytes) throws(WireError) in
      var options = NDPOptions(parsing: bytes)
      var found: [NDPOption] = []
      while let option = try options.nextOption() { found.append(option) }
      return found
    }
  }

  /// Options without bytes elsewhere.
  static let whole: [(String, NDPOption)] = [
    ("01 01 020000000001", .sourceLinkLayerAddress(MACAddress(value: 0x0200_0000_0001))),
    ("02 01 020000000001", .targetLinkLayerAddress(MACAddress(value: 0x0200_0000_0001))),
    (
      "03 04 40 c0 00278d00 00093a80 00000000 20010db800000000 0000000000000000",
      .prefixInformation(
        .init(
          prefix: prefix, prefixLength: 64, isOnLink: true, isAutonomous: true, validLifetime: 2_592_000,
          preferredLifetime: 604_800))
    ),
    ("05 01 0000 000005dc", .mtu(1500)),
    ("0e 01 a1b2c3d4e5f6", .nonce(0xa1b2_c3d4_e5f6)),
    (
      "18 01 00 08 00000708",
      .routeInformation(.init(prefix: IPv6Address(high: 0, low: 0), prefixLength: 0, preference: .high, lifetime: 1800))
    ),
    (
      "18 02 30 18 ffffffff 20010db800000000",
      .routeInformation(.init(prefix: prefix, prefixLength: 48, preference: .low, lifetime: .max))
    ),
    (
      "18 03 60 00 00000000 20010db800000000 0000000000000000",
      .routeInformation(.init(prefix: prefix, prefixLength: 96, preference: .medium, lifetime: 0))
    ),
  ]

  @Test("Options parse and write what they parse", arguments: whole)
  func parsesAndWrites(hex: String, option: NDPOption) throws {
    #expect(try all(hex) == [option])
    let bytes = [UInt8](hex: hex)
    #expect(option.byteCount == bytes.count)
    #expect(written(bytes.count + 8) { option.write(to: &$0, at: 8) } == [UInt8](repeating: 0xa5, count: 8) + bytes)
  }

  @Test("Options that refer to bytes elsewhere tell where, and write their fixed part")
  func parsesReferences() throws {
    let options: [(String, NDPOption, fixed: Int)] = [
      (
        "19 03 0000 00000e10 20010db8000000000000000000000035",
        .recursiveDNSServers(lifetime: 3600, offset: 8, count: 1), 8
      ),
      ("1f 02 0000 00000e10 026d6100 00000000", .dnsSearchList(lifetime: 3600, offset: 8, byteCount: 8), 8),
      ("04 02 0000 00000000 6000000000000000", .redirectedHeader(offset: 8, byteCount: 8), 8),
      ("c8 01 010203040506", .unknown(type: 200, offset: 2, byteCount: 6), 2),
    ]
    for (hex, option, fixed) in options {
      #expect(try all(hex) == [option])
      let bytes = [UInt8](hex: hex)
      #expect(option.byteCount == bytes.count)
      #expect(
        written(bytes.count) { option.write(to: &$0, at: 0) }
          == Array(bytes.prefix(fixed)) + [UInt8](repeating: 0xa5, count: bytes.count - fixed))
    }
  }

  @Test("Several options come in order, with offsets from the start of all")
  func several() throws {
    #expect(
      try all("05 01 0000 00000500  19 03 0000 00000001 20010db8000000000000000000000035  c8 01 000000000000")
        == [
          .mtu(1280), .recursiveDNSServers(lifetime: 1, offset: 16, count: 1),
          .unknown(type: 200, offset: 34, byteCount: 6),
        ])
  }

  @Test(
    "Known options with the wrong length or contents are unknown",
    arguments: [
      "01 02 0000000000000000000000000000", "05 02 0000000000000000000000000000", "19 02 0000000000000000000000000000",
      "19 01 000000000000", "1f 01 000000000000", "18 01 4000 00000000", "18 02 4100 00000000 0000000000000000",
      "18 01 0010 00000000", "03 04 81 c0 00278d00 00093a80 00000000 20010db800000000 0000000000000000",
    ])
  func wrongContents(hex: String) throws {
    let bytes = [UInt8](hex: hex)
    #expect(try all(hex) == [.unknown(type: bytes[0], offset: 2, byteCount: bytes.count - 2)])
  }

  @Test(
    "A length of 0 or past the end is refused, and then the list is over",
    arguments: ["0100", "05", "0102 000000000000"])
  func refusesLengths(hex: String) throws {
    try [UInt8](hex: hex).parse { (bytes) throws(WireError) in
      var options = NDPOptions(parsing: bytes)
      do throws(WireError) {
        _ = try options.nextOption()
        Issue.record("an impossible length was accepted")
      } catch {
        #expect(error == .malformed(field: "option length"))
      }
      #expect(try options.nextOption() == nil)
    }
  }
}
