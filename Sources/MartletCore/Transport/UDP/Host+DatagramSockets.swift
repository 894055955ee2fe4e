public import MartletWire

// The calls of datagram sockets.

extension Host {
  /// Opens a UDP socket on `local`: an unspecified address takes every address (an IPv6 one takes IPv4 too, unless
  /// ``DatagramOptions/ipv6Only``), port 0 takes a free one.
  ///
  /// - Throws: ``SocketError/addressNotAvailable``, ``SocketError/addressInUse``, ``SocketError/noResources``.
  public mutating func openDatagram(
    on local: SocketAddress, options: DatagramOptions = DatagramOptions()
  ) throws(SocketError) -> SocketID {
    guard configuration.offersSockets else { throw .offersNoSockets }
    let local = try claim(local, .datagram, ipv6Only: options.ipv6Only, reusesAddress: options.reusesAddress)
    nextSerial += 1
    let socket = DatagramSocket(
      local: local, remote: nil, options: options, isIPv4Only: local.address.isIPv4,
      receiveBufferByteCount: options.receiveBufferByteCount ?? configuration.datagrams.receiveBufferByteCount,
      serial: nextSerial)
    guard let key = datagrams.insert(socket) else { throw .noResources }
    reindex(key.index)
    ports.insert(SocketTag(.datagram, key.index), port: local.port)
    return SocketID(.datagram, key)
  }

  /// Gives the socket one peer: from now on only its datagrams are received, and ICMP errors are reported
  /// (RFC 1122 section 4.1.3.3).
  ///
  /// - Throws: ``SocketError/noRoute``, ``SocketError/invalidAddress``, ``SocketError/addressInUse`` if another socket
  ///   has the same two ends.
  public mutating func connectDatagram(_ socket: SocketID, to remote: SocketAddress) throws(SocketError) {
    let index = try datagramIndex(socket)
    guard !remote.address.isUnspecified, remote.port != 0, datagrams[index].canReach(remote.address) else {
      throw .invalidAddress
    }
    guard let route = findRoute(to: remote.address, zone: zone(of: remote)) else { throw .noRoute }
    var local = datagrams[index].local
    if local.address.isUnspecified {
      guard let source = sourceAddress(for: remote.address, by: route.interface) else { throw .noRoute }
      local.address = source
    }
    unindex(index)
    datagrams[index].local = local
    datagrams[index].remote = remote
    datagrams[index].waySerial = 0
    reindex(index)
  }

  func zone(of remote: SocketAddress) -> InterfaceID? {
    remote.zone == 0 ? nil : InterfaceID(index: UInt16(truncatingIfNeeded: remote.zone))
  }

  private func flow(of index: UInt32) -> Flow? {
    guard let remote = datagrams[index].remote else { return nil }
    return Flow(
      localAddress: datagrams[index].local.address, localPort: datagrams[index].local.port,
      remoteAddress: remote.address, remotePort: remote.port,
      zone: remote.address.isLinkLocal ? InterfaceID(index: UInt16(truncatingIfNeeded: remote.zone)) : .loopback)
  }

  private mutating func reindex(_ index: UInt32) {
    lastPortBinding = LastPortBinding()
    let tag = SocketTag(.datagram, index).value
    let local = datagrams[index].local
    if let flow = flow(of: index) {
      flows.insert(hash(of: flow, .datagram), place: tag)
      connectedDatagramCount += 1
    }
    if !local.address.isUnspecified { addressBoundDatagramCount += 1 }
    bindings.insert(hash(ofPort: local.port, address: local.address, .datagram), place: tag)
  }

  private mutating func unindex(_ index: UInt32) {
    lastPortBinding = LastPortBinding()
    let tag = SocketTag(.datagram, index).value
    let local = datagrams[index].local
    if let flow = flow(of: index) {
      flows.remove(hash(of: flow, .datagram), place: tag)
      connectedDatagramCount -= 1
    }
    if !local.address.isUnspecified { addressBoundDatagramCount -= 1 }
    bindings.remove(hash(ofPort: local.port, address: local.address, .datagram), place: tag)
  }

