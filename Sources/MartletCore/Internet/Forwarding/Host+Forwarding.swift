internal import BasicContainers
internal import MartletWire

// Packets for others, by the long way: every question is asked here. The answers that hold for the next packet of the same
// kind are kept as a ``Transit``.

extension Host {
  /// Begins or ceases to forward packets.
  public mutating func setForwarding(_ forwarding: Configuration.Forwarding) {
    self.forwarding = forwarding
    forwards = forwarding.isOn
    if transits.count != (forwards ? Transit.count : 0) {
      transits = FixedArray(repeating: Transit(), count: forwards ? Transit.count : 0)
    }
    redirectsSent = TokenBucket(perSecond: forwarding.redirectsPerSecond, burst: forwarding.redirectBurst)
    forgetRoutes()
  }

  /// Says whether what comes in by `interface` for others is forwarded, if the host forwards at all.
  public mutating func setForwarding(_ isOn: Bool, on interface: InterfaceID) {
    precondition(Int(interface.index) < interfaces.count, "no such interface")
    interfaces[Int(interface.index)].forwards = isOn
    forgetRoutes()
  }

  /// Whether packets of `version` for others that come in by `interface` are forwarded.
  func forwards(_ version: IPVersion, from interface: InterfaceID) -> Bool {
    forwards && forwarding.includes(version) && interfaces[Int(interface.index)].forwards && interface != .loopback
  }

  /// Whether the host listens to the IPv6 multicast group: a router is one of all routers (RFC 4291 section 2.8).
  func isMember(of group: IPv6Address, on interface: InterfaceID) -> Bool {
    addresses.isMember(of: group, on: interface) || group == .allRouters && forwards(.v6, from: interface)
  }

  /// Takes a packet for somebody else, beginning with its header, which is whole and right (RFC 1812 section 5.2.1).
  @inline(never)
  mutating func forwardIPv4(_ packet: consuming Packet, _ header: IPv4Header, on interface: InterfaceID) {
    // What the link sent to everybody is not for a router to spread (RFC 1812 section 5.3.4).
    guard forwards(.v4, from: interface) else { return drop(packet, .ipNotForUs) }
    guard packet.metadata.delivery == .unicast else { return drop(packet, .ipBroadcastMismatch) }
    // RFC 1812 section 5.3.7; link-local addresses stay on their link (RFC 3927 section 7).
    guard header.destination.isUnicast, !header.destination.isLoopback, !header.destination.isLinkLocal else {
      return drop(packet, .forwardDestination)
    }
    guard !header.source.isLinkLocal else { return drop(packet, .forwardSource) }
    let headerByteCount = Int(header.headerByteCount)
    var context = InternetContext(
      source: IPAddress(header.source), destination: IPAddress(header.destination), protocol: header.protocol,
      hopLimit: header.timeToLive, trafficClass: header.trafficClass.value, interface: interface,
      headerByteCount: headerByteCount, isUnicast: true)
    context.isForwarded = true
    guard let hop = nextHop(of: context) else {
      return refuse(packet, context, .v4(.destinationUnreachable(code: .network, nextHopMTU: 0)), .ipNoRoute)
    }
    if hop.reason != nil || hop.isBroadcast { return drop(packet, hop.reason ?? .forwardBroadcast) }
    guard header.timeToLive > 1 else {
      return refuse(packet, context, .v4(.timeExceeded(code: .inTransit)), .forwardHopLimit)
    }
    if headerByteCount > IPv4Header.minimumByteCount {
      switch passOptions(of: &packet, headerByteCount, leavingBy: hop.interface, to: context.destination) {
      case .fine: break
      case .sourceRouted: return drop(packet, .ipSourceRouted)
      case .malformed(let pointer):
        return refuse(packet, context, .v4(.parameterProblem(code: 0, pointer: pointer)), .ipOptionMalformed)
      }
    }
    let mtu = interfaces[Int(hop.interface.index)].mtu
    let isTooLarge = pieceByteCount(of: packet, at: 0, headerByteCount) > mtu
    if isTooLarge, header.flags.contains(.dontFragment) {
      return refuse(
        packet, context, .v4(.destinationUnreachable(code: .fragmentationNeeded, nextHopMTU: UInt16(mtu))), .ipTooBig)
    }
    if hop.interface == interface { redirectSource(of: &packet, context, hop) }
    packet.decrementTimeToLive(at: 0)
    if isTooLarge { return forwardFragments(packet, hop, mtu: mtu) }
    send(packet, context, hop)
  }

