internal import BasicContainers
internal import MartletWire

/// One Internet host as a value: interfaces, neighbours, routes, IPv4, IPv6, ICMP, UDP, TCP and sockets.
///
/// A host does no I/O and reads no clock. Whoever owns it hands it frames (``receive(_:on:at:)``), tells it the time
/// (``advance(to:)``), and fetches the frames that are to go out (``transmit(from:at:into:)``) and what happened to the
/// sockets (``nextEvent()``). The same calls with the same times and the same seed give the same bytes.
public struct Host: ~Copyable {
  /// The host's name, for people.
  public let name: String
  /// Every bound and default.
  public let configuration: Configuration
  /// Whether dropped packets are kept for ``nextDrop()`` (at most 1,024 of them).
  public var reportsDrops = false

  private let anchor = Anchor()
  let ledger = Drop.Ledger()
  let pool: PacketPool
  var random: RandomStream
  /// The last time the host was told.
  var now = Instant.zero

  // Link
  var interfaces = UniqueArray<Interface>()
  /// A bit for each interface on which a frame may wait; the last one stands for all that have none of their own.
  var waitingInterfaces: UInt64 = 0
  var neighbors: NeighborCache
  var conflicts = ConflictDetector()
  /// The last time somebody else on a link claimed one of the host's addresses (RFC 5227 section 2.4).
  public internal(set) var lastConflict: AddressConflict?
  // Internet
  var addresses = LocalAddresses()
  var routes: RouteTable
  /// Both forgotten by ``forgetRoutes()``.
  var lastRoute = LastRoute()
  let ways = FixedArray(repeating: Way(), count: Way.count)
  var routeGeneration: UInt64 = 1
  /// Whether packets may take the short ways in and out. They come to the same as the long ones, which the tests check by
  /// turning them off; a filter between IP and transports turns them off as well.
  package var takesShortWays = true
  var reassembler: Reassembler
  var pathMTUs: PathMTUCache
  var icmpErrors: TokenBucket
  /// What the host does with packets that are for others.
  public internal(set) var forwarding: Configuration.Forwarding
  /// Whether it forwards anything: the one question that hosts which do not are asked for each packet.
  var forwards: Bool
  /// What became of packets that were for others.
  public internal(set) var forwardingCounters = ForwardingCounters()
  /// Ways of packets through the host; none while it does not forward.
  var transits: FixedArray<Transit>
  var redirects = RedirectTable()
  var redirectsSent: TokenBucket
  var fragmentIdentification: UInt32
  // Sockets
  let flowHash: FlowHash
  let sequenceNumbers: InitialSequenceNumber
  let cookies: SYNCookie
  var cookiesSent: UInt64 = 0
  /// What servers gave this host.
  var fastOpenCookies: FastOpenCache
  var flows = HashIndex()
  var bindings = HashIndex()
  var ports = BoundPorts()
  var ephemeralPorts: EphemeralPorts
  var nextSerial: UInt64 = 0
  var connections: Slab<Connection>
  /// The connection that the last segment was for, if it is still there.
  var lastConnection: UInt32 = 0
  var lastSegment = LastSegment()
  /// What a connection keeps to where its program chose nothing.
  let tcpLimits: TCPLimits
  var listeners: Slab<Listener>
  /// How many of them have an address.
  var addressBoundListenerCount = 0
  var datagrams: Slab<DatagramSocket>
  /// How many of them have a peer, and how many an address: look-ups that nobody needs are not made.
  var connectedDatagramCount = 0
  var addressBoundDatagramCount = 0
  /// Forgotten whenever a datagram socket comes, goes or changes its ends.
  var lastPortBinding = LastPortBinding()
  var echoes: Slab<EchoSocket>
  var connectionTimers = DeadlineHeap()
  var challenges: TokenBucket
  /// Connections that have something to send.
  var pending = Ring<SlabKey>()
  /// Connections in TIME-WAIT, the oldest first: they go when room is short.
  var timeWaits = Ring<SlabKey>()
  var events = Ring<SocketID>()
  /// What TCP produced, on its way to IP; empty between calls.
  var segments = PacketQueue()
  var droppedPackets = PacketQueue()

