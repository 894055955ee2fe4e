import MartletWire

// Urgent data (RFC 9293 section 3.8.5, RFC 6093), corking, and what TCP tells the neighbor cache.

extension Host {
  /// Writes `bytes` and makes them, with all that was written before, urgent: the peer's program is told to read up to
  /// their end. They stay part of the stream, for the peer too if it reads them so (RFC 6093 section 4). New protocols do
  /// not use this (RFC 9293 SHLD-13).
  ///
  /// - Returns: How many bytes there was room for; if not for all, the urgent data ends with those.
  /// - Throws: As ``write(_:to:at:)-(RawSpan,_,_)``.
  public mutating func writeUrgent(
    _ bytes: RawSpan, to socket: SocketID, at now: Instant
  ) throws(SocketError) -> Int {
    self.now = max(self.now, now)
    let index = try connectionIndex(socket)
    let count = try connections[index].tcp.write(bytes, from: pool, at: self.now)
    if count > 0 { connections[index].tcp.markUrgent() }
    update(index)
    return count
  }

  /// How many bytes are still to be read until the peer's urgent data ends (RFC 9293 MUST-33), 0 if there is none. Urgent
  /// data is read in its place in the stream, as with SO_OOBINLINE; ``SocketEvent/Changes/urgent`` tells that some was
  /// announced.
  public func urgentByteCount(of socket: SocketID) throws(SocketError) -> Int {
    max(0, connections[try connectionIndex(socket)].tcp.urgentByteCount ?? 0)
  }

  /// Whether a connection keeps segments that are not full until it is told otherwise, or closed.
  public func isCorked(_ socket: SocketID) throws(SocketError) -> Bool {
    connections[try connectionIndex(socket)].tcp.isCorked
  }

  /// Keeps segments that are not full (`isCorked`), or lets them go.
  public mutating func setCorked(_ isCorked: Bool, of socket: SocketID) throws(SocketError) {
    let index = try connectionIndex(socket)
    connections[index].tcp.isCorked = isCorked
    update(index)
  }

  /// A number for each period of about a second, in which a connection confirms its neighbor once.
  @inline(__always)
  var confirmationPeriod: UInt16 { UInt16(truncatingIfNeeded: now.nanoseconds >> 30) &+ 1 }

  /// The peer of connection `index` hears it: so does the neighbor that its packets go to (RFC 4861 section 7.3.1).
  @inline(never)
  mutating func confirmNeighbor(of index: UInt32) {
    connections[index].confirmedIn = confirmationPeriod
    let flow = connections[index].tcp.flow
    guard
      let route = findRoute(to: flow.remoteAddress, zone: flow.zone == .loopback ? nil : flow.zone),
      route.interface != .loopback
    else { return }
    neighbors.confirmReachability(of: route.nextHop, on: route.interface, at: now)
  }
}