  /// Takes a packet for somebody else, beginning with its header, which is right (RFC 8200 section 3). Extension headers are
  /// for its destination to look at (section 4), even hop-by-hop options, as this router knows none.
  @inline(never)
  mutating func forwardIPv6(_ packet: consuming Packet, _ header: IPv6Header, on interface: InterfaceID) {
    guard forwards(.v6, from: interface) else { return drop(packet, .ipNotForUs) }
    guard packet.metadata.delivery == .unicast else { return drop(packet, .ipBroadcastMismatch) }
    guard header.destination.isUnicast, !header.destination.isLinkLocal else {
      return drop(packet, .forwardDestination)
    }
    // RFC 4291 section 2.5.2.
    guard !header.source.isUnspecified else { return drop(packet, .ipSourceInvalid) }
    var context = InternetContext(
      source: IPAddress(header.source), destination: IPAddress(header.destination), protocol: header.nextHeader,
      hopLimit: header.hopLimit, trafficClass: header.trafficClass.value, interface: interface,
      headerByteCount: IPv6Header.byteCount, isUnicast: true)
    context.isForwarded = true
    guard let hop = nextHop(of: context) else {
      return refuse(packet, context, .v6(.destinationUnreachable(code: .noRoute)), .ipNoRoute)
    }
    if let reason = hop.reason { return drop(packet, reason) }
    // Its answer could not come back from another link (RFC 4007 section 9).
    if header.source.isLinkLocal, hop.interface != interface {
      return refuse(packet, context, .v6(.destinationUnreachable(code: .beyondScope)), .forwardSource)
    }
    guard header.hopLimit > 1 else { return refuse(packet, context, .v6(.timeExceeded(code: 0)), .forwardHopLimit) }
    let mtu = interfaces[Int(hop.interface.index)].mtu
    guard pieceByteCount(of: packet, at: 0, IPv6Header.byteCount) <= mtu else {
      return refuse(packet, context, .v6(.packetTooBig(mtu: UInt32(mtu))), .ipTooBig)
    }
    if hop.interface == interface { redirectSource(of: &packet, context, hop) }
    packet.decrementHopLimit(at: 0)
    send(packet, context, hop)
  }
}

// MARK: - Where to

/// Where a packet for somebody else goes.
struct ForwardingHop: BitwiseCopyable {
  var interface: InterfaceID
  var nextHop: IPAddress
  /// Whether it is everybody on the link.
  var isBroadcast = false
  /// Why the packet must not go there.
  var reason: Drop.Reason?
}

extension Host {
  /// Where the route table sends a packet; nil if nowhere. Redirects are for hosts (RFC 4861 section 8.2).
  private func nextHop(of context: InternetContext) -> ForwardingHop? {
    guard let route = routes.lookup(context.destination), route.interface != .loopback else { return nil }
    var hop = ForwardingHop(interface: route.interface, nextHop: route.neighbor(for: context.destination))
    // Directed broadcasts are what smurf attacks are made of (RFC 2644).
    hop.isBroadcast = addresses.isBroadcast(hop.nextHop, on: route.interface)
    if forwarding.checksReversePath, !context.source.isLinkLocal,
      routes.lookup(context.source)?.interface != context.interface
    {
      hop.reason = .forwardReversePath
    }
    return hop
  }

  private mutating func send(_ packet: consuming Packet, _ context: InternetContext, _ hop: ForwardingHop) {
    forwardingCounters.forwardedPackets &+= 1
    forwardingCounters.forwardedBytes &+= UInt64(packet.count)
    if let known = neighbors.lookup(hop.nextHop, on: hop.interface, at: now) {
      noteTransit(of: context, to: hop, mac: known)
      return sendFrame(packet, to: known, on: hop.interface)
    }
    outputToNeighbor(packet, nextHop: hop.nextHop, on: hop.interface)
  }

  /// Sends an IPv4 packet in fragments, which may themselves be of a fragment (RFC 791 section 3.2).
  private mutating func forwardFragments(_ packet: consuming Packet, _ hop: ForwardingHop, mtu: Int) {
    forwardingCounters.forwardedPackets &+= 1
    forwardingCounters.forwardedBytes &+= UInt64(packet.count)
    forwardingCounters.fragmentedPackets &+= 1
    var wholes = PacketQueue()
    if packet.metadata.segmentSize == 0 {
      wholes.append(packet)
    } else if let reason = Segmentation.segment(packet, linkHeaderByteCount: 0, pool: pool, into: &wholes) {
      ledger.count(reason)
    }
    var fragments = PacketQueue()
    while let whole = wholes.popFirst() {
      if let reason = Fragmentation.split(whole, mtu: mtu, identification: 0, pool: pool, into: &fragments) {
        ledger.count(reason)
      }
    }
    while let fragment = fragments.popFirst() {
      outputToNeighbor(fragment, nextHop: hop.nextHop, on: hop.interface)
    }
  }
}

