import HostFuzzing
import MartletCore
import MartletWire
import Testing

@Suite("Bad IPv6")
struct BadIPv6Tests {
  static func source(_ address: IPv6Address, _ reason: Drop.Reason) -> BadFrame {
    let payload = UDPFrame(from: 4_000, to: Bench.port).bytes(from: IPAddress(address), to: IPAddress(Bench.b6))
    return BadFrame("from \(address)", reason, IPv6Frame(from: address, to: Bench.b6, protocol: 17, payload))
  }

  static func destination(_ address: IPv6Address, _ reason: Drop.Reason) -> BadFrame {
    let payload = UDPFrame(from: 4_000, to: Bench.port).bytes(from: IPAddress(Bench.c6), to: IPAddress(address))
    return BadFrame("to \(address)", reason, IPv6Frame(from: Bench.c6, to: address, protocol: 17, payload))
  }

  static func with(_ name: String, _ reason: Drop.Reason, _ extensions: (UInt8, [UInt8])...) -> BadFrame {
    BadFrame(name, reason, Good.udp6) { $0.extensions = extensions.map { ($0.0, $0.1) } }
  }

  static func options(_ options: UInt8...) -> [UInt8] { IPv6Frame.optionsBody(options) }

  static let frames: [BadFrame] =
    [
      BadFrame("version 4", .ipVersion, Good.udp6) { $0.version = 4 },
      BadFrame("version 15", .ipVersion, Good.udp6) { $0.version = 15 },
      BadFrame("39 bytes", .ipTruncated, Array(Bench.frame(Good.udp6).prefix(14 + 39))),
      BadFrame("a payload length past the frame", .ipTruncated, Good.udp6) { $0.payloadLength = 14 },
      BadFrame("the longest payload length", .ipTruncated, Good.udp6) { $0.payloadLength = 65_535 },
      BadFrame("a payload length of 0", .udpTruncated, Good.udp6) { $0.payloadLength = 0 },
      BadFrame(
        "our address in a link multicast", .ipBroadcastMismatch, Bench.frame(Good.udp6, to: "33:33:00:00:00:01")),
      BadFrame("our address in a link broadcast", .ipBroadcastMismatch, Bench.frame(Good.udp6, to: .broadcast)),
      source("::1", .ipLoopbackFromWire), source("ff02::1", .ipSourceInvalid), source("ff0e::9", .ipSourceInvalid),
      source("::ffff:192.0.2.3", .ipSourceInvalid), source(Bench.b6, .ipSourceSpoofed),
      destination("::1", .ipLoopbackFromWire), destination("2001:db8::99", .ipNotForUs), destination("::", .ipNotForUs),
      destination("ff02::fb", .ipNotForUs), destination("ff02::1:ff00:99", .ipNotForUs),
      destination("::ffff:192.0.2.2", .ipSourceInvalid),
      BadFrame("an unknown protocol", .ipUnknownProtocol, Good.udp6) { $0.protocol = 253 },
      BadFrame("ICMPv4 over IPv6", .ipUnknownProtocol, Good.udp6) { $0.protocol = 1 },
      BadFrame("no next header", .ipUnknownProtocol, Good.udp6) { $0.protocol = 59 },
      with("hop-by-hop options past the packet", .ipExtensionMalformed, (0, [9] + [UInt8](repeating: 0, count: 6))),
      with("destination options past the packet", .ipExtensionMalformed, (60, [255] + [UInt8](repeating: 0, count: 6))),
      with("an option past its header", .ipExtensionMalformed, (60, [0, 1, 200, 0, 0, 0, 0])),
      with("an option without a length", .ipExtensionMalformed, (60, [0, 1, 3, 0, 0, 0, 5])),
      BadFrame("half a destination options header", .ipExtensionMalformed, Good.udp6) {
        $0.protocol = 60
        $0.payload = [17, 0, 1]
      },
      BadFrame("half a fragment header", .ipExtensionMalformed, Good.udp6) {
        $0.protocol = 44
        $0.payload = [17, 0, 0, 1]
      },
      with("an option to be discarded in silence", .ipExtensionUnknown, (60, options(0x40, 0))),
      with("an option to be discarded and told", .ipExtensionUnknown, (60, options(0x80, 0))),
      with("an option to be discarded and told to one", .ipExtensionUnknown, (0, options(0xc0, 0))),
      with("hop-by-hop options that come second", .ipExtensionUnknown, (60, options(1, 0)), (0, options(1, 0))),
      with(
        "more headers than anybody needs", .ipExtensionUnknown, (60, options(1, 0)), (60, options(1, 0)),
        (60, options(1, 0)), (60, options(1, 0)), (60, options(1, 0)), (60, options(1, 0)), (60, options(1, 0)),
        (60, options(1, 0)), (60, options(1, 0))),
      BadFrame("more options than anybody needs", .ipExtensionUnknown, Good.udp6) {
        $0.extensions = [(60, IPv6Frame.optionsBody((0..<9).flatMap { _ in [0x1e, 0] as [UInt8] }))]
      },
      with(
        "a source route (type 0)", .ipRoutingHeader, (43, [2, 0, 1, 0, 0, 0, 0] + [UInt8](repeating: 1, count: 16))),
      with("a routing header of unknown type", .ipRoutingHeader, (43, [0, 200, 1, 0, 0, 0, 0])),
    ]

