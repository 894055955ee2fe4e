public import MartletWire

// Fast Open (RFC 7413) between the host and its connections.

extension Host {
  /// Opens a connection as ``connect(to:from:options:at:)`` does and writes `bytes`, which go out with the SYN if the peer
  /// once gave this host a cookie (``TCPSocketOptions/fastOpen`` is taken for true), or else when the connection stands.
  ///
  /// - Returns: The socket, and how many bytes there was room for in the send buffer.
  /// - Throws: As ``connect(to:from:options:at:)``.
  public mutating func connect(
    to remote: SocketAddress, from local: SocketAddress? = nil, options: TCPSocketOptions = TCPSocketOptions(),
    sending bytes: RawSpan, at now: Instant
  ) throws(SocketError) -> (socket: SocketID, byteCount: Int) {
    var options = options
    options.fastOpen = true
    let socket = try connect(to: remote, from: local, options: options, at: now)
    return (socket, try write(bytes, to: socket, at: now))
  }

  /// A SYN with a Fast Open option opened connection `index` of a listener that wants it.
  mutating func acceptFastOpen(
    _ packet: consuming Packet, _ header: TCPHeader, _ cookie: TCPFastOpenCookie, _ listener: UInt32, _ index: UInt32
  ) {
    let good = cookies.fastOpenCookie(for: connections[index].tcp.flow)
    guard cookie == good else {
      // It asks, or has an old one: what it sent along comes again (section 4.2.2).
      return connections[index].tcp.giveFastOpenCookie(good)
    }
    // Those that stand by now, or are gone, count no more.
    while let first = listeners[listener].fastOpening.popFirst() {
      if connections.contains(first), connections[first.index].tcp.state == .synReceived {
        listeners[listener].fastOpening.append(first)
        break
      }
    }
    guard listeners[listener].fastOpening.count < listeners[listener].options.fastOpenBacklog, packet.count > 0 else {
      return
    }
    listeners[listener].fastOpening.append(connections.tenant(at: index))
    if let reason = connections[index].tcp.receiveFastOpen(header, payload: packet, at: now) { ledger.count(reason) }
    enqueueAccepted(index)
  }

  /// The answer to a SYN of ours that asked for a cookie.
  mutating func learnFastOpen(_ header: TCPHeader, _ options: TCPOptions, _ flow: Flow) {
    guard header.flags.contains([.syn, .ack]), let cookie = options.fastOpenCookie, cookie.byteCount > 0,
      let index = findConnection(flow), connections[index].tcp.state.isSynchronized
    else { return }
    fastOpenCookies.insert(
      FastOpenCache.Entry(
        server: flow.remoteAddress, cookie: cookie,
        maximumSegmentSize: options.maximumSegmentSize ?? (flow.remoteAddress.isIPv4 ? 536 : 1_220)))
  }
}
