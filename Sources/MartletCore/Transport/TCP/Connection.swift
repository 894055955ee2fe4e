internal import MartletWire

/// A TCP connection in its host: the protocol machine, and what the host has to know about it.
struct Connection: ~Copyable {
  var tcp: TCPConnection
  /// The listener it came by, until a program has accepted it.
  var listener: SlabKey?
  /// Whether the handshake with a listener is not yet done.
  var isHalfOpen = false
  /// Whether it stands in the host's list of those with something to send.
  var isPending = false
  var isInTimeWait = false
  /// TTL or hop limit, 0 for the host's.
  var timeToLive: UInt8 = 0
  var trafficClass: UInt8 = 0
  var changes: SocketEvent.Changes = []

  init(tcp: consuming TCPConnection, listener: SlabKey?) {
    self.tcp = tcp
    self.listener = listener
  }
}

/// A socket that waits for connections.
struct Listener: ~Copyable {
  let local: SocketAddress
  let options: ListenerOptions
  /// Whether the program asked for an IPv4 socket: IPv6 stays out.
  let isIPv4Only: Bool
  let serial: UInt64
  /// Connections whose handshake is done, waiting for the program. The backlog bounds them.
  var accepted = Ring<SlabKey>()
  /// Connections in SYN-RECEIVED. The SYN queue bounds them.
  var halfOpenCount = 0
  var changes: SocketEvent.Changes = []

  func accepts(version: IPVersion, to address: IPAddress) -> Bool {
    if local.address.isUnspecified {
      return version == .v4 ? local.address.isIPv4 || !options.ipv6Only : !isIPv4Only
    }
    return local.address == address
  }
}
