internal import BasicContainers
internal import MartletWire

/// What was found out about packets of one pair of hosts that come in by one interface: where they leave, and the Ethernet
/// addresses they leave with. It holds as long as nothing changes that led to it: ``generation`` is then still
/// ``Host/wayGeneration``.
///
/// One is only noted for packets that may go through (their addresses were checked) by another interface to a neighbour
/// whose address is known and not stale. What still has to be asked of each packet is whether it is sound, has hops left,
/// and is small enough.
struct Transit: BitwiseCopyable {
  var source = IPv6Address.any
  var destination = IPv6Address.any
  /// 0 in a place that was never used.
  var generation: UInt64 = 0
  /// The frame's addresses as they stand on the wire.
  var frame0: UInt64 = 0
  var frame8: UInt32 = 0
  /// The largest IP packet that the next link takes.
  var mtu: UInt32 = 0
  /// Where packets come in and where they leave.
  var incoming = InterfaceID.loopback
  var outgoing = InterfaceID.loopback

  /// How many a host that forwards keeps in mind.
  static var count: Int { 256 }

  /// The only place where packets from `source` to `destination` may stand.
  @inline(__always)
  static func place(from source: IPv6Address, to destination: IPv6Address) -> Int {
    let from = source.low ^ source.high
    let to = destination.low ^ destination.high
    let mixed = ((from &<< 21 | from &>> 43) ^ to) &* 0x9e37_79b9_7f4a_7c15
    return Int(truncatingIfNeeded: mixed &>> 56)
  }
}

extension Host {
  /// The place of what is known of a frame's way through the host, if it can take it as it is; nil for every frame about
  /// which anything has to be asked or said.
  @inline(never)
  func findTransit(of packet: borrowing Packet, on interface: InterfaceID) -> Int? {
    let bytes = packet.bytes
    guard takesShortWays, bytes.byteCount >= ForwardedFrame.ipv4ByteCount else { return nil }
    // The destination's address and two bytes of the source's, whose first has the group bit.
    let first: UInt64 = bytes.bigEndian(at: 0)
    guard first &>> 16 == interfaces[Int(interface.index)].macAddress.value, first & 0x0100 == 0 else { return nil }
    // The type, and the first six bytes of the IP header.
    let second: UInt64 = bytes.bigEndian(at: 12)
    let source: IPv6Address
    let destination: IPv6Address
    let headerByteCount: Int
    if second &>> 40 == ForwardedFrame.ipv4 {
      // Fragment, hop limit, protocol, checksum, and half an address; the addresses.
      let third: UInt64 = bytes.bigEndian(at: 20)
      let addresses: UInt64 = bytes.bigEndian(at: 26)
      // The header's twenty bytes as words of the wire's order, which a sum does not mind (RFC 1071 section 2 (B)).
      let sum =
        (second & 0xffff_ffff_ffff) &+ third &>> 16 &+ addresses &>> 32 &+ (addresses & 0xffff_ffff)
      guard WordSum.fold(sum) == 0xffff, third &>> 40 & 0xff > 1,
        Int(second &>> 16 & 0xffff) &+ EthernetHeader.untaggedByteCount == packet.count
      else { return nil }
      source = IPv6Address(high: 0, low: 0xffff_0000_0000 | addresses &>> 32)
      destination = IPv6Address(high: 0, low: 0xffff_0000_0000 | addresses & 0xffff_ffff)
      headerByteCount = IPv4Header.minimumByteCount
    } else {
      guard second &>> 44 == ForwardedFrame.ipv6, bytes.byteCount >= ForwardedFrame.ipv6ByteCount else { return nil }
      // Payload length, next header, hop limit; the addresses.
      let third: UInt32 = bytes.bigEndian(at: 18)
      guard third & 0xff > 1, Int(third &>> 16) &+ ForwardedFrame.ipv6ByteCount == packet.count else { return nil }
      source = IPv6Address(high: bytes.bigEndian(at: 22), low: bytes.bigEndian(at: 30))
      destination = IPv6Address(high: bytes.bigEndian(at: 38), low: bytes.bigEndian(at: 46))
      headerByteCount = IPv6Header.byteCount
      // In this form IPv4 addresses are noted, but never on the wire.
      guard !source.isIPv4Mapped, !destination.isIPv4Mapped else { return nil }
    }
    let place = Transit.place(from: source, to: destination)
    let transit = unsafe transits.pointer(at: place)
    guard unsafe transit.pointee.generation == wayGeneration,
      unsafe transit.pointee.source == source && transit.pointee.destination == destination,
      unsafe transit.pointee.incoming == interface
    else { return nil }
    let byteCount = packet.count &- EthernetHeader.untaggedByteCount
    if byteCount > Int(unsafe transit.pointee.mtu) {
      // A packet that stands for several may be larger than each of them.
      guard packet.metadata.segmentSize != 0,
        pieceByteCount(of: packet, at: EthernetHeader.untaggedByteCount, headerByteCount)
          <= Int(unsafe transit.pointee.mtu)
      else { return nil }
    }
    return place
  }

