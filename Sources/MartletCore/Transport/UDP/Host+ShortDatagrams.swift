internal import BasicContainers
internal import MartletWire

// The short ways of a datagram: out along a known way, in as a plain packet. Each touches the datagram once.

extension Host {
  /// Makes a datagram whose size and destination are checked and sends it along the way at `place`; false when memory is
  /// short.
  @inline(__always)
  mutating func sendDatagram(
    _ payload: RawSpan, from sourcePort: UInt16, to destinationPort: UInt16, way place: Int, _ fields: HeaderFields
  ) -> Bool {
    guard payload.byteCount <= Packet.blockByteCount - Packet.headroom, !ways[place].leavesChecksum else {
      return sendAnyDatagram(payload, from: sourcePort, to: destinationPort, way: place, fields)
    }
    let way = unsafe ways.pointer(at: place)
    let headers = unsafe way.pointee.headerByteCount &+ UDPHeader.byteCount
    guard var packet = pool.allocate(headerByteCount: headers, payloadByteCount: payload.byteCount) else {
      return false
    }
    let length = UDPHeader.byteCount &+ payload.byteCount
    let start = unsafe packet.pointer
    // Source port, destination port, length, checksum.
    var header =
      UInt64(sourcePort) &<< 48 | UInt64(destinationPort) &<< 32 | UInt64(truncatingIfNeeded: length) &<< 16
    if fields.checksumOffset != 0 {
      let data = unsafe payload.withUnsafeBytes { source -> UInt64 in
        guard let base = source.baseAddress else { return 0 }
        return unsafe WordSum.partialCopying(from: base, to: start + headers, count: source.count)
      }
      // Words of the wire's order may be added in any width (RFC 1071 section 2 (B)).
      let ports = UInt64(UInt32(truncatingIfNeeded: header &>> 32).bigEndian)
      let lengths = UInt64(UInt32(truncatingIfNeeded: length &<< 16 | length).bigEndian)
      let sum =
        unsafe data &+ ports &+ lengths &+ UInt64(UInt16(fields.protocol.value).bigEndian)
        &+ UInt64(way.pointee.addressSum)
      header |= UInt64(InternetChecksum.udp(UInt16(bigEndian: ~WordSum.fold(sum))))
      packet.metadata.checksum = .computed
    } else {
      unsafe payload.withUnsafeBytes { source in
        if let base = source.baseAddress { unsafe (start + headers).copyMemory(from: base, byteCount: source.count) }
      }
    }
    unsafe (start + headers).storeBytes(of: header.bigEndian, toByteOffset: -UDPHeader.byteCount, as: UInt64.self)
    unsafe putHeaders(at: start, way: place, fields, length: length)
    unsafe enqueue(packet, on: way.pointee.interface)
    return true
  }

  /// As ``sendDatagram(_:from:to:way:_:)``, for large frames and links with offloads.
  @inline(never)
  private mutating func sendAnyDatagram(
    _ payload: RawSpan, from sourcePort: UInt16, to destinationPort: UInt16, way place: Int, _ fields: HeaderFields
  ) -> Bool {
    guard var packet = makePacket(copying: payload) else { return false }
    packet.prependUDPHeader(from: sourcePort, to: destinationPort)
    output(packet, way: place, fields)
    return true
  }

  /// Whether it is worth while to ask ``plainDatagramByteCount(of:on:)``, as far as one byte says.
  @inline(__always)
  func mayBePlainDatagram(_ packet: borrowing Packet) -> Bool {
    lastPortBinding.plainPort != 0 && packet.linearCount >= PlainDatagram.headerByteCount
      && packet.bytes.bigEndian(at: 23, as: UInt8.self) == IPProtocol.udp.value
  }

