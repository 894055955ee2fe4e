internal import BasicContainers
internal import MartletWire

// ARP (RFC 826), and the solicitations and announcements that ARP and neighbour discovery have in common.

extension Host {
  mutating func receiveARP(_ packet: consuming Packet, on interface: InterfaceID) {
    guard packet.makeLinear(min(packet.count, ARPPacket.byteCount)) else { return drop(packet, .arpMalformed) }
    let arp: ARPPacket
    do { arp = try ARPPacket(parsing: packet.bytes) } catch { return drop(packet, .arpMalformed) }
    let sender = IPAddress(arp.senderProtocolAddress)
    let target = IPAddress(arp.targetProtocolAddress)
    let mac = arp.senderHardwareAddress
    guard mac.isUnicast else { return drop(packet, .arpSpoofed) }
    if addresses.isLocal(sender, on: interface) {
      if mac != interfaces[Int(interface.index)].macAddress {
        noteConflict(over: sender, claimedBy: mac, on: interface)
      }
      return drop(packet, .arpSpoofed)
    }
    let isForUs = addresses.isLocal(target, on: interface)
    var ready = PacketQueue()
    // An address probe (RFC 5227 section 1.1) has no sender to learn.
    if !sender.isUnspecified {
      guard arp.senderProtocolAddress.isUnicast, !addresses.isBroadcast(sender, on: interface) else {
        return drop(packet, .arpSpoofed)
      }
      if sender == target {
        neighbors.receivedAnnouncement(from: sender, mac: mac, on: interface, at: now, ready: &ready)
      } else if arp.operation == .request, isForUs {
        neighbors.receivedRequest(from: sender, mac: mac, on: interface, at: now, ready: &ready)
      } else if arp.operation == .reply, isForUs {
        neighbors.receivedARPReply(from: sender, mac: mac, on: interface, at: now, ready: &ready)
      }
      noteHeard(sender, on: interface)
      sendReady(&ready, to: mac, on: interface)
    }
    guard isForUs else {
      if sender != target { drop(packet, .arpNotForUs) }
      return
    }
    if arp.operation == .request {
      sendARP(
        ARPPacket(
          operation: .reply, senderHardwareAddress: interfaces[Int(interface.index)].macAddress,
          senderProtocolAddress: arp.targetProtocolAddress, targetHardwareAddress: mac,
          targetProtocolAddress: arp.senderProtocolAddress),
        to: mac, on: interface)
    }
  }

  /// Sends the packets that waited for a neighbour.
  mutating func sendReady(_ ready: inout PacketQueue, to mac: MACAddress, on interface: InterfaceID) {
    while let packet = ready.popFirst() { sendFrame(packet, to: mac, on: interface) }
  }

  private mutating func sendARP(_ arp: ARPPacket, to destination: MACAddress, on interface: InterfaceID) {
    guard var packet = pool.allocate() else { return ledger.count(.poolExhausted) }
    packet.extend(ARPPacket.byteCount)
    var bytes = packet.mutableBytes
    arp.write(to: &bytes)
    sendFrame(packet, type: .arp, to: destination, on: interface)
  }

  /// Asks the link who has `address`: by broadcast or to the solicited-node group, or the neighbour itself.
  mutating func solicit(_ address: IPAddress, on interface: InterfaceID, unicastTo mac: MACAddress?) {
    guard let target = address.v4 else {
      return sendNeighborSolicitation(for: address.v6, on: interface, unicastTo: mac)
    }
    guard let source = sourceAddress(for: address, by: interface)?.v4 else { return ledger.count(.ipNoSource) }
    sendARP(
      ARPPacket(
        operation: .request, senderHardwareAddress: interfaces[Int(interface.index)].macAddress,
        senderProtocolAddress: source, targetHardwareAddress: MACAddress(value: 0), targetProtocolAddress: target),
      to: mac ?? .broadcast, on: interface)
  }

  /// Tells the link about one of the host's addresses: gratuitous ARP (RFC 5227 section 3), or an unsolicited neighbour
  /// advertisement (RFC 4861 section 7.2.6).
  mutating func announce(_ address: IPAddress, on interface: InterfaceID) {
    guard let v4 = address.v4 else {
      return sendNeighborAdvertisement(
        of: address.v6, to: IPAddress(IPv6Address.allNodes), linkAddress: nil, isSolicited: false, on: interface)
    }
    sendARP(
      ARPPacket(
        operation: .request, senderHardwareAddress: interfaces[Int(interface.index)].macAddress,
        senderProtocolAddress: v4,
        targetHardwareAddress: MACAddress(value: 0), targetProtocolAddress: v4),
      to: .broadcast, on: interface)
  }

  /// Notes that somebody else claims one of the host's addresses, and defends it now and then (RFC 5227 section 2.4 (b)).
  mutating func noteConflict(over address: IPAddress, claimedBy mac: MACAddress, on interface: InterfaceID) {
    let conflict = conflicts.note(address, claimedBy: mac, on: interface, at: now)
    lastConflict = conflict
    if conflict.isDefended { announce(address, on: interface) }
  }

  /// Repeats solicitations, and gives up neighbours that do not answer.
  mutating func advanceNeighbors() {
    while let action = neighbors.nextAction(at: now) {
      switch consume action {
      case .solicit(let address, let interface, _): solicit(address, on: interface, unicastTo: nil)
      case .probe(let address, let interface, let mac, _): solicit(address, on: interface, unicastTo: mac)
      case .unreachable(let address, let interface, var packets):
        forgetRedirects(to: address, on: interface)
        if routes.noteSilence(of: address, on: interface) { forgetWays() }
        while let packet = packets.popFirst() { reportUnresolved(packet, on: interface) }
      }
    }
  }

  /// Notes that the neighbour at `address` is there: if it is a gateway that did not answer, packets may go its way again.
  mutating func noteHeard(_ address: IPAddress, on interface: InterfaceID) {
    if routes.noteAnswer(of: address, on: interface) { forgetWays() }
  }

  /// Tells the sender of a packet, a socket of this host or who sent it through here, that its neighbour did not answer
  /// (RFC 4861 section 7.2.2, RFC 1122 section 2.4).
  private mutating func reportUnresolved(_ packet: consuming Packet, on interface: InterfaceID) {
    if packet.metadata.interface != .loopback { return reportUndeliverable(packet) }
    let isIPv4 = packet.bytes.bigEndian(at: 0, as: UInt8.self) >> 4 == 4
    if isIPv4 {
      deliverError(
        .v4(.destinationUnreachable(code: .host, nextHopMTU: 0)), quoting: packet, at: 0, from: nil, on: interface)
    } else {
      deliverError(.v6(.destinationUnreachable(code: .address)), quoting: packet, at: 0, from: nil, on: interface)
    }
    drop(packet, .neighborUnresolved)
  }
}
