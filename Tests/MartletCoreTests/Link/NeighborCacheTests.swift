import MartletCore
import MartletWire
import Testing

/// A cache and what came of what it was told.
private struct Bench: ~Copyable {
  enum Action: Equatable {
    case solicit(IPAddress, Int)
    case probe(IPAddress, MACAddress, Int)
    case unreachable(IPAddress, packets: Int)
  }

  let pool = PacketPool()
  var cache: NeighborCache
  var dropped = PacketQueue()
  var ready = PacketQueue()
  let eth = InterfaceID(index: 1)

  init(_ change: (inout Host.Configuration.Neighbors) -> Void = { _ in }) {
    var configuration = Host.Configuration.Neighbors()
    change(&configuration)
    cache = NeighborCache(configuration, hash: KeyedHash(key0: 5, key1: 6), random: RandomStream(seed: 1))
  }

  mutating func resolve(_ address: IPAddress, at seconds: Double = 0, tag: UInt8 = 0) throws -> (Bool, Drop.Reason?) {
    let packet = try pool.make([tag])
    let result = cache.resolve(address, on: eth, at: time(seconds), queueing: packet, dropped: &dropped)
    return (result.solicits, result.drop)
  }

  mutating func lookup(_ address: IPAddress, at seconds: Double = 0) -> MACAddress? {
    cache.lookup(address, on: eth, at: time(seconds))
  }

  mutating func reply(
    _ address: IPAddress, _ mac: MACAddress?, at seconds: Double = 0, solicited: Bool = true, override: Bool = true,
    isRouter: Bool = false
  ) -> NeighborCache.Update {
    cache.receivedReply(
      from: address, mac: mac, on: eth, solicited: solicited, override: override, isRouter: isRouter,
      at: time(seconds), ready: &ready)
  }

  mutating func request(_ address: IPAddress, _ mac: MACAddress, at seconds: Double = 0) {
    cache.receivedRequest(from: address, mac: mac, on: eth, at: time(seconds), ready: &ready)
  }

  mutating func actions(at seconds: Double) -> [Action] {
    var all: [Action] = []
    while let action = cache.nextAction(at: time(seconds)) {
      switch consume action {
      case .solicit(let address, _, let attempt): all.append(.solicit(address, attempt))
      case .probe(let address, _, let mac, let attempt): all.append(.probe(address, mac, attempt))
      case .unreachable(let address, _, let packets): all.append(.unreachable(address, packets: packets.count))
      }
    }
    return all
  }

  func state(_ address: IPAddress) -> Neighbor.State? {
    cache.snapshot(at: .zero).first { $0.address == address }?.state
  }

  func time(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64(seconds * 1e9)) }
}

@Suite("Neighbour cache")
struct NeighborCacheTests {
  private let peer: IPAddress = "192.0.2.2"
  private let mac: MACAddress = "02:00:00:00:00:02"
  private let other: MACAddress = "02:00:00:00:00:03"

  @Test("The first packet asks the link, later ones wait, and the answer sends them in order")
  func resolves() throws {
    var bench = Bench()
    #expect(bench.lookup(peer) == nil)
    #expect(try bench.resolve(peer, tag: 1) == (true, nil))
    #expect(try bench.resolve(peer, tag: 2) == (false, nil))
    #expect(bench.state(peer) == .incomplete)
    #expect(bench.reply(peer, mac).isNewAddress)
    #expect(bench.ready.drain() == [[1], [2]])
    #expect(bench.lookup(peer) == mac)
    #expect(bench.state(peer) == .reachable)
    #expect(bench.pool.isWhole == true)
  }

  @Test("A neighbour is asked for three times, one second apart; then what waited is handed back")
  func givesUp() throws {
    var bench = Bench()
    _ = try bench.resolve(peer)
    #expect(bench.actions(at: 0.999) == [])
    #expect(bench.actions(at: 1) == [.solicit(peer, 2)])
    #expect(bench.actions(at: 1.5) == [])
    #expect(bench.actions(at: 2) == [.solicit(peer, 3)])
    #expect(bench.actions(at: 3) == [.unreachable(peer, packets: 1)])
    #expect(bench.cache.count == 0)
    #expect(bench.cache.nextDeadline == nil)
    #expect(bench.pool.isWhole == true)
  }