  /// The size of the payload of a frame that is nothing but an IPv4 datagram for the socket of ``lastPortBinding``, with all its
  /// checksums right, from somebody known; nil for any other, whatever may be the matter with it.
  @inline(__always)
  func plainDatagramByteCount(of packet: borrowing Packet, on interface: InterfaceID) -> Int? {
    let port = lastPortBinding.plainPort
    guard port != 0, takesShortWays, packet.linearCount >= PlainDatagram.headerByteCount, packet.sliceCount == 0
    else { return nil }
    let bytes = packet.bytes
    // The type, and the first six bytes of the IP header; fragment, hop limit, protocol, checksum; ports, length, checksum.
    let second: UInt64 = bytes.bigEndian(at: 12)
    let third: UInt64 = bytes.bigEndian(at: 20)
    let header: UInt64 = bytes.bigEndian(at: 34)
    let length = Int(header &>> 16 & 0xffff)
    let total = Int(second &>> 16 & 0xffff)
    guard second &>> 40 == PlainDatagram.ipv4, third & 0x3fff_00ff_0000_0000 == PlainDatagram.udp,
      UInt16(truncatingIfNeeded: header &>> 32) == port
    else { return nil }
    // The destination's address and two bytes of the source's, whose first has the group bit.
    let first: UInt64 = bytes.bigEndian(at: 0)
    guard first &>> 16 == interfaces[Int(interface.index)].macAddress.value, first & 0x0100 == 0,
      length >= UDPHeader.byteCount, total == length &+ 20, total &+ 14 <= bytes.byteCount
    else { return nil }
    let addresses: UInt64 = bytes.bigEndian(at: 26)
    // The header's twenty bytes as words of the wire's order, which a sum does not mind (RFC 1071 section 2 (B)).
    let both = addresses &>> 32 &+ (addresses & 0xffff_ffff)
    let sum = (second & 0xffff_ffff_ffff) &+ third &>> 32 &+ (third &>> 16 & 0xffff) &+ both
    guard WordSum.fold(sum) == 0xffff, self.addresses.isKnownGood(ipv4: addresses, on: interface) else { return nil }
    let payload = length &- UDPHeader.byteCount
    let state = packet.metadata.checksum
    if state == .unknown || state == .computed {
      guard header & 0xffff != 0 else { return nil }
      let data = unsafe WordSum.partial(
        UnsafeRawPointer(packet.pointer + PlainDatagram.headerByteCount), count: payload)
      let words =
        both &+ header &>> 32 &+ (header & 0xffff_ffff) &+ UInt64(IPProtocol.udp.value)
        &+ UInt64(truncatingIfNeeded: length)
      // The header was turned as it was read, the data was not.
      guard WordSum.fold(data &+ UInt64(WordSum.fold(words).byteSwapped)) == 0xffff else { return nil }
    }
    return payload
  }

  /// Gives a frame that ``plainDatagramByteCount(of:on:)`` knows to its socket; the headers stay where they are.
  @inline(__always)
  mutating func receivePlainDatagram(_ packet: consuming Packet, byteCount: Int, on interface: InterfaceID) {
    let place = lastPortBinding.index
    let socket = unsafe datagrams.pointer(at: place)
    packet.metadata.delivery = .unicast
    packet.metadata.interface = interface
    packet.metadata.time = now
    guard unsafe socket.pointee.hasRoom(for: Packet.blockByteCount) else { return drop(packet, .udpReceiveBufferFull) }
    packet.leaveHeaders(PlainDatagram.headerByteCount, payloadByteCount: byteCount)
    if unsafe socket.pointee.take(packet, cost: Packet.blockByteCount) {
      events.append(SocketID(.datagram, datagrams.tenant(at: place)))
    }
  }

  private enum PlainDatagram {
    /// The type, version and header length of an IPv4 packet without options.
    static var ipv4: UInt64 { 0x08_0045 }
    /// No fragment, and UDP, in the eight bytes that begin with the fragment's offset.
    static var udp: UInt64 { 17 &<< 32 }
    /// Ethernet, IPv4 and UDP.
    static var headerByteCount: Int { 42 }
  }

