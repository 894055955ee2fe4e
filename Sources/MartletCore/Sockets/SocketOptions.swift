public import MartletWire

/// What a program may choose for a datagram socket.
public struct DatagramOptions: Hashable, Sendable {
  /// Whether another socket with this option may have the same address and port; the last one opened gets the datagrams.
  public var reusesAddress = false
  /// Whether an IPv6 socket keeps IPv4 out (RFC 3493 section 5.3).
  public var ipv6Only = false
  /// TTL or hop limit; nil takes the host's.
  public var timeToLive: UInt8? = nil
  /// Traffic class: Diffserv in the upper six bits, ECN in the lower two.
  public var trafficClass: UInt8 = 0
  /// Whether datagrams may go to a broadcast address.
  public var allowsBroadcast = false
  /// Whether a checksum is sent over IPv4 (RFC 1122 section 4.1.3.4). IPv6 always has one.
  public var sendsChecksum = true
  /// The most bytes that wait to be read; nil takes the host's.
  public var receiveBufferByteCount: Int? = nil

  public init() {}
}

/// What a program may choose for a listener.
public struct ListenerOptions: Hashable, Sendable {
  /// How many accepted connections wait at most (at least 1). Default 128.
  public var backlog = 128
  /// Whether an IPv6 listener keeps IPv4 out (RFC 3493 section 5.3).
  public var ipv6Only = false
  /// Whether the address may be taken while connections of an earlier listener are still there.
  public var reusesAddress = true
  /// Whether clients get Fast Open cookies, and data in a SYN with a good one is accepted at once (RFC 7413). The program may
  /// see such data twice if the network duplicates a SYN (section 6.1). Default false.
  public var fastOpen = false
  /// How many connections at most may exist that data in a SYN opened and whose handshake is not done; SYNs beyond that
  /// open as usual (RFC 7413 section 5.1). Default 64.
  public var fastOpenBacklog = 64
  /// What accepted connections start with.
  public var connection = TCPSocketOptions()

  public init() {}
}

/// A datagram as it was received.
public struct ReceivedDatagram: Hashable, Sendable, BitwiseCopyable {
  /// The whole size of the datagram's payload, in bytes, even when the buffer was smaller.
  public var byteCount: Int
  /// Whether the buffer was smaller and the rest is lost.
  public var isTruncated: Bool
  /// Who sent it.
  public var source: SocketAddress
  /// To which address it was sent.
  public var destination: SocketAddress
  /// The interface it came in by.
  public var interface: InterfaceID
  /// TTL or hop limit as it arrived.
  public var hopLimit: UInt8
  /// Traffic class as it arrived.
  public var trafficClass: UInt8
  /// When it arrived.
  public var time: Instant
}

/// An answer to an echo request, or an error about one.
public struct ReceivedEcho: Hashable, Sendable, BitwiseCopyable {
  /// What came back.
  public enum Kind: Hashable, Sendable, BitwiseCopyable {
    case reply
    case unreachable(code: UInt8)
    case timeExceeded
    case packetTooBig(mtu: Int)
  }

  /// What came back.
  public var kind: Kind
  /// The sequence number of the request.
  public var sequence: UInt16
  /// The payload's size, in bytes, even when the buffer was smaller.
  public var byteCount: Int
  /// Who answered.
  public var source: SocketAddress
  /// TTL or hop limit as it arrived.
  public var hopLimit: UInt8
  /// When it arrived.
  public var time: Instant
}

/// One row of a host's socket table.
public struct SocketStatus: Sendable {
  /// The protocol and role.
  public enum Kind: String, Sendable { case listener, tcp, udp, echo }

  public var socket: SocketID
  public var kind: Kind
  /// The local end; the unspecified address says any.
  public var local: SocketAddress
  /// The remote end; nil says any.
  public var remote: SocketAddress?
  /// TCP's state by the RFC's name, or nil.
  public var state: String?
  /// Bytes (or, for a listener, connections) waiting for the program.
  public var receiveQueue: Int
  /// Bytes written and not yet acknowledged.
  public var sendQueue: Int
}
