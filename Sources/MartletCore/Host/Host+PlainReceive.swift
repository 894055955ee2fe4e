internal import BasicContainers
internal import MartletWire

// The short way in. Nearly every frame is a whole TCP segment or UDP datagram without IP options, from somebody whose last
// one was found good: such a frame is looked at once and goes straight to its transport. All others go the long way, header
// by header, which is also what makes an address known as good. Both ways come to the same (ShortWayTests).

extension Host {
  /// What the Internet layer would find out about a frame, if the frame may take the short way; nil if it may not, or if
  /// anything about it is wrong.
  @inline(__always)
  func plainContext(of packet: borrowing Packet, on interface: InterfaceID) -> InternetContext? {
    let bytes = packet.bytes
    guard takesShortWays, bytes.byteCount >= Plain.ipv4ByteCount else { return nil }
    // The destination's address and two bytes of the source's, whose first has the group bit.
    let first: UInt64 = bytes.bigEndian(at: 0)
    guard first &>> 16 == interfaces[Int(interface.index)].macAddress.value, first & 0x0100 == 0 else { return nil }
    // The type, and the first six bytes of the IP header.
    let second: UInt64 = bytes.bigEndian(at: 12)
    if second &>> 40 == Plain.ipv4 {
      let third: UInt64 = bytes.bigEndian(at: 20)
      let addresses: UInt64 = bytes.bigEndian(at: 26)
      let total = Int(second &>> 16 & 0xffff)
      // More fragments, or a fragment's offset.
      guard third & 0x3fff_0000_0000_0000 == 0, total >= Plain.ipv4ByteCount - 14, total &+ 14 <= packet.count
      else { return nil }
      // The header's twenty bytes as words of the wire's order, which a sum does not mind (RFC 1071 section 2 (B)).
      let sum =
        (second & 0xffff_ffff_ffff) &+ third &>> 32 &+ (third &>> 16 & 0xffff) &+ addresses &>> 32
        &+ (addresses & 0xffff_ffff)
      guard WordSum.fold(sum) == 0xffff else { return nil }
      let `protocol` = IPProtocol(value: UInt8(truncatingIfNeeded: third &>> 32))
      let source = IPAddress(IPv4Address(value: UInt32(truncatingIfNeeded: addresses &>> 32)))
      let destination = IPAddress(IPv4Address(value: UInt32(truncatingIfNeeded: addresses)))
      guard `protocol` == .tcp || `protocol` == .udp,
        self.addresses.isKnownGood(from: source, to: destination, on: interface)
      else { return nil }
      return InternetContext(
        source: source, destination: destination, protocol: `protocol`,
        hopLimit: UInt8(truncatingIfNeeded: third &>> 40), trafficClass: UInt8(truncatingIfNeeded: second &>> 32),
        interface: interface, headerByteCount: IPv4Header.minimumByteCount, isUnicast: true,
        payloadByteCount: total &- 20)
    }
    guard second &>> 44 == Plain.ipv6, bytes.byteCount >= Plain.ipv6ByteCount else { return nil }
    // Payload length, next header, hop limit; the addresses.
    let third: UInt32 = bytes.bigEndian(at: 18)
    let length = Int(third &>> 16)
    let `protocol` = IPProtocol(value: UInt8(truncatingIfNeeded: third &>> 8))
    let source = IPAddress(IPv6Address(high: bytes.bigEndian(at: 22), low: bytes.bigEndian(at: 30)))
    let destination = IPAddress(IPv6Address(high: bytes.bigEndian(at: 38), low: bytes.bigEndian(at: 46)))
    // In this form IPv4 addresses are known as good, but never on the wire.
    guard `protocol` == .tcp || `protocol` == .udp, length >= UDPHeader.byteCount, length &+ 54 <= packet.count,
      !source.isIPv4, !destination.isIPv4, addresses.isKnownGood(from: source, to: destination, on: interface)
    else { return nil }
    return InternetContext(
      source: source, destination: destination, protocol: `protocol`, hopLimit: UInt8(truncatingIfNeeded: third),
      trafficClass: UInt8(truncatingIfNeeded: second &>> 36), interface: interface,
      headerByteCount: IPv6Header.byteCount, isUnicast: true, payloadByteCount: length)
  }

  /// Hands a frame that ``plainContext(of:on:)`` knows to its transport.
  @inline(__always)
  mutating func receivePlain(_ packet: consuming Packet, _ context: InternetContext) {
    packet.metadata.delivery = .unicast
    packet.metadata.interface = context.interface
    packet.metadata.time = now
    if context.protocol == .udp { return receivePlainDatagram(packet, context) }
    packet.raise(context)
    receiveTCP(packet, context)
  }

  private enum Plain {
    /// The type, version and header length of an IPv4 packet without options; the type and version of an IPv6 packet.
    static let ipv4: UInt64 = 0x08_0045
    static let ipv6: UInt64 = 0x8_6dd6
    /// The shortest frames: Ethernet, IP and UDP headers.
    static let ipv4ByteCount = 42
    static let ipv6ByteCount = 62
  }
}