  @Test("Is dropped by name, and the host goes on", arguments: frames)
  func drop(frame: BadFrame) throws { try frame.expectDrop() }

  @Test("Bad headers and addresses are dropped in silence", arguments: frames)
  func silence(frame: BadFrame) throws {
    let told: Set<Drop.Reason> = [.ipUnknownProtocol, .ipExtensionUnknown, .ipRoutingHeader]
    guard !told.contains(frame.reason) else { return }
    var bench = try Bench()
    #expect(bench.inject(frame.bytes).isEmpty)
  }

  @Test(
    "A routing header with nothing left, unknown options to be skipped and padding are passed over",
    arguments: [
      [(43, [0, 0, 0, 0, 0, 0, 0])], [(60, options(0x1e, 2, 0, 0))], [(0, options(0x3f, 0)), (60, options(1, 0))],
      [(0, options(5, 2, 0, 0))], [(60, [0, 0, 0, 0, 0, 0, 0])],
    ] as [[(UInt8, [UInt8])]])
  func passedOver(extensions: [(UInt8, [UInt8])]) throws {
    var bench = try Bench()
    var packet = Good.udp6
    packet.extensions = extensions.map { ($0.0, $0.1) }
    let answers = bench.inject(Bench.frame(packet))
    #expect(answers.first.map { Array(SentFrame(bytes: $0).transport.dropFirst(8)) } == Array("HELLO".utf8))
    bench.expectHealth()
  }
}

@Suite("ICMPv6 parameter problems")
struct ParameterProblemTests {
  /// What C is told of the packet.
  static func problem(about packet: IPv6Frame) throws -> (code: UInt8, pointer: UInt32, quote: [UInt8])? {
    var bench = try Bench()
    let messages = bench.inject(Bench.frame(packet)).icmp
    #expect(messages.count <= 1)
    bench.expectHealth()
    return messages.first.map {
      #expect($0.type == 4)
      return ($0.code, $0.word, $0.body)
    }
  }

  @Test("An unknown protocol is pointed at where it is named", .rfc(4443, section: "3.4"), arguments: [0, 1, 2])
  func unknownProtocol(extensions: Int) throws {
    var packet = Good.udp6
    packet.protocol = 253
    packet.extensions = (0..<extensions).map { _ in (60, IPv6Frame.optionsBody([1, 0])) }
    let problem = try #require(try Self.problem(about: packet))
    #expect(problem.code == 1)
    // The field is in the IPv6 header, or the first byte of the last extension header.
    #expect(problem.pointer == (extensions == 0 ? 6 : UInt32(40 + 8 * (extensions - 1))))
    #expect(problem.quote == packet.bytes)
  }

