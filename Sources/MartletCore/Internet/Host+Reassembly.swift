internal import MartletWire

// Fragments in: what becomes of them, and who is told.

extension Host {
  /// Takes a fragment; the whole packet if it was the last one missing.
  mutating func reassemble(_ fragment: consuming Packet, _ context: InternetContext) -> Packet? {
    var discarded = PacketQueue()
    let outcome = reassembler.receive(fragment, on: context.interface, at: now, pool: pool, discarded: &discarded)
    switch consume outcome {
    case .complete(let packet):
      dropAll(&discarded, .fragmentTableFull)
      return packet
    case .held:
      dropAll(&discarded, .fragmentTableFull)
      return nil
    case .refused(var packet, let reason, let pointer):
      dropAll(&discarded, reason)
      // A fragment of the wrong length or past the end of the largest packet (RFC 8200 section 4.5), and a first one
      // without the whole header chain (RFC 7112 section 5), are answered.
      if !context.source.isIPv4, pointer != nil || reason == .fragmentTiny {
        packet.removeFirst(context.headerByteCount)
        let code: UInt8 = pointer == nil ? 3 : 0
        sendError(.v6(.parameterProblem(code: code, pointer: pointer ?? 0)), about: &packet, context)
      }
      drop(packet, reason)
      return nil
    }
  }

  private mutating func dropAll(_ packets: inout PacketQueue, _ reason: Drop.Reason) {
    while let packet = packets.popFirst() { drop(packet, reason) }
  }

  /// Gives up datagrams whose fragments did not come, and tells their senders (RFC 792, RFC 4443 section 3.3).
  mutating func advanceReassembly() {
    var discarded = PacketQueue()
    while var timeout = reassembler.nextTimeout(at: now, discarded: &discarded) {
      dropAll(&discarded, .fragmentTimeout)
      let interface = timeout.interface
      guard let first = timeout.first.take() else { continue }
      reportTimeout(first, on: interface)
    }
  }

  private mutating func reportTimeout(_ packet: consuming Packet, on interface: InterfaceID) {
    if let header = try? IPv4Header(parsing: packet.bytes, packetByteCount: packet.count) {
      let destination = IPAddress(header.destination)
      packet.removeFirst(Int(header.headerByteCount))
      sendError(
        .v4(.timeExceeded(code: .duringReassembly)), about: &packet,
        InternetContext(
          source: IPAddress(header.source), destination: destination, protocol: header.protocol,
          hopLimit: header.timeToLive, trafficClass: header.trafficClass.value, interface: interface,
          headerByteCount: Int(header.headerByteCount), isUnicast: addresses.isLocal(destination, on: interface)))
    } else if let header = try? IPv6Header(parsing: packet.bytes, packetByteCount: packet.count) {
      let destination = IPAddress(header.destination)
      packet.removeFirst(IPv6Header.byteCount)
      sendError(
        .v6(.timeExceeded(code: 1)), about: &packet,
        InternetContext(
          source: IPAddress(header.source), destination: destination, protocol: header.nextHeader,
          hopLimit: header.hopLimit, trafficClass: header.trafficClass.value, interface: interface,
          headerByteCount: IPv6Header.byteCount, isUnicast: addresses.isLocal(destination, on: interface)))
    }
    drop(packet, .fragmentTimeout)
  }
}
