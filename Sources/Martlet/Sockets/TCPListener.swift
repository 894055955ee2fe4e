public import MartletCore
public import MartletWire

/// A TCP socket that waits for connections; a sequence of them as well.
public final class TCPListener: Sendable {
  let core: SocketCore

  init(core: SocketCore) { self.core = core }

  /// Waits for a connection and takes it.
  public func accept() async throws(SocketError) -> TCPSocket {
    if core.loop.isCurrent { return try await acceptOnLoop() }
    return try await core.host.loop.perform { [self] () throws(SocketError) -> TCPSocket in try await acceptOnLoop() }
  }

  private func acceptOnLoop() async throws(SocketError) -> TCPSocket {
    let (loop, box) = (core.loop, core.box)
    while true {
      guard !core.state.isClosed else { throw loop.isStopping ? .cancelled : .notASocket }
      if let id = try box.host.accept(from: core.id) {
        loop.touch(box)
        return TCPSocket(core: core.host.adopt(id))
      }
      try await core.wait(for: .acceptable, "a connection to accept")
    }
  }

  /// Stops listening; connections that wait to be accepted are reset.
  public func close() { core.close() }

  /// Where the listener is.
  public var localAddress: SocketAddress? {
    let core = core
    return core.loop.sync { core.box.host.localAddress(of: core.id) }
  }
}

extension TCPListener: AsyncSequence {
  /// Accepts one connection after the other until the listener is closed or the task cancelled.
  public struct AsyncIterator: AsyncIteratorProtocol {
    let listener: TCPListener

    public mutating func next() async throws(SocketError) -> TCPSocket? { try await next(isolation: nil) }

    public mutating func next(isolation actor: isolated (any Actor)?) async throws(SocketError) -> TCPSocket? {
      do throws(SocketError) { return try await listener.accept() } catch {
        if error == .notASocket || error == .cancelled { return nil }
        throw error
      }
    }
  }

  public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(listener: self) }
}

extension VirtualHost {
  /// Listens for TCP connections at `local`; the unspecified address of IPv6 serves both versions (RFC 3493 section
  /// 3.7).
  ///
  /// - Throws: ``SocketError/addressInUse``, ``SocketError/addressNotAvailable``, ``SocketError/noResources``.
  public func listen(
    on local: SocketAddress, options: ListenerOptions = ListenerOptions()
  ) throws(SocketError) -> TCPListener {
    TCPListener(core: try open { (host, _) throws(SocketError) in try host.listen(on: local, options: options) })
  }

  /// Listens for TCP connections at `port` of every address, of both versions; port 0 lets the host choose.
  public func listen(on port: UInt16, options: ListenerOptions = ListenerOptions()) throws(SocketError) -> TCPListener {
    try listen(on: SocketAddress(.any(.v6), port: port), options: options)
  }
}
