import HostFuzzing
import MartletCore
import MartletWire
import Testing

@Suite("Bad UDP, TCP and ICMP")
struct BadTransportTests {
  static func udp(
    _ version: IPVersion, _ name: String, _ reason: Drop.Reason, _ change: (inout UDPFrame) -> Void
  ) -> BadFrame {
    var datagram = UDPFrame(from: 4_000, to: Bench.port)
    change(&datagram)
    return BadFrame("\(name), IP\(version)", reason, Bench.frame(version, datagram))
  }

  static func tcp(
    _ version: IPVersion, _ name: String, _ reason: Drop.Reason, _ change: (inout TCPFrame) -> Void
  ) -> BadFrame {
    var segment = TCPFrame(from: 4_000, to: Bench.port, flags: TCPFrame.syn)
    change(&segment)
    return BadFrame("\(name), IP\(version)", reason, Bench.frame(version, segment))
  }

  static let datagrams: [BadFrame] = IPVersion.allCases.flatMap { version in
    [
      BadFrame("7 bytes, IP\(version)", .udpTruncated, Bench.frame(version, 17, [0, 1, 0, 7, 0, 8, 0])),
      BadFrame("nothing, IP\(version)", .udpTruncated, Bench.frame(version, 17, [])),
      udp(version, "a length of 7", .udpLength) { $0.length = 7 },
      udp(version, "a length of 0", .udpLength) { $0.length = 0 },
      udp(version, "a length past the packet", .udpLength) { $0.length = 14 },
      udp(version, "the longest length", .udpLength) { $0.length = 65_535 },
      udp(version, "a wrong checksum", .udpChecksum) { $0.checksum = 0xbad0 },
      udp(version, "to port 0", .udpPortZero) { $0.destinationPort = 0 },
      udp(version, "to a port nobody has", .udpNoSocket) { $0.destinationPort = 9 },
    ]
  }

  static let segments: [BadFrame] = IPVersion.allCases.flatMap { version in
    [
      BadFrame("nothing, IP\(version)", .tcpTruncated, Bench.frame(version, 6, [])),
      BadFrame("19 bytes, IP\(version)", .tcpTruncated, Bench.frame(version, 6, Array(Good.syn(version).prefix(19)))),
      tcp(version, "a header of 4 words", .tcpTruncated) { $0.headerWords = 4 },
      tcp(version, "a header of 0 words", .tcpTruncated) { $0.headerWords = 0 },
      tcp(version, "a header longer than the segment", .tcpTruncated) { $0.headerWords = 15 },
      tcp(version, "a wrong checksum", .tcpChecksum) { $0.checksum = 0xbad0 },
      tcp(version, "from port 0", .tcpPortZero) { $0.sourcePort = 0 },
      tcp(version, "to port 0", .tcpPortZero) { $0.destinationPort = 0 },
      tcp(version, "an option of length 0", .tcpOptionMalformed) { $0.options = [99, 0, 0, 0] },
      tcp(version, "an option of length 1", .tcpOptionMalformed) { $0.options = [2, 1, 0, 0] },
      tcp(version, "an option past the header", .tcpOptionMalformed) { $0.options = [1, 1, 2, 4] },
      tcp(version, "an option without a length", .tcpOptionMalformed) { $0.options = [1, 1, 1, 2] },
      tcp(version, "a reset of nothing", .tcpNoSocket) { $0.flags = TCPFrame.rst },
      tcp(version, "a FIN of nothing", .tcpNoSocket) { $0.flags = TCPFrame.fin | TCPFrame.ack },
      tcp(version, "no flags at all", .tcpNoAcknowledgment) { $0.flags = 0 },
      tcp(version, "a SYN to a port nobody has", .tcpNoSocket) { $0.destinationPort = 9 },
      tcp(version, "an acknowledgement out of the blue", .tcpNoSocket) { $0.flags = TCPFrame.ack },
    ]
  }

  @Test("UDP is dropped by name, and the host goes on", .rfc(1122, "HR4-4"), arguments: datagrams)
  func datagram(frame: BadFrame) throws { try frame.expectDrop() }

  @Test("UDP over IPv6 without a checksum is dropped; over IPv4 it is fine", .rfc(8200, section: "8.1"))
  func noChecksum() throws {
    let frame = Self.udp(.v6, "no checksum", .udpNoChecksum) { $0.checksum = 0 }
    try frame.expectDrop()
    var bench = try Bench()
    var datagram = UDPFrame(from: 4_000, to: Bench.port)
    datagram.checksum = 0
    #expect(bench.inject(Bench.frame(.v4, datagram)).count == 1)
  }

  @Test("UDP shorter than its packet ends where it says")
  func shortDatagram() throws {
    var bench = try Bench()
    let short = UDPFrame(from: 4_000, to: Bench.port, Array("ab".utf8))
    let bytes = short.bytes(from: IPAddress(Bench.c4), to: IPAddress(Bench.b4)) + [1, 2, 3]
    let answers = bench.inject(Bench.frame(.v4, 17, bytes))
    #expect(answers.first.map { Array(SentFrame(bytes: $0).transport.dropFirst(8)) } == Array("AB".utf8))
    bench.expectHealth()
  }

  @Test("TCP is dropped by name, and the host goes on", arguments: segments)
  func segment(frame: BadFrame) throws { try frame.expectDrop() }

