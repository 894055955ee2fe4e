/// Names one socket of one host; a name is not given twice.
public struct SocketID: Hashable, Sendable, BitwiseCopyable {
  /// What a socket is.
  package enum Kind: UInt8, Sendable, BitwiseCopyable {
    case listener, connection, datagram, echo
  }

  package let kind: Kind
  package let key: SlabKey

  package init(_ kind: Kind, _ key: SlabKey) {
    self.kind = kind
    self.key = key
  }
}

/// What became of a socket since it was last asked.
public struct SocketEvent: Sendable, BitwiseCopyable {
  /// Things a program waits for.
  public struct Changes: OptionSet, Sendable, BitwiseCopyable {
    public let rawValue: UInt16
    @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Bytes, a datagram or the end of the stream can be read.
    @inlinable public static var readable: Changes { Changes(rawValue: 1) }
    /// There is room to write.
    @inlinable public static var writable: Changes { Changes(rawValue: 2) }
    /// A listener has a connection to accept.
    @inlinable public static var acceptable: Changes { Changes(rawValue: 4) }
    /// An active open ended well.
    @inlinable public static var connected: Changes { Changes(rawValue: 8) }
    /// The connection is over, or failed: ask ``Host/error(of:)``.
    @inlinable public static var closed: Changes { Changes(rawValue: 16) }
    /// A soft error (ICMP) was noted: ask ``Host/error(of:)``. RFC 9293 section 3.9.1.8.
    @inlinable public static var softError: Changes { Changes(rawValue: 32) }
    /// Urgent data is announced (RFC 9293 section 3.8.5).
    @inlinable public static var urgent: Changes { Changes(rawValue: 64) }
    /// Everything written was acknowledged.
    @inlinable public static var drained: Changes { Changes(rawValue: 128) }
  }

  /// The socket.
  public var socket: SocketID
  /// What happened to it, several things in one.
  public var changes: Changes
}
