import HostFuzzing
import MartletCore
import MartletWire
import Testing

@Suite("ICMP errors that are owed, and those that are not")
struct ICMPErrorTests {
  /// A datagram to a port nobody has.
  static func toClosedPort(_ version: IPVersion, _ payload: [UInt8] = Array("hello".utf8)) -> [UInt8] {
    Bench.frame(version, UDPFrame(from: 4_000, to: 9, payload))
  }

  @Test(
    "A closed port is answered by port unreachable, with the datagram unchanged",
    .rfc(1122, "HR3-18"), .rfc(1122, "HR3-21"), .rfc(1122, "HR4-1"),
    .rfc(4443, section: "3.1"), arguments: IPVersion.allCases, [0, 5, 500, 520, 521, 1_200, 1_400])
  func portUnreachable(version: IPVersion, size: Int) throws {
    var bench = try Bench()
    let frame = Self.toClosedPort(version, [UInt8](repeating: 0x61, count: size))
    let messages = bench.inject(frame).icmp
    #expect(messages.count == 1)
    let message = try #require(messages.first)
    #expect(message.type == (version == .v4 ? 3 : 1))
    #expect(message.code == (version == .v4 ? 3 : 4))
    #expect(message.word == 0)
    // As much as fits into 576 bytes (RFC 1812), 1,280 bytes over IPv6 (RFC 4443 section 2.4 (c)).
    let room = version == .v4 ? 576 - 28 : 1_280 - 48
    #expect(message.body == Array(frame.dropFirst(14).prefix(room)))
    #expect(message.body.count >= min(frame.count - 14, version == .v4 ? 28 : 48))
    bench.expectHealth()
  }

  @Test("An unknown protocol over IPv4 is answered by protocol unreachable", .rfc(1122, "HR3-21"))
  func protocolUnreachable() throws {
    var bench = try Bench()
    var packet = Good.udp4
    packet.protocol = 253
    let messages = bench.inject(Bench.frame(packet)).icmp
    #expect(messages.map(\.type) == [3])
    #expect(messages.map(\.code) == [2])
    #expect(messages.first?.body == packet.bytes)
  }

  @Test("A bad option is pointed at", .rfc(1122, "HR3-18"))
  func parameterProblem() throws {
    var bench = try Bench()
    var packet = Good.udp4
    packet.options = [1, 1, 99, 9]
    let messages = bench.inject(Bench.frame(packet)).icmp
    #expect(messages.map(\.type) == [12])
    #expect(messages.map(\.code) == [0])
    #expect(messages.first.map { $0.word >> 24 } == 22)
    #expect(messages.first?.body == packet.bytes)
  }

  @Test("The error comes from the address that was asked", .rfc(1122, "HR3-38"), arguments: IPVersion.allCases)
  func source(version: IPVersion) throws {
    var bench = try Bench()
    let answer = try #require(bench.inject(Self.toClosedPort(version)).first)
    let asked = Frames.bytes(of: Bench.ip(version).b)
    let asker = Frames.bytes(of: Bench.ip(version).c)
    let offset = version == .v4 ? 26 : 22
    #expect(Array(answer[offset..<offset + asked.count]) == asked)
    #expect(Array(answer[offset + asked.count..<offset + 2 * asked.count]) == asker)
    #expect(Array(answer[0..<6]) == Frames.bytes(of: Bench.macC))
  }

  @Test(
    "Nobody is told of a datagram to everybody", .rfc(1122, "HR3-19"),
    arguments: ["192.0.2.255", "255.255.255.255", "224.0.0.1"] as [IPv4Address])
  func aboutBroadcast(destination: IPv4Address) throws {
    var bench = try Bench()
    let datagram = UDPFrame(from: 4_000, to: 9).bytes(from: IPAddress(Bench.c4), to: IPAddress(destination))
    for `protocol` in [UInt8(17), 253] {
      let packet = IPv4Frame(from: Bench.c4, to: destination, protocol: `protocol`, datagram)
      let mac: MACAddress = destination == "224.0.0.1" ? "01:00:5e:00:00:01" : .broadcast
      #expect(bench.inject(Bench.frame(packet, to: mac)).isEmpty)
    }
    bench.expectHealth()
  }

  @Test("Nobody is told of a datagram to all IPv6 nodes", .rfc(4443, section: "2.4 (e.3)"))
  func aboutMulticast() throws {
    var bench = try Bench()
    let datagram = UDPFrame(from: 4_000, to: 9).bytes(from: IPAddress(Bench.c6), to: "ff02::1")
    for `protocol` in [UInt8(17), 253] {
      let packet = IPv6Frame(from: Bench.c6, to: "ff02::1", protocol: `protocol`, datagram)
      #expect(bench.inject(Bench.frame(packet, to: "33:33:00:00:00:01")).isEmpty)
    }
    bench.expectHealth()
  }

