import HostFuzzing
import MartletWire
import Testing

@testable import MartletCore

/// Two hosts with a narrow place between them: packets from A to B that are larger are dropped there, with or without a
/// word.
private struct NarrowPath: ~Copyable {
  static let router4: IPv4Address = "192.0.2.254"
  static let router6: IPv6Address = "2001:db8::fe"
  static let eth = InterfaceID(index: 1)

  let pool = PacketPool()
  var a: Host
  var b: Host
  var now = Instant.zero
  /// The largest IP packet that passes.
  var mtu: Int
  /// Whether the narrow place says so, and which MTU it names.
  var speaks: Bool
  var says: Int?
  /// The sizes of the IP packets that A sent.
  var sizes: [Int] = []
  var dropped = 0
  /// One packet in so many is lost.
  var loss = Int.max
  private var count = 0

  init(mtu: Int, speaks: Bool, linkMTU: Int = 1_500, configuration: Host.Configuration = Host.Configuration()) throws {
    self.mtu = mtu
    self.speaks = speaks
    a = Host(name: "a", configuration: configuration, pool: pool, seed: 1)
    b = Host(name: "b", configuration: configuration, pool: pool, seed: 2)
    _ = a.addInterface(InterfaceConfiguration(name: "eth0", macAddress: TwoHosts.macA, mtu: linkMTU))
    _ = b.addInterface(InterfaceConfiguration(name: "eth0", macAddress: TwoHosts.macB, mtu: linkMTU))
    try a.addAddress(AddressInSubnet(TwoHosts.a4, prefixLength: 24), to: Self.eth)
    try b.addAddress(AddressInSubnet(TwoHosts.b4, prefixLength: 24), to: Self.eth)
    try a.addAddress(AddressInSubnet(TwoHosts.a6, prefixLength: 64), to: Self.eth)
    try b.addAddress(AddressInSubnet(TwoHosts.b6, prefixLength: 64), to: Self.eth)
    exchange()
    sizes = []
  }

  mutating func exchange() {
    var moved = true
    while moved {
      moved = false
      now.nanoseconds += 1_000
      var batch = PacketQueue()
      a.advance(to: now)
      a.transmit(from: Self.eth, at: now) { batch.append($0) }
      while let packet = batch.popFirst() {
        moved = true
        let size = packet.count - EthernetHeader.untaggedByteCount
        sizes.append(size)
        let bytes = packet.allBytes
        let isWhole = bytes[12] == 0x86 || bytes[20] & 0x40 != 0
        count += 1
        if count % loss == 0 { continue }
        if size > mtu, isWhole {
          dropped += 1
          if speaks { answer(bytes) }
        } else {
          b.receive(packet, on: Self.eth, at: now)
        }
      }
      b.advance(to: now)
      b.transmit(from: Self.eth, at: now) { batch.append($0) }
      while let packet = batch.popFirst() {
        moved = true
        a.receive(packet, on: Self.eth, at: now)
      }
    }
  }

  /// Tells A that the packet in the frame `bytes` was too big.
  mutating func answer(_ bytes: [UInt8]) {
    let frame: [UInt8]
    let named = UInt32(says ?? mtu)
    if bytes[12] == 8 {
      let message = ICMPFrame(type: 3, code: 4, word: named, Array(bytes.dropFirst(14).prefix(548)))
      let body = message.bytes(from: IPAddress(Self.router4), to: TwoHosts.a4)
      let packet = IPv4Frame(from: Self.router4, to: "192.0.2.1", protocol: 1, body)
      frame = Frames.ethernet(to: TwoHosts.macA, from: TwoHosts.macB, type: 0x0800, packet.bytes)
    } else {
      let message = ICMPFrame(type: 2, word: named, Array(bytes.dropFirst(14).prefix(1_232)))
      let body = message.bytes(from: IPAddress(Self.router6), to: TwoHosts.a6)
      let packet = IPv6Frame(from: Self.router6, to: "2001:db8::1", protocol: 58, body)
      frame = Frames.ethernet(to: TwoHosts.macA, from: TwoHosts.macB, type: 0x86dd, packet.bytes)
    }
    if let packet = pool.packet(frame) { a.receive(packet, on: Self.eth, at: now) }
  }

