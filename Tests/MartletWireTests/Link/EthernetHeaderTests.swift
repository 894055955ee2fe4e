import MartletWire
import Testing

@Suite("Ethernet headers")
struct EthernetHeaderTests {
  let plain = [UInt8](hex: "ffffffffffff 020000000001 0806")
  let tagged = [UInt8](hex: "020000000002 020000000001 8100 b064 86dd")

  @Test("An untagged header parses")
  func parses() throws {
    let header = try plain.parse(EthernetHeader.init(parsing:))
    #expect(header.destination == .broadcast)
    #expect(header.source == MACAddress(value: 0x0200_0000_0001))
    #expect(header.tag == nil)
    #expect(header.type == .arp)
    #expect(header.byteCount == 14)
  }

  @Test("A tagged header parses with its priority, drop eligibility and identifier")
  func parsesTag() throws {
    let header = try tagged.parse(EthernetHeader.init(parsing:))
    #expect(header.tag == VLANTag(identifier: 100, priority: 5, isDropEligible: true))
    #expect(header.tag?.identifier == 100)
    #expect(header.tag?.priority == 5)
    #expect(header.tag?.isDropEligible == true)
    #expect(header.type == .ipv6)
    #expect(header.byteCount == 18)
  }

  @Test("A header writes what it parses")
  func writesWhatItParses() throws {
    for bytes in [plain, tagged] {
      let header = try bytes.parse(EthernetHeader.init(parsing:))
      #expect(written(bytes.count) { header.write(to: &$0) } == bytes)
    }
  }

  @Test("Every prefix is refused")
  func refusesEveryPrefix() {
    #expect(plain.acceptedPrefixes(below: 14, EthernetHeader.init(parsing:)) == [])
    #expect(tagged.acceptedPrefixes(below: 18, EthernetHeader.init(parsing:)) == [])
  }

  @Test("A type below 0x600 is a length")
  func knowsLengths() {
    #expect(EtherType(value: 0x05dc).isLength)
    #expect(!EtherType(value: 0x0600).isLength)
  }
}