  @Test("No error is about an error", .rfc(1122, "HR3-19"), .rfc(4443, section: "2.4 (e.1)"))
  func aboutError() throws {
    var bench = try Bench()
    // An ICMP error with an option that is malformed.
    let error = ICMPFrame(type: 3, code: 3, Good.udp4.bytes).bytes(from: IPAddress(Bench.c4), to: IPAddress(Bench.b4))
    var packet = IPv4Frame(from: Bench.c4, to: Bench.b4, protocol: 1, error)
    packet.options = [99, 0, 0, 0]
    #expect(bench.inject(Bench.frame(packet)).isEmpty)
    #expect(bench.b.drops[.ipOptionMalformed] == 1)
    // The same about an echo request is told.
    packet.payload = Good.echo(.v4).bytes(from: IPAddress(Bench.c4), to: IPAddress(Bench.b4))
    #expect(bench.inject(Bench.frame(packet)).icmp.map(\.type) == [12])
    bench.expectHealth()
  }

  @Test("No error is about a later fragment", .rfc(1122, "HR3-19"))
  func aboutFragment() throws {
    var bench = try Bench()
    var packet = IPv4Frame(from: Bench.c4, to: Bench.b4, protocol: 17, [UInt8](repeating: 0, count: 16))
    packet.options = [99, 0, 0, 0]
    packet.fragmentField = 4
    #expect(bench.inject(Bench.frame(packet)).isEmpty)
    #expect(bench.b.drops[.ipOptionMalformed] == 1)
    bench.expectHealth()
  }

  @Test("A fragmented datagram to a closed port is answered once", arguments: IPVersion.allCases)
  func aboutReassembled(version: IPVersion) throws {
    var bench = try Bench()
    let whole = UDPFrame(from: 4_000, to: 9, [UInt8](repeating: 0x61, count: 32))
      .bytes(from: Bench.ip(version).c, to: Bench.ip(version).b)
    var messages = bench.inject(Pieces.piece(version, whole[0..<16], at: 0, more: true)).icmp
    messages += bench.inject(Pieces.piece(version, whole[16...], at: 16, more: false)).icmp
    #expect(messages.count == 1)
    #expect(messages.first.map { Array($0.body.suffix(40)) } == whole)
    bench.expectHealth()
  }

  @Test(
    "Errors come in a burst and then at the rate of the configuration", .rfc(4443, section: "2.4 (f)"),
    .rfc(1812, section: "4.3.2.8"), arguments: IPVersion.allCases)
  func rateLimit(version: IPVersion) throws {
    var configuration = Host.Configuration()
    configuration.internet.icmpErrorsPerSecond = 10
    configuration.internet.icmpErrorBurst = 5
    var bench = try Bench(configuration: configuration)
    var told = 0
    for _ in 0..<100 { told += bench.inject(Self.toClosedPort(version)).icmp.count }
    #expect(told == 5)
    #expect(bench.b.drops[.icmpRateLimited] == 95)
    #expect(bench.b.drops[.udpNoSocket] == 100)
    bench.run(for: .milliseconds(300))
    told = 0
    for _ in 0..<100 { told += bench.inject(Self.toClosedPort(version)).icmp.count }
    #expect(told == 3)
    bench.expectHealth()
  }
}

@Suite("ICMP errors from others")
struct ForgedICMPTests {
  static func quote(_ version: IPVersion, _ protocol: UInt8, _ transport: [UInt8]) -> [UInt8] {
    version == .v4
      ? IPv4Frame(from: Bench.b4, to: Bench.a4, protocol: `protocol`, transport).bytes
      : IPv6Frame(from: Bench.b6, to: Bench.a6, protocol: `protocol`, transport).bytes
  }

  static func peer(_ version: IPVersion) -> IPAddress { version == .v4 ? IPAddress(Bench.a4) : IPAddress(Bench.a6) }

  static func unreachable(_ version: IPVersion, _ quote: [UInt8]) -> [UInt8] {
    Bench.frame(version, ICMPFrame(type: version == .v4 ? 3 : 1, code: version == .v4 ? 3 : 4, quote))
  }

  /// Port unreachable, address unreachable, packet too big, time exceeded and parameter problem about `quote`.
  static func allErrors(_ version: IPVersion, _ quote: [UInt8]) -> [[UInt8]] {
    let messages: [ICMPFrame] =
      version == .v4
      ? [
        ICMPFrame(type: 3, code: 3, quote), ICMPFrame(type: 3, code: 2, quote), ICMPFrame(type: 3, code: 1, quote),
        ICMPFrame(type: 3, code: 4, word: 600, quote), ICMPFrame(type: 11, quote), ICMPFrame(type: 12, quote),
      ]
      : [
        ICMPFrame(type: 1, code: 4, quote), ICMPFrame(type: 1, code: 0, quote), ICMPFrame(type: 2, word: 1_280, quote),
        ICMPFrame(type: 3, quote), ICMPFrame(type: 4, code: 1, quote),
      ]
    return messages.map { Bench.frame(version, $0) }
  }

