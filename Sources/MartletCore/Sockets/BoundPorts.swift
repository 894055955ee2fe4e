/// Which listeners and datagram sockets have which port: what binding asks, beside the indices that demultiplexing asks.
struct BoundPorts: ~Copyable {
  private var listeners = HashIndex()
  private var datagrams = HashIndex()

  /// Calls `body` with the tag of every listener or datagram socket on `port`.
  func forEachBinding(port: UInt16, _ kind: SocketID.Kind, _ body: (UInt32) -> Void) {
    if kind == .listener {
      listeners.forEach(Self.spread(port), body)
    } else {
      datagrams.forEach(Self.spread(port), body)
    }
  }

  mutating func insert(_ tag: SocketTag, port: UInt16) {
    if tag.kind == .listener {
      listeners.insert(Self.spread(port), place: tag.value)
    } else {
      datagrams.insert(Self.spread(port), place: tag.value)
    }
  }

  mutating func remove(_ tag: SocketTag, port: UInt16) {
    if tag.kind == .listener {
      listeners.remove(Self.spread(port), place: tag.value)
    } else {
      datagrams.remove(Self.spread(port), place: tag.value)
    }
  }

  /// Ports that follow each other are spread over the table; every bit of the product says which port it was.
  private static func spread(_ port: UInt16) -> UInt64 { UInt64(port) &* 0x9e37_79b1 }
}
