import HostFuzzing
import MartletCore
import MartletWire
import Testing

@Suite("A flood of SYNs")
struct SYNFloodTests {
  /// A SYN from somewhere behind the router C.
  static func syn(from source: IPAddress, port: UInt16, sequence: UInt32) -> [UInt8] {
    var segment = TCPFrame(from: port, to: Bench.port, flags: TCPFrame.syn, sequence: sequence)
    segment.options = [2, 4, 0x05, 0xb4, 1, 3, 3, 7, 4, 2, 8, 10, 0, 0, 0, 9, 0, 0, 0, 0, 1, 1, 1, 1]
    let transport = segment.bytes(from: source, to: Bench.ip(source.version).b)
    if let v4 = source.v4 { return Bench.frame(IPv4Frame(from: v4, to: Bench.b4, protocol: 6, transport)) }
    return Bench.frame(IPv6Frame(from: source.v6, to: Bench.b6, protocol: 6, transport))
  }

  static func randomSource(_ version: IPVersion, _ random: inout RandomStream) -> IPAddress {
    switch version {
    case .v4: IPAddress(IPv4Address(value: UInt32.random(in: 0x0b00_0000...0x7eff_ffff, using: &random)))
    case .v6: IPAddress(IPv6Address(high: 0x2001_0db8_0001_0000 | random.next() >> 48, low: random.next()))
    }
  }

  /// B with its default route by C, whose link address it knows.
  static func floodedBench(_ version: IPVersion, count: Int) throws -> Bench {
    var bench = try Bench()
    try bench.b.addRoute(
      to: version == .v4 ? "0.0.0.0/0" : "::/0", via: Bench.ip(version).c, on: Bench.eth)
    var random = RandomStream(seed: 11)
    var mostBlocks = 0
    var mostConnections = 0
    for number in 0..<count {
      let source = randomSource(version, &random)
      let port = UInt16.random(in: 1_024...65_535, using: &random)
      bench.deliver(syn(from: source, port: port, sequence: UInt32(truncatingIfNeeded: random.next())))
      if number % 64 == 63 {
        mostBlocks = max(mostBlocks, bench.pool.statistics.blocksInUse)
        bench.now.nanoseconds += 100_000
        bench.exchange()
        bench.sent = []
      }
      if number % 10_000 == 0 {
        mostConnections = max(mostConnections, bench.b.socketTable().count { $0.kind == .tcp })
      }
    }
    #expect(mostBlocks <= 1_024, "one batch of answers and what waits in the SYN queue")
    #expect(mostConnections <= bench.b.configuration.tcp.synQueue)
    return bench
  }

  @Test(
    "100,000 SYNs from anywhere take no more memory than the SYN queue, and a client still gets in",
    arguments: IPVersion.allCases)
  func flood(version: IPVersion) throws {
    var bench = try Self.floodedBench(version, count: 100_000)
    let halfOpen = bench.b.socketTable().count { $0.kind == .tcp }
    #expect(halfOpen == bench.b.configuration.tcp.synQueue)
    // While the queue is full: an honest client, by a cookie.
    let complaint = bench.complaint()
    #expect(complaint == nil)
    bench.expectHealth()
  }

  @Test("With cookies off, the flood fills the queue and later SYNs are dropped by name")
  func withoutCookies() throws {
    var configuration = Host.Configuration()
    configuration.tcp.synCookies = false
    configuration.tcp.synQueue = 8
    var bench = try Bench(configuration: configuration)
    for number in UInt16(0)..<20 {
      bench.inject(Self.syn(from: IPAddress(Bench.c4), port: 2_000 + number, sequence: 1))
    }
    #expect(bench.b.drops[.tcpBacklogFull] == 12)
    bench.expectHealth()
  }

