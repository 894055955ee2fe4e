import MartletCore
import MartletWire
import Testing

@Suite("Route table")
struct RouteTableTests {
  private let lo = InterfaceID.loopback
  private let en0 = InterfaceID(index: 1)

  /// The table of the lectures' host 128.84.216.36.
  private func lecture() throws -> RouteTable {
    var table = RouteTable(maximumRoutes: 100)
    try table.add(Route(to: "0.0.0.0/0", via: .gateway("128.84.216.1"), on: en0))
    try table.add(Route(to: "127.0.0.0/8", on: lo))
    try table.add(Route(to: "128.84.216.0/23", on: en0))
    try table.add(Route(to: "128.84.216.36/32", on: lo))
    try table.add(Route(to: "128.84.216.80/32", on: en0))
    try table.add(Route(to: "128.84.217.255/32", on: en0))
    return table
  }

  @Test(
    "The lectures' table sends each address where the lectures say",
    arguments: [
      ("128.84.216.36", "128.84.216.36/32"), ("128.84.216.80", "128.84.216.80/32"),
      ("128.84.217.255", "128.84.217.255/32"), ("128.84.217.254", "128.84.216.0/23"),
      ("128.84.216.0", "128.84.216.0/23"), ("127.1.2.3", "127.0.0.0/8"), ("128.84.218.0", "0.0.0.0/0"),
      ("8.8.8.8", "0.0.0.0/0"),
    ])
  func lectureTable(destination: String, block: String) throws {
    let table = try lecture()
    let route = table.lookup(try #require(IPAddress(destination)))
    #expect(route?.destination == Subnet(block))
  }

  @Test("The explanation names what was tested, what won and why")
  func explains() throws {
    let explanation = try lecture().explain("128.84.216.36")
    #expect(explanation.route?.destination == "128.84.216.36/32")
    #expect(
      explanation.description(naming: { $0 == lo ? "lo0" : "en0" }) == """
        128.84.216.36
          0.0.0.0/0 via 128.84.216.1 on en0: matches 0 bits, a longer prefix does too
          128.84.216.0/23 on en0: matches 23 bits, a longer prefix does too
          128.84.216.36/32 on lo0: matches 32 bits, the longest prefix that does
          -> on lo0
        """)
  }

  @Test("The explanation of a destination without a route says so")
  func explainsNothing() throws {
    var table = RouteTable(maximumRoutes: 4)
    try table.add(Route(to: "10.0.0.0/8", on: en0))
    let explanation = table.explain("11.0.0.1")
    #expect(explanation.route == nil)
    #expect(explanation.steps.map(\.verdict) == [.doesNotMatch])
    #expect(explanation.description.hasSuffix("-> no route"))
  }

  @Test("IPv6's default route is none for IPv4")
  func versions() throws {
    var table = RouteTable(maximumRoutes: 4)
    try table.add(Route(to: "::/0", via: .gateway("fe80::1"), on: en0))
    #expect(table.lookup("192.0.2.1") == nil)
    #expect(table.lookup("2001:db8::1")?.destination == "::/0")
    try table.add(Route(to: "0.0.0.0/0", via: .gateway("192.0.2.9"), on: en0))
    #expect(table.lookup("192.0.2.1")?.nextHop == .gateway("192.0.2.9"))
  }

  @Test("Of routes to one block the smallest metric wins, then the first")
  func metrics() throws {
    var table = RouteTable(maximumRoutes: 4)
    try table.add(Route(to: "10.0.0.0/8", via: .gateway("192.0.2.1"), on: en0, metric: 20))
    try table.add(Route(to: "10.0.0.0/8", via: .gateway("192.0.2.2"), on: en0, metric: 10))
    try table.add(Route(to: "10.0.0.0/8", via: .gateway("192.0.2.3"), on: en0, metric: 10))
    #expect(table.lookup("10.1.1.1")?.nextHop == .gateway("192.0.2.2"))
    #expect(table.explain("10.1.1.1").steps.map(\.verdict) == [.won, .greaterMetric, .greaterMetric])
  }