  /// A host with nothing but its loopback interface (127.0.0.1 and ::1).
  ///
  /// `seed` determines every choice of chance; give it from the system's generator where keys must not be guessed.
  public init(name: String, configuration: Configuration = Configuration(), pool: borrowing PacketPool, seed: UInt64) {
    self.name = name
    self.configuration = configuration
    self.pool = pool.share()
    random = RandomStream(seed: seed, forkedFor: name)
    neighbors = NeighborCache(
      configuration.neighbors, hash: KeyedHash(key0: random.next(), key1: random.next()),
      random: RandomStream(seed: random.next()))
    routes = RouteTable(maximumRoutes: configuration.internet.maximumRoutes)
    reassembler = Reassembler(
      configuration.internet, hash: KeyedHash(key0: random.next(), key1: random.next()))
    pathMTUs = PathMTUCache(
      maximumEntries: configuration.internet.maximumPathMTUEntries,
      lifetime: configuration.internet.pathMTULifetime.inNanoseconds,
      hash: KeyedHash(key0: random.next(), key1: random.next()))
    icmpErrors = TokenBucket(
      perSecond: configuration.internet.icmpErrorsPerSecond, burst: configuration.internet.icmpErrorBurst)
    forwarding = configuration.forwarding
    forwards = configuration.forwarding.isOn
    transits = FixedArray(repeating: Transit(), count: configuration.forwarding.isOn ? Transit.count : 0)
    redirectsSent = TokenBucket(
      perSecond: configuration.forwarding.redirectsPerSecond, burst: configuration.forwarding.redirectBurst)
    challenges = TokenBucket(
      perSecond: configuration.tcp.challengeAcknowledgmentsPerSecond,
      burst: configuration.tcp.challengeAcknowledgmentsPerSecond)
    fragmentIdentification = UInt32(truncatingIfNeeded: random.next())
    flowHash = FlowHash(random.next(), random.next(), random.next(), random.next())
    sequenceNumbers = InitialSequenceNumber(hash: KeyedHash(key0: random.next(), key1: random.next()))
    cookies = SYNCookie(hash: KeyedHash(key0: random.next(), key1: random.next()))
    ephemeralPorts = EphemeralPorts(hash: KeyedHash(key0: random.next(), key1: random.next()))
    fastOpenCookies = FastOpenCache(capacity: configuration.tcp.maximumFastOpenCookies)
    tcpLimits = TCPLimits(configuration.tcp)
    connections = Slab(capacity: configuration.tcp.maximumConnections)
    listeners = Slab(capacity: configuration.tcp.maximumListeners)
    datagrams = Slab(capacity: configuration.datagrams.maximumSockets)
    echoes = Slab(capacity: configuration.datagrams.maximumSockets)
    _ = addInterface(
      InterfaceConfiguration(
        name: "lo", macAddress: MACAddress(value: 0), mtu: 65_535,
        offloads: [.transmitChecksum, .segmentTCPv4, .segmentTCPv6]))
    try? addAddress(AddressInSubnet(.loopback(.v4), prefixLength: 8), to: .loopback)
    try? addAddress(AddressInSubnet(.loopback(.v6), prefixLength: 128), to: .loopback)
  }
}

// MARK: - Time

extension Host {
  /// When ``advance(to:)`` has something to do next.
  ///
  /// Never later than the real deadline; it may be earlier, and then nothing happens.
  public var nextDeadline: Instant? {
    if !pending.isEmpty || !interfaces[0].transmitQueue.isEmpty { return now }
    var earliest = connectionTimers.first
    if let deadline = neighbors.nextDeadline, earliest.map({ deadline < $0 }) ?? true { earliest = deadline }
    if let deadline = reassembler.nextDeadline, earliest.map({ deadline < $0 }) ?? true { earliest = deadline }
    if let deadline = pathMTUs.nextDeadline, earliest.map({ deadline < $0 }) ?? true { earliest = deadline }
    return earliest
  }

  /// Does what is due by `now`, and what earlier calls left to be done: call it after each batch of other calls.
  public mutating func advance(to now: Instant) {
    self.now = max(self.now, now)
    // Mostly nothing is due, and then nothing is called.
    let due = self.now
    if let deadline = connectionTimers.first, deadline <= due { fireConnectionTimers() }
    if let deadline = neighbors.nextDeadline, deadline <= due { advanceNeighbors() }
    if let deadline = reassembler.nextDeadline, deadline <= due { advanceReassembly() }
    if let deadline = pathMTUs.nextDeadline, deadline <= due { pathMTUs.advance(to: due) }
    if !pending.isEmpty || !interfaces[0].transmitQueue.isEmpty { settle() }
  }