  mutating func run(for duration: Duration) {
    let end = now.advanced(by: duration)
    exchange()
    while true {
      let next = min(a.nextDeadline ?? .distantFuture, b.nextDeadline ?? .distantFuture)
      guard next <= end else { break }
      now = max(now, next)
      exchange()
    }
    now = max(now, end)
    exchange()
  }

  mutating func open(_ version: IPVersion) throws -> (client: SocketID, server: SocketID) {
    let listener = try b.listen(on: SocketAddress(.any(.v6), port: 80))
    let client = try a.connect(to: SocketAddress(version == .v4 ? TwoHosts.b4 : TwoHosts.b6, port: 80), at: now)
    exchange()
    return (client, try #require(try b.accept(from: listener)))
  }

  /// Sends `count` bytes from A to B, `step` in each `turn`, and returns how many milliseconds that took; nil if it did not
  /// end or something else arrived.
  mutating func transfer(
    _ count: Int, _ ends: (client: SocketID, server: SocketID), step: Int = 10_000,
    turn: Duration = .milliseconds(1)
  ) throws -> Int? {
    let sent = pattern(count)
    var received: [UInt8] = []
    var offset = 0
    let start = now
    for _ in 0..<5_000 {
      if offset < count {
        let part = Array(sent[offset..<min(offset + step, count)])
        offset += unsafe try a.write(part.span.bytes, to: ends.client, at: now)
      }
      run(for: turn)
      received += try b.readBytes(ends.server, at: now)
      if received.count >= count { return received == sent ? Int((now - start) / 1_000_000) : nil }
    }
    return nil
  }
}

@Suite("A narrow path between two hosts")
struct NarrowPathTests {
  private static func configuration(_ policy: Host.Configuration.TCP.PathProbing) -> Host.Configuration {
    var configuration = Host.Configuration()
    configuration.tcp.packetizationLayerPathMTUDiscovery = policy
    return configuration
  }

  @Test(
    "A transfer completes through a place that drops what is larger than 1,300 bytes, with and without a word",
    .rfc(1191, section: "3"), .rfc(8201, section: "4"), .rfc(4821, section: "7.7"), .rfc(2923, section: "2.1"),
    arguments: IPVersion.allCases, [true, false])
  func transfer(version: IPVersion, speaks: Bool) throws {
    var net = try NarrowPath(mtu: 1_300, speaks: speaks)
    let ends = try net.open(version)
    let time = try #require(try net.transfer(500_000, ends, turn: .milliseconds(speaks ? 1 : 100)))
    // Three timeouts at most, and no further ones for the probes.
    #expect(time < (speaks ? 100 : 8_000))
    let info = try net.a.info(of: ends.client)
    #expect(info.timeouts == (speaks ? 0 : 3))
    #expect(info.pathMTU <= 1_300)
    #expect(info.pathMTU >= (speaks ? 1_300 : 1_284))
    net.sizes = []
    net.dropped = 0
    _ = try #require(try net.transfer(50_000, ends))
    #expect(net.dropped == 0)
    #expect(net.sizes.max() == info.pathMTU)
    // The next connection knows.
    let second = try net.a.connect(to: SocketAddress(version == .v4 ? TwoHosts.b4 : TwoHosts.b6, port: 80), at: net.now)
    net.exchange()
    let pathMTU = try net.a.info(of: second).pathMTU
    #expect(pathMTU == info.pathMTU)
  }

  /// The frames that A sends when datagrams of many sizes go to B after a router has said that 1,300 bytes are the most.
  private func datagrams(_ version: IPVersion, takesShortWays: Bool) throws -> [Int] {
    var net = try NarrowPath(mtu: 1_300, speaks: true)
    net.a.takesShortWays = takesShortWays
    let ends = try net.open(version)
    _ = try #require(try net.transfer(50_000, ends))
    let there = version == .v4 ? TwoHosts.b4 : TwoHosts.b6
    let server = try net.b.openDatagram(on: SocketAddress(.any(.v6), port: 7))
    let client = try net.a.openDatagram(on: SocketAddress(.any(.v6), port: 0))
    try net.a.connectDatagram(client, to: SocketAddress(there, port: 7))
    net.sizes = []
    let header = version == .v4 ? 28 : 48
    for size in [100, 1_300 - header, 1_301 - header, 1_472, 3_000, 100] {
      let payload = String(repeating: "m", count: size)
      try net.a.send(payload, from: client, at: net.now)
      net.exchange()
      let received = try net.b.receiveAll(server)
      #expect(received.map(\.0) == [payload])
    }
    #expect(net.sizes.max() == 1_300)
    return net.sizes
  }

