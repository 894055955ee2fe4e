public import MartletWire

// Echo requests and their replies (ping), as sockets.

extension Host {
  /// Opens a socket for echo requests over `version`; its identifier is nobody else's.
  public mutating func openEcho(version: IPVersion) throws(SocketError) -> SocketID {
    guard configuration.offersSockets else { throw .offersNoSockets }
    for _ in 0..<65_536 {
      let identifier = UInt16.random(in: 1...UInt16.max, using: &random)
      if findEcho(identifier, version) != nil { continue }
      guard let key = echoes.insert(EchoSocket(version: version, identifier: identifier)) else { throw .noResources }
      bindings.insert(hash(ofPort: identifier, address: nil, .echo), place: SocketTag(.echo, key.index).value)
      return SocketID(.echo, key)
    }
    throw .noResources
  }

  private func findEcho(_ identifier: UInt16, _ version: IPVersion) -> UInt32? {
    bindings.find(hash(ofPort: identifier, address: nil, .echo)) { value in
      let tag = SocketTag(value)
      return tag.kind == .echo && echoes[tag.index].identifier == identifier && echoes[tag.index].version == version
    }.map { SocketTag($0).index }
  }

  private func echoIndex(_ socket: SocketID) throws(SocketError) -> UInt32 {
    guard socket.kind == .echo, echoes.contains(socket.key) else { throw .notASocket }
    return socket.key.index
  }

  /// Sends an echo request with `payload`.
  ///
  /// - Parameter hopLimit: TTL or hop limit; nil takes the host's.
  /// - Throws: ``SocketError/noRoute``, ``SocketError/messageTooLong``, ``SocketError/noResources``.
  public mutating func sendEcho(
    _ payload: RawSpan, sequence: UInt16, to remote: SocketAddress, hopLimit: UInt8? = nil, from socket: SocketID,
    at now: Instant
  ) throws(SocketError) {
    self.now = max(self.now, now)
    let index = try echoIndex(socket)
    guard remote.address.version == echoes[index].version, !remote.address.isUnspecified else { throw .invalidAddress }
    guard payload.byteCount <= 65_507 else { throw .messageTooLong }
    guard let route = findRoute(to: remote.address, zone: zone(of: remote)),
      let source = sourceAddress(for: remote.address, by: route.interface)
    else { throw .noRoute }
    guard var packet = makePacket(copying: payload) else { throw .noResources }
    packet.prepend(8)
    var bytes = packet.mutableBytes
    let identifier = echoes[index].identifier
    if remote.address.isIPv4 {
      ICMPv4Message.echoRequest(identifier: identifier, sequenceNumber: sequence).write(to: &bytes)
    } else {
      ICMPv6Message.echoRequest(identifier: identifier, sequenceNumber: sequence).write(to: &bytes)
    }
    bytes.store(bigEndian: UInt16(0), at: 2)
    sendICMP(
      packet,
      Outgoing(
        source: source, destination: remote.address, protocol: remote.address.isIPv4 ? .icmpv4 : .icmpv6,
        hopLimit: hopLimit ?? configuration.internet.timeToLive, interface: route.interface, nextHop: route.nextHop))
  }

  /// Takes the next answer into `buffer`; nil if none waits.
  public mutating func receiveEcho(
    from socket: SocketID, into buffer: inout MutableRawSpan
  ) throws(SocketError) -> ReceivedEcho? {
    let index = try echoIndex(socket)
    guard var packet = echoes[index].received.popFirst() else { return nil }
    let record = packet.takeFirst(as: ReceivedEcho.self)
    echoes[index].receivedByteCount -= Packet.blockByteCount + packet.count - packet.linearCount
    _ = packet.copyBytes(into: &buffer)
    return record
  }

  mutating func receiveEchoReply(
    _ packet: consuming Packet, _ context: InternetContext, identifier: UInt16, sequence: UInt16
  ) {
    guard let index = findEcho(identifier, context.source.version) else { return drop(packet, .icmpErrorUnmatched) }
    packet.removeFirst(8)
    let record = ReceivedEcho(
      kind: .reply, sequence: sequence, byteCount: packet.count,
      source: SocketAddress(
        context.source, port: 0, zone: context.source.isLinkLocal ? UInt32(context.interface.index) : 0),
      hopLimit: context.hopLimit, time: now)
    append(packet, record, to: index)
  }

  private mutating func append(_ packet: consuming Packet, _ record: ReceivedEcho, to index: UInt32) {
    let cost = Packet.blockByteCount + packet.count - packet.linearCount
    guard
      echoes[index].receivedByteCount + cost <= configuration.datagrams.receiveBufferByteCount
        || echoes[index].received.isEmpty, packet.prepend(record)
    else {
      return drop(packet, .udpReceiveBufferFull)
    }
    echoes[index].received.append(packet)
    echoes[index].receivedByteCount += cost
    note(.readable, on: SocketID(.echo, echoes.tenant(at: index)))
  }

  /// An ICMP error about one of our echo requests.
  mutating func deliverEchoError(_ error: ICMPError, _ quote: Quote, from reporter: IPAddress?) {
    let identifier = UInt16(truncatingIfNeeded: quote.secondWord >> 16)
    guard let index = findEcho(identifier, quote.source.version) else { return ledger.count(.icmpErrorUnmatched) }
    let kind: ReceivedEcho.Kind
    switch error {
    case .v4(.destinationUnreachable(.fragmentationNeeded, let mtu)):
      _ = learnPathMTU(Int(mtu), quote)
      kind = .packetTooBig(mtu: Int(mtu))
    case .v6(.packetTooBig(let mtu)):
      _ = learnPathMTU(Int(min(mtu, 65_535)), quote)
      kind = .packetTooBig(mtu: Int(mtu))
    case .v4(.destinationUnreachable(let code, _)): kind = .unreachable(code: code.value)
    case .v6(.destinationUnreachable(let code)): kind = .unreachable(code: code.value)
    case .v4(.timeExceeded), .v6(.timeExceeded): kind = .timeExceeded
    default: return
    }
    guard let packet = pool.allocate() else { return ledger.count(.poolExhausted) }
    let record = ReceivedEcho(
      kind: kind, sequence: UInt16(truncatingIfNeeded: quote.secondWord), byteCount: 0,
      source: SocketAddress(reporter ?? quote.source, port: 0), hopLimit: 0, time: now)
    append(packet, record, to: index)
  }

  mutating func closeEcho(_ index: UInt32) {
    bindings.remove(hash(ofPort: echoes[index].identifier, address: nil, .echo), place: SocketTag(.echo, index).value)
    echoes.remove(echoes.tenant(at: index))
  }
}
