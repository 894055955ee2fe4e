import HostFuzzing
import MartletCore
import MartletWire
import Testing

@Suite("Bad IPv4")
struct BadIPv4Tests {
  static func source(_ address: IPv4Address, _ reason: Drop.Reason) -> BadFrame {
    let payload = UDPFrame(from: 4_000, to: Bench.port).bytes(from: IPAddress(address), to: IPAddress(Bench.b4))
    return BadFrame("from \(address)", reason, IPv4Frame(from: address, to: Bench.b4, protocol: 17, payload))
  }

  static func destination(_ address: IPv4Address, _ reason: Drop.Reason) -> BadFrame {
    let payload = UDPFrame(from: 4_000, to: Bench.port).bytes(from: IPAddress(Bench.c4), to: IPAddress(address))
    return BadFrame("to \(address)", reason, IPv4Frame(from: Bench.c4, to: address, protocol: 17, payload))
  }

  static let frames: [BadFrame] =
    [
      BadFrame("version 5", .ipVersion, Good.udp4) { $0.version = 5 },
      BadFrame("version 6", .ipVersion, Good.udp4) { $0.version = 6 },
      BadFrame("version 0", .ipVersion, Good.udp4) { $0.version = 0 },
      BadFrame("a header of 4 words", .ipHeaderMalformed, Good.udp4) { $0.headerWords = 4 },
      BadFrame("a header of 0 words", .ipHeaderMalformed, Good.udp4) { $0.headerWords = 0 },
      BadFrame("a header longer than the packet", .ipTruncated, Good.udp4) { $0.headerWords = 15 },
      BadFrame("a total length past the frame", .ipTruncated, Good.udp4) { $0.totalLength = 34 },
      BadFrame("the longest total length", .ipTruncated, Good.udp4) { $0.totalLength = 65_535 },
      BadFrame("a total length below the header", .ipHeaderMalformed, Good.udp4) { $0.totalLength = 19 },
      BadFrame("a total length of 0", .ipHeaderMalformed, Good.udp4) { $0.totalLength = 0 },
      BadFrame("a wrong header checksum", .ipHeaderChecksum, Good.udp4) { $0.checksum = 0xdead },
      BadFrame("19 bytes", .ipTruncated, Array(Bench.frame(Good.udp4).prefix(14 + 19))),
      BadFrame("an option of length 0", .ipOptionMalformed, Good.udp4) { $0.options = [7, 0, 0, 0] },
      BadFrame("an option of length 1", .ipOptionMalformed, Good.udp4) { $0.options = [7, 1, 0, 0] },
      BadFrame("an option past the header", .ipOptionMalformed, Good.udp4) { $0.options = [1, 1, 99, 4] },
      BadFrame("an option without a length", .ipOptionMalformed, Good.udp4) { $0.options = [1, 1, 1, 99] },
      BadFrame("a loose source route", .ipSourceRouted, Good.udp4) { $0.options = [1, 131, 7, 4, 10, 0, 0, 1] },
      BadFrame("a strict source route", .ipSourceRouted, Good.udp4) { $0.options = [1, 137, 7, 4, 10, 0, 0, 1] },
      BadFrame("a source route with a pointer into itself", .ipOptionMalformed, Good.udp4) {
        $0.options = [1, 131, 7, 3, 10, 0, 0, 1]
      },
      BadFrame(
        "our address in a link broadcast", .ipBroadcastMismatch, Bench.frame(Good.udp4, to: .broadcast)),
      BadFrame(
        "our address in a link multicast", .ipBroadcastMismatch, Bench.frame(Good.udp4, to: "01:00:5e:00:00:01")),
      source("127.0.0.1", .ipLoopbackFromWire), source("127.255.0.1", .ipLoopbackFromWire),
      source("224.0.0.1", .ipSourceInvalid), source("239.1.2.3", .ipSourceInvalid),
      source("255.255.255.255", .ipSourceInvalid), source("192.0.2.255", .ipSourceInvalid),
      source("0.0.0.0", .ipSourceInvalid), source("0.1.2.3", .ipSourceInvalid), source("240.0.0.1", .ipSourceInvalid),
      source(Bench.b4, .ipSourceSpoofed),
      destination("127.0.0.1", .ipLoopbackFromWire), destination("192.0.2.99", .ipNotForUs),
      destination("0.0.0.0", .ipNotForUs), destination("198.51.100.255", .ipNotForUs),
      destination("224.0.0.251", .ipNotForUs), destination("240.0.0.1", .ipNotForUs),
      BadFrame("an unknown protocol", .ipUnknownProtocol, Good.udp4) { $0.protocol = 253 },
      BadFrame("ICMPv6 over IPv4", .ipUnknownProtocol, Good.udp4) { $0.protocol = 58 },
    ]

