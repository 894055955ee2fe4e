import HostFuzzing
import MartletCore
import MartletWire

/// Packets from A through the router of a ``RouterBench``.
enum Routed {
  static let payload = Array("over the hills and far away".utf8)

  /// A's datagram to B, or to another destination.
  static func v4(
    to destination: IPv4Address = RouterBench.b4, from source: IPv4Address = RouterBench.a4,
    _ payload: [UInt8] = payload, hops: UInt8 = 64, fragmentField: UInt16 = 0, options: [UInt8] = []
  ) -> IPv4Frame {
    let datagram = UDPFrame(from: 4_000, to: 33_434, payload)
    var packet = IPv4Frame(
      from: source, to: destination, protocol: 17,
      datagram.bytes(from: IPAddress(source), to: IPAddress(destination)))
    packet.timeToLive = hops
    packet.fragmentField = fragmentField
    packet.options = options
    return packet
  }

  static func v6(
    to destination: IPv6Address = RouterBench.b6, from source: IPv6Address = RouterBench.a6,
    _ payload: [UInt8] = payload, hops: UInt8 = 64
  ) -> IPv6Frame {
    let datagram = UDPFrame(from: 4_000, to: 33_434, payload)
    var packet = IPv6Frame(
      from: source, to: destination, protocol: 17,
      datagram.bytes(from: IPAddress(source), to: IPAddress(destination)))
    packet.hopLimit = hops
    return packet
  }

  /// The packet's bytes with one hop less.
  static func oneHopOn(_ packet: [UInt8]) -> [UInt8] {
    var packet = packet
    if packet[0] >> 4 == 6 {
      packet[7] -= 1
      return packet
    }
    packet[8] -= 1
    packet[10] = 0
    packet[11] = 0
    packet.replaceSubrange(10..<12, with: Frames.bytes(Frames.checksum(Array(packet.prefix(Int(packet[0] & 15) * 4)))))
    return packet
  }
}

extension RouterBench {
  /// A's datagram of either version, on the left.
  mutating func send(
    _ version: IPVersion, _ payload: [UInt8] = Routed.payload, hops: UInt8 = 64, dontFragment: Bool = false
  ) -> [Sent] {
    version == .v4
      ? fromLeft(Routed.v4(payload, hops: hops, fragmentField: dontFragment ? 0x4000 : 0))
      : fromLeft(Routed.v6(payload, hops: hops))
  }

  /// Why the router dropped packets, each reason as often as it did.
  var dropReasons: [Drop.Reason] {
    let drops = router.drops
    return Drop.Reason.allCases.flatMap { [Drop.Reason](repeating: $0, count: Int(drops[$0])) }
  }
}

extension [RouterBench.Sent] {
  /// The ICMP messages among them, with who sent each to whom.
  var errors: [(interface: InterfaceID, source: IPAddress, type: UInt8, code: UInt8, word: UInt32, body: [UInt8])] {
    compactMap { sent in
      guard let icmp = SentFrame(bytes: sent.bytes).icmp else { return nil }
      let packet = sent.packet
      let source =
        packet[0] >> 4 == 4
        ? IPAddress(packet.rawBytes.ipv4Address(at: 12)) : IPAddress(packet.rawBytes.ipv6Address(at: 8))
      return (sent.interface, source, icmp.type, icmp.code, icmp.word, icmp.body)
    }
  }
}
