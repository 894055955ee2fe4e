public import MartletWire

// The calls that every kind of socket has.

extension Host {
  /// Lets go of a socket: its name is forgotten at once. A connection goes on until what was written is delivered
  /// (or is reset, if there are bytes nobody read: RFC 9293 SHLD-3).
  public mutating func close(_ socket: SocketID, at now: Instant) {
    self.now = max(self.now, now)
    let index = socket.key.index
    switch socket.kind {
    case .listener: if listeners.contains(socket.key) { closeListener(index) }
    case .connection:
      guard connections.contains(socket.key) else { return }
      connections[index].tcp.close(at: self.now)
      connections[index].changes = []
      update(index)
    case .datagram: if datagrams.contains(socket.key) { closeDatagram(index) }
    case .echo: if echoes.contains(socket.key) { closeEcho(index) }
    }
  }

  /// Ends a connection by a reset, throwing away what is under way; other sockets are closed.
  public mutating func abort(_ socket: SocketID, at now: Instant) {
    guard socket.kind == .connection else { return close(socket, at: now) }
    self.now = max(self.now, now)
    guard connections.contains(socket.key) else { return }
    connections[socket.key.index].tcp.abort(at: self.now)
    connections[socket.key.index].tcp.close(at: self.now)
    connections[socket.key.index].changes = []
    update(socket.key.index)
  }

  /// Why the socket failed, or the last soft error; it is told once.
  public mutating func takeError(of socket: SocketID) -> SocketError? {
    switch socket.kind {
    case .connection: return connections.contains(socket.key) ? connections[socket.key.index].tcp.takeError() : nil
    case .datagram:
      guard datagrams.contains(socket.key) else { return nil }
      let error = datagrams[socket.key.index].error
      datagrams[socket.key.index].error = nil
      return error
    case .listener, .echo: return nil
    }
  }

  /// The local end; nil if the socket is gone.
  public func localAddress(of socket: SocketID) -> SocketAddress? {
    let index = socket.key.index
    switch socket.kind {
    case .listener: return listeners.contains(socket.key) ? listeners[index].local : nil
    case .connection:
      guard connections.contains(socket.key) else { return nil }
      let flow = connections[index].tcp.flow
      return SocketAddress(flow.localAddress, port: flow.localPort, zone: UInt32(flow.zone.index))
    case .datagram: return datagrams.contains(socket.key) ? datagrams[index].local : nil
    case .echo: return nil
    }
  }

  /// The peer; nil if the socket has none.
  public func remoteAddress(of socket: SocketID) -> SocketAddress? {
    let index = socket.key.index
    switch socket.kind {
    case .connection:
      guard connections.contains(socket.key) else { return nil }
      let flow = connections[index].tcp.flow
      return SocketAddress(flow.remoteAddress, port: flow.remotePort, zone: UInt32(flow.zone.index))
    case .datagram: return datagrams.contains(socket.key) ? datagrams[index].remote : nil
    case .listener, .echo: return nil
    }
  }

  /// What could be done with the socket now, without waiting.
  public func readiness(of socket: SocketID) -> SocketEvent.Changes {
    let index = socket.key.index
    switch socket.kind {
    case .listener:
      return listeners.contains(socket.key) && !listeners[index].accepted.isEmpty ? .acceptable : []
    case .connection: return connections.contains(socket.key) ? connections[index].tcp.readiness : .closed
    case .datagram:
      guard datagrams.contains(socket.key) else { return .closed }
      return datagrams[index].received.isEmpty && datagrams[index].error == nil ? .writable : [.readable, .writable]
    case .echo:
      guard echoes.contains(socket.key) else { return .closed }
      return echoes[index].received.isEmpty ? .writable : [.readable, .writable]
    }
  }