  /// The first TCP segment among `frames`: sequence number, acknowledgment number, flags, options, payload.
  static func segment(
    _ frames: [[UInt8]]
  ) -> (sequence: UInt32, acknowledgment: UInt32, flags: UInt8, payload: [UInt8])? {
    for frame in frames.map(SentFrame.init) where (frame.isIPv4 || frame.isIPv6) && frame.protocol == 6 {
      let bytes = frame.transport
      func word(_ at: Int) -> UInt32 { bytes[at..<at + 4].reduce(0) { $0 << 8 | UInt32($1) } }
      return (word(4), word(8), bytes[13], Array(bytes[(Int(bytes[12] >> 4) * 4)...]))
    }
    return nil
  }

  @Test(
    "A client that brings its cookie back gets its data through", .rfc(4987, section: "3.6"),
    arguments: IPVersion.allCases)
  func cookie(version: IPVersion) throws {
    var configuration = Host.Configuration()
    configuration.tcp.synQueue = 2
    var bench = try Bench(configuration: configuration)
    let c = Bench.ip(version).c
    for port in UInt16(2_000)..<2_002 { bench.inject(Self.syn(from: c, port: port, sequence: 1)) }
    let before = bench.b.socketTable().count
    let syn = TCPFrame(from: 3_000, to: Bench.port, flags: TCPFrame.syn, sequence: 5_000)
    let answer = try #require(Self.segment(bench.inject(Bench.frame(version, syn))))
    #expect(answer.flags == TCPFrame.syn | TCPFrame.ack)
    #expect(answer.acknowledgment == 5_001)
    #expect(bench.b.socketTable().count == before, "a cookie leaves nothing behind")

    var request = TCPFrame(from: 3_000, to: Bench.port, flags: TCPFrame.ack | TCPFrame.psh, sequence: 5_001)
    request.acknowledgment = answer.sequence &+ 1
    request.payload = Array("cookie".utf8)
    let echoed = try #require(Self.segment(bench.inject(Bench.frame(version, request))))
    #expect(echoed.sequence == answer.sequence &+ 1)
    #expect(echoed.acknowledgment == 5_007)
    #expect(echoed.payload == Array("COOKIE".utf8))
    bench.expectHealth()
  }

  @Test(
    "A cookie that somebody made up is answered by a reset", .rfc(4987, section: "3.6"), arguments: IPVersion.allCases)
  func forgedCookie(version: IPVersion) throws {
    var configuration = Host.Configuration()
    configuration.tcp.synQueue = 1
    var bench = try Bench(configuration: configuration)
    for port in UInt16(2_000)..<2_002 { bench.inject(Self.syn(from: Bench.ip(version).c, port: port, sequence: 1)) }
    let before = bench.b.socketTable().count
    var random = RandomStream(seed: 5)
    for _ in 0..<1_000 {
      var forged = TCPFrame(from: 3_000, to: Bench.port, flags: TCPFrame.ack, sequence: 5_001)
      forged.acknowledgment = UInt32(truncatingIfNeeded: random.next())
      let answer = try #require(Self.segment(bench.inject(Bench.frame(version, forged))))
      #expect(answer.flags == TCPFrame.rst)
      #expect(answer.sequence == forged.acknowledgment)
    }
    #expect(bench.b.socketTable().count == before)
    bench.expectHealth()
  }

  @Test("A cookie is good for two minutes at the most")
  func oldCookie() throws {
    var configuration = Host.Configuration()
    configuration.tcp.synQueue = 1
    var bench = try Bench(configuration: configuration)
    bench.inject(Self.syn(from: IPAddress(Bench.c4), port: 2_000, sequence: 1))
    let syn = TCPFrame(from: 3_000, to: Bench.port, flags: TCPFrame.syn, sequence: 5_000)
    let answer = try #require(Self.segment(bench.inject(Bench.frame(.v4, syn))))
    bench.run(for: .seconds(130))
    var late = TCPFrame(from: 3_000, to: Bench.port, flags: TCPFrame.ack, sequence: 5_001)
    late.acknowledgment = answer.sequence &+ 1
    bench.introduceC()
    let reset = try #require(Self.segment(bench.inject(Bench.frame(.v4, late))))
    #expect(reset.flags == TCPFrame.rst)
    bench.expectHealth()
  }
}
