internal import MartletWire

// UDP (RFC 768, RFC 1122 section 4.1) between the Internet layer and the sockets.

extension Host {
  mutating func receiveUDP(_ packet: consuming Packet, _ context: InternetContext) {
    guard packet.makeLinear(UDPHeader.byteCount) else { return drop(packet, .udpTruncated) }
    let length = Int(packet.bytes.bigEndian(at: 4, as: UInt16.self))
    guard length >= UDPHeader.byteCount, length <= packet.count else { return drop(packet, .udpLength) }
    if length < packet.count { packet.truncate(to: length) }
    let sourcePort: UInt16 = packet.bytes.bigEndian(at: 0)
    let destinationPort: UInt16 = packet.bytes.bigEndian(at: 2)
    let checksum: UInt16 = packet.bytes.bigEndian(at: 6)
    guard destinationPort != 0 else { return drop(packet, .udpPortZero) }
    if checksum == 0 && packet.metadata.checksum != .partial && packet.metadata.checksum != .verified {
      // RFC 8200 section 8.1: IPv6 has no other checksum over the addresses.
      guard context.source.isIPv4 else { return drop(packet, .udpNoChecksum) }
    } else if !hasValidChecksum(packet, context) {
      return drop(packet, .udpChecksum)
    }
    let zone = context.source.isLinkLocal ? context.interface : .loopback
    let flow = Flow(
      localAddress: context.destination, localPort: destinationPort, remoteAddress: context.source,
      remotePort: sourcePort, zone: zone)
    guard let place = findDatagramSocket(flow, context) else {
      sendError(
        context.source.isIPv4
          ? .v4(.destinationUnreachable(code: .port, nextHopMTU: 0)) : .v6(.destinationUnreachable(code: .port)),
        about: &packet, context)
      return drop(packet, .udpNoSocket)
    }
    let cost = Packet.blockByteCount + packet.count - packet.linearCount
    guard datagrams[place].hasRoom(for: cost) else { return drop(packet, .udpReceiveBufferFull) }
    packet.removeFirst(UDPHeader.byteCount)
    let record = ReceivedDatagram(
      byteCount: packet.count, isTruncated: false,
      source: SocketAddress(context.source, port: sourcePort, zone: UInt32(zone.index)),
      destination: SocketAddress(context.destination, port: destinationPort, zone: UInt32(zone.index)),
      interface: context.interface, hopLimit: context.hopLimit, trafficClass: context.trafficClass, time: now)
    guard packet.prepend(record) else { return drop(packet, .ipExtensionMalformed) }
    unsafe packet.block.pointee.headerByteCount = 0
    if datagrams[place].take(packet, cost: cost) { events.append(SocketID(.datagram, datagrams.tenant(at: place))) }
  }

  /// The socket a datagram is for: a connected one first, then one bound to the address, then one bound to the port.
  @inline(__always)
  private mutating func findDatagramSocket(_ flow: Flow, _ context: InternetContext) -> UInt32? {
    if connectedDatagramCount > 0, let found = findConnectedDatagram(flow) { return found }
    let version = context.source.version
    if addressBoundDatagramCount > 0,
      let found = boundDatagramSocket(port: flow.localPort, address: flow.localAddress, version: version, exact: true)
    {
      return found
    }
    if flow.localPort == lastPortBinding.port, version == lastPortBinding.version { return lastPortBinding.index }
    let found = boundDatagramSocket(port: flow.localPort, address: flow.localAddress, version: version, exact: false)
    if let found {
      let isOnlyByPort = connectedDatagramCount == 0 && addressBoundDatagramCount == 0 && version == .v4
      lastPortBinding = LastPortBinding(
        port: flow.localPort, version: version, plainPort: isOnlyByPort ? flow.localPort : 0, index: found)
    }
    return found
  }

  func findConnectedDatagram(_ flow: Flow) -> UInt32? {
    flows.find(hash(of: flow, .datagram)) { value in
      let tag = SocketTag(value)
      guard tag.kind == .datagram, let remote = datagrams[tag.index].remote else { return false }
      let local = datagrams[tag.index].local
      return remote.address == flow.remoteAddress && remote.port == flow.remotePort && local.port == flow.localPort
        && local.address == flow.localAddress
    }.map { SocketTag($0).index }
  }

  @inline(never)
  func boundDatagramSocket(port: UInt16, address: IPAddress, version: IPVersion, exact: Bool) -> UInt32? {
    var best: UInt32?
    var bestSerial: UInt64 = 0
    bindings.forEach(hash(ofPort: port, address: exact ? address : nil, .datagram)) { value in
      let tag = SocketTag(value)
      guard tag.kind == .datagram,
        let serial = datagrams[tag.index].serial(ifFor: address, version: version, port: port, exact: exact),
        serial >= bestSerial
      else { return }
      best = tag.index
      bestSerial = serial
    }
    return best
  }

  /// An ICMP error about a datagram of ours: a connected socket is told (HR4-3).
  mutating func deliverUDPError(_ error: QuotedError, _ quote: Quote, on interface: InterfaceID) {
    // Somebody who sends from that port must be there: anything else is forged.
    var hasSender = false
    ports.forEachBinding(port: quote.sourcePort, .datagram) { _ in hasSender = true }
    guard hasSender else { return ledger.count(.icmpErrorUnmatched) }
    if case .packetTooBig(let reported) = error, learnPathMTU(reported, quote) == nil {
      return ledger.count(.icmpErrorUnmatched)
    }
    let flow = Flow(
      localAddress: quote.source, localPort: quote.sourcePort, remoteAddress: quote.destination,
      remotePort: quote.destinationPort, zone: quote.destination.isLinkLocal ? interface : .loopback)
    guard let index = findConnectedDatagram(flow) else { return ledger.count(.icmpErrorUnmatched) }
    switch error {
    case .refused: datagrams[index].error = .refused
    case .unreachable(let reporter): datagrams[index].error = .unreachable(by: reporter ?? quote.source)
    case .timeExceeded(let reporter): datagrams[index].error = .unreachable(by: reporter ?? quote.source)
    case .packetTooBig: datagrams[index].error = .messageTooLong
    case .other: return
    }
    note([.softError, .readable], on: SocketID(.datagram, datagrams.tenant(at: index)))
  }
}

extension Packet {
  /// Puts a UDP header with no checksum in front of the payload.
  @inline(__always)
  mutating func prependUDPHeader(from sourcePort: UInt16, to destinationPort: UInt16) {
    prepend(UDPHeader.byteCount)
    let length = UInt16(truncatingIfNeeded: count)
    let header = UInt64(sourcePort) &<< 48 | UInt64(destinationPort) &<< 32 | UInt64(length) &<< 16
    var bytes = mutableBytes
    bytes.store(bigEndian: header, at: 0)
  }

  /// Puts `value` in front of the packet in this machine's own form, if there is room.
  @inline(__always)
  mutating func prepend<Value: BitwiseCopyable>(_ value: Value) -> Bool {
    guard frontRoom >= MemoryLayout<Value>.size else { return false }
    prepend(MemoryLayout<Value>.size)
    unsafe pointer.storeBytes(of: value, as: Value.self)
    return true
  }

  /// Takes away what ``prepend(_:)-(Value)`` put in front.
  @inline(__always)
  mutating func takeFirst<Value: BitwiseCopyable>(as type: Value.Type) -> Value {
    precondition(linearCount >= MemoryLayout<Value>.size, "no such value in front of the packet")
    let value = unsafe pointer.loadUnaligned(as: Value.self)
    removeFirst(MemoryLayout<Value>.size)
    return value
  }
}