  /// Sends what connections have to send and delivers what the host sent to itself, until neither is left.
  ///
  /// A host that talks to itself could go on for ever; past a bound the rest waits for the next call, which
  /// ``nextDeadline`` asks for at once.
  mutating func settle() {
    var rounds = 4_096
    while rounds > 0 {
      flushConnections()
      guard let packet = interfaces[0].transmitQueue.popFirst() else { return }
      interfaces[0].counters.sentPackets &+= 1
      interfaces[0].counters.receivedPackets &+= 1
      receiveLoopback(packet)
      rounds -= 1
    }
  }
}

// MARK: - Frames out

extension Host {
  /// Hands every frame that waits on `interface` to `body`, in order.
  @inlinable
  public mutating func transmit(from interface: InterfaceID, at now: Instant, into body: (consuming Packet) -> Void) {
    prepareTransmit(at: now)
    while let packet = nextFrame(from: interface) { body(packet) }
  }

  /// Whether a frame waits on `interface`, once what connections have to send has been asked for.
  package mutating func hasFrames(on interface: InterfaceID, at now: Instant) -> Bool {
    prepareTransmit(at: now)
    return !interfaces[Int(interface.index)].transmitQueue.isEmpty
  }

  /// The interfaces on which frames may wait, a bit for each by its index; nil if there are too many to tell.
  package mutating func interfacesWithFrames(at now: Instant) -> UInt64? {
    prepareTransmit(at: now)
    // Nobody fetches what the loopback interface has.
    waitingInterfaces &= ~1
    return waitingInterfaces &>> 63 == 0 ? waitingInterfaces : nil
  }

  @usableFromInline mutating func prepareTransmit(at now: Instant) {
    self.now = max(self.now, now)
    if !pending.isEmpty || !interfaces[0].transmitQueue.isEmpty { settle() }
  }

  @usableFromInline mutating func nextFrame(from interface: InterfaceID) -> Packet? {
    let index = Int(interface.index)
    precondition(index > 0 && index < interfaces.count, "no such interface, or the loopback interface")
    guard let packet = interfaces[index].transmitQueue.popFirst() else {
      if index < 63 { waitingInterfaces &= ~(1 &<< UInt64(index)) }
      return nil
    }
    interfaces[index].counters.sentPackets &+= 1
    interfaces[index].counters.sentBytes &+= UInt64(packet.count)
    return packet
  }
}

// MARK: - Events and drops

extension Host {
  /// The next socket to which something happened, with everything that happened to it since it was last named.
  @inlinable
  public mutating func nextEvent() -> SocketEvent? { hasEvents ? takeEvent() : nil }

  @usableFromInline var hasEvents: Bool { !events.isEmpty }

  @usableFromInline mutating func takeEvent() -> SocketEvent? {
    while let socket = events.popFirst() {
      let changes: SocketEvent.Changes
      if socket.kind == .connection {
        guard let connection = unsafe connections.pointer(of: socket.key) else { continue }
        changes = unsafe connection.pointee.changes
        unsafe connection.pointee.changes = []
      } else {
        changes = takeChanges(of: socket)
      }
      if !changes.isEmpty { return SocketEvent(socket: socket, changes: changes) }
    }
    return nil
  }

  /// The next packet that was dropped while ``reportsDrops`` was on, with ``Packet/Metadata-swift.struct/dropReason``.
  public mutating func nextDrop() -> Packet? { droppedPackets.popFirst() }

  /// How often each reason dropped a packet.
  public var drops: Drop.Counters { Drop.Counters(ledger) }

  /// Counts a drop, reports it if someone listens, and lets the packet go.
  @inline(never)
  mutating func drop(_ packet: consuming Packet, _ reason: Drop.Reason) {
    ledger.count(reason)
    guard reportsDrops, droppedPackets.count < 1_024 else { return }
    packet.metadata.dropReason = reason
    droppedPackets.append(packet)
  }
}