  @inline(__always)
  func datagramIndex(_ socket: SocketID) throws(SocketError) -> UInt32 {
    guard socket.kind == .datagram, datagrams.contains(socket.key) else { throw .notASocket }
    return socket.key.index
  }

  /// Sends one datagram to `remote`, or to the peer of a connected socket if it is nil.
  ///
  /// - Throws: ``SocketError/messageTooLong`` over 65,507 bytes (65,527 over IPv6), ``SocketError/noRoute``,
  ///   ``SocketError/notConnected`` without any address, ``SocketError/invalidAddress`` for a broadcast that was not
  ///   asked for, ``SocketError/noResources`` when memory is short, and an ICMP error that came in earlier.
  public mutating func send(
    _ payload: RawSpan, to remote: SocketAddress? = nil, from socket: SocketID, at now: Instant
  ) throws(SocketError) {
    self.now = max(self.now, now)
    let index = try datagramIndex(socket)
    let socket = unsafe datagrams.pointer(at: index)
    if let error = unsafe socket.pointee.error {
      unsafe socket.pointee.error = nil
      throw error
    }
    if remote == nil, unsafe ways.pointer(at: socket.pointee.wayPlace).pointee.serial == socket.pointee.waySerial,
      unsafe ways.pointer(at: socket.pointee.wayPlace).pointee.generation == wayGeneration, takesShortWays,
      hasRoom(for: UDPHeader.byteCount &+ payload.byteCount, way: unsafe socket.pointee.wayPlace),
      unsafe socket.pointee.waySerial != 0
    {
      guard unsafe sendDatagram(payload, from: socket, to: socket.pointee.remotePort, way: socket.pointee.wayPlace)
      else { throw .noResources }
      return
    }
    if let remote {
      guard !remote.address.isUnspecified, remote.port != 0, unsafe socket.pointee.canReach(remote.address) else {
        throw .invalidAddress
      }
    }
    // A peer was found good when the socket was connected to it.
    guard let remote = unsafe remote ?? socket.pointee.remote else { throw .notConnected }
    let length = UDPHeader.byteCount &+ payload.byteCount
    guard length <= (remote.address.isIPv4 ? 65_535 - IPv4Header.minimumByteCount : 65_535) else {
      throw .messageTooLong
    }
    let local = unsafe socket.pointee.local
    let source =
      local.address.isUnspecified && remote.address == lastRoute.destination
      ? lastRoute.source ?? local.address : local.address
    guard remote.zone == 0, let place = findWay(from: source, to: remote.address), hasRoom(for: length, way: place)
    else {
      return try sendLongWay(payload, to: remote, from: index)
    }
    if unsafe remote == socket.pointee.remote {
      unsafe socket.pointee.wayPlace = place
      unsafe socket.pointee.waySerial = ways[place].serial
    }
    guard unsafe sendDatagram(payload, from: socket, to: remote.port, way: place) else { throw .noResources }
  }

  /// Sends a datagram, whose size and destination are checked, along the way at `place`.
  @inline(__always)
  private mutating func sendDatagram(
    _ payload: RawSpan, from socket: UnsafeMutablePointer<DatagramSocket>, to port: UInt16, way place: Int
  ) -> Bool {
    let sendsChecksum = unsafe socket.pointee.options.sendsChecksum || !ways[place].isIPv4
    let fields = HeaderFields(
      protocol: .udp, hopLimit: unsafe socket.pointee.options.timeToLive ?? configuration.internet.timeToLive,
      trafficClass: unsafe socket.pointee.options.trafficClass,
      checksumOffset: sendsChecksum ? UDPHeader.checksumOffset : 0)
    return unsafe sendDatagram(payload, from: socket.pointee.local.port, to: port, way: place, fields)
  }