  @Test(
    "Datagrams to a destination behind a narrow place take the short way if they fit, and are split if not",
    .rfc(1191, section: "3"), arguments: IPVersion.allCases)
  func datagrams(version: IPVersion) throws {
    let short = try datagrams(version, takesShortWays: true)
    let long = try datagrams(version, takesShortWays: false)
    #expect(short == long)
    #expect(short.count > 8)
  }

  @Test("What is known of one path sends nobody the long way", .rfc(1191, section: "3"), arguments: IPVersion.allCases)
  func others(version: IPVersion) throws {
    var net = try NarrowPath(mtu: 1_300, speaks: true)
    let (here, there) = version == .v4 ? (TwoHosts.a4, TwoHosts.b4) : (TwoHosts.a6, TwoHosts.b6)
    let (otherHere, otherThere) = version == .v4 ? (TwoHosts.a6, TwoHosts.b6) : (TwoHosts.a4, TwoHosts.b4)
    let ends = try net.open(version)
    _ = try #require(try net.transfer(50_000, ends))
    let pathMTU = try net.a.info(of: ends.client).pathMTU
    #expect(pathMTU == 1_300)
    let isShort = net.a.hasShortWay(from: here, to: there)
    #expect(isShort)
    // A destination of which no router has spoken.
    let client = try net.a.openDatagram(on: SocketAddress(.any(.v6), port: 0))
    let server = try net.b.openDatagram(on: SocketAddress(.any(.v6), port: 7))
    net.mtu = 1_500
    for _ in 0..<2 {
      net.sizes = []
      let payload = String(repeating: "m", count: 1_440)
      try net.a.send(payload, to: SocketAddress(otherThere, port: 7), from: client, at: net.now)
      net.exchange()
      #expect(try net.b.receiveAll(server).map(\.0) == [payload])
    }
    #expect(net.sizes == [1_440 + (version == .v4 ? 48 : 28)])
    let isOtherShort = net.a.hasShortWay(from: otherHere, to: otherThere)
    #expect(isOtherShort)
    // The estimate ages, and with it the way.
    net.run(for: .seconds(700))
    net.sizes = []
    let payload = String(repeating: "m", count: 1_440)
    for _ in 0..<2 {
      try net.a.send(payload, to: SocketAddress(there, port: 7), from: client, at: net.now)
      net.exchange()
    }
    #expect(net.sizes.filter { $0 > 1_400 }.count == 2)
  }

  @Test(
    "A connection that always probes goes through a silent narrow place without a timeout", .rfc(4821, section: "7.2"),
    arguments: IPVersion.allCases)
  func always(version: IPVersion) throws {
    var net = try NarrowPath(mtu: 1_300, speaks: false, configuration: Self.configuration(.always))
    let ends = try net.open(version)
    let time = try #require(try net.transfer(500_000, ends, turn: .milliseconds(100)))
    #expect(time < 5_100)
    let info = try net.a.info(of: ends.client)
    #expect(info.timeouts == 0)
    #expect(info.pathMTU >= 1_284 && info.pathMTU <= 1_300)
  }

  @Test(
    "A connection that always probes fills a wide path", .rfc(4821, section: "7.3"), arguments: IPVersion.allCases)
  func wide(version: IPVersion) throws {
    var net = try NarrowPath(mtu: 9_000, speaks: false, linkMTU: 9_000, configuration: Self.configuration(.always))
    let ends = try net.open(version)
    _ = try #require(try net.transfer(500_000, ends, step: 50_000))
    let info = try net.a.info(of: ends.client)
    #expect(info.pathMTU == 9_000)
    #expect(info.timeouts == 0)
  }

  @Test(
    "A path that narrows while a connection sends costs a timeout with a word, and three without",
    .rfc(5927, section: "7.2"), .rfc(4821, section: "7.7"), arguments: IPVersion.allCases, [true, false])
  func shrinks(version: IPVersion, speaks: Bool) throws {
    var net = try NarrowPath(mtu: 1_500, speaks: speaks)
    let ends = try net.open(version)
    _ = try #require(try net.transfer(100_000, ends))
    let widePathMTU = try net.a.info(of: ends.client).pathMTU
    #expect(widePathMTU == 1_500)
    net.mtu = 1_300
    _ = try #require(try net.transfer(500_000, ends, turn: .milliseconds(speaks ? 1 : 100)))
    let info = try net.a.info(of: ends.client)
    #expect(info.timeouts == (speaks ? 1 : 3))
    #expect(info.pathMTU <= 1_300 && info.pathMTU >= (speaks ? 1_300 : 1_284))
  }

