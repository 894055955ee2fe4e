// What a program may have recorded of a connection.

extension Host {
  /// Records what the sender of a connection does and learns: each transmission, acknowledgement, loss and reaction to
  /// it, from now on. What was recorded before is forgotten.
  ///
  /// - Parameter capacity: How many events there is room for, 1 to 1,048,576, about 80 bytes each; when it is used up the
  ///   oldest are overwritten.
  public mutating func startTrace(of socket: SocketID, capacity: Int = 16_384) throws(SocketError) {
    connections[try connectionIndex(socket)].tcp.startTrace(capacity: capacity, at: now)
  }

  /// What was recorded since ``startTrace(of:capacity:)`` or the last call, which is then forgotten; nil if nothing is
  /// being recorded. It is gone when the socket is closed.
  public mutating func takeTrace(of socket: SocketID) throws(SocketError) -> TCPTrace? {
    connections[try connectionIndex(socket)].tcp.takeTrace()
  }

  /// Records no more, and forgets what was recorded.
  public mutating func stopTrace(of socket: SocketID) throws(SocketError) {
    connections[try connectionIndex(socket)].tcp.stopTrace()
  }
}