  @Test(
    "An error about a segment that is not in flight changes nothing", .rfc(5927, section: "4.1"),
    arguments: IPVersion.allCases)
  func notInFlight(version: IPVersion) throws {
    var bench = try Bench()
    let client = try bench.a.connect(to: SocketAddress(Bench.ip(version).b, port: Bench.port), at: bench.now)
    bench.exchange()
    let local = bench.a.localAddress(of: client)
    let peer = try #require(local)
    for sequence in [UInt32(0), 0x8000_0000, 0xffff_ffff] {
      var segment = TCPFrame(from: Bench.port, to: peer.port, flags: TCPFrame.ack, sequence: sequence)
      segment.payload = Array("HELLO".utf8)
      let transport = segment.bytes(from: Bench.ip(version).b, to: Self.peer(version))
      for error in Self.allErrors(version, Self.quote(version, 6, transport)) {
        let before = bench.b.drops[.icmpErrorUnmatched]
        bench.inject(error)
        #expect(bench.b.drops[.icmpErrorUnmatched] == before + 1)
      }
    }
    _ = try bench.a.write(unsafe Array("still here".utf8).span.bytes, to: client, at: bench.now)
    bench.run(for: .milliseconds(100))
    let text = try bench.readText(client)
    #expect(text == "STILL HERE")
    bench.a.close(client, at: bench.now)
    bench.expectHealth()
  }

  @Test("An error about a datagram of no socket teaches no path MTU", arguments: IPVersion.allCases)
  func pathMTU(version: IPVersion) throws {
    var bench = try Bench()
    let datagram = UDPFrame(from: 5_555, to: 9, [UInt8](repeating: 0, count: 100))
      .bytes(from: Bench.ip(version).b, to: Self.peer(version))
    for error in Self.allErrors(version, Self.quote(version, 17, datagram)) { bench.inject(error) }
    // The largest datagram that fits into the link's MTU still goes in one piece.
    let client = try bench.b.openDatagram(on: SocketAddress(.any(version), port: 0))
    bench.sent = []
    let size = 1_500 - (version == .v4 ? 28 : 48)
    try bench.b.send(
      unsafe [UInt8](repeating: 0, count: size).span.bytes, to: SocketAddress(Self.peer(version), port: 9),
      from: client,
      at: bench.now)
    bench.exchange()
    #expect(bench.sent.filter { $0.count > 200 }.map(\.count) == [1_514])
    bench.expectHealth()
  }

  @Test(
    "An error reaches the connected socket whose datagram it quotes, and no other", .rfc(1122, "HR3-20"),
    .rfc(1122, "HR4-3"),
    arguments: IPVersion.allCases)
  func toTheRightSocket(version: IPVersion) throws {
    var bench = try Bench()
    let first = try bench.b.openDatagram(on: SocketAddress(.any(version), port: 5_001))
    let second = try bench.b.openDatagram(on: SocketAddress(.any(version), port: 5_002))
    for socket in [first, second] {
      try bench.b.connectDatagram(socket, to: SocketAddress(Self.peer(version), port: 9))
    }
    let datagram = UDPFrame(from: 5_001, to: 9).bytes(from: Bench.ip(version).b, to: Self.peer(version))
    bench.inject(Self.unreachable(version, Self.quote(version, 17, datagram)))
    let errorOffirst = bench.b.takeError(of: first)
    #expect(errorOffirst == .refused)
    let errorOfsecond = bench.b.takeError(of: second)
    #expect(errorOfsecond == nil)
    bench.expectHealth()
  }

  @Test("An error of one version cannot quote the other")
  func versionsMixed() throws {
    var bench = try Bench()
    let socket = try bench.b.openDatagram(on: SocketAddress(.any(.v6), port: 5_001))
    try bench.b.connectDatagram(socket, to: SocketAddress(IPAddress(Bench.a6), port: 9))
    let datagram = UDPFrame(from: 5_001, to: 9).bytes(from: IPAddress(Bench.b6), to: IPAddress(Bench.a6))
    bench.inject(Self.unreachable(.v4, Self.quote(.v6, 17, datagram)))
    let errorOfsocket = bench.b.takeError(of: socket)
    #expect(errorOfsocket == nil)
    #expect(bench.b.drops[.icmpErrorUnmatched] == 1)
    bench.expectHealth()
  }
}