// MARK: - Where not

extension Host {
  /// Tells the sender of a packet, which begins with its IP header, why it goes no further, and drops it.
  private mutating func refuse(
    _ packet: consuming Packet, _ context: InternetContext, _ error: ICMPError, _ reason: Drop.Reason
  ) {
    sendForwardingError(error, about: &packet, context)
    drop(packet, reason)
  }

  /// Sends `error` about a packet that begins with its IP header, unless it is one that errors are not sent about: a later
  /// fragment or an ICMP error (RFC 1812 section 4.3.2.7, RFC 4443 section 2.4 (e)).
  mutating func sendForwardingError(_ error: ICMPError, about packet: inout Packet, _ context: InternetContext) {
    _ = packet.makeLinear(min(packet.count, context.headerByteCount + 8))
    if error.version == .v4 {
      guard packet.bytes.bigEndian(at: 6, as: UInt16.self) & 0x1fff == 0 else { return }
    } else if carriesICMPv6Error(packet) {
      return
    }
    packet.removeFirst(context.headerByteCount)
    if sendError(error, about: &packet, context) { forwardingCounters.sentErrors &+= 1 }
    packet.prepend(context.headerByteCount)
  }

  /// Tells the sender of a packet that came through here that its next hop does not answer (RFC 1812 section 5.2.7.1,
  /// RFC 4443 section 3.1).
  @inline(never)
  mutating func reportUndeliverable(_ packet: consuming Packet) {
    let interface = packet.metadata.interface
    if let header = try? IPv4Header(parsing: packet.bytes, packetByteCount: packet.count) {
      var context = InternetContext(
        source: IPAddress(header.source), destination: IPAddress(header.destination), protocol: header.protocol,
        hopLimit: header.timeToLive, trafficClass: header.trafficClass.value, interface: interface,
        headerByteCount: Int(header.headerByteCount), isUnicast: true)
      context.isForwarded = true
      refuse(packet, context, .v4(.destinationUnreachable(code: .host, nextHopMTU: 0)), .neighborUnresolved)
    } else if let header = try? IPv6Header(parsing: packet.bytes, packetByteCount: packet.count) {
      var context = InternetContext(
        source: IPAddress(header.source), destination: IPAddress(header.destination), protocol: header.nextHeader,
        hopLimit: header.hopLimit, trafficClass: header.trafficClass.value, interface: interface,
        headerByteCount: IPv6Header.byteCount, isUnicast: true)
      context.isForwarded = true
      refuse(packet, context, .v6(.destinationUnreachable(code: .address)), .neighborUnresolved)
    } else {
      drop(packet, .neighborUnresolved)
    }
  }
}

// MARK: - One hop less

extension Packet {
  /// Takes one off the time to live of the IPv4 header at `offset`, and puts its checksum right without summing the rest
  /// (RFC 1624 section 3, equation 3).
  @inline(__always)
  mutating func decrementTimeToLive(at offset: Int) {
    var bytes = mutableBytes
    let word: UInt16 = bytes.bytes.bigEndian(at: offset + 8)
    let old: UInt16 = bytes.bytes.bigEndian(at: offset + IPv4Header.checksumOffset)
    // ~HC + ~m + m', where m' is m - 0x0100.
    let sum = UInt32(~old) + 0xfeff
    bytes.store(bigEndian: word &- 0x0100, at: offset + 8)
    let folded = UInt16(truncatingIfNeeded: (sum & 0xffff) + sum >> 16)
    bytes.store(bigEndian: ~folded, at: offset + IPv4Header.checksumOffset)
  }

  /// Takes one off the hop limit of the IPv6 header at `offset`, which no checksum covers.
  @inline(__always)
  mutating func decrementHopLimit(at offset: Int) {
    var bytes = mutableBytes
    let old: UInt8 = bytes.bytes.bigEndian(at: offset + 7)
    bytes.store(bigEndian: old &- 1, at: offset + 7)
  }
}