  @Test("A silent gateway is passed over while there is another, an interface that is down always")
  func deadGateway() throws {
    var table = RouteTable(maximumRoutes: 4)
    let en1 = InterfaceID(index: 2)
    try table.add(Route(to: "0.0.0.0/0", via: .gateway("192.0.2.1"), on: en0))
    try table.add(Route(to: "0.0.0.0/0", via: .gateway("198.51.100.1"), on: en1, metric: 5))
    let isGateway = table.noteSilence(of: "192.0.2.1", on: en0)
    #expect(isGateway)
    #expect(table.lookup("8.8.8.8")?.interface == en1)
    table.setInterface(en1, isUp: false)
    #expect(table.lookup("8.8.8.8")?.interface == en0)
    table.setInterface(en0, isUp: false)
    #expect(table.lookup("8.8.8.8") == nil)
  }

  @Test("Asked for one interface, the table looks at its routes only")
  func zone() throws {
    var table = RouteTable(maximumRoutes: 4)
    try table.add(Route(to: "fe80::/64", on: en0))
    try table.add(Route(to: "fe80::/64", on: InterfaceID(index: 2)))
    #expect(table.lookup("fe80::5", on: InterfaceID(index: 2))?.interface == InterfaceID(index: 2))
    #expect(table.lookup("fe80::5", on: InterfaceID(index: 3)) == nil)
  }

  @Test("Errors are typed: full, there already, not there, mixed versions")
  func errors() throws {
    var table = RouteTable(maximumRoutes: 1)
    let route = Route(to: "10.0.0.0/8", on: en0)
    func error(_ body: () throws -> Void) -> RouteTableError? {
      do { try body() } catch { return error as? RouteTableError }
      return nil
    }
    #expect(error { try table.remove(route) } == .notFound)
    try table.add(route)
    #expect(error { try table.add(route) } == .exists)
    #expect(error { try table.add(Route(to: "11.0.0.0/8", on: en0)) } == .full)
    #expect(error { try table.add(Route(to: "11.0.0.0/8", via: .gateway("fe80::1"), on: en0)) } == .invalidAddress)
    try table.replace(Route(to: "10.0.0.0/8", on: en0, metric: 7))
    #expect(table.lookup("10.0.0.1")?.metric == 7)
    #expect(table.count == 1)
    try table.remove(route)
    #expect(table.lookup("10.0.0.1") == nil)
    #expect(table.count == 0)
  }

  @Test("It finds what a linear search finds, while routes come and go", arguments: 0..<12 as Range<UInt64>)
  func agreesWithLinearSearch(seed: UInt64) throws {
    var random = RandomStream(seed: seed)
    var table = RouteTable(maximumRoutes: 1_000)
    var naive: [Route] = []
    // Few distinct bits, so that prefixes nest.
    func address() -> IPAddress {
      if Bool.random(using: &random) {
        return IPAddress(IPv4Address(value: UInt32.random(in: .min ... .max, using: &random) & 0xc300_8181))
      }
      let bits = UInt64.random(in: .min ... .max, using: &random)
      return IPAddress(IPv6Address(high: bits & 0xe000_0000_0001_8003, low: bits & 0x8000_0000_0000_0007))
    }
    for step in 0..<1_500 {
      if Int.random(in: 0..<3, using: &random) > 0 || naive.isEmpty {
        let address = address()
        let length = Int.random(in: 0...address.version.addressBitCount, using: &random)
        let route = Route(
          to: Subnet(address, prefixLength: length), on: InterfaceID(index: UInt16(step % 3)),
          metric: UInt32.random(in: 0..<3, using: &random))
        if (try? table.add(route)) != nil { naive.append(route) }
      } else {
        let gone = naive.remove(at: Int.random(in: 0..<naive.count, using: &random))
        try table.remove(gone)
      }
      let destination = address()
      var best: Route?
      for route in naive where route.destination.contains(destination) {
        let isBetter = best.map { (other: Route) in
          route.destination.prefixLength > other.destination.prefixLength
            || route.destination == other.destination && route.metric < other.metric
        }
        if isBetter ?? true { best = route }
      }
      #expect(table.lookup(destination) == best)
      #expect(table.explain(destination).route == best)
    }
    #expect(table.count == naive.count)
    #expect(Set(table.routes) == Set(naive))
    table.removeAll { _ in true }
    #expect(table.count == 0)
    #expect(table.lookup("1.2.3.4") == nil)
  }
}
