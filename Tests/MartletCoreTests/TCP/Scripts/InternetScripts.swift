import HostFuzzing
import MartletCore
import MartletWire
import Testing

/// What TCP asks of IP, and IP of TCP (RFC 9293 section 3.9.2).
@Suite("TCP: between TCP and IP")
struct TCPInternetScripts {
  @Test("Every segment sent has a good checksum", .rfc(9293, "MUST-2"), arguments: IPVersion.allCases)
  func checksumSent(version: IPVersion) throws {
    var net = try TwoHosts()
    let pair = try net.connection(version)
    for text in ["a", "bc", String(repeating: "d", count: 4_001)] {
      try net.a.write(text, to: pair.client, at: net.now)
      net.exchange()
    }
    net.b.abort(pair.server, at: net.now)
    net.exchange()
    let segments = net.segments(fromA: true) + net.segments(fromA: false)
    #expect(segments.count >= 8)
    for segment in segments { #expect(hasValidTransportChecksum(segment.packet), "\(segment)") }
  }

  @Test("A segment whose checksum is wrong is not used", .rfc(9293, "MUST-3"), arguments: IPVersion.allCases)
  func checksumReceived(version: IPVersion) throws {
    var net = try TwoHosts()
    let pair = try net.connection(version)
    // The text is kept from arriving; then it arrives with one bit turned.
    net.frames = []
    net.delivers = { fromA, bytes in !fromA || WireSegment(bytes)?.payload.isEmpty != false }
    try net.a.write("hello", to: pair.client, at: net.now)
    net.exchange()
    net.delivers = { _, _ in true }
    var frame = try #require(net.frames.last { $0.fromA }).bytes
    #expect(WireSegment(frame)?.payload == Array("hello".utf8))
    frame[frame.count - 1] ^= 4
    let before = net.b.drops[.tcpChecksum]
    net.frames = []
    net.inject(frame)
    #expect(net.b.drops[.tcpChecksum] == before + 1)
    #expect(net.segments(fromA: false).isEmpty)
    #expect(try net.b.readText(pair.server, at: net.now) == "")
    // The text comes again, whole.
    net.run(for: .seconds(1))
    #expect(try net.b.readText(pair.server, at: net.now) == "hello")
  }

  @Test(
    "The program chooses TTL or hop limit, for every segment", .rfc(9293, "MUST-49"), arguments: IPVersion.allCases)
  func timeToLive(version: IPVersion) throws {
    var net = try TwoHosts()
    var options = TCPSocketOptions()
    options.timeToLive = 7
    let pair = try net.connection(version, options: options)
    try net.a.write("hello", to: pair.client, at: net.now)
    net.exchange()
    #expect(Set(net.segments(fromA: true).map(\.hopLimit)) == [7])
    #expect(Set(net.segments(fromA: false).map(\.hopLimit)) == [64])
  }

  @Test(
    "The program chooses the Diffserv value, and IP carries it unchanged", .rfc(9293, "MUST-48"), .rfc(9293, "SHLD-22"),
    arguments: IPVersion.allCases, [UInt8(0xb8), 0x28, 0xfc])
  func diffserv(version: IPVersion, value: UInt8) throws {
    var net = try TwoHosts()
    var options = TCPSocketOptions()
    options.trafficClass = value
    let pair = try net.connection(version, options: options)
    try net.a.write("hello", to: pair.client, at: net.now)
    net.exchange()
    #expect(Set(net.segments(fromA: true).map { $0.trafficClass & 0xfc }) == [value])
    #expect(Set(net.segments(fromA: false).map { $0.trafficClass & 0xfc }) == [0])
  }

  @Test(
    "The Diffserv value can be changed during the connection", .rfc(9293, "SHLD-21"), arguments: IPVersion.allCases)
  func diffservChanges(version: IPVersion) throws {
    var net = try TwoHosts()
    let pair = try net.connection(version)
    #expect(Set(net.segments(fromA: true).map { $0.trafficClass & 0xfc }) == [0])
    var options = try net.a.options(of: pair.client)
    options.trafficClass = 0xb8
    try net.a.setOptions(options, of: pair.client)
    net.frames = []
    try net.a.write("hello", to: pair.client, at: net.now)
    net.exchange()
    #expect(net.segments(fromA: true).map { $0.trafficClass & 0xfc } == [0xb8])
  }

  @Test(
    "IP options that TCP does not know change nothing", .rfc(9293, "MUST-50"),
    arguments: [[1, 1, 1, 0], [0x94, 4, 0, 0], [68, 8, 5, 0, 0, 0, 0, 0], [7, 7, 4, 0, 0, 0, 0, 0]] as [[UInt8]])
  func unknownIPOptions(options: [UInt8]) throws {
    var bench = try Bench()
    let syn = TCPFrame(from: 4_000, to: Bench.port, flags: TCPFrame.syn)
      .bytes(from: IPAddress(Bench.c4), to: IPAddress(Bench.b4))
    var packet = IPv4Frame(from: Bench.c4, to: Bench.b4, protocol: 6, syn)
    packet.options = options
    #expect(bench.inject(Bench.frame(packet)).segments.map(\.flags) == [[.syn, .ack]])
  }

  @Test("IPv6 options that TCP does not know change nothing", .rfc(9293, "MUST-50"))
  func unknownIPv6Options() throws {
    var bench = try Bench()
    let syn = TCPFrame(from: 4_000, to: Bench.port, flags: TCPFrame.syn)
      .bytes(from: IPAddress(Bench.c6), to: IPAddress(Bench.b6))
    var packet = IPv6Frame(from: Bench.c6, to: Bench.b6, protocol: 6, syn)
    packet.extensions = [(60, IPv6Frame.optionsBody([0x1e, 2, 0, 0]))]
    #expect(bench.inject(Bench.frame(packet)).segments.map(\.flags) == [[.syn, .ack]])
  }

  // MARK: ICMP (section 3.9.2.2)

  /// A's segment that an error is about: the first `count` bytes of its packet.
  private static func quote(_ segment: WireSegment, _ count: Int) -> [UInt8] { Array(segment.packet.prefix(count)) }

  /// An error about `segment`, which A sent, from the host C.
  private static func frame(_ version: IPVersion, type: UInt8, code: UInt8, about segment: WireSegment) -> [UInt8] {
    let error = ICMPFrame(type: type, code: code, quote(segment, version == .v4 ? 28 : 60))
    if version == .v4 {
      return Frames.ethernet(
        to: TwoHosts.macA, from: TwoHosts.macB, type: 0x0800,
        IPv4Frame(
          from: "192.0.2.2", to: "192.0.2.1", protocol: 1,
          error.bytes(from: TwoHosts.b4, to: TwoHosts.a4)
        ).bytes)
    }
    return Frames.ethernet(
      to: TwoHosts.macA, from: TwoHosts.macB, type: 0x86dd,
      IPv6Frame(
        from: "2001:db8::2", to: "2001:db8::1", protocol: 58,
        error.bytes(from: TwoHosts.b6, to: TwoHosts.a6)
      ).bytes)
  }

  private static func injectIntoA(_ frame: [UInt8], _ net: inout TwoHosts) {
    guard let packet = net.pool.packet(frame) else { return }
    net.a.receive(packet, on: net.eth, at: net.now)
    net.exchange()
  }

  /// An error from the network: type, code, and the version that has it.
  struct NetworkError: Sendable, CustomTestStringConvertible {
    let version: IPVersion
    let type: UInt8
    let code: UInt8
    var testDescription: String { "IP\(version) type \(type) code \(code)" }
  }

  static let networkErrors: [NetworkError] =
    [0, 1, 5].map { NetworkError(version: .v4, type: 3, code: $0) } + [
      NetworkError(version: .v4, type: 11, code: 0), NetworkError(version: .v4, type: 11, code: 1),
      NetworkError(version: .v4, type: 12, code: 0), NetworkError(version: .v6, type: 1, code: 0),
      NetworkError(version: .v6, type: 1, code: 3), NetworkError(version: .v6, type: 3, code: 0),
      NetworkError(version: .v6, type: 4, code: 0),
    ]

  @Test(
    "Trouble on the way ends neither an open that waits nor a connection that stands", .rfc(9293, "MUST-56"),
    arguments: networkErrors)
  func softErrors(error: NetworkError) throws {
    var net = try TwoHosts()
    let pair = try net.connection(error.version)
    let remote = SocketAddress(error.version == .v4 ? TwoHosts.b4 : TwoHosts.b6, port: 81)
    net.delivers = { fromA, _ in !fromA }
    net.frames = []
    let opening = try net.a.connect(to: remote, at: net.now)
    net.exchange()
    let syn = try #require(net.segments(fromA: true).last)
    try net.a.write("hello", to: pair.client, at: net.now)
    net.exchange()
    let data = try #require(net.segments(fromA: true).last)
    for segment in [syn, data] {
      Self.injectIntoA(Self.frame(error.version, type: error.type, code: error.code, about: segment), &net)
    }
    #expect(try net.a.info(of: opening).state == .synSent)
    #expect(try net.a.info(of: pair.client).state == .established)
  }

  @Test(
    "An unreachable destination is made known to the program as a soft error", .rfc(9293, "SHLD-25"),
    .rfc(9293, "MUST-47"), .rfc(9293, "MUST-54"), arguments: IPVersion.allCases)
  func softErrorIsTold(version: IPVersion) throws {
    var net = try TwoHosts()
    let pair = try net.connection(version)
    let other = try net.connection(version, port: 81)
    net.delivers = { fromA, _ in !fromA }
    net.frames = []
    try net.a.write("hello", to: pair.client, at: net.now)
    net.exchange()
    let data = try #require(net.segments(fromA: true).first)
    Self.injectIntoA(Self.frame(version, type: version == .v4 ? 3 : 1, code: version == .v4 ? 1 : 0, about: data), &net)
    let reporter = version == .v4 ? TwoHosts.b4 : TwoHosts.b6
    #expect(net.a.takeError(of: pair.client) == .unreachable(by: reporter))
    // It is about the connection that it quotes, and about no other.
    #expect(net.a.takeError(of: other.client) == nil)
  }

  @Test(
    "Port unreachable ends the open whose SYN it quotes", .rfc(9293, "MUST-54"), .rfc(9293, "SHLD-26"),
    arguments: IPVersion.allCases)
  func hardError(version: IPVersion) throws {
    var net = try TwoHosts()
    net.delivers = { fromA, bytes in !fromA || WireSegment(bytes) == nil }
    let remote = version == .v4 ? TwoHosts.b4 : TwoHosts.b6
    let opening = try net.a.connect(to: SocketAddress(remote, port: 81), at: net.now)
    let other = try net.a.connect(to: SocketAddress(remote, port: 82), at: net.now)
    net.exchange()
    let found = net.segments(fromA: true).first { $0.header.destinationPort == 81 }
    let syn = try #require(found)
    Self.injectIntoA(Self.frame(version, type: version == .v4 ? 3 : 1, code: version == .v4 ? 3 : 4, about: syn), &net)
    #expect(net.a.takeError(of: opening) == .refused)
    #expect(try net.a.info(of: other).state == .synSent)
  }

  @Test("Source quench is discarded in silence", .rfc(9293, "MUST-55"))
  func sourceQuench() throws {
    var net = try TwoHosts()
    let pair = try net.connection(.v4)
    net.delivers = { fromA, _ in !fromA }
    net.frames = []
    try net.a.write("hello", to: pair.client, at: net.now)
    net.exchange()
    let data = try #require(net.segments(fromA: true).first)
    let window = try net.a.info(of: pair.client).congestionWindow
    net.frames = []
    Self.injectIntoA(Self.frame(.v4, type: 4, code: 0, about: data), &net)
    #expect(try net.a.info(of: pair.client).congestionWindow == window)
    #expect(net.a.takeError(of: pair.client) == nil)
    #expect(net.frames.isEmpty)
  }

  @Test(
    "At R1 the next hop comes under suspicion and is asked whether it is there", .rfc(9293, "MUST-20"),
    arguments: IPVersion.allCases)
  func suspicion(version: IPVersion) throws {
    var net = try TwoHosts()
    let pair = try net.connection(version)
    let hop = version == .v4 ? TwoHosts.b4 : TwoHosts.b6
    func state(_ net: borrowing TwoHosts) -> Neighbor.State? {
      net.a.neighborTable().first { $0.address == hop }?.state
    }
    #expect(state(net) == .reachable)
    // Segments are lost, all else arrives.
    net.delivers = { _, bytes in WireSegment(bytes) == nil }
    net.frames = []
    try net.a.write("hello", to: pair.client, at: net.now)
    net.run(for: .milliseconds(1_500))
    // A probe of the tail went out besides.
    #expect(net.segments(fromA: true).count == 4)
    #expect(state(net) == .reachable)
    // The third retransmission is R1. It uses the neighbour, and so the check begins (RFC 4861 section 7.3.3).
    net.run(for: .milliseconds(200))
    #expect(net.segments(fromA: true).count == 5)
    #expect(state(net) == .delay)
    let before = net.frames.count
    net.run(for: .seconds(5))
    // An ARP request, or a neighbour solicitation, to the neighbour alone.
    let probes = net.frames[before...].filter {
      $0.fromA && (version == .v4 ? $0.bytes[12...13] == [8, 6] && $0.bytes[21] == 1 : $0.bytes[54] == 135)
    }
    #expect(probes.map { Array($0.bytes[0..<6]) } == [Frames.bytes(of: TwoHosts.macB)])
    // It answers: it was not the neighbour.
    #expect(state(net) == .reachable)
  }
}
