public import MartletCore

extension TCPSocket {
  /// Records what the connection's sender does and learns: each transmission, acknowledgement, loss and reaction to it,
  /// from now on. What was recorded before is forgotten.
  ///
  /// - Parameter capacity: How many events there is room for, 1 to 1,048,576, about 80 bytes each; when it is used up the
  ///   oldest are overwritten.
  /// - Throws: ``SocketError`` if the socket is closed.
  public func startTrace(capacity: Int = 16_384) throws(SocketError) {
    let id = core.id
    try core.withHost { (host, _) throws(SocketError) in try host.startTrace(of: id, capacity: capacity) }
  }

  /// What was recorded since ``startTrace(capacity:)`` or the last call, which is then forgotten; nil if nothing is being
  /// recorded. To be asked before the socket is closed.
  public func takeTrace() throws(SocketError) -> TCPTrace? {
    let id = core.id
    return try core.withHost { (host, _) throws(SocketError) in try host.takeTrace(of: id) }
  }

  /// Records no more, and forgets what was recorded.
  public func stopTrace() throws(SocketError) {
    let id = core.id
    try core.withHost { (host, _) throws(SocketError) in try host.stopTrace(of: id) }
  }
}
