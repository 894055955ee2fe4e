public import MartletWire

// The calls of listeners and connections.

extension Host {
  /// Waits for connections on `local`: an unspecified address takes every address (an IPv6 one takes IPv4 too, unless
  /// ``ListenerOptions/ipv6Only``), port 0 takes a free one.
  ///
  /// - Throws: ``SocketError/addressInUse``, ``SocketError/addressNotAvailable``, ``SocketError/invalidAddress`` for a
  ///   multicast or broadcast address, ``SocketError/noResources``.
  public mutating func listen(
    on local: SocketAddress, options: ListenerOptions = ListenerOptions()
  ) throws(SocketError) -> SocketID {
    guard configuration.offersSockets else { throw .offersNoSockets }
    guard !local.address.isMulticast, !local.address.isLimitedBroadcast else { throw .invalidAddress }
    let local = try claim(local, .listener, ipv6Only: options.ipv6Only, reusesAddress: false)
    var options = options
    options.backlog = min(max(1, options.backlog), configuration.tcp.maximumBacklog)
    nextSerial += 1
    let listener = Listener(local: local, options: options, isIPv4Only: local.address.isIPv4, serial: nextSerial)
    guard let key = listeners.insert(listener) else { throw .noResources }
    if !local.address.isUnspecified { addressBoundListenerCount += 1 }
    bindings.insert(
      hash(ofPort: local.port, address: local.address, .listener), place: SocketTag(.listener, key.index).value)
    ports.insert(SocketTag(.listener, key.index), port: local.port)
    return SocketID(.listener, key)
  }

  /// Takes the next connection whose handshake is done; nil if none is.
  public mutating func accept(from listener: SocketID) throws(SocketError) -> SocketID? {
    guard listener.kind == .listener, listeners.contains(listener.key) else { throw .notASocket }
    while let key = listeners[listener.key.index].accepted.popFirst() {
      // It may have been reset while it waited.
      guard connections.contains(key) else { continue }
      connections[key.index].listener = nil
      let socket = SocketID(.connection, key)
      let ready = readiness(of: socket)
      if !ready.isEmpty { note(ready, on: socket) }
      return socket
    }
    return nil
  }

  /// Opens a connection to `remote`, from `local` if it is given. The SYN goes out at once; an event says
  /// ``SocketEvent/Changes/connected`` or ``SocketEvent/Changes/closed``.
  ///
  /// - Throws: ``SocketError/invalidAddress`` for an address that is not one host's or port 0 (MUST-46),
  ///   ``SocketError/noRoute``, ``SocketError/addressNotAvailable``, ``SocketError/addressInUse``,
  ///   ``SocketError/noResources``.
  public mutating func connect(
    to remote: SocketAddress, from local: SocketAddress? = nil, options: TCPSocketOptions = TCPSocketOptions(),
    at now: Instant
  ) throws(SocketError) -> SocketID {
    guard configuration.offersSockets else { throw .offersNoSockets }
    self.now = max(self.now, now)
    guard remote.port != 0, remote.address.isUnicast || remote.address.isLoopback else { throw .invalidAddress }
    guard let route = findRoute(to: remote.address, zone: zone(of: remote)) else { throw .noRoute }
    if isBroadcast(remote.address, on: route.interface) { throw .invalidAddress }
    let localAddress: IPAddress
    if let local, !local.address.isUnspecified {
      guard local.address.version == remote.address.version else { throw .invalidAddress }
      guard local.address.isLoopback || addresses.contains(local.address) else { throw .addressNotAvailable }
      localAddress = local.address
    } else {
      guard let source = sourceAddress(for: remote.address, by: route.interface) else { throw .noRoute }
      localAddress = source
    }
    var flow = Flow(
      localAddress: localAddress, localPort: local?.port ?? 0, remoteAddress: remote.address, remotePort: remote.port,
      zone: remote.address.isLinkLocal ? route.interface : .loopback)
    if flow.localPort == 0 {
      flow.localPort = try ephemeralPort(for: flow)
    } else if isTaken(flow) {
      throw .addressInUse
    }
    guard let maximumSegmentSize = maximumSegmentSize(for: flow) else { throw .noRoute }
    guard let place = unsafe placeForConnection() else { throw .noResources }
    let start = sequenceNumbers.start(of: flow, at: self.now)
    unsafe place.initialize(
      to: Connection(
        tcp: TCPConnection(
          connecting: flow, options: options, configuration: configuration.tcp, initialSequence: start.sequence,
          timestampOffset: start.timestampOffset, maximumSegmentSize: maximumSegmentSize, limits: tcpLimits,
          now: self.now), listener: nil))
    let index = fileConnection(flow, options)
    if options.fastOpen { connections[index].tcp.openFast(fastOpenCookies.find(flow.remoteAddress)) }
    update(index)
    return SocketID(.connection, connections.tenant(at: index))
  }