  @Test(
    "A path that widens is noticed after ten minutes, not before", .rfc(1191, section: "6.3"),
    .rfc(8201, section: "4"), .rfc(8899, section: "5.1.1"), arguments: IPVersion.allCases, [true, false])
  func growsBack(version: IPVersion, speaks: Bool) throws {
    var net = try NarrowPath(mtu: 1_300, speaks: speaks)
    let ends = try net.open(version)
    _ = try #require(try net.transfer(500_000, ends, turn: .milliseconds(speaks ? 1 : 100)))
    net.mtu = 1_500
    net.run(for: .seconds(500))
    _ = try #require(try net.transfer(200_000, ends))
    let laterPathMTU = try net.a.info(of: ends.client).pathMTU
    #expect(laterPathMTU <= 1_300)
    net.run(for: .seconds(130))
    let timeouts = try net.a.info(of: ends.client).timeouts
    _ = try #require(try net.transfer(200_000, ends))
    let info = try net.a.info(of: ends.client)
    #expect(info.pathMTU == 1_500)
    #expect(info.timeouts == timeouts)
  }

  @Test("Without probes a path that widens is tried at once when the estimate is forgotten", .rfc(1191, section: "6.3"))
  func growsBackWithoutProbes() throws {
    var net = try NarrowPath(mtu: 1_300, speaks: true, configuration: Self.configuration(.off))
    let ends = try net.open(.v4)
    _ = try #require(try net.transfer(100_000, ends))
    net.mtu = 1_400
    net.run(for: .seconds(601))
    _ = try #require(try net.transfer(200_000, ends))
    let grownPathMTU = try net.a.info(of: ends.client).pathMTU
    #expect(grownPathMTU == 1_400)
  }

  @Test(
    "A path that loses packets and changes its MTU again and again delivers every byte",
    arguments: IPVersion.allCases, 1...6 as ClosedRange<UInt64>)
  func restless(version: IPVersion, seed: UInt64) throws {
    var random = RandomStream(seed: seed)
    let policies: [Host.Configuration.TCP.PathProbing] = [.onBlackHole, .always]
    var configuration = Self.configuration(policies[Int(seed % 2)])
    configuration.tcp.selectiveAcknowledgments = seed % 3 != 0
    var net = try NarrowPath(mtu: 1_500, speaks: true, configuration: configuration)
    let ends = try net.open(version)
    net.loss = seed > 3 ? 50 : .max
    for _ in 0..<12 {
      net.mtu = Int.random(in: (version == .v4 ? 560 : 1_280)...1_500, using: &random)
      net.speaks = Bool.random(using: &random)
      _ = try #require(try net.transfer(60_000, ends, turn: .milliseconds(50)))
      // The host knows by now what the connection found out: told when it sends again, that may no longer hold.
      let hasNews = net.a.connections[0].tcp.probing.hasNews
      #expect(!hasNews)
    }
    net.loss = .max
    net.mtu = 1_500
    net.run(for: .seconds(700))
    _ = try #require(try net.transfer(500_000, ends, turn: .milliseconds(100)))
    let pathMTU = try net.a.info(of: ends.client).pathMTU
    #expect(pathMTU == 1_500)
  }

  @Test("A router that names no MTU leads down the plateaus", .rfc(1191, section: "7"))
  func plateaus() throws {
    var net = try NarrowPath(mtu: 1_300, speaks: true)
    net.says = 0
    let ends = try net.open(.v4)
    _ = try #require(try net.transfer(100_000, ends))
    let pathMTU = try net.a.info(of: ends.client).pathMTU
    #expect(pathMTU == 1_006)
  }

  @Test("A path below the floor is sent packets that may be fragmented", .rfc(1191, section: "3"))
  func belowFloor() throws {
    var net = try NarrowPath(mtu: 296, speaks: true)
    let ends = try net.open(.v4)
    _ = try #require(try net.transfer(20_000, ends))
    let info = try net.a.info(of: ends.client)
    #expect(info.pathMTU == 552)
    net.dropped = 0
    _ = try #require(try net.transfer(20_000, ends))
    #expect(net.dropped == 0)
  }