  @Test(
    "TCP to everybody gets no answer", .rfc(9293, "MUST-57"),
    arguments: ["192.0.2.255", "255.255.255.255", "224.0.0.1"] as [IPv4Address])
  func tcpToEverybody(destination: IPv4Address) throws {
    let syn = TCPFrame(from: 4_000, to: Bench.port, flags: TCPFrame.syn)
      .bytes(from: IPAddress(Bench.c4), to: IPAddress(destination))
    let packet = IPv4Frame(from: Bench.c4, to: destination, protocol: 6, syn)
    let mac: MACAddress = destination == "224.0.0.1" ? "01:00:5e:00:00:01" : .broadcast
    let answers = try BadFrame("", .tcpNotUnicast, Bench.frame(packet, to: mac)).expectDrop()
    #expect(answers.isEmpty)
  }

  @Test("TCP to all IPv6 nodes gets no answer", .rfc(9293, "MUST-57"))
  func tcpToAllNodes() throws {
    let all: IPv6Address = "ff02::1"
    let syn = TCPFrame(from: 4_000, to: Bench.port, flags: TCPFrame.syn)
      .bytes(from: IPAddress(Bench.c6), to: IPAddress(all))
    let packet = IPv6Frame(from: Bench.c6, to: all, protocol: 6, syn)
    let answers = try BadFrame("", .tcpNotUnicast, Bench.frame(packet, to: "33:33:00:00:00:01")).expectDrop()
    #expect(answers.isEmpty)
  }

  @Test(
    "The unspecified address sends neither UDP, TCP nor echo requests", .rfc(4291, section: "2.5.2"),
    arguments: [UInt8(17), 6, 58])
  func fromNobody(protocol: UInt8) throws {
    let payload =
      switch `protocol` {
      case 17: UDPFrame(from: 4_000, to: Bench.port).bytes(from: .any(.v6), to: IPAddress(Bench.b6))
      case 6: TCPFrame(from: 4_000, to: Bench.port, flags: TCPFrame.syn).bytes(from: .any(.v6), to: IPAddress(Bench.b6))
      default: Good.echo(.v6).bytes(from: .any(.v6), to: IPAddress(Bench.b6))
      }
    let packet = IPv6Frame(from: "::", to: Bench.b6, protocol: `protocol`, payload)
    #expect(try BadFrame("", .ipSourceInvalid, packet).expectDrop().isEmpty)
  }

  static func icmp(_ version: IPVersion, _ name: String, _ reason: Drop.Reason, _ message: ICMPFrame) -> BadFrame {
    BadFrame("\(name), IP\(version)", reason, Bench.frame(version, message))
  }

  static let messages: [BadFrame] =
    IPVersion.allCases.flatMap { version in
      var wrong = Good.echo(version)
      wrong.checksum = 0xbad0
      let isIPv4 = version == .v4
      let error = isIPv4 ? UInt8(3) : 1
      let udp = UDPFrame(from: 5_555, to: 6_666).bytes(from: Bench.ip(version).b, to: Bench.ip(version).c)
      let quote =
        isIPv4
        ? IPv4Frame(from: Bench.b4, to: Bench.c4, protocol: 17, udp).bytes
        : IPv6Frame(from: Bench.b6, to: Bench.c6, protocol: 17, udp).bytes
      var short: [UInt8] = [isIPv4 ? 8 : 128, 0, 0, 0, 0, 0]
      let sum = Frames.checksum(
        short, protocol: 58, from: isIPv4 ? nil : Bench.ip(.v6).c, to: isIPv4 ? nil : Bench.ip(.v6).b)
      short.replaceSubrange(2..<4, with: Frames.bytes(sum))
      return [
        icmp(version, "a wrong checksum", .icmpChecksum, wrong),
        BadFrame("6 bytes, IP\(version)", .icmpTruncated, Bench.frame(version, isIPv4 ? 1 : 58, short)),
        icmp(version, "an unknown type", .icmpUnknownType, ICMPFrame(type: isIPv4 ? 99 : 100)),
        icmp(version, "an unknown informational type", .icmpUnknownType, ICMPFrame(type: 200)),
        icmp(version, "a reply nobody asked for", .icmpErrorUnmatched, ICMPFrame(type: isIPv4 ? 0 : 129, word: 5)),
        icmp(version, "an error without a quote", .icmpErrorUnmatched, ICMPFrame(type: error)),
        icmp(
          version, "an error with a short quote", .icmpErrorUnmatched, ICMPFrame(type: error, Array(quote.dropLast(6)))),
        icmp(version, "an error about nobody's datagram", .icmpErrorUnmatched, ICMPFrame(type: error, quote)),
        icmp(
          version, "a quote of version 0", .icmpErrorUnmatched, ICMPFrame(type: error, [UInt8](repeating: 0, count: 48))
        ),
      ]
    } + [
      icmp(.v4, "source quench", .icmpSourceQuench, ICMPFrame(type: 4, Good.udp4.bytes)),
      icmp(.v4, "redirect", .icmpRedirectInvalid, ICMPFrame(type: 5, code: 1, word: 0x0a00_0001, Good.udp4.bytes)),
      icmp(.v4, "timestamp request", .icmpUnknownType, ICMPFrame(type: 13, [UInt8](repeating: 0, count: 12))),
      icmp(.v4, "information request", .icmpUnknownType, ICMPFrame(type: 15)),
      icmp(.v4, "address mask request", .icmpUnknownType, ICMPFrame(type: 17, [0, 0, 0, 0])),
    ]

  @Test(
    "ICMP is dropped by name and in silence, and the host goes on", .rfc(1122, "HR3-17"), .rfc(1122, "HR3-24"),
    .rfc(1122, "HR3-29"), .rfc(1122, "HR3-31"),
    arguments: messages)
  func message(frame: BadFrame) throws {
    let answers = try frame.expectDrop()
    #expect(answers.isEmpty)
  }
}
