internal import BasicContainers
internal import MartletWire

/// Where a packet goes and what its IP header says.
struct Outgoing: BitwiseCopyable {
  var source: IPAddress
  var destination: IPAddress
  var `protocol`: IPProtocol
  var hopLimit: UInt8
  var trafficClass: UInt8 = 0
  /// Whether routers must not fragment it (IPv4; IPv6 routers never do).
  var dontFragment = false
  /// The interface it leaves by.
  var interface: InterfaceID
  /// The neighbour it is handed to.
  var nextHop: IPAddress
}

/// The last answer of the route table: most packets go where the one before went.
struct LastRoute: BitwiseCopyable {
  /// The unspecified address when there is no answer.
  var destination = IPAddress(IPv6Address.any)
  var nextHop = IPAddress(IPv6Address.any)
  var interface = InterfaceID.loopback
  /// Whether the destination is a broadcast address there.
  var isBroadcast = false
  /// The address that packets there are sent from, once somebody asked.
  var source: IPAddress?
}

// The way out: route → IP header → fragments → neighbour → Ethernet → the interface's transmit queue.

extension Host {
  /// Where a packet to `destination` leaves and to whom; nil if no route leads there.
  @inline(__always)
  mutating func findRoute(to destination: IPAddress, zone: InterfaceID?) -> (
    interface: InterfaceID, nextHop: IPAddress
  )? {
    if zone == nil, destination == lastRoute.destination { return (lastRoute.interface, lastRoute.nextHop) }
    guard let found = searchRoute(to: destination, zone: zone) else { return nil }
    if zone == nil, !destination.isUnspecified {
      lastRoute = LastRoute(
        destination: destination, nextHop: found.nextHop, interface: found.interface,
        isBroadcast: addresses.isBroadcast(destination, on: found.interface))
    }
    return found
  }

  /// Whether `destination`, to which a route was just found, is a broadcast address on `interface`.
  @inline(__always)
  func isBroadcast(_ destination: IPAddress, on interface: InterfaceID) -> Bool {
    if destination == lastRoute.destination, interface == lastRoute.interface { return lastRoute.isBroadcast }
    return addresses.isBroadcast(destination, on: interface)
  }

  @inline(never)
  private mutating func searchRoute(
    to destination: IPAddress, zone: InterfaceID?
  ) -> (interface: InterfaceID, nextHop: IPAddress)? {
    if addresses.isLocal(destination, on: zone ?? .loopback) || destination.isLoopback {
      return (.loopback, destination)
    }
    if !destination.isLinkLocal, addresses.contains(destination) { return (.loopback, destination) }
    if destination.isLinkLocal || destination.isMulticast || destination.isLimitedBroadcast {
      // These mean something on one link only; without a zone it is the first one (RFC 4007 section 6).
      guard let interface = zone ?? (interfaces.count > 1 ? InterfaceID(index: 1) : nil) else { return nil }
      if addresses.isLocal(destination, on: interface) { return (.loopback, destination) }
      return (interface, destination)
    }
    if let redirect = redirects.find(destination, on: zone) { return (redirect.interface, redirect.nextHop) }
    guard let route = routes.lookup(destination, on: zone) else { return nil }
    return (route.interface, route.neighbor(for: destination))
  }

  /// The address a packet to `destination` by `interface` is sent from (RFC 6724 section 5).
  mutating func sourceAddress(for destination: IPAddress, by interface: InterfaceID) -> IPAddress? {
    if interface == .loopback { return destination }
    let isLast = destination == lastRoute.destination && interface == lastRoute.interface
    if isLast, let source = lastRoute.source { return source }
    let source = AddressSelection.source(for: destination, leavingBy: interface, from: addresses.entries.span)?.address
      .address
    if isLast { lastRoute.source = source }
    return source
  }

  /// The largest IP packet that reaches `destination` by `interface`, as far as is known.
  @inline(__always)
  func pathMTU(to destination: IPAddress, by interface: InterfaceID) -> Int {
    let link = interfaces[Int(interface.index)].mtu
    guard let estimate = pathMTUs.estimate(for: destination) else { return link }
    return min(link, estimate.mtu)
  }

