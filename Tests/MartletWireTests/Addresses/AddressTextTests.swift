import MartletWire
import Testing

/// How addresses are written and read. Text goes through variables: a literal would be checked by the literal's own
/// initializer, which traps.
@Suite("Addresses as text")
struct AddressTextTests {
  @Test(
    "A dotted quad is read as its four bytes and printed as it was",
    arguments: [
      ("192.0.2.10", 0xc000_020a), ("127.0.0.1", 0x7f00_0001), ("0.0.0.0", 0), ("255.255.255.255", 0xffff_ffff),
      ("134.34.240.80", 0x8622_f050), ("1.2.3.4", 0x0102_0304), ("10.0.0.1", 0x0a00_0001),
    ] as [(String, UInt32)])
  func ipv4(text: String, value: UInt32) throws {
    let address = try #require(IPv4Address(text))
    #expect(address.value == value)
    #expect(address.description == text)
    #expect(IPAddress(text) == IPAddress(address))
    #expect(IPAddress(address).description == text)
  }

  @Test(
    "What is not four decimal numbers with dots is no IPv4 address",
    arguments: [
      "", " ", ".", "...", "1", "1.2", "1.2.3", "1.2.3.", "1.2.3.4.", "1.2.3.4.5", ".1.2.3.4", "1..2.3", "256.0.0.1",
      "1.2.3.256", "01.2.3.4", "1.2.3.04", "1.2.3.00", "0x7f.0.0.1", "1.2.3.a", "1.2.3.4 ", " 1.2.3.4", "1.2.3.4\n",
      "+1.2.3.4", "-1.2.3.4", "1.2.3.4/24", "1,2,3,4", "١.٢.٣.٤", "1.2.3.99999999999999999999", "1.2.3.4\0",
    ])
  func notIPv4(text: String) {
    #expect(IPv4Address(text) == nil)
    #expect(IPAddress(text) == nil)
  }

