import MartletWire
import Testing

@Suite("IPv4 headers")
struct IPv4HeaderTests {
  /// UDP from 192.168.0.1 to 192.168.0.199, 115 bytes, checksum 0xb861.
  let packet = [UInt8](hex: "4500 0073 0000 4000 4011 b861 c0a80001 c0a800c7") + [UInt8](repeating: 7, count: 95)

  @Test("A header parses")
  func parses() throws {
    let header = try packet.parse(IPv4Header.init(parsing:))
    #expect(header.headerByteCount == 20)
    #expect(header.totalLength == 115)
    #expect(header.payloadByteCount == 95)
    #expect(header.flags == .dontFragment)
    #expect(!header.isFragment)
    #expect(header.timeToLive == 64)
    #expect(header.protocol == .udp)
    #expect(header.checksum == 0xb861)
    #expect(header.source == IPv4Address(value: 0xc0a8_0001))
    #expect(header.destination == IPv4Address(value: 0xc0a8_00c7))
  }

  @Test("A header writes what it parses")
  func writesWhatItParses() throws {
    let odd = packet.replacing(at: 1, with: 0xbb).replacing(at: 4, with: 0x12, 0x34, 0xbf, 0xff)
    for bytes in [packet, odd] {
      let header = try bytes.parse(IPv4Header.init(parsing:))
      #expect(written(20) { header.write(to: &$0) } == Array(bytes.prefix(20)))
    }
  }

  @Test("The fragment offset is in bytes, and DSCP and ECN are apart")
  func splitsFields() throws {
    let header = try packet.replacing(at: 1, with: 0xbb).replacing(at: 6, with: 0x20, 0xb9)
      .parse(IPv4Header.init(parsing:))
    #expect(header.fragmentOffset == 1480)
    #expect(header.flags == .moreFragments)
    #expect(header.isFragment)
    #expect(header.trafficClass.dscp == 46)
    #expect(header.trafficClass.ecn == .congestionExperienced)
    #expect(header.trafficClass == TrafficClass(dscp: 46, ecn: .congestionExperienced))
  }

  @Test("The checksum is verified over the header and computed from the fields")
  func checksum() throws {
    let header = try packet.parse(IPv4Header.init(parsing:))
    #expect(try packet.parse { (bytes) throws(WireError) in header.isChecksumValid(in: bytes) })
    #expect(header.computedChecksum == 0xb861)
    let broken = packet.replacing(at: 8, with: 63)
    #expect(try !broken.parse { (bytes) throws(WireError) in header.isChecksumValid(in: bytes) })
  }

  @Test("Every prefix is refused")
  func refusesEveryPrefix() {
    #expect(packet.acceptedPrefixes(below: 115, IPv4Header.init(parsing:)) == [])
  }

  @Test(
    "A wrong version, a short header and a short total length are refused",
    arguments: [
      (0, 0x55, WireError.malformed(field: "version")), (0, 0x44, .malformed(field: "IHL")),
      (3, 19, .malformed(field: "total length")), (3, 116, .truncated),
    ] as [(Int, UInt8, WireError)])
  func refusesMalformed(offset: Int, value: UInt8, error: WireError) {
    #expect(throws: error) { try packet.replacing(at: offset, with: value).parse(IPv4Header.init(parsing:)) }
  }
}