  /// A port nobody uses towards that peer, in an order an outsider cannot guess (RFC 6056 section 3.3.4). Ports with a
  /// listener are left alone, so that no connection to oneself comes about by chance.
  private mutating func ephemeralPort(for flow: Flow) throws(SocketError) -> UInt16 {
    var generator = ephemeralPorts
    let port = generator.select(for: flow) { port in
      var candidate = flow
      candidate.localPort = port
      var hasListener = false
      ports.forEachBinding(port: port, .listener) { _ in hasListener = true }
      return hasListener || isTaken(candidate)
    }
    ephemeralPorts = generator
    guard let port else { throw .noResources }
    return port
  }

  private func isTaken(_ flow: Flow) -> Bool { findConnection(flow) != nil }

  @inline(__always)
  func connectionIndex(_ socket: SocketID) throws(SocketError) -> UInt32 {
    guard socket.kind == .connection, connections.contains(socket.key) else { throw .notASocket }
    return socket.key.index
  }

  /// The connection that `socket` names, where it stands.
  @unsafe @inline(__always)
  private func connection(_ socket: SocketID) throws(SocketError) -> UnsafeMutablePointer<Connection> {
    guard socket.kind == .connection, let place = unsafe connections.pointer(of: socket.key) else { throw .notASocket }
    return unsafe place
  }

  /// Takes bytes that have arrived, in order, into `buffer`.
  ///
  /// - Throws: why the connection failed, once everything that had arrived is read.
  public mutating func read(
    from socket: SocketID, into buffer: inout MutableRawSpan, at now: Instant
  ) throws(SocketError) -> ReadResult {
    self.now = max(self.now, now)
    let connection = unsafe try connection(socket)
    let result = try unsafe connection.pointee.tcp.read(into: &buffer, at: self.now)
    // Reading may owe the peer a window, and changes nothing else; so does writing.
    if unsafe connection.pointee.takePlaceInLine() { pending.append(socket.key) }
    return result
  }

  /// Hands bytes that have arrived, in order, to `body` where they lie, run by run and at most `maximum`; they are taken,
  /// and the memory is the host's again when `body` returns.
  ///
  /// - Throws: why the connection failed, once everything that had arrived is read.
  public mutating func read(
    from socket: SocketID, upTo maximum: Int, at now: Instant, _ body: (RawSpan) -> Void
  ) throws(SocketError) -> ReadResult {
    self.now = max(self.now, now)
    let connection = unsafe try connection(socket)
    let result = try unsafe connection.pointee.tcp.read(upTo: maximum, at: self.now, body)
    if unsafe connection.pointee.takePlaceInLine() { pending.append(socket.key) }
    return result
  }

  /// What a read would give now: how many bytes, or that it would block, or the end of the stream.
  ///
  /// - Throws: why the connection failed, once everything that had arrived is read.
  @inline(__always)
  package func readable(from socket: SocketID) throws(SocketError) -> ReadResult {
    try connections[try connectionIndex(socket)].tcp.readable()
  }

  /// How many bytes a write would take now.
  @inline(__always)
  package func sendRoom(of socket: SocketID) -> Int {
    guard let index = try? connectionIndex(socket) else { return 0 }
    return connections[index].tcp.sendRoom
  }

  /// Whether nothing more will arrive than what can be read now.
  @inline(__always)
  package func isInputAtEnd(of socket: SocketID) -> Bool {
    guard let index = try? connectionIndex(socket) else { return true }
    return connections[index].tcp.hasEnded
  }

