import MartletWire
import Testing

@Suite("TCP headers")
struct TCPHeaderTests {
  let segment = [UInt8](hex: "3039 2ee0 01020304 05060708 8 1d8 ffff abcd 0010 0101080a 11223344 55667788 41")

  @Test("A header parses")
  func parses() throws {
    let header = try segment.parse(TCPHeader.init(parsing:))
    #expect(
      header
        == TCPHeader(
          sourcePort: 12345, destinationPort: 12000, sequenceNumber: SequenceNumber(0x0102_0304),
          acknowledgmentNumber: SequenceNumber(0x0506_0708), headerByteCount: 32, flags: [.ae, .cwr, .ece, .ack, .psh],
          window: 0xffff, checksum: 0xabcd, urgentPointer: 16))
  }

  @Test("Each control bit has its place")
  func flags() throws {
    let bits: [TCPFlags] = [.fin, .syn, .rst, .psh, .ack, .urg, .ece, .cwr, .ae]
    for (index, flag) in bits.enumerated() {
      let value = UInt16(0x8000) | 1 << index
      let header = try segment.replacing(at: 12, with: UInt8(value >> 8), UInt8(value & 0xff))
        .parse(TCPHeader.init(parsing:))
      #expect(header.flags == flag)
    }
  }

  @Test("A header writes what it parses, and 0 in the reserved bits")
  func writesWhatItParses() throws {
    let header = try segment.parse(TCPHeader.init(parsing:))
    #expect(written(20) { header.write(to: &$0) } == Array(segment.prefix(20)))
    let reserved = try segment.replacing(at: 12, with: 0x8f).parse(TCPHeader.init(parsing:))
    #expect(reserved == header)
  }

  @Test("Every prefix of header and options is refused")
  func refusesEveryPrefix() {
    #expect(segment.acceptedPrefixes(below: 32, TCPHeader.init(parsing:)) == [])
  }

  @Test("A data offset below 5 is refused")
  func refusesShortDataOffset() {
    #expect(throws: WireError.malformed(field: "data offset")) {
      try segment.replacing(at: 12, with: 0x41).parse(TCPHeader.init(parsing:))
    }
  }
}
