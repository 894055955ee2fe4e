internal import BasicContainers
internal import MartletWire

// Neighbour discovery (RFC 4861) as a host does it: solicitations, advertisements, and what routers say of the link.

extension Host {
  /// Takes a message whose checksum is right. The packet begins with the ICMPv6 header.
  mutating func receiveNeighborDiscovery(_ packet: consuming Packet, _ context: InternetContext) {
    // The hop limit shows that no router was on the way (RFC 4861 sections 6.1 and 7.1); fragments are refused (RFC 6980).
    guard context.hopLimit == 255, !context.wasFragmented,
      packet.makeLinear(packet.count), packet.bytes.bigEndian(at: 1, as: UInt8.self) == 0
    else { return drop(packet, .neighborDiscoveryInvalid) }
    let message: NeighborDiscoveryMessage
    do { message = try NeighborDiscoveryMessage(parsing: packet.bytes) } catch {
      return drop(packet, .neighborDiscoveryInvalid)
    }
    let options = linkOptions(of: packet, message)
    switch message {
    case .neighborSolicitation(let target):
      receiveSolicitation(packet, target, source: options.source, context)
    case .neighborAdvertisement(let advertisement):
      receiveAdvertisement(packet, advertisement, target: options.target, context)
    case .routerAdvertisement(let advertisement):
      guard context.source.isLinkLocal else { return drop(packet, .neighborDiscoveryInvalid) }
      noteHeard(context.source, on: context.interface)
      if let mac = options.source {
        var ready = PacketQueue()
        neighbors.receivedRequest(from: context.source, mac: mac, on: context.interface, at: now, ready: &ready)
        sendReady(&ready, to: mac, on: context.interface)
      }
      // No honest router says more than an hour (RFC 4861 section 6.2.1), nor waits a minute between two solicitations;
      // believing it would keep what was forged, and packets that wait, for weeks.
      let reachable = advertisement.reachableTime
      let retransmit = advertisement.retransmissionTimer
      neighbors.setTimers(
        reachable: (1...3_600_000).contains(reachable) ? .milliseconds(Int64(reachable)) : nil,
        retransmit: (1...60_000).contains(retransmit) ? .milliseconds(Int64(retransmit)) : nil,
        on: context.interface)
    case .routerSolicitation:
      // A host that does not forward has nothing to say (RFC 4861 section 6.2.6).
      drop(packet, .icmpUnknownType)
    case .redirect(let target, let destination):
      receiveRedirect(
        packet, of: IPAddress(destination), to: IPAddress(target), linkAddress: options.target, context)
    }
  }

  private struct LinkOptions {
    var source: MACAddress?
    var target: MACAddress?
  }

  private func linkOptions(of packet: borrowing Packet, _ message: NeighborDiscoveryMessage) -> LinkOptions {
    var found = LinkOptions()
    let bytes = packet.bytes
    var options = NDPOptions(parsing: bytes.extracting(min(message.byteCount, bytes.byteCount)..<bytes.byteCount))
    while let option = try? options.nextOption() {
      switch option {
      case .sourceLinkLayerAddress(let mac): found.source = mac
      case .targetLinkLayerAddress(let mac): found.target = mac
      default: break
      }
    }
    return found
  }

  /// RFC 4861 sections 7.1.1 and 7.2.3.
  private mutating func receiveSolicitation(
    _ packet: consuming Packet, _ target: IPv6Address, source mac: MACAddress?, _ context: InternetContext
  ) {
    let isProbe = context.source.isUnspecified
    if isProbe && (mac != nil || !context.destination.v6.isSolicitedNode) {
      return drop(packet, .neighborDiscoveryInvalid)
    }
    guard addresses.isLocal(IPAddress(target), on: context.interface) else { return drop(packet, .arpNotForUs) }
    noteHeard(context.source, on: context.interface)
    if !isProbe, let mac {
      var ready = PacketQueue()
      neighbors.receivedRequest(from: context.source, mac: mac, on: context.interface, at: now, ready: &ready)
      sendReady(&ready, to: mac, on: context.interface)
    }
    sendNeighborAdvertisement(
      of: target, to: isProbe ? IPAddress(IPv6Address.allNodes) : context.source, linkAddress: isProbe ? nil : mac,
      isSolicited: !isProbe, on: context.interface)
  }

