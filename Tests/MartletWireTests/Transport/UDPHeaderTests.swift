import MartletWire
import Testing

@Suite("UDP headers")
struct UDPHeaderTests {
  /// "hello" from 192.0.2.1:12345 to 192.0.2.2:12000.
  let datagram = [UInt8](hex: "3039 2ee0 000d d8e4") + Array("hello".utf8)

  @Test("A header parses, with link padding behind the datagram")
  func parses() throws {
    let header = try (datagram + [0, 0]).parse(UDPHeader.init(parsing:))
    #expect(header == UDPHeader(sourcePort: 12345, destinationPort: 12000, length: 13, checksum: 0xd8e4))
  }

  @Test("A header writes what it parses")
  func writesWhatItParses() throws {
    let header = try datagram.parse(UDPHeader.init(parsing:))
    #expect(written(8) { header.write(to: &$0) } == Array(datagram.prefix(8)))
  }

  @Test("Every prefix is refused")
  func refusesEveryPrefix() {
    #expect(datagram.acceptedPrefixes(below: 13, UDPHeader.init(parsing:)) == [])
  }

  @Test("A length below 8 is refused")
  func refusesShortLength() {
    #expect(throws: WireError.malformed(field: "length")) {
      try datagram.replacing(at: 5, with: 7).parse(UDPHeader.init(parsing:))
    }
  }

  @Test("The checksum covers the pseudo-header")
  func checksum() {
    var sum = InternetChecksum()
    sum.addPseudoHeader(
      source: IPAddress(IPv4Address(value: 0xc000_0201)), destination: IPAddress(IPv4Address(value: 0xc000_0202)),
      protocol: .udp, length: 13)
    var without = sum
    sum.add(unsafe datagram.span.bytes)
    #expect(sum.isValid)
    let cleared = datagram.replacing(at: 6, with: 0, 0)
    without.add(unsafe cleared.span.bytes)
    #expect(without.udpValue == 0xd8e4)
  }
}
