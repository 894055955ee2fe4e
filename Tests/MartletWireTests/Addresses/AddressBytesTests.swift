import MartletWire
import Testing

@Suite("Addresses as bytes")
struct AddressBytesTests {
  /// What `body` makes of twenty bytes of 0xa5.
  private func written(_ body: (inout MutableRawSpan) -> Void) -> [UInt8] {
    var bytes = [UInt8](repeating: 0xa5, count: 20)
    var span = bytes.mutableSpan
    var raw = unsafe span.mutableBytes
    body(&raw)
    return bytes
  }

  private func filled(_ bytes: [UInt8], from offset: Int) -> [UInt8] {
    var all = [UInt8](repeating: 0xa5, count: 20)
    all.replaceSubrange(offset..<offset + bytes.count, with: bytes)
    return all
  }

  private let numbers: [UInt8] = Array(1...20)

  @Test("An Ethernet address is six bytes, first byte first, and writes nothing beside them")
  func mac() {
    let address = MACAddress(1, 2, 3, 4, 5, 6)
    #expect(written { address.write(to: &$0, at: 3) } == filled([1, 2, 3, 4, 5, 6], from: 3))
    #expect(unsafe MACAddress(reading: numbers.span.bytes, at: 0) == address)
    #expect(unsafe MACAddress(reading: numbers.span.bytes, at: 14) == MACAddress(15, 16, 17, 18, 19, 20))
  }

  @Test("An IPv4 address is four bytes")
  func ipv4() {
    let address: IPv4Address = "2.3.4.5"
    #expect(written { address.write(to: &$0, at: 1) } == filled([2, 3, 4, 5], from: 1))
    #expect(unsafe IPv4Address(reading: numbers.span.bytes, at: 1) == address)
  }

  @Test("An IPv6 address is sixteen bytes")
  func ipv6() {
    let address: IPv6Address = "203:405:607:809:a0b:c0d:e0f:1011"
    #expect(written { address.write(to: &$0, at: 2) } == filled(Array(2...17), from: 2))
    #expect(unsafe IPv6Address(reading: numbers.span.bytes, at: 1) == address)
  }

  @Test("An Internet address is as many bytes as its version has")
  func either() {
    let v4: IPAddress = "2.3.4.5"
    let v6: IPAddress = "203:405:607:809:a0b:c0d:e0f:1011"
    #expect(v4.byteCount == 4 && v6.byteCount == 16)
    #expect(written { v4.write(to: &$0, at: 16) } == filled([2, 3, 4, 5], from: 16))
    #expect(written { v6.write(to: &$0, at: 4) } == filled(Array(2...17), from: 4))
    #expect(unsafe IPAddress(reading: numbers.span.bytes, at: 1, version: .v4) == v4)
    #expect(unsafe IPAddress(reading: numbers.span.bytes, at: 1, version: .v6) == v6)
  }

  @Test("Addresses have no hidden size")
  func sizes() {
    #expect(MemoryLayout<MACAddress>.size == 8)
    #expect(MemoryLayout<IPv4Address>.size == 4)
    #expect(MemoryLayout<IPAddress>.size == 16)
    #expect(MemoryLayout<SocketAddress>.size == 24)
    #expect(MemoryLayout<Subnet>.size == 17)
  }
}
