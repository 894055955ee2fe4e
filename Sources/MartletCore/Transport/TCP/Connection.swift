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
  /// What it knew of its path's MTU last; see ``PathMTUCache/generation``.
  var pathGeneration: UInt32 = 0
  var changes: SocketEvent.Changes = []
  /// In which second, or so, its neighbor was last confirmed.
  var confirmedIn: UInt16 = 0
  /// Under which deadline it stands in the host's heap; ``Instant/distantFuture`` if it stands nowhere.
  var wakeUp = Instant.distantFuture

  @inline(__always)
  init(tcp: consuming TCPConnection, listener: SlabKey?) {
    self.tcp = tcp
    self.listener = listener
  }

  /// What a turn of its host's sender needs to know of a connection.
  struct Departure: BitwiseCopyable {
    var flow: Flow
    var timeToLive: UInt8
    var trafficClass: UInt8

    /// The traffic class of `segment`, with the mark of those that routers may mark in turn (RFC 3168 section 5).
    @inline(__always)
    func trafficClass(of segment: borrowing Packet) -> UInt8 {
      segment.metadata.isECNCapable ? trafficClass & 0xfc | ECN.capable0.rawValue : trafficClass
    }
  }

  /// Puts what the connection has to send into `segments`, and says where it goes.
  @inline(__always)
  mutating func depart(
    from pool: borrowing PacketPool, at now: Instant, challenges: inout TokenBucket, into segments: inout PacketQueue
  ) -> Departure {
    isPending = false
    if tcp.owesChallenge, !challenges.take(at: now) { tcp.forgetChallenge() }
    tcp.transmit(from: pool, at: now, into: &segments)
    return Departure(flow: tcp.flow, timeToLive: timeToLive, trafficClass: trafficClass)
  }

  /// Whether what changed is told by an event alone.
  @inline(__always)
  var announcesChanges: Bool { listener == nil && tcp.state != .timeWait }

  /// Takes what changed for an event, and returns whether there is none under way yet.
  @inline(__always)
  mutating func takeNews() -> Bool {
    let isFirst = changes.isEmpty
    changes.formUnion(tcp.takeChanges())
    return isFirst
  }

  /// Whether it is to be put with those that have something to send; it is taken for done.
  @inline(__always)
  mutating func takePlaceInLine() -> Bool {
    guard tcp.wantsTransmit, !isPending else { return false }
    isPending = true
    return true
  }

  /// Whether its place in the heap has to move up to ``wakeUp``. Deadlines mostly move away; then the old place is left
  /// until it comes up.
  @inline(__always)
  mutating func movesWakeUp() -> Bool {
    let deadline = tcp.timers.first
    guard deadline < wakeUp else { return false }
    wakeUp = deadline
    return true
  }

  /// Whether its host has anything to do after a call: the answer is mostly no, so it is asked in one place.
  @inline(__always)
  var needsUpdate: Bool {
    tcp.hasChanges || tcp.state == .closed || (tcp.wantsTransmit && !isPending) || tcp.timers.first < wakeUp
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
  /// Connections that data in a SYN opened: those whose handshake is not done, and some others.
  var fastOpening = Ring<SlabKey>()
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