  @Test("An unknown option is pointed at if it says so: 00 skips, 01 drops, 10 and 11 tell", .rfc(8200, section: "4.2"))
  func unknownOption() throws {
    for (type, isTold) in [(0x40, false), (0x80, true), (0xc0, true)] as [(UInt8, Bool)] {
      var packet = Good.udp6
      packet.extensions = [(60, IPv6Frame.optionsBody([1, 0, type, 0]))]
      let problem = try Self.problem(about: packet)
      #expect((problem != nil) == isTold)
      if let problem {
        #expect(problem.code == 2)
        #expect(problem.pointer == 44)
        #expect(problem.quote == packet.bytes)
      }
    }
  }

  @Test(
    "An unknown option in a multicast packet is told with action 10 and kept quiet with 11", .rfc(8200, section: "4.2"))
  func unknownOptionInMulticast() throws {
    for (type, isTold) in [(0x80, true), (0xc0, false)] as [(UInt8, Bool)] {
      var bench = try Bench()
      var packet = IPv6Frame(from: Bench.c6, to: "ff02::1", protocol: 59, [])
      packet.extensions = [(60, IPv6Frame.optionsBody([type, 0]))]
      let messages = bench.inject(Bench.frame(packet, to: "33:33:00:00:00:01")).icmp
      #expect(messages.map(\.code) == (isTold ? [2] : []))
      bench.expectHealth()
    }
  }

  @Test(
    "A routing header is pointed at by its type", .rfc(8200, section: "4.4"), .rfc(5095, section: "3"),
    arguments: [UInt8(0), 200])
  func routing(type: UInt8) throws {
    var packet = Good.udp6
    packet.extensions = [(60, IPv6Frame.optionsBody([1, 0])), (43, [0, type, 1, 0, 0, 0, 0])]
    let problem = try #require(try Self.problem(about: packet))
    #expect(problem.code == 0)
    #expect(problem.pointer == 50)
  }

  @Test("Hop-by-hop options that do not come first are an unknown header", .rfc(8200, section: "4.1"))
  func hopByHopSecond() throws {
    var packet = Good.udp6
    packet.extensions = [(60, IPv6Frame.optionsBody([1, 0])), (0, IPv6Frame.optionsBody([1, 0]))]
    let problem = try #require(try Self.problem(about: packet))
    #expect(problem.code == 1)
    #expect(problem.pointer == 40)
  }

  @Test("An ICMPv6 error that is itself bad is not complained about", .rfc(4443, section: "2.4 (e.1)"))
  func aboutError() throws {
    var bench = try Bench()
    let error = ICMPFrame(type: 1, Good.udp6.bytes).bytes(from: IPAddress(Bench.c6), to: IPAddress(Bench.b6))
    var packet = IPv6Frame(from: Bench.c6, to: Bench.b6, protocol: 58, error)
    packet.extensions = [(60, IPv6Frame.optionsBody([0x80, 0]))]
    #expect(bench.inject(Bench.frame(packet)).icmp.isEmpty)
    bench.expectHealth()
  }
}

@Suite("Bad neighbour discovery")
struct BadNeighborDiscoveryTests {
  struct Message: Sendable {
    var name: String
    var source = Bench.c6
    var destination = Bench.b6
    var hopLimit: UInt8 = 255
    var extensions: [(number: UInt8, body: [UInt8])] = []
    var message: ICMPFrame
    var reason = Drop.Reason.neighborDiscoveryInvalid

    var bad: BadFrame {
      var packet = IPv6Frame(
        from: source, to: destination, protocol: 58, message.bytes(from: IPAddress(source), to: IPAddress(destination)))
      packet.hopLimit = hopLimit
      packet.extensions = extensions
      let mac = destination.isMulticast ? MACAddress(multicast: destination) : Bench.macB
      return BadFrame(name, reason, Bench.frame(packet, to: mac))
    }
  }

  static let linkOption: [UInt8] = [1, 1, 2, 0, 0, 0, 0, 0x66]
  static let targetOption: [UInt8] = [2, 1, 2, 0, 0, 0, 0, 0x66]
  static let ours = Frames.bytes(of: IPAddress(Bench.b6))
  static let group: IPv6Address = "ff02::1:ff00:2"

  static func solicitation(_ options: [UInt8] = linkOption, target: [UInt8] = ours, code: UInt8 = 0) -> ICMPFrame {
    ICMPFrame(type: 135, code: code, target + options)
  }

