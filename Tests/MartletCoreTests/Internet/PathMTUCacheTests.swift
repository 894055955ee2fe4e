import MartletCore
import MartletWire
import Testing

@Suite("Path MTU")
struct PathMTUCacheTests {
  private let v4: IPAddress = "192.0.2.9"
  private let v6: IPAddress = "2001:db8::9"

  private func cache(_ bound: Int = 4) -> PathMTUCache {
    PathMTUCache(maximumEntries: bound, hash: KeyedHash(key0: 1, key1: 2))
  }

  @Test("A router's report is remembered for its destination alone")
  func remembers() {
    var cache = cache()
    #expect(cache.report(1_400, packetLength: 1_500, linkMTU: 1_500, for: v4, at: .zero)?.mtu == 1_400)
    #expect(cache.estimate(for: v4)?.mtu == 1_400)
    #expect(cache.estimate(for: v6) == nil)
  }

  @Test("A report never raises an estimate, nor the link's MTU")
  func neverRaises() {
    var cache = cache()
    #expect(cache.report(1_600, packetLength: 1_500, linkMTU: 1_500, for: v4, at: .zero) == nil)
    _ = cache.report(1_400, packetLength: 1_500, linkMTU: 1_500, for: v4, at: .zero)
    #expect(cache.report(1_450, packetLength: 1_500, linkMTU: 1_500, for: v4, at: .zero) == nil)
    #expect(cache.estimate(for: v4)?.mtu == 1_400)
  }

  @Test("IPv6 refuses reports below 1,280")
  func floorIPv6() {
    var cache = cache()
    #expect(cache.report(1_279, packetLength: 1_500, linkMTU: 1_500, for: v6, at: .zero) == nil)
    #expect(cache.report(1_280, packetLength: 1_500, linkMTU: 1_500, for: v6, at: .zero)?.mtu == 1_280)
  }

  @Test("IPv4 refuses reports below 68, and below 552 stays there and allows fragmentation")
  func floorIPv4() {
    var cache = cache()
    #expect(cache.report(67, packetLength: 1_500, linkMTU: 1_500, for: v4, at: .zero) == nil)
    let estimate = cache.report(68, packetLength: 1_500, linkMTU: 1_500, for: v4, at: .zero)
    #expect(estimate != nil)
    #expect(estimate?.mtu == 552)
    #expect(estimate?.allowsFragmentation == true)
  }

  @Test("A router that names no MTU makes the next plateau of RFC 1191 the estimate")
  func plateau() {
    var cache = cache()
    #expect(cache.report(0, packetLength: 1_500, linkMTU: 1_500, for: v4, at: .zero)?.mtu == 1_492)
    #expect(cache.report(0, packetLength: 1_492, linkMTU: 1_500, for: v4, at: .zero)?.mtu == 1_006)
  }

  @Test("After ten minutes an estimate is forgotten")
  func ages() {
    var cache = cache()
    _ = cache.report(1_400, packetLength: 1_500, linkMTU: 1_500, for: v4, at: .zero)
    #expect(cache.nextDeadline == .zero + .seconds(600))
    cache.advance(to: .zero + .seconds(599))
    #expect(cache.count == 1)
    cache.advance(to: .zero + .seconds(600))
    #expect(cache.estimate(for: v4) == nil)
    #expect(cache.nextDeadline == nil)
  }

  @Test("A full cache forgets its oldest estimate")
  func bounded() {
    var cache = cache(2)
    for host in 1...3 as ClosedRange<UInt32> {
      _ = cache.report(
        1_400, packetLength: 1_500, linkMTU: 1_500, for: IPAddress(IPv4Address(value: host)),
        at: .zero + .seconds(Int64(host)))
    }
    #expect(cache.count == 2)
    #expect(cache.estimate(for: IPAddress(IPv4Address(value: 1))) == nil)
    #expect(cache.estimate(for: IPAddress(IPv4Address(value: 3))) != nil)
  }
}