  @Test(
    "Every form of RFC 4291 section 2.2 is read, and printed as RFC 5952 says",
    arguments: [
      // The lectures' own.
      ("2001:0db8:1234:5678:0123:45ff:fe01:2345", "2001:db8:1234:5678:123:45ff:fe01:2345"),
      ("0000:0000:0000:0000:0000:0000:0000:0001", "::1"), ("0:0:0:0:0:0:0:1", "::1"), ("::0001", "::1"), ("::1", "::1"),
      ("::ffff:192.0.2.10", "::ffff:192.0.2.10"),
      // RFC 4291 section 2.2.
      ("ABCD:EF01:2345:6789:ABCD:EF01:2345:6789", "abcd:ef01:2345:6789:abcd:ef01:2345:6789"),
      ("2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a"), ("FF01:0:0:0:0:0:0:101", "ff01::101"),
      ("0:0:0:0:0:0:0:0", "::"), ("::", "::"), ("0:0:0:0:0:0:13.1.68.3", "::d01:4403"),
      ("0:0:0:0:0:FFFF:129.144.52.38", "::ffff:129.144.52.38"), ("::13.1.68.3", "::d01:4403"),
      // RFC 5952 sections 1, 2 and 4.
      ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("2001:0db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
      ("2001:db8::1:0:0:1", "2001:db8::1:0:0:1"), ("2001:db8::0:1:0:0:1", "2001:db8::1:0:0:1"),
      ("2001:0db8::1:0:0:1", "2001:db8::1:0:0:1"), ("2001:db8:0:0:1::1", "2001:db8::1:0:0:1"),
      ("2001:DB8:0:0:1::1", "2001:db8::1:0:0:1"),
      (
        "2001:db8:aaaa:bbbb:cccc:dddd:eeee:0001",
        "2001:db8:aaaa:bbbb:cccc:dddd:eeee:1"
      ), ("2001:db8:0:0:0:0:2:1", "2001:db8::2:1"),
      ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"), ("2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
      ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"), ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
      // "::" at either end, for one group, next to a dotted quad.
      ("1::", "1::"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
      ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"), ("1::1.2.3.4", "1::102:304"),
      ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("1:2:3:4:5::1.2.3.4", "1:2:3:4:5:0:102:304"),
      ("::ffff:c000:20a", "::ffff:192.0.2.10"), ("1:0:0:0:0:0:0:0", "1::"), ("0:0:1:0:0:1:0:0", "::1:0:0:1:0:0"),
      ("fe80::", "fe80::"), ("::ffff", "::ffff"), ("::ffff:0:0", "::ffff:0.0.0.0"),
    ])
  func ipv6(text: String, canonical: String) throws {
    let address = try #require(IPv6Address(text))
    #expect(address.description == canonical)
    #expect(IPv6Address(canonical) == address)
    #expect(IPAddress(text) == IPAddress(address))
  }

  @Test(
    "What no form of RFC 4291 section 2.2 allows is no IPv6 address",
    arguments: [
      "", ":", ":::", "::1::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8:", ":1:2:3:4:5:6:7:8",
      "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "1:2:3:4::5:6:7:8", "12345::", "::g", "::1 ", " ::1", "::1%2", "[::1]",
      "::1/64", "1:2:3:4:5:6:7:1.2.3.4", "::1.2.3", "::1.2.3.4.5", "::1.2.3.256", "::01.2.3.4", "1.2.3.4::",
      "1:2:3:4:5:6::1.2.3.4", "::1.2.3.4:5", "1:", "1:2", "fe80:", ":fe80", "::-1", "::0x1", "１::", "::1\0",
    ])
  func notIPv6(text: String) {
    #expect(IPv6Address(text) == nil)
    #expect(IPAddress(text) == nil)
  }

  @Test("Every pattern of zero groups is printed so that it is read back, with at most one ::, never for one group")
  func everyZeroPattern() {
    for pattern in 0..<256 as Range<UInt16> {
      func group(_ position: UInt16) -> UInt16 { pattern >> position & 1 == 1 ? 0xa0 + position : 0 }
      let address = IPv6Address(
        group(0), group(1), group(2), group(3), group(4), group(5), group(6), group(7))
      let text = address.description
      #expect(IPv6Address(text) == address, "\(text)")
      let groups = text.split(separator: ":", omittingEmptySubsequences: true).count
      #expect(!text.contains("::") || groups <= 6, "\(text) shortens one group")
      #expect(!text.contains("0:0:0") || text.contains("::"), "\(text) is not shortened")
    }
  }

  @Test("The parts of a longer text are read without a copy of the rest")
  func substring() {
    let line = "listen 192.0.2.10 2001:db8::1"
    let words = line.split(separator: " ")
    #expect(IPv4Address(words[1]) == IPv4Address(192, 0, 2, 10))
    #expect(IPAddress(words[2]) == IPAddress(IPv6Address(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)))
  }

  @Test("An IPv4-mapped address read as an Internet address is the IPv4 address")
  func mapped() throws {
    let text = "::ffff:192.0.2.10"
    let address = try #require(IPAddress(text))
    #expect(address.v4 == IPv4Address(192, 0, 2, 10))
    #expect(address.version == .v4)
    #expect(address.description == "192.0.2.10")
    #expect(address.v6.description == text)
  }

  @Test("An Ethernet address is read with colons or hyphens, and printed with colons")
  func mac() throws {
    let texts = ["1a:34:2c:9a:de:cc", "1A-34-2C-9A-DE-CC", "1A:34:2c:9a:dE:cc"]
    for text in texts {
      let address = try #require(MACAddress(text))
      #expect(address == MACAddress(0x1a, 0x34, 0x2c, 0x9a, 0xde, 0xcc))
      #expect(address.description == "1a:34:2c:9a:de:cc")
    }
    #expect(MACAddress.zero.description == "00:00:00:00:00:00")
    #expect(MACAddress.broadcast.description == "ff:ff:ff:ff:ff:ff")
  }

  @Test(
    "What is not six pairs of digits with one kind of separator is no Ethernet address",
    arguments: [
      "", "1a:34:2c:9a:de", "1a:34:2c:9a:de:cc:00", "1a:34-2c:9a:de:cc", "1a-34:2c-9a-de-cc", "1a342c9adecc",
      "1:34:2c:9a:de:cc", "01a:34:2c:9a:de:cc", "1a:34:2c:9a:de:c", "1a:34:2c:9a:de:cg", " 1a:34:2c:9a:de:cc",
      "1a:34:2c:9a:de:cc ", "1a.34.2c.9a.de.cc", ":34:2c:9a:de:cc", "1a:34:2c:9a:de:",
    ])
  func notMAC(text: String) { #expect(MACAddress(text) == nil) }

  @Test("A literal is the address that it spells")
  func literals() {
    let mac: MACAddress = "1a:34:2c:9a:de:cc"
    let v4: IPv4Address = "192.0.2.10"
    let v6: IPv6Address = "::1"
    let either: [IPAddress] = ["192.0.2.10", "::1"]
    let socket: SocketAddress = "[::1]:80"
    let subnet: Subnet = "128.84.216.0/23"
    let host: AddressInSubnet = "192.0.2.1/24"
    #expect(mac.value == 0x1a34_2c9a_decc)
    #expect(v4 == IPv4Address(192, 0, 2, 10))
    #expect(v6 == .loopback)
    #expect(either == [IPAddress(v4), .loopback(.v6)])
    #expect(socket == SocketAddress(.loopback(.v6), port: 80))
    #expect(subnet == Subnet(IPAddress(IPv4Address(128, 84, 217, 9)), prefixLength: 23))
    #expect(host == AddressInSubnet(IPAddress(IPv4Address(192, 0, 2, 1)), prefixLength: 24))
  }

  @Test("A literal that spells no address traps and says so")
  func badLiteral() async {
    await #expect(processExitsWith: .failure) {
      let address: IPv4Address = "192.0.2.256"
      print(address)
    }
    await #expect(processExitsWith: .success) {
      let address: IPv4Address = "192.0.2.255"
      print(address)
    }
  }
}