  static func advertisement(flags: UInt32, of target: IPv6Address, _ options: [UInt8] = targetOption) -> ICMPFrame {
    ICMPFrame(type: 136, word: flags, Frames.bytes(of: IPAddress(target)) + options)
  }

  static let routerBody = [UInt8](repeating: 0, count: 8)

  static let messages: [Message] = [
    Message(name: "hop limit 254", hopLimit: 254, message: solicitation()),
    Message(name: "code 1", message: solicitation(code: 1)),
    Message(name: "a target that is a group", message: solicitation(target: Frames.bytes(of: IPAddress("ff02::1")))),
    Message(name: "an option of length 0", message: solicitation([1, 0, 2, 0, 0, 0, 0, 0x66])),
    Message(name: "an option past the end", message: solicitation([1, 2, 2, 0, 0, 0, 0, 0x66])),
    Message(name: "20 bytes", message: ICMPFrame(type: 135, Array(ours.prefix(12)))),
    Message(name: "a probe to one host", source: "::", message: solicitation([])),
    Message(name: "a probe with a link address", source: "::", destination: group, message: solicitation()),
    Message(
      name: "a solicitation for somebody else",
      message: solicitation(target: Frames.bytes(of: IPAddress("2001:db8::77"))), reason: .arpNotForUs),
    Message(
      name: "a solicited advertisement to everybody", destination: "ff02::1",
      message: advertisement(flags: 0x6000_0000, of: Bench.c6)),
    Message(
      name: "an advertisement, hop limit 64", hopLimit: 64, message: advertisement(flags: 0x6000_0000, of: Bench.c6)),
    Message(
      name: "an advertisement of a group", message: advertisement(flags: 0x2000_0000, of: "ff02::1")),
    Message(
      name: "an advertisement of our address", message: advertisement(flags: 0x2000_0000, of: Bench.b6),
      reason: .arpSpoofed),
    Message(name: "a router advertisement from afar", message: ICMPFrame(type: 134, routerBody)),
    Message(
      name: "a router advertisement, hop limit 1", source: "fe80::3", hopLimit: 1,
      message: ICMPFrame(type: 134, routerBody)),
    Message(name: "a short router advertisement", source: "fe80::3", message: ICMPFrame(type: 134, [0, 0, 0, 0])),
    Message(
      name: "a redirect", source: "fe80::3",
      message: ICMPFrame(
        type: 137, Frames.bytes(of: IPAddress("fe80::4")) + Frames.bytes(of: IPAddress("2001:db8:1::1"))),
      reason: .icmpRedirectInvalid),
    Message(
      name: "in an atomic fragment",
      extensions: [(44, IPv6Frame.fragmentBody(offset: 0, more: false, identification: 7))],
      message: solicitation()),
  ]

  @Test(
    "Is dropped by name, and the host goes on", .rfc(4861, "ND-1"), .rfc(4861, "ND-2"), .rfc(4861, "ND-7"),
    .rfc(4861, "ND-8"), .rfc(4861, "ND-14"), .rfc(4861, "ND-15"),
    .rfc(6980, section: "5"), arguments: messages.map(\.bad))
  func drop(frame: BadFrame) throws { try frame.expectDrop() }

  @Test("An advertisement creates no entry", .rfc(4861, "ND-12"))
  func noEntry() throws {
    var bench = try Bench()
    bench.inject(Message(name: "", message: Self.advertisement(flags: 0x6000_0000, of: "2001:db8::50")).bad.bytes)
    let table = bench.b.neighborTable()
    #expect(!table.contains { $0.address == "2001:db8::50" })
    bench.expectHealth()
  }

  @Test("A router that speaks of absurd times is not believed", .rfc(4861, section: "6.2.1"))
  func absurdTimers() throws {
    var bench = try Bench()
    let forever = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff] as [UInt8]
    bench.inject(Message(name: "", source: "fe80::3", message: ICMPFrame(type: 134, forever)).bad.bytes)
    // A datagram to nobody is given up within seconds, not weeks.
    let client = try bench.b.openDatagram(on: SocketAddress(.any(.v6), port: 0))
    try bench.b.send("anybody?", to: SocketAddress("2001:db8::77", port: 9), from: client, at: bench.now)
    bench.expectHealth()
  }
}
