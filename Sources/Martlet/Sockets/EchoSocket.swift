public import MartletCore
public import MartletWire

/// A socket that sends ICMP echo requests and receives what comes of them: what ping and traceroute are made of.
public final class EchoSocket: Sendable {
  let core: SocketCore

  init(core: SocketCore) { self.core = core }

  /// Sends one echo request.
  ///
  /// - Parameter hopLimit: Its TTL or hop limit; nil takes the host's.
  public func send(
    _ payload: [UInt8] = [], sequence: UInt16, to remote: IPAddress, zone: UInt32 = 0, hopLimit: UInt8? = nil
  ) throws(SocketError) {
    let id = core.id
    try core.withHost { (host, now) throws(SocketError) in
      try unsafe host.sendEcho(
        payload.span.bytes, sequence: sequence, to: SocketAddress(remote, port: 0, zone: zone), hopLimit: hopLimit,
        from: id, at: now)
    }
  }

  /// Waits for an answer, or an error about a request.
  public func receive(upTo maximum: Int = 65_535) async throws(SocketError) -> (echo: ReceivedEcho, bytes: [UInt8]) {
    guard core.loop.isCurrent else {
      return try await core.host.loop.perform { [self] () throws(SocketError) in try await receive(upTo: maximum) }
    }
    while true {
      guard !core.state.isClosed else { throw core.loop.isStopping ? .cancelled : .notASocket }
      var echo: ReceivedEcho?
      let bytes = try [UInt8].reading(upTo: maximum) { (buffer) throws(SocketError) -> Int in
        echo = try core.box.host.receiveEcho(from: core.id, into: &buffer)
        return min(echo?.byteCount ?? 0, maximum)
      }
      if let echo { return (echo, bytes) }
      try await core.wait(for: .readable, "an echo")
    }
  }

  public func close() { core.close() }
}

extension VirtualHost {
  /// Opens a socket for echo requests of `version`.
  public func openEcho(_ version: IPVersion) throws(SocketError) -> EchoSocket {
    EchoSocket(core: try open { (host, _) throws(SocketError) in try host.openEcho(version: version) })
  }

  /// Sends one echo request and waits for its answer, at most `timeout`.
  ///
  /// - Returns: The time there and back.
  /// - Throws: ``SocketError/timedOut(after:)``, ``SocketError/unreachable(by:)``, ``SocketError/noRoute``.
  public func ping(_ remote: IPAddress, timeout: Duration = .seconds(5)) async throws -> Duration {
    let socket = try openEcho(remote.version)
    defer { socket.close() }
    let start = clock.now
    try socket.send(Array("martlet".utf8), sequence: 1, to: remote)
    return try await withTimeout(timeout) {
      let (echo, _) = try await socket.receive()
      guard case .reply = echo.kind else { throw SocketError.unreachable(by: echo.source.address) }
      return start.duration(to: echo.time)
    }
  }
}
