internal import MartletWire

/// A UDP socket: where it is bound, to whom it is connected, and what waits to be read.
struct DatagramSocket: ~Copyable {
  /// Where it is bound; the unspecified IPv6 address says any of either version, unless ``ipv6Only``.
  var local: SocketAddress
  /// Its peer, if it is connected.
  var remote: SocketAddress?
  var remotePort: UInt16 { remote?.port ?? 0 }
  var options: DatagramOptions
  /// Whether the program asked for an IPv4 socket: IPv6 stays out.
  let isIPv4Only: Bool
  let receiveBufferByteCount: Int
  /// Later sockets with the same address come first.
  let serial: UInt64
  /// Datagrams with what is known of them in front of their payload: ``Packet/takeRecord()``.
  var received = PacketQueue()
  /// The memory of what waits, blocks counted whole.
  var receivedByteCount = 0
  var error: SocketError?
  var changes: SocketEvent.Changes = []
  /// The way to ``remote``: its place, and its serial number or 0 if it is not known.
  var wayPlace = 0
  var waySerial: UInt64 = 0

  /// ``serial`` if the socket has no peer, has `port`, and takes what is sent to `address`; `exact` says whether it has to
  /// be bound to an address.
  @inline(__always)
  func serial(ifFor address: IPAddress, version: IPVersion, port: UInt16, exact: Bool) -> UInt64? {
    guard local.port == port, remote == nil, local.address.isUnspecified != exact,
      accepts(version: version, to: address)
    else { return nil }
    return serial
  }

  /// Whether a socket of its version can send to `address`.
  @inline(__always)
  func canReach(_ address: IPAddress) -> Bool {
    address.isIPv4 ? !options.ipv6Only && (local.address.isUnspecified || local.address.isIPv4) : !isIPv4Only
  }

  /// Whether memory of `cost` bytes is within the socket's bound; one datagram always is.
  @inline(__always)
  func hasRoom(for cost: Int) -> Bool { receivedByteCount &+ cost <= receiveBufferByteCount || received.isEmpty }

  /// Puts a datagram at the end, and returns whether the socket has to be named in an event.
  @inline(__always)
  mutating func take(_ datagram: consuming Packet, cost: Int) -> Bool {
    received.append(datagram)
    receivedByteCount &+= cost
    let isFirst = changes.isEmpty
    changes.insert(.readable)
    return isFirst
  }

  /// Whether a packet of this version and to this address is for the socket.
  @inline(__always)
  func accepts(version: IPVersion, to address: IPAddress) -> Bool {
    if local.address.isUnspecified {
      return version == .v4 ? local.address.isIPv4 || !options.ipv6Only : !isIPv4Only
    }
    return local.address == address
  }
}

/// The socket without address or peer that the last datagram was for: most are like the one before.
struct LastPortBinding: BitwiseCopyable {
  /// 0 when there is none.
  var port: UInt16 = 0
  var version = IPVersion.v4
  /// ``port`` if every IPv4 datagram to it is for the socket, as no socket of the host has an address or a peer; else 0.
  var plainPort: UInt16 = 0
  var index: UInt32 = 0
}

/// A socket for ICMP echo requests and their replies.
struct EchoSocket: ~Copyable {
  let version: IPVersion
  /// What tells its replies from those of others.
  let identifier: UInt16
  var received = PacketQueue()
  var receivedByteCount = 0
  var changes: SocketEvent.Changes = []
}
