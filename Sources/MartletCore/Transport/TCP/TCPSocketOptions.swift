/// What a program may choose for a TCP connection.
public struct TCPSocketOptions: Hashable, Sendable {
  /// Whether small segments go out at once, without waiting for the acknowledgement of the one before (RFC 9293 MUST-17).
  /// Default false.
  public var noDelay = false
  /// Whether keep-alive probes are sent (RFC 9293 MUST-24, MUST-25). Default false.
  public var keepAlive = false
  /// After how long a silence keep-alive probes begin, in whole milliseconds (RFC 9293 MUST-27); nil takes the host's.
  public var keepAliveIdle: Duration? = nil
  /// How far apart keep-alive probes are, in whole milliseconds; nil takes the host's.
  public var keepAliveInterval: Duration? = nil
  /// How many keep-alive probes go unanswered before the connection is given up, at most 65,535 (RFC 9293 MUST-29); nil
  /// takes the host's.
  public var keepAliveProbes: Int? = nil
  /// Give up after this long without an acknowledgement (MUST-21); nil takes the host's.
  public var userTimeout: Duration? = nil
  /// How the connection decides how much to have in flight, from its opening on; nil takes the host's.
  public var congestionControl: TCPCongestionControl? = nil
  /// What the peer is told by the user timeout option (RFC 5482), and that its own is adopted, unless ``userTimeout`` says
  /// otherwise: the connection then gives up after the longer of both, within 100 s and one hour. 1 s to 32,767 min; in
  /// whole minutes above 32,767 s. Nil, the default, says nothing and adopts nothing.
  public var advertisedUserTimeout: Duration? = nil
  /// Whether a connection that is opened asks for a Fast Open cookie, and sends its first data in the SYN once the host has
  /// one for the peer (RFC 7413). Such data may, if the network duplicates the SYN, reach the peer's program twice (section
  /// 6.1): only for a protocol that bears that. Default false.
  public var fastOpen = false
  /// TTL or hop limit (MUST-49); nil takes the host's.
  public var timeToLive: UInt8? = nil
  /// Traffic class (MUST-48, SHLD-21): Diffserv in the upper six bits.
  public var trafficClass: UInt8 = 0
  /// The receive buffer, 1 byte to 1 GiB, which then never grows; nil takes the host's, which grows as far as
  /// ``Host/Configuration/TCP/maximumReceiveBufferByteCount`` says.
  public var receiveBufferByteCount: Int? = nil
  /// The send buffer, 1 byte to 1 GiB, which then never grows; nil takes the host's, which grows as far as
  /// ``Host/Configuration/TCP/maximumSendBufferByteCount`` says.
  public var sendBufferByteCount: Int? = nil
  /// Whether an IPv6 socket keeps IPv4 out (RFC 3493 section 5.3).
  public var ipv6Only = false

  /// What a program gets that chooses nothing.
  public init() {}
}

/// What a read gave.
public enum ReadResult: Hashable, Sendable, BitwiseCopyable {
  /// So many bytes, at least one.
  case bytes(Int)
  /// Nothing yet; a ``SocketEvent/Changes/readable`` event will say when.
  case wouldBlock
  /// The peer sends no more.
  case endOfStream
}
