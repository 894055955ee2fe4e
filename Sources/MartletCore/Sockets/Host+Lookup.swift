internal import MartletWire

// Demultiplexing: keys, hashes and the numbers that stand in the hash indices.

/// A socket's kind and place in 32 bits, as it stands in a ``HashIndex``.
struct SocketTag: BitwiseCopyable {
  let value: UInt32

  init(_ value: UInt32) { self.value = value }
  init(_ kind: SocketID.Kind, _ index: UInt32) { value = UInt32(kind.rawValue) << 29 | index }

  var kind: SocketID.Kind {
    switch value >> 29 {
    case 0: .listener
    case 1: .connection
    case 2: .datagram
    default: .echo
    }
  }
  var index: UInt32 { value & 0x1fff_ffff }
}

extension Host {
  /// The secret hash of a five-tuple: the protocol is that of the kind.
  @inline(__always)
  func hash(of flow: Flow, _ kind: SocketID.Kind) -> UInt64 {
    let ports =
      UInt64(flow.localPort) << 48 | UInt64(flow.remotePort) << 32 | UInt64(flow.zone.index) << 8
      | UInt64(kind.rawValue)
    return flowHash.hash(ports, flow.localAddress, flow.remoteAddress)
  }

  /// The secret hash of a local port with an address, or with none.
  func hash(ofPort port: UInt16, address: IPAddress?, _ kind: SocketID.Kind) -> UInt64 {
    let word = UInt64(port) << 16 | UInt64(kind.rawValue)
    guard let address, !address.isUnspecified else {
      // Only this host's own programs choose ports to be bound: no secret is needed.
      return (word &* 0x9e37_79b9_7f4a_7c15) >> 32
    }
    return flowHash.hash(word, address, address)
  }

  /// Notes changes of a socket, and names it in the next events, once.
  mutating func note(_ changes: SocketEvent.Changes, on socket: SocketID) {
    let index = socket.key.index
    let before: SocketEvent.Changes
    switch socket.kind {
    case .listener:
      before = listeners[index].changes
      listeners[index].changes.formUnion(changes)
    case .connection:
      before = connections[index].changes
      connections[index].changes.formUnion(changes)
    case .datagram:
      before = datagrams[index].changes
      datagrams[index].changes.formUnion(changes)
    case .echo:
      before = echoes[index].changes
      echoes[index].changes.formUnion(changes)
    }
    if before.isEmpty { events.append(socket) }
  }

  mutating func takeChanges(of socket: SocketID) -> SocketEvent.Changes {
    let index = socket.key.index
    let changes: SocketEvent.Changes
    switch socket.kind {
    case .listener:
      guard listeners.contains(socket.key) else { return [] }
      changes = listeners[index].changes
      listeners[index].changes = []
    case .connection:
      guard connections.contains(socket.key) else { return [] }
      changes = connections[index].changes
      connections[index].changes = []
    case .datagram:
      guard datagrams.contains(socket.key) else { return [] }
      changes = datagrams[index].changes
      datagrams[index].changes = []
    case .echo:
      guard echoes.contains(socket.key) else { return [] }
      changes = echoes[index].changes
      echoes[index].changes = []
    }
    return changes
  }
}