  /// RFC 4861 sections 7.1.2 and 7.2.5.
  private mutating func receiveAdvertisement(
    _ packet: consuming Packet, _ advertisement: NeighborDiscoveryMessage.NeighborAdvertisement,
    target mac: MACAddress?,
    _ context: InternetContext
  ) {
    if context.destination.isMulticast && advertisement.isSolicited { return drop(packet, .neighborDiscoveryInvalid) }
    let target = IPAddress(advertisement.target)
    if addresses.isLocal(target, on: context.interface) {
      if let mac, mac != interfaces[Int(context.interface.index)].macAddress {
        noteConflict(over: target, claimedBy: mac, on: context.interface)
      }
      return drop(packet, .arpSpoofed)
    }
    noteHeard(target, on: context.interface)
    var ready = PacketQueue()
    neighbors.receivedReply(
      from: target, mac: mac, on: context.interface, solicited: advertisement.isSolicited,
      override: advertisement.isOverride, isRouter: advertisement.isRouter, at: now, ready: &ready)
    if let mac { sendReady(&ready, to: mac, on: context.interface) }
  }

  mutating func sendNeighborSolicitation(
    for target: IPv6Address, on interface: InterfaceID, unicastTo mac: MACAddress?
  ) {
    let destination = mac == nil ? target.solicitedNodeMulticast : target
    guard let source = sourceAddress(for: IPAddress(target), by: interface) else { return ledger.count(.ipNoSource) }
    sendNeighborDiscovery(
      .neighborSolicitation(target: target),
      option: .sourceLinkLayerAddress(interfaces[Int(interface.index)].macAddress),
      from: source, to: IPAddress(destination), linkAddress: mac ?? MACAddress(multicast: destination), on: interface)
  }

  mutating func sendNeighborAdvertisement(
    of target: IPv6Address, to destination: IPAddress, linkAddress: MACAddress?, isSolicited: Bool,
    on interface: InterfaceID
  ) {
    sendNeighborDiscovery(
      .neighborAdvertisement(
        .init(isRouter: forwards(.v6, from: interface), isSolicited: isSolicited, isOverride: true, target: target)),
      option: .targetLinkLayerAddress(interfaces[Int(interface.index)].macAddress),
      from: IPAddress(target), to: destination, linkAddress: linkAddress, on: interface)
  }

  private mutating func sendNeighborDiscovery(
    _ message: NeighborDiscoveryMessage, option: NDPOption, from source: IPAddress, to destination: IPAddress,
    linkAddress: MACAddress?, on interface: InterfaceID
  ) {
    guard var packet = pool.allocate() else { return ledger.count(.poolExhausted) }
    packet.extend(message.byteCount + 8)
    var bytes = packet.mutableBytes
    message.write(to: &bytes)
    option.write(to: &bytes, at: message.byteCount)
    let outgoing = Outgoing(
      source: source, destination: destination, protocol: .icmpv6, hopLimit: 255, interface: interface,
      nextHop: destination)
    leaveChecksumPartial(&packet, outgoing, at: ICMPv6Message.checksumOffset)
    guard let linkAddress else { return output(packet, outgoing) }
    // The one we answer is not looked up: the question may have come without its address being learnt.
    let header = IPv6Header(
      trafficClass: .bestEffort, payloadLength: UInt16(packet.count), nextHeader: .icmpv6, hopLimit: 255,
      source: source.v6, destination: destination.v6)
    packet.prepend(IPv6Header.byteCount)
    var headerBytes = packet.mutableBytes
    header.write(to: &headerBytes)
    sendFrame(packet, to: linkAddress, on: interface)
  }
}
