import MartletCore
import MartletWire

/// Valid frames of every kind, as they would come to B from C or from a router on the link.
public struct FrameCorpus: Sendable {
  public let frames: [[UInt8]]

  public init() {
    var frames: [[UInt8]] = []
    frames += Self.link + Self.broadcast
    for version in IPVersion.allCases {
      frames += Self.transport(version) + Self.errors(version) + Self.fragments(version)
    }
    frames += Self.neighborDiscovery + Self.headers
    self.frames = frames
  }

  private static let link: [[UInt8]] = [
    Frames.ethernet(
      to: .broadcast, from: Bench.macC, type: 0x0806,
      Frames.arp(operation: 1, senderMAC: Bench.macC, sender: Bench.c4, target: Bench.b4)),
    Frames.ethernet(
      to: Bench.macB, from: Bench.macC, type: 0x0806,
      Frames.arp(operation: 2, senderMAC: Bench.macC, sender: Bench.c4, targetMAC: Bench.macB, target: Bench.b4)),
    Frames.ethernet(
      to: .broadcast, from: Bench.macC, type: 0x0806,
      Frames.arp(operation: 1, senderMAC: Bench.macC, sender: Bench.c4, target: Bench.c4)),
    Frames.ethernet(
      to: Bench.macB, from: Bench.macC, type: 0x8100,
      [0xe0, 0, 8, 0]
        + IPv4Frame(
          from: Bench.c4, to: Bench.b4, protocol: 1,
          ICMPFrame(type: 8).bytes(from: IPAddress(Bench.c4), to: IPAddress(Bench.b4))
        ).bytes),
  ]

  /// To everybody.
  private static let broadcast: [[UInt8]] = (["192.0.2.255", "224.0.0.1"] as [IPv4Address]).flatMap { destination in
    let mac = destination.isMulticast ? MACAddress(multicast: destination) : .broadcast
    let from = IPAddress(Bench.c4)
    let to = IPAddress(destination)
    var unchecked = UDPFrame(from: 4_000, to: Bench.port)
    unchecked.checksum = 0
    return [
      Bench.frame(
        IPv4Frame(from: Bench.c4, to: destination, protocol: 1, ICMPFrame(type: 8).bytes(from: from, to: to)), to: mac),
      Bench.frame(
        IPv4Frame(from: Bench.c4, to: destination, protocol: 17, unchecked.bytes(from: from, to: to)), to: mac),
    ]
  }

  static let segmentOptions: [UInt8] = [2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 9, 0, 0, 0, 0, 1, 3, 3, 7]
  static let sack: [UInt8] = [1, 1, 5, 10, 0, 0, 16, 0, 0, 0, 32, 0]

  private static func transport(_ version: IPVersion) -> [[UInt8]] {
    var frames: [[UInt8]] = []
    for port in [Bench.port, 9, 5_001] {
      frames.append(Bench.frame(version, UDPFrame(from: 4_000, to: port)))
      for flags in [2, 16, 18, 17, 4, 20, 24, 0, 41, 194] as [UInt8] {
        var segment = TCPFrame(from: 4_001, to: port, flags: flags)
        segment.acknowledgment = flags & 16 != 0 ? 77 : 0
        segment.options = flags & 2 != 0 ? segmentOptions : flags == 16 ? sack : []
        segment.payload = flags & 8 != 0 ? Array("some data".utf8) : []
        frames.append(Bench.frame(version, segment))
      }
    }
    let echo: UInt8 = version == .v4 ? 8 : 128
    frames.append(Bench.frame(version, ICMPFrame(type: echo, word: 0x1234_0001, Array("0123456789".utf8))))
    frames.append(
      Bench.frame(version, ICMPFrame(type: version == .v4 ? 0 : 129, word: 0x1234_0001, Array("0123456789".utf8))))
    frames.append(Bench.frame(version, ICMPFrame(type: echo, [UInt8](repeating: 0x55, count: 1_400))))
    return frames
  }

  private static func errors(_ version: IPVersion) -> [[UInt8]] {
    let isIPv4 = version == .v4
    let source = isIPv4 ? IPAddress(Bench.b4) : IPAddress(Bench.b6)
    let destination = isIPv4 ? IPAddress(Bench.a4) : IPAddress(Bench.a6)
    func quote(_ protocol: UInt8, _ transport: [UInt8]) -> [UInt8] {
      isIPv4
        ? IPv4Frame(from: Bench.b4, to: Bench.a4, protocol: `protocol`, transport).bytes
        : IPv6Frame(from: Bench.b6, to: Bench.a6, protocol: `protocol`, transport).bytes
    }
    let quotes = [
      quote(17, UDPFrame(from: 5_001, to: 9).bytes(from: source, to: destination)),
      quote(6, TCPFrame(from: Bench.port, to: 50_000, flags: 16).bytes(from: source, to: destination)),
      quote(isIPv4 ? 1 : 58, ICMPFrame(type: isIPv4 ? 8 : 128, word: 0x1234_0001).bytes(from: source, to: destination)),
    ]
    let kinds: [(UInt8, UInt8, UInt32)] =
      isIPv4
      ? [
        (3, 0, 0), (3, 3, 0), (3, 4, 576), (4, 0, 0), (5, 1, 0xc000_0201), (11, 0, 0), (11, 1, 0), (12, 0, 0x1400_0000),
      ]
      : [(1, 0, 0), (1, 4, 0), (2, 0, 1_280), (3, 0, 0), (3, 1, 0), (4, 0, 6), (4, 1, 40)]
    return kinds.flatMap { kind in
      quotes.map { Bench.frame(version, ICMPFrame(type: kind.0, code: kind.1, word: kind.2, $0)) }
    }
  }