  @Test("IPv6 packets are never made smaller than 1,280 bytes", .rfc(8201, section: "4"))
  func belowFloorIPv6() throws {
    var net = try NarrowPath(mtu: 1_300, speaks: true)
    net.says = 1_000
    let ends = try net.open(.v6)
    _ = try #require(try net.transfer(100_000, ends))
    let info = try net.a.info(of: ends.client)
    #expect(info.pathMTU >= 1_280)
    // The lies were not taken for anything: the black hole was found without them.
    #expect(info.timeouts == 3)
  }

  @Test(
    "Another connection to the same destination becomes smaller before its packets are dropped",
    .rfc(8201, section: "5.4"), arguments: IPVersion.allCases)
  func shared(version: IPVersion) throws {
    var net = try NarrowPath(mtu: 1_300, speaks: true)
    let listener = try net.b.listen(on: SocketAddress(.any(.v6), port: 80))
    let peer = SocketAddress(version == .v4 ? TwoHosts.b4 : TwoHosts.b6, port: 80)
    let first = try net.a.connect(to: peer, at: net.now)
    let second = try net.a.connect(to: peer, at: net.now)
    net.exchange()
    let one = try #require(try net.b.accept(from: listener))
    let two = try #require(try net.b.accept(from: listener))
    _ = try #require(try net.transfer(100_000, (first, one)))
    net.dropped = 0
    _ = try #require(try net.transfer(100_000, (second, two)))
    #expect(net.dropped == 0)
    let timeouts = try net.a.info(of: second).timeouts
    #expect(timeouts == 0)
  }

  @Test(
    "Datagrams are fragmented to what the path takes, until that is forgotten", .rfc(8201, section: "5.2"),
    .rfc(8201, section: "4"))
  func datagrams() throws {
    var net = try NarrowPath(mtu: 1_300, speaks: true)
    let sender = try net.a.openDatagram(on: SocketAddress(.any(.v6), port: 0))
    let receiver = try net.b.openDatagram(on: SocketAddress(.any(.v6), port: 9))
    let payload = [UInt8](repeating: 0x61, count: 1_452)
    let peer = SocketAddress(TwoHosts.b6, port: 9)
    net.exchange()
    // Neighbours first, so that the list below has nothing else.
    try net.a.send("x", to: peer, from: sender, at: net.now)
    net.exchange()
    _ = try net.b.receiveAll(receiver)
    net.sizes = []
    unsafe try net.a.send(payload.span.bytes, to: peer, from: sender, at: net.now)
    net.exchange()
    #expect(net.sizes == [1_500])
    let lost = try net.b.receiveAll(receiver)
    #expect(lost.isEmpty)
    net.sizes = []
    unsafe try net.a.send(payload.span.bytes, to: peer, from: sender, at: net.now)
    net.exchange()
    #expect(net.sizes.count == 2 && net.sizes.allSatisfy { $0 <= 1_300 })
    let whole = try net.b.receiveAll(receiver)
    #expect(whole.map(\.1.byteCount) == [1_452])
    net.run(for: .seconds(601))
    net.mtu = 1_500
    net.sizes = []
    unsafe try net.a.send(payload.span.bytes, to: peer, from: sender, at: net.now)
    net.exchange()
    #expect(net.sizes.contains(1_500))
  }

  @Test("A router cannot complain of a datagram that it may fragment", .rfc(5927, section: "7.2"))
  func datagramsIPv4() throws {
    var net = try NarrowPath(mtu: 1_500, speaks: true)
    let sender = try net.a.openDatagram(on: SocketAddress(.any(.v4), port: 5_000))
    let datagram = UDPFrame(from: 5_000, to: 9, [UInt8](repeating: 0x61, count: 1_472))
      .bytes(from: TwoHosts.a4, to: TwoHosts.b4)
    let quote = IPv4Frame(from: "192.0.2.1", to: "192.0.2.2", protocol: 17, datagram).bytes
    net.says = 600
    net.answer(Frames.ethernet(to: TwoHosts.macB, from: TwoHosts.macA, type: 0x0800, quote))
    net.sizes = []
    unsafe try net.a.send(
      [UInt8](repeating: 0x61, count: 1_472).span.bytes, to: SocketAddress(TwoHosts.b4, port: 9), from: sender,
      at: net.now)
    net.exchange()
    #expect(net.sizes.contains(1_500))
  }
}