  /// Takes a datagram that came the short way and still has its headers in front: what ``receiveUDP(_:_:)`` does, if nothing
  /// is out of the ordinary.
  @inline(__always)
  mutating func receivePlainDatagram(_ packet: consuming Packet, _ context: InternetContext) {
    let start = EthernetHeader.untaggedByteCount &+ context.headerByteCount
    let header = packet.bytes.bigEndian(at: start, as: UInt64.self)
    let length = Int(header &>> 16 & 0xffff)
    let destinationPort = UInt16(truncatingIfNeeded: header &>> 32)
    let sourcePort = UInt16(truncatingIfNeeded: header &>> 48)
    guard length == context.payloadByteCount, header & 0xffff != 0, packet.sliceCount == 0,
      packet.linearCount >= start &+ length, !context.source.isLinkLocal, connectedDatagramCount == 0,
      addressBoundDatagramCount == 0, destinationPort == lastPortBinding.port,
      context.source.version == lastPortBinding.version, destinationPort != 0
    else { return receiveRaised(packet, context) }
    if packet.metadata.checksum == .unknown || packet.metadata.checksum == .computed {
      var sum = InternetChecksum()
      sum.addPseudoHeader(source: context.source, destination: context.destination, protocol: .udp, length: length)
      unsafe sum.add(UnsafeRawPointer(packet.pointer + start), count: length)
      guard sum.isValid else { return drop(packet, .udpChecksum) }
    }
    let place = lastPortBinding.index
    let socket = unsafe datagrams.pointer(at: place)
    guard unsafe socket.pointee.hasRoom(for: Packet.blockByteCount) else { return drop(packet, .udpReceiveBufferFull) }
    let record = ReceivedDatagram(
      byteCount: length &- UDPHeader.byteCount, isTruncated: false,
      source: SocketAddress(context.source, port: sourcePort),
      destination: SocketAddress(context.destination, port: destinationPort),
      interface: context.interface, hopLimit: context.hopLimit, trafficClass: context.trafficClass, time: now)
    // The record takes the place of the headers, and of room in front of them.
    guard packet.replaceFirst(start &+ UDPHeader.byteCount, by: record, keeping: length &- UDPHeader.byteCount) else {
      return receiveRaised(packet, context)
    }
    unsafe packet.block.pointee.headerByteCount = 0
    if unsafe socket.pointee.take(packet, cost: Packet.blockByteCount) {
      events.append(SocketID(.datagram, datagrams.tenant(at: place)))
    }
  }

  /// Any other datagram that came the short way.
  @inline(never)
  private mutating func receiveRaised(_ packet: consuming Packet, _ context: InternetContext) {
    packet.raise(context)
    receiveUDP(packet, context)
  }
}

extension PacketPool {
  /// A packet with `headerByteCount` bytes in the headroom and `payloadByteCount` behind; their contents are undefined until
  /// written. Nil when the pool is at its bound.
  @inline(__always)
  func allocate(headerByteCount: Int, payloadByteCount: Int) -> Packet? {
    precondition(headerByteCount <= Packet.headroom && payloadByteCount <= Packet.blockByteCount - Packet.headroom)
    guard let packet = allocate() else { return nil }
    unsafe packet.block.pointee.start = UInt16(truncatingIfNeeded: Packet.headroom &- headerByteCount)
    unsafe packet.block.pointee.linearCount = UInt16(truncatingIfNeeded: headerByteCount &+ payloadByteCount)
    return packet
  }
}

extension Packet {
  /// Keeps `payloadByteCount` bytes behind the first `headerByteCount`, which stand in front from now on.
  @inline(__always)
  mutating func leaveHeaders(_ headerByteCount: Int, payloadByteCount: Int) {
    precondition(headerByteCount &+ payloadByteCount <= linearCount && sliceCount == 0)
    unsafe block.pointee.start &+= UInt16(truncatingIfNeeded: headerByteCount)
    unsafe block.pointee.linearCount = UInt16(truncatingIfNeeded: payloadByteCount)
    unsafe block.pointee.headerByteCount = UInt8(truncatingIfNeeded: headerByteCount)
  }

  /// Takes the frame's and the IP header away from a packet that came the short way, and the link's padding.
  @inline(__always)
  mutating func raise(_ context: InternetContext) {
    removeFirst(EthernetHeader.untaggedByteCount &+ context.headerByteCount)
    // Link padding is not data (RFC 1122 section 2.3.3, LL-4).
    if count > context.payloadByteCount { truncate(to: context.payloadByteCount) }
  }

  /// Puts `value` in this machine's own form in the place of the first `byteCount` bytes, and keeps `payload` bytes behind
  /// them; false, and nothing is changed, if there is no room in front.
  @inline(__always)
  mutating func replaceFirst<Value: BitwiseCopyable>(_ byteCount: Int, by value: Value, keeping payload: Int) -> Bool {
    let room = frontRoom &+ byteCount
    guard room >= MemoryLayout<Value>.size, payload >= 0, byteCount &+ payload <= linearCount else { return false }
    unsafe block.pointee.start = UInt16(truncatingIfNeeded: room &- MemoryLayout<Value>.size)
    unsafe block.pointee.linearCount = UInt16(truncatingIfNeeded: payload &+ MemoryLayout<Value>.size)
    unsafe pointer.storeBytes(of: value, as: Value.self)
    return true
  }
}
