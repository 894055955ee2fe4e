internal import BasicContainers
internal import MartletWire

// The way in: link → Ethernet → ARP or IP. Each step hands the packet on; none hands it back.

extension Host {
  /// Takes one Ethernet frame that `interface` received.
  public mutating func receive(_ packet: consuming Packet, on interface: InterfaceID, at now: Instant) {
    self.now = now
    let index = Int(interface.index)
    precondition(index > 0 && index < interfaces.count, "no such interface, or the loopback interface")
    interfaces[index].counters.receivedPackets &+= 1
    interfaces[index].counters.receivedBytes &+= UInt64(packet.count)
    if forwards, let place = findTransit(of: packet, on: interface) { return forward(packet, transit: place) }
    if mayBePlainDatagram(packet) { return receiveDatagramFrame(packet, on: interface) }
    if mayBeBareSegment(packet) { return receiveBareFrame(packet, on: interface) }
    if mayBePlainSegment(packet) { return receiveSegmentFrame(packet, on: interface) }
    receiveFrame(packet, on: interface)
  }

  @inline(__always)
  private mutating func receiveFrame(_ packet: consuming Packet, on interface: InterfaceID) {
    if let plain = plainContext(of: packet, on: interface) { return receivePlain(packet, plain) }
    receiveAny(packet, on: interface)
  }

  /// Takes a frame that ``mayBePlainDatagram(_:)``.
  @inline(never)
  private mutating func receiveDatagramFrame(_ packet: consuming Packet, on interface: InterfaceID) {
    if let byteCount = plainDatagramByteCount(of: packet, on: interface) {
      return receivePlainDatagram(packet, byteCount: byteCount, on: interface)
    }
    receiveOtherFrame(packet, on: interface)
  }

  /// Takes a frame that turned out not to be what it was taken for.
  @inline(never)
  mutating func receiveOtherFrame(_ packet: consuming Packet, on interface: InterfaceID) {
    receiveFrame(packet, on: interface)
  }

  /// Takes a frame by the long way, header by header.
  @inline(never)
  private mutating func receiveAny(_ packet: consuming Packet, on interface: InterfaceID) {
    let index = Int(interface.index)
    guard packet.makeLinear(EthernetHeader.untaggedByteCount) else { return drop(packet, .frameTruncated) }
    let header: EthernetHeader
    do { header = try EthernetHeader(parsing: packet.bytes) } catch { return drop(packet, .frameTruncated) }
    // Priority tags (VLAN 0) are ours; other VLANs are somebody else's network (IEEE 802.1Q section 9.6).
    if let tag = header.tag, tag.identifier != 0 { return drop(packet, .frameVLANUnknown) }
    if header.destination == interfaces[index].macAddress {
      packet.metadata.delivery = .unicast
    } else if header.destination.isBroadcast {
      packet.metadata.delivery = .broadcast
    } else if header.destination.isMulticast {
      packet.metadata.delivery = .multicast
    } else {
      return drop(packet, .frameNotForUs)
    }
    guard !header.source.isMulticast else { return drop(packet, .frameNotForUs) }
    packet.metadata.interface = interface
    packet.metadata.time = now
    packet.removeFirst(header.byteCount)
    switch header.type {
    case .ipv4: receiveIPv4(packet, on: interface)
    case .ipv6: receiveIPv6(packet, on: interface)
    case .arp: receiveARP(packet, on: interface)
    default: drop(packet, .frameUnknownType)
    }
  }

  /// Takes an IP packet that the host sent to itself.
  mutating func receiveLoopback(_ packet: consuming Packet) {
    packet.metadata.delivery = .unicast
    packet.metadata.interface = .loopback
    packet.metadata.time = now
    // Nothing can have changed it on the way: what was left to be filled in needs no filling in.
    packet.metadata.checksum = .verified
    packet.metadata.segmentSize = 0
    let version: UInt8 = packet.linearCount > 0 ? packet.bytes.bigEndian(at: 0, as: UInt8.self) >> 4 : 0
    if version == 4 { receiveIPv4(packet, on: .loopback) } else { receiveIPv6(packet, on: .loopback) }
  }
}

/// What the Internet layer knows of a packet it hands to a transport. The header itself stands in front of the packet's
/// first byte, so that ``Packet/prepend(_:)`` brings it back for an ICMP error.
struct InternetContext: BitwiseCopyable {
  var source: IPAddress
  var destination: IPAddress
  var `protocol`: IPProtocol
  var hopLimit: UInt8
  var trafficClass: UInt8
  var interface: InterfaceID
  /// The bytes of the IP header with options or extension headers.
  var headerByteCount: Int
  /// Whether it was sent to one host, by the link and by IP.
  var isUnicast: Bool
  /// Whether it came in a fragment or several, atomic ones (RFC 6946) too.
  var wasFragmented = false
  /// Whether it is for another host: what is said about it comes from this host as a router.
  var isForwarded = false
  /// The bytes behind the IP header, where the short way found them out.
  var payloadByteCount = 0
}

extension Host {
  @inline(__always)
  mutating func deliver(_ packet: consuming Packet, _ context: InternetContext) {
    // Only a host that looks for its address speaks from the unspecified one, by neighbour discovery (RFC 4291
    // section 2.5.2): nobody could be answered there.
    if context.source.isUnspecified, context.protocol != .icmpv6 { return drop(packet, .ipSourceInvalid) }
    switch context.protocol {
    case .tcp: receiveTCP(packet, context)
    case .udp: receiveUDP(packet, context)
    case .icmpv4 where context.source.isIPv4: receiveICMPv4(packet, context)
    case .icmpv6 where !context.source.isIPv4: receiveICMPv6(packet, context)
    default: receiveUnknownProtocol(packet, context)
    }
  }

  @inline(never)
  private mutating func receiveUnknownProtocol(_ packet: consuming Packet, _ context: InternetContext) {
    if context.source.isIPv4 {
      sendError(.v4(.destinationUnreachable(code: .protocol, nextHopMTU: 0)), about: &packet, context)
    } else if context.protocol != .noNextHeader {
      let pointer = nextHeaderPointer(&packet, context)
      sendError(
        .v6(.parameterProblem(code: IPv6HeaderProblem.Code.unrecognizedNextHeader.rawValue, pointer: pointer)),
        about: &packet, context)
    }
    drop(packet, .ipUnknownProtocol)
  }

  /// Where the field stands that named the protocol (RFC 4443 section 3.4).
  private func nextHeaderPointer(_ packet: inout Packet, _ context: InternetContext) -> UInt32 {
    packet.prepend(context.headerByteCount)
    defer { packet.removeFirst(context.headerByteCount) }
    guard let header = try? IPv6Header(parsing: packet.bytes, packetByteCount: packet.count),
      let chain = try? walkExtensionHeaders(of: header, in: packet)
    else { return UInt32(IPv6Header.nextHeaderOffset) }
    return UInt32(chain.upperProtocolFieldOffset)
  }
}