  /// Sends a datagram, whose size and destination are checked, to somebody no way to whom is noted.
  @inline(never)
  private mutating func sendLongWay(
    _ payload: RawSpan, to remote: SocketAddress, from index: UInt32
  ) throws(SocketError) {
    guard let route = findRoute(to: remote.address, zone: zone(of: remote)) else { throw .noRoute }
    if !datagrams[index].options.allowsBroadcast, isBroadcast(remote.address, on: route.interface) {
      throw .invalidAddress
    }
    let local = datagrams[index].local
    guard
      let source = local.address.isUnspecified ? sourceAddress(for: remote.address, by: route.interface) : local.address
    else { throw .noRoute }
    guard var packet = makePacket(copying: payload) else { throw .noResources }
    let options = datagrams[index].options
    let outgoing = Outgoing(
      source: source, destination: remote.address, protocol: .udp,
      hopLimit: options.timeToLive ?? (remote.address.isMulticast ? 1 : configuration.internet.timeToLive),
      trafficClass: options.trafficClass, interface: route.interface, nextHop: route.nextHop)
    packet.prependUDPHeader(from: local.port, to: remote.port)
    if options.sendsChecksum || !remote.address.isIPv4 {
      leaveChecksumPartial(&packet, outgoing, at: UDPHeader.checksumOffset)
    }
    output(packet, outgoing)
  }

  /// A packet with a copy of `payload`: in its own block if it fits, else in a region.
  @inline(__always)
  func makePacket(copying payload: RawSpan) -> Packet? {
    guard var packet = pool.allocate() else { return nil }
    if payload.byteCount <= packet.tailRoom {
      packet.append(copying: payload)
      return packet
    }
    guard let region = pool.allocateRegion(large: true), payload.byteCount <= region.byteCount else { return nil }
    unsafe payload.withUnsafeBytes { source in
      if let base = source.baseAddress { unsafe region.bytes.copyMemory(from: base, byteCount: source.count) }
    }
    packet.append(Slice(region, offset: 0, count: payload.byteCount))
    return packet
  }

  /// Takes the next datagram into `buffer`; nil if none waits.
  ///
  /// A datagram longer than the buffer is cut off, and says so.
  ///
  /// - Throws: an ICMP error that came in for a connected socket.
  public mutating func receiveDatagram(
    from socket: SocketID, into buffer: inout MutableRawSpan
  ) throws(SocketError) -> ReceivedDatagram? {
    guard let packet = try nextDatagram(of: socket) else { return nil }
    var record = packet.record
    record.isTruncated = packet.copyBytes(into: &buffer) < record.byteCount
    return record
  }

  /// Takes the next datagram as it lies in its packet; nil if none waits.
  ///
  /// - Throws: an ICMP error that came in for a connected socket.
  public mutating func receiveDatagram(from socket: SocketID) throws(SocketError) -> DatagramPacket? {
    guard let packet = try nextDatagram(of: socket) else { return nil }
    return DatagramPacket(packet)
  }

  @inline(__always)
  private mutating func nextDatagram(of socket: SocketID) throws(SocketError) -> Packet? {
    let index = try datagramIndex(socket)
    let socket = unsafe datagrams.pointer(at: index)
    if let error = unsafe socket.pointee.error {
      unsafe socket.pointee.error = nil
      throw error
    }
    guard var packet = unsafe socket.pointee.received.popFirst() else { return nil }
    unsafe socket.pointee.receivedByteCount &-= Packet.blockByteCount &+ packet.count &- packet.linearCount
    packet.stripRecord()
    return packet
  }

  mutating func closeDatagram(_ index: UInt32) {
    unindex(index)
    ports.remove(SocketTag(.datagram, index), port: datagrams[index].local.port)
    datagrams.remove(datagrams.tenant(at: index))
  }
}
