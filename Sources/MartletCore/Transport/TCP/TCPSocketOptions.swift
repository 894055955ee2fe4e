/// What a program may choose for a TCP connection.
public struct TCPSocketOptions: Hashable, Sendable {
  /// Whether small segments go out at once, without waiting for the acknowledgement of the one before (MUST-17).
  public var noDelay = false
  /// Whether keep-alive probes are sent (MUST-24, MUST-25).
  public var keepAlive = false
  /// When probes begin, how far apart they are and how many go unanswered (MUST-27); nil takes the host's.
  public var keepAliveIdle: Duration? = nil
  public var keepAliveInterval: Duration? = nil
  public var keepAliveProbes: Int? = nil
  /// Give up after this long without an acknowledgement (MUST-21); nil takes the host's.
  public var userTimeout: Duration? = nil
  /// How the connection decides how much to have in flight, from its opening on; nil takes the host's.
  public var congestionControl: TCPCongestionControl? = nil
  /// TTL or hop limit (MUST-49); nil takes the host's.
  public var timeToLive: UInt8? = nil
  /// Traffic class (MUST-48, SHLD-21): Diffserv in the upper six bits.
  public var trafficClass: UInt8 = 0
  /// The receive and send buffers, in bytes; nil takes the host's.
  public var receiveBufferByteCount: Int? = nil
  public var sendBufferByteCount: Int? = nil
  /// Whether an IPv6 socket keeps IPv4 out (RFC 3493 section 5.3).
  public var ipv6Only = false

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
