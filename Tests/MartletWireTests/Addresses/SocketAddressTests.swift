import MartletWire
import Testing

@Suite("Socket addresses")
struct SocketAddressTests {
  @Test(
    "Address, zone and port are read and printed",
    arguments: [
      ("192.0.2.1:80", SocketAddress("192.0.2.1", port: 80)),
      ("[2001:db8::1]:12000", SocketAddress("2001:db8::1", port: 12000)),
      ("[fe80::1%2]:80", SocketAddress("fe80::1", port: 80, zone: 2)),
      ("[::]:0", SocketAddress(.any(.v6), port: 0)), ("0.0.0.0:65535", SocketAddress(.any(.v4), port: 65535)),
      ("[fe80::1%4294967295]:1", SocketAddress("fe80::1", port: 1, zone: .max)),
    ] as [(String, SocketAddress)])
  func text(text: String, address: SocketAddress) {
    #expect(SocketAddress(text) == address)
    #expect(address.description == text)
  }

  @Test(
    "What lacks an address, a port or its brackets is no socket address",
    arguments: [
      "", ":80", "192.0.2.1", "192.0.2.1:", "192.0.2.1:65536", "192.0.2.1:-1", "192.0.2.1:080", "192.0.2.1:80 ",
      "192.0.2.1 :80", "[192.0.2.1]:80", "2001:db8::1:80", "[2001:db8::1]", "[2001:db8::1]:", "[2001:db8::1:80",
      "2001:db8::1]:80", "[fe80::1%]:80", "[fe80::1%2:80", "[fe80::1%4294967296]:80", "[fe80::1%eth0]:80",
      "192.0.2.1%2:80", "[::ffff:192.0.2.1%2]:80", "[]:80", "[%2]:80", "localhost:80", "[fe80::1%02]:80",
    ])
  func notSocketAddress(text: String) { #expect(SocketAddress(text) == nil) }

  @Test("A zone's name becomes its interface's index")
  func zoneName() throws {
    func index(_ name: Substring) -> UInt32? { name == "eth0" ? 7 : nil }
    let text = "[fe80::1%eth0]:80"
    let address = try #require(SocketAddress(text, zoneIndex: index))
    #expect(address == SocketAddress("fe80::1", port: 80, zone: 7))
    #expect(address.description == "[fe80::1%7]:80")
    let unknown = "[fe80::1%eth1]:80"
    #expect(SocketAddress(unknown, zoneIndex: index) == nil)
    let number = "[fe80::1%3]:80"
    #expect(SocketAddress(number, zoneIndex: index)?.zone == 3)
  }

  @Test("A host without a port may have a zone as well")
  func host() {
    #expect(SocketAddress(host: "fe80::1%2", port: 5)?.description == "[fe80::1%2]:5")
    #expect(SocketAddress(host: "fe80::1%eth0", port: 5, zoneIndex: { $0 == "eth0" ? 9 : nil })?.zone == 9)
    #expect(SocketAddress(host: "192.0.2.1", port: 5)?.description == "192.0.2.1:5")
    #expect(SocketAddress(host: "2001:db8::1", port: 5)?.version == .v6)
    for text in ["192.0.2.1%2", "fe80::1%", "fe80::1%eth0", "fe80::1 ", "", "%2", "[::1]"] {
      #expect(SocketAddress(host: text, port: 5) == nil, "\(text)")
    }
  }

  @Test("An IPv4-mapped address and the IPv4 address are one socket address")
  func mapped() {
    let text = "[::ffff:192.0.2.1]:80"
    #expect(SocketAddress(text) == SocketAddress("192.0.2.1", port: 80))
  }

  @Test("Socket addresses are in the order of address, zone and port")
  func order() {
    let addresses: [SocketAddress] = ["10.0.0.1:9", "10.0.0.2:8", "[fe80::1]:7", "[fe80::1%1]:6", "[fe80::1%1]:7"]
    #expect(addresses.reversed().sorted() == addresses)
  }
}