  /// Every socket: listeners, connections, datagram sockets, echo sockets, each in the order of their places.
  public func socketTable() -> [SocketStatus] {
    var rows: [SocketStatus] = []
    for index in 0..<listeners.indexBound where listeners.isOccupied(index) {
      rows.append(
        SocketStatus(
          socket: SocketID(.listener, listeners.tenant(at: index)), kind: .listener, local: listeners[index].local,
          remote: nil, state: "LISTEN", receiveQueue: listeners[index].accepted.count, sendQueue: 0))
    }
    for index in 0..<connections.indexBound where connections.isOccupied(index) {
      let flow = connections[index].tcp.flow
      let info = connections[index].tcp.info
      rows.append(
        SocketStatus(
          socket: SocketID(.connection, connections.tenant(at: index)), kind: .tcp,
          local: SocketAddress(flow.localAddress, port: flow.localPort, zone: UInt32(flow.zone.index)),
          remote: SocketAddress(flow.remoteAddress, port: flow.remotePort, zone: UInt32(flow.zone.index)),
          state: info.state.name, receiveQueue: info.receiveQueueByteCount, sendQueue: info.sendQueueByteCount))
    }
    for index in 0..<datagrams.indexBound where datagrams.isOccupied(index) {
      rows.append(
        SocketStatus(
          socket: SocketID(.datagram, datagrams.tenant(at: index)), kind: .udp, local: datagrams[index].local,
          remote: datagrams[index].remote, state: nil, receiveQueue: datagrams[index].receivedByteCount, sendQueue: 0))
    }
    for index in 0..<echoes.indexBound where echoes.isOccupied(index) {
      rows.append(
        SocketStatus(
          socket: SocketID(.echo, echoes.tenant(at: index)), kind: .echo,
          local: SocketAddress(.any(echoes[index].version), port: echoes[index].identifier), remote: nil, state: nil,
          receiveQueue: echoes[index].receivedByteCount, sendQueue: 0))
    }
    return rows
  }

  /// Which socket a packet for this flow would reach and why: the tables in the order they are asked.
  public func explainDemultiplexing(
    protocol kind: SocketStatus.Kind, from remote: SocketAddress, to local: SocketAddress
  ) -> DemultiplexingExplanation {
    let flow = Flow(
      localAddress: local.address, localPort: local.port, remoteAddress: remote.address, remotePort: remote.port,
      zone: InterfaceID(index: UInt16(truncatingIfNeeded: remote.zone)))
    let isTCP = kind == .tcp || kind == .listener
    let exact =
      isTCP
      ? findConnection(flow).map { SocketID(.connection, connections.tenant(at: $0)) }
      : findConnectedDatagram(flow).map { SocketID(.datagram, datagrams.tenant(at: $0)) }
    if let exact { return DemultiplexingExplanation(socket: exact, step: .fiveTuple) }
    for (step, isExact) in [(DemultiplexingExplanation.Step.addressAndPort, true), (.portAlone, false)] {
      let found =
        isTCP
        ? findListener(flow, remote.address.version, exact: isExact).map {
          SocketID(.listener, listeners.tenant(at: $0))
        }
        : boundDatagramSocket(port: local.port, address: local.address, version: remote.address.version, exact: isExact)
          .map { SocketID(.datagram, datagrams.tenant(at: $0)) }
      if let found { return DemultiplexingExplanation(socket: found, step: step) }
    }
    return DemultiplexingExplanation(socket: nil, step: .nobody)
  }
}

/// Why a packet reaches the socket it reaches.
public struct DemultiplexingExplanation: Hashable, Sendable {
  /// The table that knew, in the order they are asked.
  public enum Step: String, Sendable {
    /// Protocol, local address and port, remote address and port.
    case fiveTuple = "five-tuple"
    /// Protocol, local address and local port.
    case addressAndPort = "local address and port"
    /// Protocol and local port.
    case portAlone = "local port alone"
    /// Nobody: TCP is answered by a reset, UDP by an ICMP port unreachable.
    case nobody = "no socket"
  }

  /// The socket, if there is one.
  public var socket: SocketID?
  /// Which table knew it.
  public var step: Step
}
