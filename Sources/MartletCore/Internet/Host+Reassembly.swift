internal import MartletWire

// Fragments in: what the reassembler says, told to senders and counters.

extension Host {
  mutating func reassembleIPv4(
    _ packet: consuming Packet, _ header: IPv4Header, on interface: InterfaceID
  ) -> Packet? {
    reassemble(packet, on: interface)
  }

  mutating func reassembleIPv6(
    _ packet: consuming Packet, _ header: IPv6Header, _ chain: IPv6ExtensionHeaders, on interface: InterfaceID
  ) -> Packet? {
    reassemble(packet, on: interface)
  }

  private mutating func reassemble(_ packet: consuming Packet, on interface: InterfaceID) -> Packet? {
    var discarded = PacketQueue()
    switch reassembler.receive(packet, on: interface, at: now, pool: pool, discarded: &discarded) {
    case .complete(let whole):
      dropAll(&discarded, .fragmentTableFull)
      return whole
    case .held:
      dropAll(&discarded, .fragmentTableFull)
      return nil
    case .refused(var fragment, let reason, let pointer):
      dropAll(&discarded, reason)
      if let pointer {
        answer(.v6(.parameterProblem(code: 0, pointer: pointer)), &fragment, on: interface)
      } else if reason == .fragmentTiny, fragment.bytes.bigEndian(at: 0, as: UInt8.self) >> 4 == 6 {
        // RFC 7112 section 3: the first fragment has an incomplete header chain.
        answer(.v6(.parameterProblem(code: 3, pointer: 0)), &fragment, on: interface)
      }
      drop(fragment, reason)
      return nil
    }
  }

  /// Gives up datagrams that waited too long (RFC 1122 section 3.3.2, RFC 8200 section 4.5).
  mutating func advanceReassembly() {
    var discarded = PacketQueue()
    while var timeout = reassembler.nextTimeout(at: now, discarded: &discarded) {
      giveUp(&timeout)
    }
    dropAll(&discarded, .fragmentTimeout)
  }

  private mutating func giveUp(_ timeout: inout Reassembler.Timeout) {
    guard var first = timeout.first.take() else { return }
    let isIPv4 = first.bytes.bigEndian(at: 0, as: UInt8.self) >> 4 == 4
    answer(
      isIPv4 ? .v4(.timeExceeded(code: .duringReassembly)) : .v6(.timeExceeded(code: 1)), &first,
      on: timeout.interface)
    drop(first, .fragmentTimeout)
  }

  /// Tells the sender of a fragment what was wrong with it.
  private mutating func answer(_ error: ICMPError, _ fragment: inout Packet, on interface: InterfaceID) {
    guard let fields = FragmentFields(of: fragment, on: interface) else { return }
    let source = fields.key.source
    let destination = fields.key.destination
    let isIPv4 = source.isIPv4
    let hopLimit: UInt8 = fragment.bytes.bigEndian(at: isIPv4 ? 8 : 7)
    let context = InternetContext(
      source: source, destination: destination, protocol: fields.upperProtocol,
      hopLimit: hopLimit, trafficClass: 0, interface: interface,
      headerByteCount: fields.headerByteCount,
      isUnicast: addresses.isLocal(destination, on: interface))
    fragment.removeFirst(context.headerByteCount)
    sendError(error, about: fragment, context)
    fragment.prepend(context.headerByteCount)
  }

  private mutating func dropAll(_ packets: inout PacketQueue, _ reason: Drop.Reason) {
    while let packet = packets.popFirst() { drop(packet, reason) }
  }
}
