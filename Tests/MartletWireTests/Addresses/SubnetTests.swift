import MartletWire
import Testing

@Suite("Subnets")
struct SubnetTests {
  @Test(
    "A subnet is read and printed in its family's own terms",
    arguments: [
      ("128.84.216.0/23", 23), ("2001:db8::/32", 32), ("0.0.0.0/0", 0), ("::/0", 0), ("192.0.2.1/32", 32),
      ("::1/128", 128), ("10.0.0.0/8", 8), ("192.0.2.0/31", 31), ("fe80::/10", 10), ("2001:db8:0:1::/64", 64),
      ("8000::/1", 1), ("::/96", 96), ("2001:db8:0:0:8000::/65", 65),
    ])
  func text(text: String, prefixLength: Int) throws {
    let subnet = try #require(Subnet(text))
    #expect(subnet.description == text)
    #expect(subnet.prefixLength == prefixLength)
    #expect(subnet.contains(subnet.network))
    #expect(subnet.contains(subnet))
  }

  @Test(
    "What is no network with its prefix is no subnet",
    arguments: [
      "", "/", "/24", "192.0.2.0", "192.0.2.0/", "192.0.2.0/33", "192.0.2.0/024", "192.0.2.0/-1", "192.0.2.0/ 24",
      "192.0.2.0/24 ", "192.0.2.1/24", "192.0.2/24", "192.0.2.0/255.255.255.0", "::/129", "::/256", "2001:db8::1/32",
      "2001:db8::/32/", "2001:db8::%1/32", "128.84.217.0/23", "::ffff:0:0/95", "::1/99999999999999999999",
    ])
  func notSubnet(text: String) { #expect(Subnet(text) == nil) }

  @Test("A mapped network counts its prefix from the front of the sixteen bytes")
  func mapped() throws {
    let text = "::ffff:192.0.2.0/120"
    #expect(try #require(Subnet(text)) == "192.0.2.0/24")
  }

  @Test(
    "A subnet holds its first and last address and neither neighbor, at every length", arguments: [IPVersion.v4, .v6])
  func boundaries(version: IPVersion) {
    let base: IPAddress = version == .v4 ? "171.86.173.91" : "ab56:ad5b:57aa:b6d5:ab56:ad5b:57aa:b6d5"
    for length in 0...version.addressBitCount {
      let subnet = Subnet(base, prefixLength: length)
      #expect(subnet.contains(base))
      #expect(subnet.network <= base)
      // The same address with one bit turned over is inside exactly if that bit is behind the prefix.
      for bit in 0..<version.addressBitCount {
        let fromRight = version.addressBitCount - 1 - bit
        let high: UInt64 = fromRight >= 64 ? 1 << UInt64(fromRight - 64) : 0
        let low: UInt64 = fromRight < 64 ? 1 << UInt64(fromRight) : 0
        let other = IPAddress(IPv6Address(high: base.v6.high ^ high, low: base.v6.low ^ low))
        #expect(subnet.contains(other) == (bit >= length), "\(subnet) and \(other)")
      }
    }
  }

  @Test("No IPv6 subnet holds an IPv4 address, nor the other way round")
  func families() {
    #expect(!("::/0" as Subnet).contains("192.0.2.1" as IPAddress))
    #expect(!("::/80" as Subnet).contains("192.0.2.1" as IPAddress))
    #expect(!("0.0.0.0/0" as Subnet).contains("2001:db8::1" as IPAddress))
    #expect(!("0.0.0.0/0" as Subnet).contains("::1" as IPAddress))
    #expect(!("::/0" as Subnet).contains("0.0.0.0/0" as Subnet))
    #expect(("::/0" as Subnet).contains("2001:db8::1" as IPAddress))
  }

  @Test("A subnet holds the subnets inside it, not those around it")
  func nested() {
    let outer: Subnet = "128.84.216.0/23"
    #expect(outer.contains("128.84.217.0/24" as Subnet))
    #expect(!outer.contains("128.84.218.0/24" as Subnet))
    #expect(!("128.84.217.0/24" as Subnet).contains(outer))
  }

  @Test("The broadcast address is the last one, where there is one")
  func broadcast() {
    #expect(("128.84.216.0/23" as Subnet).broadcast == "128.84.217.255")
    #expect(("0.0.0.0/0" as Subnet).broadcast == .broadcast)
    #expect(("192.0.2.4/30" as Subnet).broadcast == "192.0.2.7")
    #expect(("192.0.2.4/31" as Subnet).broadcast == nil)
    #expect(("192.0.2.4/32" as Subnet).broadcast == nil)
    #expect(("2001:db8::/64" as Subnet).broadcast == nil)
    #expect(("192.0.2.4/31" as Subnet).isPointToPoint)
    #expect(!("192.0.2.4/30" as Subnet).isPointToPoint)
    #expect(!("2001:db8::/127" as Subnet).isPointToPoint)
  }

  @Test("The netmask is the prefix in ones")
  func netmask() {
    #expect(("128.84.216.0/23" as Subnet).netmask == "255.255.254.0")
    #expect(("0.0.0.0/0" as Subnet).netmask == "0.0.0.0")
    #expect(("192.0.2.1/32" as Subnet).netmask == "255.255.255.255")
    #expect(("::/0" as Subnet).netmask == nil)
  }

  @Test("A prefix length from outside is checked, not trusted")
  func checked() {
    #expect(Subnet(checking: "192.0.2.1", prefixLength: 33) == nil)
    #expect(Subnet(checking: "192.0.2.1", prefixLength: -1) == nil)
    #expect(Subnet(checking: "2001:db8::1", prefixLength: 129) == nil)
    #expect(Subnet(checking: "2001:db8::1", prefixLength: 33) == "2001:db8::/33")
    #expect(AddressInSubnet(checking: "192.0.2.1", prefixLength: 33) == nil)
  }

  @Test("A host's address keeps its own bits beside its prefix")
  func host() throws {
    let text = "192.0.2.77/26"
    let host = try #require(AddressInSubnet(text))
    #expect(host.address == "192.0.2.77")
    #expect(host.prefixLength == 26)
    #expect(host.subnet == "192.0.2.64/26")
    #expect(host.broadcast == "192.0.2.127")
    #expect(host.description == text)
    let v6: AddressInSubnet = "2001:db8::1/64"
    #expect(v6.subnet == "2001:db8::/64")
    #expect(v6.broadcast == nil)
    #expect(v6.description == "2001:db8::1/64")
  }

  @Test("Subnets are in the order of their networks, the larger first")
  func order() {
    let subnets: [Subnet] = ["0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/16", "10.1.0.0/16", "2001:db8::/32"]
    #expect(subnets.reversed().sorted() == subnets)
  }
}