  @Test("When too many packets wait the oldest goes")
  func queueBound() throws {
    var bench = Bench { $0.maximumWaitingPackets = 2 }
    for tag in 1...2 as ClosedRange<UInt8> { #expect(try bench.resolve(peer, tag: tag).1 == nil) }
    #expect(try bench.resolve(peer, tag: 3) == (false, .neighborQueueFull))
    #expect(bench.dropped.drain() == [[1]])
    _ = bench.reply(peer, mac)
    #expect(bench.ready.drain() == [[2], [3]])
  }

  @Test("REACHABLE becomes STALE between half and one and a half of the reachable time")
  func goesStale() throws {
    var bench = Bench()
    _ = try bench.resolve(peer)
    _ = bench.reply(peer, mac)
    #expect(bench.actions(at: 14.9) == [])
    #expect(bench.state(peer) == .reachable)
    for second in 15...90 { #expect(bench.actions(at: Double(second)) == []) }
    #expect(bench.state(peer) == .stale)
  }

  @Test("A use of a STALE entry waits five seconds, then probes three times and forgets")
  func probes() throws {
    var bench = Bench()
    bench.request(peer, mac)
    #expect(bench.state(peer) == .stale)
    #expect(bench.lookup(peer, at: 1) == mac)
    #expect(bench.state(peer) == .delay)
    #expect(bench.actions(at: 5.9) == [])
    #expect(bench.actions(at: 6) == [.probe(peer, mac, 1)])
    #expect(bench.lookup(peer, at: 6) == mac)
    #expect(bench.actions(at: 7) == [.probe(peer, mac, 2)])
    #expect(bench.actions(at: 8) == [.probe(peer, mac, 3)])
    #expect(bench.actions(at: 9) == [.unreachable(peer, packets: 0)])
    #expect(bench.lookup(peer, at: 9) == nil)
  }

  @Test("An answer to a probe, or progress above, makes the entry REACHABLE again", arguments: [false, true])
  func probeAnswered(byTransport: Bool) throws {
    var bench = Bench()
    bench.request(peer, mac)
    _ = bench.lookup(peer, at: 1)
    #expect(bench.actions(at: 6).count == 1)
    if byTransport {
      bench.cache.confirmReachability(of: peer, on: bench.eth, at: bench.time(6.5))
    } else {
      #expect(!bench.reply(peer, mac, at: 6.5).isNewAddress)
    }
    #expect(bench.state(peer) == .reachable)
    #expect(bench.actions(at: 9) == [])
  }

  @Test("Progress above keeps a neighbour REACHABLE without a question")
  func confirmation() throws {
    var bench = Bench()
    _ = try bench.resolve(peer)
    _ = bench.reply(peer, mac)
    for second in 1...300 {
      bench.cache.confirmReachability(of: peer, on: bench.eth, at: bench.time(Double(second)))
      #expect(bench.actions(at: Double(second)) == [])
      #expect(bench.state(peer) == .reachable)
    }
  }

  @Test("An unused STALE entry is forgotten after ten minutes")
  func forgets() throws {
    var bench = Bench()
    bench.request(peer, mac)
    #expect(bench.actions(at: 599) == [])
    #expect(bench.cache.count == 1)
    #expect(bench.actions(at: 600) == [])
    #expect(bench.cache.count == 0)
  }

  @Test("An advertisement creates no entry")
  func advertisementCreatesNothing() {
    var bench = Bench()
    _ = bench.reply(peer, mac)
    bench.cache.receivedAnnouncement(from: peer, mac: mac, on: bench.eth, at: .zero, ready: &bench.ready)
    bench.cache.receivedARPReply(from: peer, mac: mac, on: bench.eth, at: .zero, ready: &bench.ready)
    #expect(bench.cache.count == 0)
  }

  @Test("An INCOMPLETE entry needs a link-layer address; S says whether it becomes REACHABLE")
  func incompleteRules() throws {
    var bench = Bench()
    _ = try bench.resolve(peer)
    _ = bench.reply(peer, nil)
    #expect(bench.state(peer) == .incomplete)
    _ = bench.reply(peer, mac, solicited: false, override: false)
    #expect(bench.state(peer) == .stale)
    #expect(bench.ready.count == 1)
  }

  @Test("Without O another address makes a REACHABLE entry STALE and changes nothing else")
  func noOverride() throws {
    var bench = Bench()
    _ = try bench.resolve(peer)
    _ = bench.reply(peer, mac)
    #expect(!bench.reply(peer, other, override: false).isNewAddress)
    #expect(bench.state(peer) == .stale)
    #expect(!bench.reply(peer, other, override: false).isNewAddress)
    #expect(bench.lookup(peer) == mac)
  }

  @Test("With O another address is taken: REACHABLE when solicited, STALE when not", arguments: [true, false])
  func override(solicited: Bool) throws {
    var bench = Bench()
    _ = try bench.resolve(peer)
    _ = bench.reply(peer, mac)
    #expect(bench.lookup(peer) == mac)
    #expect(bench.reply(peer, other, solicited: solicited).isNewAddress)
    #expect(bench.state(peer) == (solicited ? .reachable : .stale))
    #expect(bench.lookup(peer) == other)
  }

  @Test("A neighbour that ceases to be a router is reported once")
  func routerFlag() throws {
    var bench = Bench()
    _ = try bench.resolve(peer)
    #expect(!bench.reply(peer, mac, isRouter: true).isRouterNoMore)
    #expect(bench.reply(peer, nil, isRouter: false).isRouterNoMore)
    #expect(!bench.reply(peer, nil, isRouter: false).isRouterNoMore)
  }

  @Test("A question from a known neighbour changes its state only if its address is new")
  func requests() throws {
    var bench = Bench()
    _ = try bench.resolve(peer)
    _ = bench.reply(peer, mac)
    bench.request(peer, mac)
    #expect(bench.state(peer) == .reachable)
    bench.request(peer, other)
    #expect(bench.state(peer) == .stale)
    #expect(bench.lookup(peer) == other)
  }

  @Test("A question answers ours: what waited goes out")
  func requestResolves() throws {
    var bench = Bench()
    _ = try bench.resolve(peer)
    bench.request(peer, mac)
    #expect(bench.ready.count == 1)
    #expect(bench.state(peer) == .stale)
  }

  @Test("An ARP reply nobody asked for proves nothing")
  func unwantedReply() throws {
    var bench = Bench()
    bench.request(peer, mac)
    bench.cache.receivedARPReply(from: peer, mac: mac, on: bench.eth, at: .zero, ready: &bench.ready)
    #expect(bench.state(peer) == .stale)
  }

  @Test("Group addresses are nobody's", arguments: ["ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01", "00:00:00:00:00:00"])
  func groups(text: String) throws {
    var bench = Bench()
    let group = try #require(MACAddress(text))
    bench.request(peer, group)
    #expect(bench.cache.count == 0)
    _ = try bench.resolve(peer)
    _ = bench.reply(peer, group)
    #expect(bench.state(peer) == .incomplete)
  }

  @Test("A full cache makes room by its oldest STALE entry, and keeps the REACHABLE ones")
  func eviction() throws {
    var bench = Bench { $0.maximumEntries = 4 }
    _ = try bench.resolve("192.0.2.10")
    _ = bench.reply("192.0.2.10", mac)
    for host in 11...13 as ClosedRange<UInt32> { bench.request(IPAddress(IPv4Address(value: 0xc000_0200 + host)), mac) }
    #expect(bench.cache.count == 4)
    #expect(try bench.resolve("192.0.2.20") == (true, nil))
    #expect(bench.state("192.0.2.11") == nil)
    #expect(bench.state("192.0.2.10") == .reachable)
    #expect(bench.state("192.0.2.12") == .stale)
  }

  @Test("A scan fills half of the cache at most; then packets are refused")
  func scan() throws {
    var bench = Bench { $0.maximumEntries = 4 }
    #expect(try bench.resolve("192.0.2.10") == (true, nil))
    #expect(try bench.resolve("192.0.2.11") == (true, nil))
    #expect(try bench.resolve("192.0.2.12", tag: 9) == (false, .neighborTableFull))
    #expect(bench.dropped.drain() == [[9]])
    bench.request("192.0.2.13", mac)
    #expect(bench.lookup("192.0.2.13") == mac)
  }

  @Test("A permanent entry is never aged, asked for or changed, only removed")
  func permanent() throws {
    var bench = Bench()
    #expect(bench.cache.setPermanent(peer, mac: mac, on: bench.eth, at: .zero, ready: &bench.ready) == true)
    bench.request(peer, other)
    _ = bench.reply(peer, other)
    #expect(bench.lookup(peer) == mac)
    #expect(bench.actions(at: 100_000) == [])
    #expect(bench.cache.nextDeadline == nil)
    let removed = bench.cache.remove(peer, on: bench.eth) != nil
    #expect(removed)
    #expect(bench.lookup(peer) == nil)
  }

  @Test("A permanent entry lets go what waited")
  func permanentResolves() throws {
    var bench = Bench()
    _ = try bench.resolve(peer)
    #expect(bench.cache.setPermanent(peer, mac: mac, on: bench.eth, at: .zero, ready: &bench.ready) == true)
    #expect(bench.ready.count == 1)
    #expect(bench.actions(at: 10) == [])
  }

  @Test("The same address on two interfaces is two neighbours")
  func interfaces() throws {
    var bench = Bench()
    bench.cache.receivedRequest(from: "fe80::1", mac: mac, on: bench.eth, at: .zero, ready: &bench.ready)
    let second = InterfaceID(index: 2)
    bench.cache.receivedRequest(from: "fe80::1", mac: other, on: second, at: .zero, ready: &bench.ready)
    #expect(bench.lookup("fe80::1") == mac)
    #expect(bench.cache.lookup("fe80::1", on: second, at: .zero) == other)
    bench.cache.removeAll(on: bench.eth, dropped: &bench.dropped)
    #expect(bench.lookup("fe80::1") == nil)
    #expect(bench.cache.lookup("fe80::1", on: second, at: .zero) == other)
  }

  @Test("The table is listed by interface and address, with ages")
  func snapshot() throws {
    var bench = Bench()
    bench.request("192.0.2.9", mac, at: 1)
    bench.request("192.0.2.3", other, at: 2)
    _ = try bench.resolve("2001:db8::1", at: 3)
    let lines = bench.cache.snapshot(at: bench.time(4))
    #expect(lines.map(\.address) == ["192.0.2.3", "192.0.2.9", "2001:db8::1"])
    #expect(lines.map(\.mac) == [other, mac, nil])
    #expect(lines.map(\.age) == [.seconds(2), .seconds(3), .seconds(1)])
  }

  @Test("An interface's own retransmission time is used")
  func timers() throws {
    var bench = Bench()
    bench.cache.setTimers(reachable: nil, retransmit: .seconds(4), on: bench.eth)
    _ = try bench.resolve(peer)
    #expect(bench.actions(at: 3.9) == [])
    #expect(bench.actions(at: 4) == [.solicit(peer, 2)])
  }

  @Test("Random messages keep the cache within its bounds and leak nothing", arguments: 0..<10 as Range<UInt64>)
  func random(seed: UInt64) throws {
    var random = RandomStream(seed: seed)
    var bench = Bench { $0.maximumEntries = 8 }
    for step in 0..<3_000 {
      let now = Double(step) / 7
      let address = IPAddress(IPv4Address(value: 0xc000_0200 + UInt32.random(in: 1...20, using: &random)))
      let mac = MACAddress(value: 0x0200_0000_0000 + UInt64.random(in: 1...3, using: &random))
      switch Int.random(in: 0..<5, using: &random) {
      case 0: bench.request(address, mac, at: now)
      case 1:
        _ = bench.reply(
          address, mac, at: now, solicited: Bool.random(using: &random), override: Bool.random(using: &random))
      case 2: bench.cache.confirmReachability(of: address, on: bench.eth, at: bench.time(now))
      default:
        let known = bench.lookup(address, at: now)
        let line = bench.cache.snapshot(at: .zero).first { $0.address == address }
        #expect(known == line?.mac)
        if known == nil { _ = try bench.resolve(address, at: now) }
      }
      _ = bench.actions(at: now)
      bench.ready.removeAll()
      bench.dropped.removeAll()
      #expect(bench.cache.count <= 8)
    }
    bench.cache.removeAll(on: bench.eth, dropped: &bench.dropped)
    bench.dropped.removeAll()
    #expect(bench.cache.count == 0)
    #expect(bench.cache.nextDeadline == nil)
    #expect(bench.pool.isWhole == true)
  }

  @Test("A conflict is defended once in ten seconds")
  func conflicts() {
    var detector = ConflictDetector()
    let eth = InterfaceID(index: 1)
    func note(_ seconds: Int64) -> Bool {
      detector.note(peer, claimedBy: other, on: eth, at: .zero + .seconds(seconds)).isDefended
    }
    #expect(note(0))
    #expect(!note(3))
    #expect(!note(9))
    #expect(note(10))
    #expect(detector.count == 4)
  }
}
