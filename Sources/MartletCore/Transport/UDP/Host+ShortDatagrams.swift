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
    let interface = ways[place].interface
    guard payload.byteCount <= Packet.blockByteCount - Packet.headroom, !ways[place].leavesChecksum else {
      // Large frames and links with offloads.
      guard var packet = makePacket(copying: payload) else { return false }
      packet.prependUDPHeader(from: sourcePort, to: destinationPort)
      output(packet, way: place, fields)
      return true
    }
    let headers = ways[place].headerByteCount &+ UDPHeader.byteCount
    guard var packet = pool.allocate(headerByteCount: headers, payloadByteCount: payload.byteCount) else {
      return false
    }
    let length = UDPHeader.byteCount &+ payload.byteCount
    let start = unsafe packet.pointer
    unsafe payload.withUnsafeBytes { source in
      if let base = source.baseAddress { unsafe (start + headers).copyMemory(from: base, byteCount: source.count) }
    }
    // Source port, destination port, length, checksum.
    var header =
      UInt64(sourcePort) &<< 48 | UInt64(destinationPort) &<< 32 | UInt64(truncatingIfNeeded: length) &<< 16
    if fields.checksumOffset != 0 {
      // Words of the wire's order may be added in any width (RFC 1071 section 2 (B)).
      let data = unsafe WordSum.partial(UnsafeRawPointer(start + headers), count: payload.byteCount)
      let ports = UInt64(UInt32(truncatingIfNeeded: header &>> 32).bigEndian)
      let lengths = UInt64(UInt32(truncatingIfNeeded: length &<< 16 | length).bigEndian)
      let sum =
        data &+ ports &+ lengths &+ UInt64(UInt16(fields.protocol.value).bigEndian) &+ UInt64(ways[place].addressSum)
      header |= UInt64(InternetChecksum.udp(UInt16(bigEndian: ~WordSum.fold(sum))))
      packet.metadata.checksum = .computed
    }
    unsafe (start + headers).storeBytes(of: header.bigEndian, toByteOffset: -UDPHeader.byteCount, as: UInt64.self)
    unsafe putHeaders(at: start, way: place, fields, length: length)
    enqueue(packet, on: interface)
    return true
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