  @Test(
    "Is dropped by name, and the host goes on",
    .rfc(1122, "HR3-3"), .rfc(1122, "HR3-4"), .rfc(1122, "HR3-6"), .rfc(1122, "HR3-7"), .rfc(1122, "HR3-8"),
    .rfc(1122, "HR3-39"), .rfc(1122, "HR4-6"),
    arguments: frames)
  func drop(frame: BadFrame) throws { try frame.expectDrop() }

  @Test("LAND, a SYN from the host to itself, is spoofed and gets no answer", arguments: IPVersion.allCases)
  func land(version: IPVersion) throws {
    let b = Bench.ip(version).b
    let syn = TCPFrame(from: Bench.port, to: Bench.port, flags: TCPFrame.syn).bytes(from: b, to: b)
    let frame =
      version == .v4
      ? Bench.frame(IPv4Frame(from: Bench.b4, to: Bench.b4, protocol: 6, syn))
      : Bench.frame(IPv6Frame(from: Bench.b6, to: Bench.b6, protocol: 6, syn))
    #expect(try BadFrame("LAND", .ipSourceSpoofed, frame).expectDrop().isEmpty)
  }

  @Test("Bad headers, checksums and addresses are dropped in silence", arguments: frames.filter { $0.isSilent })
  func silence(frame: BadFrame) throws {
    var bench = try Bench()
    #expect(bench.inject(frame.bytes).isEmpty)
  }

  @Test("Link padding is no data", .rfc(1122, "LL-4"))
  func padding() throws {
    var bench = try Bench()
    let short = Bench.frame(.v4, UDPFrame(from: 4_000, to: Bench.port, [0x61]))
    let answers = bench.inject(short + [UInt8](repeating: 0x55, count: 60 - short.count))
    let answer = try #require(answers.first.map(SentFrame.init))
    #expect(Array(answer.transport.dropFirst(8)) == [0x41])
    bench.expectHealth()
  }

  @Test("A TTL of 0 or 1 is no reason to drop what has arrived", .rfc(1122, "HR3-12"), arguments: [UInt8(0), 1])
  func smallTimeToLive(timeToLive: UInt8) throws {
    var bench = try Bench()
    var packet = Good.udp4
    packet.timeToLive = timeToLive
    #expect(bench.inject(Bench.frame(packet)).count == 1)
  }

  @Test(
    "Unknown options, record route, timestamps and used-up source routes are passed over",
    .rfc(1122, "HR3-14"), .rfc(1122, "HR3-15"),
    arguments: [
      [0x9e, 4, 1, 2], [7, 7, 4, 0, 0, 0, 0, 0], [68, 8, 5, 0, 0, 0, 0, 0], [148, 4, 0, 0],
      [131, 7, 8, 10, 0, 0, 1, 0], [0, 0xff, 0xff, 0xff], [1, 1, 1, 1],
    ] as [[UInt8]])
  func options(options: [UInt8]) throws {
    var bench = try Bench()
    var packet = Good.udp4
    packet.options = options
    let answers = bench.inject(Bench.frame(packet))
    #expect(answers.first.map { Array(SentFrame(bytes: $0).transport.dropFirst(8)) } == Array("HELLO".utf8))
    bench.expectHealth()
  }

  @Test("A priority tag (VLAN 0) is no VLAN")
  func priorityTag() throws {
    var bench = try Bench()
    let frame = Frames.ethernet(to: Bench.macB, from: Bench.macC, type: 0x8100, [0xe0, 0, 8, 0] + Good.udp4.bytes)
    #expect(bench.inject(frame).count == 1)
    bench.expectHealth()
  }
}

extension BadFrame {
  /// Whether nobody is told of it.
  var isSilent: Bool { reason != .ipOptionMalformed && reason != .ipUnknownProtocol }
}
