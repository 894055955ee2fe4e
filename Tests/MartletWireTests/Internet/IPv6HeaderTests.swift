import MartletWire
import Testing

@Suite("IPv6 headers")
struct IPv6HeaderTests {
  let packet =
    [UInt8](hex: "6b9abcde 0004 11 40 20010db8000000000000000000000001 20010db8000000000000000000000002")
    + [1, 2, 3, 4]

  @Test("A header parses")
  func parses() throws {
    let header = try packet.parse(IPv6Header.init(parsing:))
    #expect(header.trafficClass.value == 0xb9)
    #expect(header.flowLabel == 0xabcde)
    #expect(header.payloadLength == 4)
    #expect(header.nextHeader == .udp)
    #expect(header.hopLimit == 64)
    #expect(header.source == IPv6Address(high: 0x2001_0db8_0000_0000, low: 1))
    #expect(header.destination == IPv6Address(high: 0x2001_0db8_0000_0000, low: 2))
  }

  @Test("A header writes what it parses")
  func writesWhatItParses() throws {
    let header = try packet.parse(IPv6Header.init(parsing:))
    #expect(written(40) { header.write(to: &$0) } == Array(packet.prefix(40)))
  }

  @Test("Every prefix is refused")
  func refusesEveryPrefix() {
    #expect(packet.acceptedPrefixes(below: 44, IPv6Header.init(parsing:)) == [])
  }

  @Test("Another version is refused")
  func refusesVersion() {
    #expect(throws: WireError.malformed(field: "version")) {
      try packet.replacing(at: 0, with: 0x45).parse(IPv6Header.init(parsing:))
    }
  }
}