  /// Puts an IP header in front of a transport's packet and sends it on its way.
  mutating func output(_ packet: consuming Packet, _ outgoing: Outgoing) {
    let interface = Int(outgoing.interface.index)
    let transportByteCount = packet.count
    if let source = outgoing.source.v4, let destination = outgoing.destination.v4 {
      let total = IPv4Header.minimumByteCount + transportByteCount
      guard total <= 65_535 else { return drop(packet, .ipTooBig) }
      let identification = interfaces[interface].nextIdentification
      // An atomic datagram's identification means nothing (RFC 6864 section 4.1), but pieces of a super-segment get
      // numbers in a row, so those are used up as well.
      interfaces[interface].nextIdentification &+= UInt16(
        truncatingIfNeeded: packet.metadata.segmentSize == 0
          ? 1 : 1 + transportByteCount / Int(packet.metadata.segmentSize))
      var header = IPv4Header(
        trafficClass: TrafficClass(value: outgoing.trafficClass), totalLength: UInt16(total),
        identification: identification, flags: outgoing.dontFragment ? .dontFragment : [],
        timeToLive: outgoing.hopLimit, protocol: outgoing.protocol, source: source, destination: destination)
      header.checksum = header.computedChecksum
      packet.prepend(IPv4Header.minimumByteCount)
      var bytes = packet.mutableBytes
      header.write(to: &bytes)
    } else {
      guard transportByteCount <= 65_535 else { return drop(packet, .ipTooBig) }
      let header = IPv6Header(
        trafficClass: TrafficClass(value: outgoing.trafficClass), payloadLength: UInt16(transportByteCount),
        nextHeader: outgoing.protocol, hopLimit: outgoing.hopLimit, source: outgoing.source.v6,
        destination: outgoing.destination.v6)
      packet.prepend(IPv6Header.byteCount)
      var bytes = packet.mutableBytes
      header.write(to: &bytes)
    }
    if outgoing.interface == .loopback {
      // What arrives must not change any more; a device would have copied it.
      guard packet.detachFromFiles() else { return drop(packet, .payloadGone) }
      return enqueue(packet, on: .loopback)
    }
    // A connection knows its path itself, and may probe it with more than others send.
    let mtu =
      packet.metadata.segmentSize != 0
      ? 65_535
      : outgoing.protocol == .tcp
        ? interfaces[interface].mtu : pathMTU(to: outgoing.destination, by: outgoing.interface)
    if packet.count > mtu {
      guard !outgoing.dontFragment else { return drop(packet, .ipTooBig) }
      return outputFragments(packet, outgoing, mtu: mtu)
    }
    if let known = neighbors.lookup(outgoing.nextHop, on: outgoing.interface, at: now) {
      noteWay(of: outgoing, to: known)
      return sendFrame(packet, to: known, on: outgoing.interface)
    }
    outputUnresolved(packet, nextHop: outgoing.nextHop, on: outgoing.interface)
  }

  @inline(never)
  private mutating func outputFragments(_ packet: consuming Packet, _ outgoing: Outgoing, mtu: Int) {
    var fragments = PacketQueue()
    fragmentIdentification &+= 1
    let result = Fragmentation.split(
      packet, mtu: mtu, identification: fragmentIdentification, pool: pool, into: &fragments)
    if let reason = result { ledger.count(reason) }
    while let fragment = fragments.popFirst() {
      outputToNeighbor(fragment, nextHop: outgoing.nextHop, on: outgoing.interface)
    }
  }

  /// Sends an IP packet to a neighbour, or keeps it until the neighbour's address is known.
  mutating func outputToNeighbor(_ packet: consuming Packet, nextHop: IPAddress, on interface: InterfaceID) {
    if let known = neighbors.lookup(nextHop, on: interface, at: now) {
      return sendFrame(packet, to: known, on: interface)
    }
    outputUnresolved(packet, nextHop: nextHop, on: interface)
  }

  @inline(never)
  private mutating func outputUnresolved(
    _ packet: consuming Packet, nextHop: IPAddress, on interface: InterfaceID
  ) {
    let destination: MACAddress
    if nextHop.isMulticast {
      destination = MACAddress(multicast: nextHop)
    } else if addresses.isBroadcast(nextHop, on: interface) {
      destination = .broadcast
    } else {
      var dropped = PacketQueue()
      let resolution = neighbors.resolve(nextHop, on: interface, at: now, queueing: packet, dropped: &dropped)
      while let packet = dropped.popFirst() { drop(packet, resolution.drop ?? .neighborQueueFull) }
      if resolution.solicits { solicit(nextHop, on: interface, unicastTo: nil) }
      return
    }
    sendFrame(packet, to: destination, on: interface)
  }

