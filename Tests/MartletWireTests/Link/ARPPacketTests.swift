import MartletWire
import Testing

@Suite("ARP packets")
struct ARPPacketTests {
  let request = [UInt8](hex: "0001 0800 06 04 0001 020000000001 c0000201 000000000000 c0000202")

  @Test("A request parses")
  func parses() throws {
    let packet = try request.parse(ARPPacket.init(parsing:))
    #expect(packet.operation == .request)
    #expect(packet.senderHardwareAddress == MACAddress(value: 0x0200_0000_0001))
    #expect(packet.senderProtocolAddress == IPv4Address(value: 0xc000_0201))
    #expect(packet.targetHardwareAddress == MACAddress(value: 0))
    #expect(packet.targetProtocolAddress == IPv4Address(value: 0xc000_0202))
  }

  @Test("A packet writes what it parses")
  func writesWhatItParses() throws {
    for bytes in [request, request.replacing(at: 7, with: 2)] {
      let packet = try bytes.parse(ARPPacket.init(parsing:))
      #expect(written(28) { packet.write(to: &$0) } == bytes)
    }
  }

  @Test("Every prefix is refused")
  func refusesEveryPrefix() {
    #expect(request.acceptedPrefixes(below: 28, ARPPacket.init(parsing:)) == [])
  }

  @Test(
    "Another hardware, protocol, address length or opcode is refused",
    arguments: [
      (1, WireError.malformed(field: "hardware address space")), (3, .malformed(field: "protocol address space")),
      (4, .malformed(field: "hardware address length")), (5, .malformed(field: "protocol address length")),
      (7, .malformed(field: "opcode")),
    ])
  func refusesOthers(offset: Int, error: WireError) {
    #expect(throws: error) { try request.replacing(at: offset, with: 9).parse(ARPPacket.init(parsing:)) }
  }
}