  private static func fragments(_ version: IPVersion) -> [[UInt8]] {
    let whole = UDPFrame(from: 4_000, to: Bench.port, [UInt8](repeating: 0x62, count: 40))
      .bytes(from: Bench.ip(version).c, to: Bench.ip(version).b)
    return stride(from: 0, to: whole.count, by: 16).map { start in
      let end = min(start + 16, whole.count)
      let piece = Array(whole[start..<end])
      if version == .v4 {
        var packet = IPv4Frame(from: Bench.c4, to: Bench.b4, protocol: 17, piece)
        packet.fragmentField = (end < whole.count ? 0x2000 : 0) | UInt16(start / 8)
        return Bench.frame(packet)
      }
      var packet = IPv6Frame(from: Bench.c6, to: Bench.b6, protocol: 17, piece)
      packet.extensions = [(44, IPv6Frame.fragmentBody(offset: start, more: end < whole.count, identification: 99))]
      return Bench.frame(packet)
    }
  }

  private static let neighborDiscovery: [[UInt8]] = {
    let ours = Frames.bytes(of: Bench.b6)
    let theirs = Frames.bytes(of: Bench.c6)
    let mac = Frames.bytes(of: Bench.macC)
    let router: IPv6Address = "fe80::3"
    let group: IPv6Address = "ff02::1:ff00:2"
    let prefix =
      [3, 4, 64, 0xc0] + Frames.bytes(UInt32(86_400)) + Frames.bytes(UInt32(14_400)) + [0, 0, 0, 0]
      + Frames.bytes(of: IPv6Address("2001:db8:5::"))
    let messages: [(IPv6Address, IPv6Address, ICMPFrame)] = [
      (Bench.c6, Bench.b6, ICMPFrame(type: 135, ours + [1, 1] + mac)),
      (Bench.c6, group, ICMPFrame(type: 135, ours + [1, 1] + mac)),
      ("::", group, ICMPFrame(type: 135, ours)),
      (Bench.c6, Bench.b6, ICMPFrame(type: 136, word: 0x6000_0000, theirs + [2, 1] + mac)),
      (Bench.c6, "ff02::1", ICMPFrame(type: 136, word: 0x2000_0000, theirs + [2, 1] + mac)),
      (
        router, "ff02::1",
        ICMPFrame(
          type: 134, word: 0x4000_0708, [0, 0, 0, 0, 0, 0, 0, 0, 1, 1] + mac + prefix + [5, 1, 0, 0, 0, 0, 5, 0xdc])
      ),
      (router, Bench.b6, ICMPFrame(type: 137, Frames.bytes(of: router) + theirs + [2, 1] + mac)),
      (Bench.c6, "ff02::2", ICMPFrame(type: 133, [1, 1] + mac)),
      (router, "ff02::1", ICMPFrame(type: 130, word: 1_000 << 16, [UInt8](repeating: 0, count: 16))),
    ]
    return messages.map { source, destination, message in
      var packet = IPv6Frame(
        from: source, to: destination, protocol: 58,
        message.bytes(from: IPAddress(source), to: IPAddress(destination)))
      packet.hopLimit = 255
      let mac = destination.isMulticast ? MACAddress(multicast: destination) : Bench.macB
      return Bench.frame(packet, to: mac)
    }
  }()

  /// Options and extension headers.
  private static let headers: [[UInt8]] = {
    var frames: [[UInt8]] = []
    let udp4 = UDPFrame(from: 4_000, to: Bench.port).bytes(from: IPAddress(Bench.c4), to: IPAddress(Bench.b4))
    for options in [
      [7, 7, 4, 0, 0, 0, 0, 0], [68, 8, 5, 0, 0, 0, 0, 0], [148, 4, 0, 0], [131, 7, 8, 10, 0, 0, 1, 0],
      [137, 7, 4, 10, 0, 0, 1, 0], [1, 1, 0, 0],
    ] as [[UInt8]] {
      var packet = IPv4Frame(from: Bench.c4, to: Bench.b4, protocol: 17, udp4)
      packet.options = options
      frames.append(Bench.frame(packet))
    }
    let udp6 = UDPFrame(from: 4_000, to: Bench.port).bytes(from: IPAddress(Bench.c6), to: IPAddress(Bench.b6))
    let padding = IPv6Frame.optionsBody([1, 0])
    for extensions in [
      [(0, IPv6Frame.optionsBody([5, 2, 0, 0]))], [(60, padding)],
      [(0, padding), (43, [0, 0, 0, 0, 0, 0, 0]), (60, padding)],
      [(60, IPv6Frame.optionsBody([0xc0, 2, 0, 0]))],
      [(44, IPv6Frame.fragmentBody(offset: 0, more: false, identification: 3))],
      [(43, [2, 0, 1, 0, 0, 0, 0] + Frames.bytes(of: Bench.a6))],
    ] as [[(UInt8, [UInt8])]] {
      var packet = IPv6Frame(from: Bench.c6, to: Bench.b6, protocol: 17, udp6)
      packet.extensions = extensions.map { ($0.0, $0.1) }
      frames.append(Bench.frame(packet))
    }
    return frames
  }()
}
