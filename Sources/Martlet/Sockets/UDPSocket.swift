public import MartletCore
public import MartletWire

/// A UDP socket (RFC 768).
///
/// Calls may come from anywhere and are fastest on the host's loop. When nobody has the socket any more it is closed.
public final class UDPSocket: Sendable {
  /// A datagram and where it came from.
  public struct Datagram: Sendable {
    /// The payload, or its beginning.
    public var bytes: [UInt8]
    /// Everything else that is known of it.
    public var information: ReceivedDatagram

    /// Who sent it.
    public var source: SocketAddress { information.source }
    /// Whether the payload was longer than was asked for, and the rest is lost.
    public var isTruncated: Bool { information.isTruncated }
  }

  let core: SocketCore

  init(core: SocketCore) { self.core = core }

  /// The host at this end.
  public var host: VirtualHost { core.host }

  /// Sends one datagram; `remote` may be nil when the socket is connected.
  ///
  /// - Throws: ``SocketError/messageTooLong``, ``SocketError/noRoute``, ``SocketError/notConnected``, and for a
  ///   connected socket what ICMP said of an earlier datagram: ``SocketError/refused``,
  /// ``SocketError/unreachable(by:)``.
  public func send(_ bytes: [UInt8], to remote: SocketAddress? = nil) throws(SocketError) {
    let id = core.id
    if core.loop.isCurrent {
      try unsafe send(bytes.span.bytes, to: remote)
    } else {
      try core.withHost { (host, now) throws(SocketError) in
        try unsafe host.send(bytes.span.bytes, to: remote, from: id, at: now)
      }
    }
  }

  /// Sends the UTF-8 of `text` as one datagram.
  public func send(_ text: String, to remote: SocketAddress? = nil) throws(SocketError) {
    try send(Array(text.utf8), to: remote)
  }

  /// Sends one datagram.
  public func send(_ bytes: RawSpan, to remote: SocketAddress? = nil) throws(SocketError) {
    let (loop, box) = (core.loop, core.box)
    guard loop.isCurrent else { return try send([UInt8](copying: bytes), to: remote) }
    guard !core.state.isClosed else { throw loop.isStopping ? .cancelled : .notASocket }
    try box.host.send(bytes, to: remote, from: core.id, at: box.time(at: loop.now))
    loop.touch(box)
    box.copies.fromPrograms &+= UInt64(truncatingIfNeeded: bytes.byteCount)
  }

  /// Waits for a datagram and puts what fits of its payload in `buffer`.
  public func receive(into buffer: inout MutableRawSpan) async throws(SocketError) -> ReceivedDatagram {
    guard core.loop.isCurrent else {
      let datagram = try await receive(upTo: buffer.byteCount)
      for index in datagram.bytes.indices {
        buffer.storeBytes(of: datagram.bytes[index], toByteOffset: index, as: UInt8.self)
      }
      return datagram.information
    }
    while true {
      if let datagram = try receiveNow(into: &buffer) { return datagram }
      try await core.wait(for: .readable, "a datagram")
    }
  }

  /// Waits for a datagram and gives at most `maximum` bytes of its payload.
  public func receive(upTo maximum: Int = 65_535) async throws(SocketError) -> Datagram {
    guard core.loop.isCurrent else {
      return try await core.host.loop.perform { [self] () throws(SocketError) in try await receive(upTo: maximum) }
    }
    while true {
      var information: ReceivedDatagram?
      let bytes = try [UInt8].reading(upTo: maximum) { (buffer) throws(SocketError) -> Int in
        information = try receiveNow(into: &buffer)
        return min(information?.byteCount ?? 0, maximum)
      }
      if let information { return Datagram(bytes: bytes, information: information) }
      try await core.wait(for: .readable, "a datagram")
    }
  }

  @inline(__always)
  private func receiveNow(into buffer: inout MutableRawSpan) throws(SocketError) -> ReceivedDatagram? {
    guard !core.state.isClosed else { throw core.loop.isStopping ? .cancelled : .notASocket }
    let (box, id) = (core.box, core.id)
    let datagram = try box.host.receiveDatagram(from: id, into: &buffer)
    if let datagram { box.copies.toPrograms &+= UInt64(truncatingIfNeeded: min(datagram.byteCount, buffer.byteCount)) }
    return datagram
  }

  /// Fixes the peer: only its datagrams are received, and `send` needs no address.
  public func connect(to remote: SocketAddress) throws(SocketError) {
    let id = core.id
    try core.withHost { (host, _) throws(SocketError) in try host.connectDatagram(id, to: remote) }
  }

  /// Closes the socket; datagrams that wait are lost.
  public func close() { core.close() }

  /// This end.
  public var localAddress: SocketAddress? {
    let core = core
    return core.loop.sync { core.box.host.localAddress(of: core.id) }
  }

  /// The peer, if the socket is connected.
  public var remoteAddress: SocketAddress? {
    let core = core
    return core.loop.sync { core.box.host.remoteAddress(of: core.id) }
  }
}

extension VirtualHost {
  /// Opens a UDP socket at `local`; the unspecified address of IPv6 serves both versions.
  public func bindUDP(
    on local: SocketAddress, options: DatagramOptions = DatagramOptions()
  ) throws(SocketError) -> UDPSocket {
    UDPSocket(core: try open { (host, _) throws(SocketError) in try host.openDatagram(on: local, options: options) })
  }

  /// Opens a UDP socket at `port` of every address, of both versions; port 0 lets the host choose.
  public func bindUDP(on port: UInt16 = 0, options: DatagramOptions = DatagramOptions()) throws(SocketError)
    -> UDPSocket
  {
    try bindUDP(on: SocketAddress(.any(.v6), port: port), options: options)
  }
}