  /// Sends a frame on its way, which ``findTransit(of:on:)`` found.
  @inline(never)
  mutating func forward(_ packet: consuming Packet, transit place: Int) {
    let transit = unsafe transits.pointer(at: place)
    let frame = unsafe packet.pointer
    unsafe frame.storeBytes(of: transit.pointee.frame0, as: UInt64.self)
    unsafe frame.storeBytes(of: transit.pointee.frame8, toByteOffset: 8, as: UInt32.self)
    if unsafe transit.pointee.source.isIPv4Mapped {
      packet.decrementTimeToLive(at: EthernetHeader.untaggedByteCount)
    } else {
      packet.decrementHopLimit(at: EthernetHeader.untaggedByteCount)
    }
    packet.metadata.interface = unsafe transit.pointee.incoming
    packet.metadata.delivery = .unicast
    packet.metadata.time = now
    forwardingCounters.forwardedPackets &+= 1
    forwardingCounters.forwardedBytes &+= UInt64(packet.count &- EthernetHeader.untaggedByteCount)
    let outgoing = unsafe transit.pointee.outgoing
    // What the sender left to a device is left on, as long as the next link has one.
    if packet.metadata.segmentSize != 0 || packet.metadata.checksum == .partial { return finish(packet, on: outgoing) }
    enqueue(packet, on: outgoing)
  }

  /// Notes the way of a packet that is about to take it, to a neighbour with the address `mac`.
  @inline(never)
  mutating func noteTransit(of context: InternetContext, to hop: ForwardingHop, mac: MACAddress) {
    // Who could go straight is told so each time; options are looked at each time.
    guard takesShortWays, hop.interface != context.interface,
      context.headerByteCount == (context.source.isIPv4 ? IPv4Header.minimumByteCount : IPv6Header.byteCount)
    else { return }
    let outgoing = Int(hop.interface.index)
    let own = interfaces[outgoing].macAddress.value
    var transit = Transit()
    transit.source = context.source.v6
    transit.destination = context.destination.v6
    transit.generation = wayGeneration
    transit.frame0 = (mac.value &<< 16 | own &>> 32).bigEndian
    transit.frame8 = UInt32(truncatingIfNeeded: own).bigEndian
    transit.mtu = UInt32(interfaces[outgoing].mtu)
    transit.incoming = context.interface
    transit.outgoing = hop.interface
    transits[Transit.place(from: transit.source, to: transit.destination)] = transit
  }

  /// The size of the largest IP packet that the one in `packet` leaves in, whose header begins at `offset`: its own, or that
  /// of a segment if it is to be split.
  func pieceByteCount(of packet: borrowing Packet, at offset: Int, _ headerByteCount: Int) -> Int {
    let segmentSize = Int(packet.metadata.segmentSize)
    let whole = packet.count - offset
    let dataOffset = offset + headerByteCount + 12
    guard segmentSize != 0, dataOffset < packet.linearCount else { return whole }
    let transport = Int(packet.bytes.bigEndian(at: dataOffset, as: UInt8.self) >> 4) * 4
    return min(whole, headerByteCount + transport + segmentSize)
  }

  private enum ForwardedFrame {
    /// The type, version and header length of an IPv4 packet without options; the type and version of an IPv6 packet.
    static let ipv4: UInt64 = 0x08_0045
    static let ipv6: UInt64 = 0x8_6dd6
    /// The shortest frames: Ethernet and IP headers.
    static let ipv4ByteCount = 34
    static let ipv6ByteCount = 54
  }
}
