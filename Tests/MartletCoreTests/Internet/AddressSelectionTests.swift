import MartletCore
import MartletWire
import Testing

@Suite("Address selection of RFC 6724")
struct AddressSelectionTests {
  private let eth0 = InterfaceID(index: 1)
  private let eth1 = InterfaceID(index: 2)

  private func source(
    _ destination: IPAddress, _ candidates: [AddressSelection.Candidate], by interface: InterfaceID? = nil
  ) -> IPAddress? {
    AddressSelection.source(for: destination, leavingBy: interface ?? eth0, from: candidates.span)?.address.address
  }

  private func on(_ interface: InterfaceID, _ address: AddressInSubnet) -> AddressSelection.Candidate {
    AddressSelection.Candidate(address, on: interface)
  }

  @Test("Rule 1: an own destination is its own source")
  func sameAddress() {
    #expect(source("2001:db8::2", [on(eth0, "2001:db8::1/64"), on(eth1, "2001:db8::2/64")]) == "2001:db8::2")
  }

  @Test("Rule 2: the smallest scope that reaches the destination")
  func scope() {
    let both = [on(eth0, "fe80::1/64"), on(eth0, "2001:db8::1/64")]
    #expect(source("2001:db8:5::9", both) == "2001:db8::1")
    #expect(source("fe80::9", both) == "fe80::1")
    #expect(source("ff02::5", both) == "fe80::1")
    #expect(source("ff05::5", both) == "2001:db8::1")
  }

  @Test("Rule 3: a deprecated address only if there is no other")
  func deprecated() {
    let old = AddressSelection.Candidate("2001:db8:1::1/64", on: eth0, isDeprecated: true)
    #expect(source("2001:db8:1::9", [old, on(eth0, "2001:db8:2::1/64")]) == "2001:db8:2::1")
    #expect(source("2001:db8:1::9", [old]) == "2001:db8:1::1")
  }

  @Test("Rule 5: an address of the interface the packet leaves by")
  func interface() {
    let both = [on(eth0, "192.0.2.1/24"), on(eth1, "198.51.100.1/24")]
    #expect(source("203.0.113.1", both, by: eth1) == "198.51.100.1")
    #expect(source("203.0.113.1", both, by: eth0) == "192.0.2.1")
  }

  @Test("Rule 6: an address with the destination's label")
  func label() {
    let both = [on(eth0, "fd00::1/64"), on(eth0, "2001:db8::1/64")]
    #expect(source("2001:db8:9::1", both) == "2001:db8::1")
    #expect(source("fd99::1", both) == "fd00::1")
  }

  @Test("Rule 7: a temporary address for privacy")
  func temporary() {
    let temporary = AddressSelection.Candidate("2001:db8::7/64", on: eth0, isTemporary: true)
    #expect(source("2001:db8:9::1", [on(eth0, "2001:db8::1/64"), temporary]) == "2001:db8::7")
  }

  @Test("Rule 8: the longest prefix in common, no further than the subnet")
  func longestPrefix() {
    #expect(source("2001:db8:2::9", [on(eth0, "2001:db8:1::1/64"), on(eth0, "2001:db8:2::1/64")]) == "2001:db8:2::1")
    #expect(source("10.2.0.9", [on(eth0, "10.1.0.1/16"), on(eth0, "10.2.0.1/16")]) == "10.2.0.1")
    // Past the prefix likeness means nothing: the first stays.
    #expect(source("2001:db8::fe", [on(eth0, "2001:db8::1/64"), on(eth0, "2001:db8::ff/64")]) == "2001:db8::1")
  }

  @Test("Loopback sources stay inside, link-local ones on their link, and versions apart")
  func candidates() {
    #expect(source("192.0.2.9", [on(.loopback, "127.0.0.1/8"), on(eth0, "2001:db8::1/64")]) == nil)
    #expect(source("2001:db8::9", [on(eth1, "fe80::1/64")]) == nil)
    #expect(source("127.0.0.1", [on(.loopback, "127.0.0.1/8")], by: .loopback) == "127.0.0.1")
  }

  private func order(_ destinations: [IPAddress], _ candidates: [AddressSelection.Candidate]) -> [IPAddress] {
    var destinations = destinations
    AddressSelection.order(&destinations) {
      AddressSelection.source(for: $0, leavingBy: eth0, from: candidates.span)
    }
    return destinations
  }

  @Test("What cannot be reached comes last, and what no rule tells apart stays in order")
  func unreachable() {
    let v4Only = [on(eth0, "192.0.2.1/24")]
    #expect(
      order(["2001:db8::9", "198.51.100.9", "203.0.113.9"], v4Only) == ["198.51.100.9", "203.0.113.9", "2001:db8::9"])
  }

  @Test("IPv6 comes before IPv4 when both are global, and not when its source is only link-local")
  func precedence() {
    let dual = [on(eth0, "192.0.2.1/24"), on(eth0, "2001:db8::1/64")]
    #expect(order(["198.51.100.9", "2001:db8:9::9"], dual) == ["2001:db8:9::9", "198.51.100.9"])
    let linkLocal = [on(eth0, "192.0.2.1/24"), on(eth0, "fe80::1/64")]
    #expect(order(["2001:db8:9::9", "198.51.100.9"], linkLocal) == ["198.51.100.9", "2001:db8:9::9"])
  }

  @Test("A smaller scope comes first, then the longest prefix in common with the source")
  func scopeAndPrefix() {
    let both = [on(eth0, "fe80::1/64"), on(eth0, "2001:db8:1::1/64"), on(eth0, "2001:db8:3f44::1/64")]
    #expect(order(["2001:db8:1::9", "fe80::9"], both) == ["fe80::9", "2001:db8:1::9"])
    #expect(order(["2001:db8:4000::9", "2001:db8:3f44::9"], both) == ["2001:db8:3f44::9", "2001:db8:4000::9"])
  }
}