  /// Puts the Ethernet header in front and the frame into the transmit queue.
  @inline(__always)
  mutating func sendFrame(_ packet: consuming Packet, to destination: MACAddress, on interface: InterfaceID) {
    let version: UInt8 = packet.bytes.bigEndian(at: 0, as: UInt8.self) >> 4
    sendFrame(packet, type: version == 4 ? .ipv4 : .ipv6, to: destination, on: interface)
  }

  mutating func sendFrame(
    _ packet: consuming Packet, type: EtherType, to destination: MACAddress, on interface: InterfaceID
  ) {
    let header = EthernetHeader(
      destination: destination, source: interfaces[Int(interface.index)].macAddress, type: type)
    packet.prepend(EthernetHeader.untaggedByteCount)
    var bytes = packet.mutableBytes
    header.write(to: &bytes)
    finish(packet, on: interface)
  }

  /// Does what the link does not do itself, as late as possible: segmentation and checksums.
  @inline(never)
  mutating func finish(_ packet: consuming Packet, on interface: InterfaceID) {
    let offloads = interfaces[Int(interface.index)].offloads
    let metadata = packet.metadata
    if metadata.segmentSize != 0 {
      let isIPv4 = packet.bytes.bigEndian(at: 12, as: UInt16.self) == EtherType.ipv4.value
      if !offloads.contains(isIPv4 ? .segmentTCPv4 : .segmentTCPv6) {
        let before = interfaces[Int(interface.index)].transmitQueue.count
        guard before < configuration.internet.maximumTransmitQueue else { return drop(packet, .transmitQueueFull) }
        let reason = Segmentation.segment(
          packet, linkHeaderByteCount: EthernetHeader.untaggedByteCount, pool: pool,
          into: &interfaces[Int(interface.index)].transmitQueue)
        noteWaiting(interface)
        if let reason { ledger.count(reason) }
        return
      }
    } else if metadata.checksum == .partial && !offloads.contains(.transmitChecksum) {
      Segmentation.completeChecksum(&packet)
    }
    enqueue(packet, on: interface)
  }

  @inline(__always)
  mutating func enqueue(_ packet: consuming Packet, on interface: InterfaceID) {
    let limit = configuration.internet.maximumTransmitQueue
    noteWaiting(interface)
    if let refused = interfaces[Int(interface.index)].enqueue(packet, limit: limit) {
      drop(refused, .transmitQueueFull)
    }
  }

  @inline(__always)
  mutating func noteWaiting(_ interface: InterfaceID) { waitingInterfaces |= 1 &<< UInt64(min(interface.index, 63)) }

  /// Notes that the transport checksum is to be filled in, and writes the pseudo-header's part of it
  /// (RFC 9293 section 3.1, RFC 8200 section 8.1).
  ///
  /// The packet begins with the transport header.
  @inline(__always)
  func leaveChecksumPartial(_ packet: inout Packet, _ outgoing: Outgoing, at offset: Int) {
    var sum = InternetChecksum()
    sum.addPseudoHeader(
      source: outgoing.source, destination: outgoing.destination, protocol: outgoing.protocol, length: packet.count)
    packet.metadata.checksum = .partial
    packet.metadata.checksumStart = 0
    packet.metadata.checksumOffset = UInt16(offset)
    let folded = sum.foldedSum
    var bytes = packet.mutableBytes
    bytes.store(bigEndian: folded, at: offset)
  }

  /// Whether a received transport checksum is right; the packet begins with the transport header.
  @inline(__always)
  func hasValidChecksum(_ packet: borrowing Packet, _ context: InternetContext) -> Bool {
    switch packet.metadata.checksum {
    // A partial sum comes from a sender on this machine that left it to a device: the bytes never were on a wire.
    case .verified, .partial: return true
    case .unknown, .computed: break
    }
    var sum = InternetChecksum()
    sum.addPseudoHeader(
      source: context.source, destination: context.destination, protocol: context.protocol, length: packet.count)
    packet.addAll(to: &sum)
    return sum.isValid
  }
}