  /// Copies bytes into the send buffer, and returns how many there was room for: 0 when it is full, and then
  /// ``SocketEvent/Changes/writable`` says when there is room again.
  ///
  /// - Throws: ``SocketError/invalidState`` after ``shutdownWrite(_:at:)``, or why the connection failed.
  public mutating func write(_ bytes: RawSpan, to socket: SocketID, at now: Instant) throws(SocketError) -> Int {
    self.now = max(self.now, now)
    let connection = unsafe try connection(socket)
    let count = try unsafe connection.pointee.tcp.write(bytes, from: pool, at: self.now)
    if unsafe connection.pointee.takePlaceInLine() { pending.append(socket.key) }
    return count
  }

  /// Puts a slice into the send buffer by reference, if there is room, and says whether there was.
  ///
  /// - Throws: as ``write(_:to:at:)-(RawSpan,_,_)``.
  public mutating func write(_ slice: consuming Slice, to socket: SocketID, at now: Instant) throws(SocketError) -> Bool
  {
    self.now = max(self.now, now)
    let connection = unsafe try connection(socket)
    let taken = try unsafe connection.pointee.tcp.write(slice, from: pool, at: self.now)
    if unsafe connection.pointee.takePlaceInLine() { pending.append(socket.key) }
    return taken
  }

  /// How many bytes the send buffer has room for, and how many it holds that the peer has not acknowledged.
  ///
  /// - Parameter notifying: Whether ``SocketEvent/Changes/writable`` is to say when some of them are.
  /// - Throws: as ``write(_:to:at:)-(RawSpan,_,_)``.
  package mutating func sendBuffer(
    of socket: SocketID, notifying: Bool
  ) throws(SocketError) -> (room: Int, queued: Int) {
    let index = try connectionIndex(socket)
    let room = try connections[index].tcp.sendRoom(notifying: notifying)
    return (room, connections[index].tcp.queuedByteCount)
  }

  /// Ends the stream to the peer; reading goes on (half-close).
  public mutating func shutdownWrite(_ socket: SocketID, at now: Instant) throws(SocketError) {
    self.now = max(self.now, now)
    let index = try connectionIndex(socket)
    try connections[index].tcp.shutdownWrite(at: self.now)
    update(index)
  }

  /// Changes what a program may choose for a connection.
  public mutating func setOptions(_ options: TCPSocketOptions, of socket: SocketID) throws(SocketError) {
    let index = try connectionIndex(socket)
    connections[index].setOptions(options, at: now)
    update(index)
  }

  /// What was chosen for a connection.
  public func options(of socket: SocketID) throws(SocketError) -> TCPSocketOptions {
    connections[try connectionIndex(socket)].options
  }

  /// A connection's inner state, for people and tools.
  public func info(of socket: SocketID) throws(SocketError) -> TCPInfo {
    connections[try connectionIndex(socket)].tcp.info
  }

  mutating func closeListener(_ index: UInt32) {
    while let key = listeners[index].accepted.popFirst() {
      guard connections.contains(key) else { continue }
      connections[key.index].listener = nil
      connections[key.index].tcp.abort(at: now)
      update(key.index)
    }
    // Connections whose handshake is not done are reset (RFC 9293 section 3.10.4, CLOSE in LISTEN).
    let key = listeners.tenant(at: index)
    var place: UInt32 = 0
    while place < connections.indexBound && listeners[index].halfOpenCount > 0 {
      if connections.isOccupied(place), connections[place].listener == key, connections[place].isHalfOpen {
        connections[place].isHalfOpen = false
        connections[place].listener = nil
        listeners[index].halfOpenCount -= 1
        connections[place].tcp.abort(at: now)
        update(place)
      }
      place += 1
    }
    let local = listeners[index].local
    bindings.remove(
      hash(ofPort: local.port, address: local.address, .listener), place: SocketTag(.listener, index).value)
    ports.remove(SocketTag(.listener, index), port: local.port)
    if !local.address.isUnspecified { addressBoundListenerCount -= 1 }
    listeners.remove(key)
  }
}
