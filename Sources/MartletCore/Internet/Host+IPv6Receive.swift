internal import MartletWire

// IPv6 in: header checks (RFC 8200), addresses, extension headers, fragments.

extension Host {
  mutating func receiveIPv6(_ packet: consuming Packet, on interface: InterfaceID) {
    guard packet.makeLinear(IPv6Header.byteCount) else { return drop(packet, .ipTruncated) }
    let header: IPv6Header
    do { header = try IPv6Header(parsing: packet.bytes, packetByteCount: packet.count) } catch {
      let version = packet.bytes.bigEndian(at: 0, as: UInt8.self) >> 4
      return drop(packet, version != 6 ? .ipVersion : error == .truncated ? .ipTruncated : .ipHeaderMalformed)
    }
    let byteCount = IPv6Header.byteCount + Int(header.payloadLength)
    if packet.count > byteCount { packet.truncate(to: byteCount) }
    let source = IPAddress(header.source)
    let destination = IPAddress(header.destination)
    // An IPv4-mapped address on the wire is an attack on whoever keeps IPv4 addresses in that form, as we do.
    if header.destination.isIPv4Mapped || header.source.isIPv4Mapped { return drop(packet, .ipSourceInvalid) }
    var isLocal = true
    if !addresses.isKnownGood(from: source, to: destination, on: interface) {
      if let reason = refusal(ofSource: source, on: interface) { return drop(packet, reason) }
      if header.destination.isLoopback && interface != .loopback { return drop(packet, .ipLoopbackFromWire) }
      isLocal = addresses.isLocal(destination, on: interface)
      guard isLocal || header.destination.isMulticast && isMember(of: header.destination, on: interface) else {
        if forwards { return forwardIPv6(packet, header, on: interface) }
        return drop(packet, .ipNotForUs)
      }
      if isLocal { addresses.noteGood(from: source, to: destination, on: interface) }
    }
    if isLocal && packet.metadata.delivery != .unicast { return drop(packet, .ipBroadcastMismatch) }
    var context = InternetContext(
      source: source, destination: destination, protocol: header.nextHeader, hopLimit: header.hopLimit,
      trafficClass: header.trafficClass.value, interface: interface, headerByteCount: IPv6Header.byteCount,
      isUnicast: isLocal)
    if IPv6ExtensionHeaders.isExtension(header.nextHeader) {
      guard let whole = passExtensionHeaders(packet, header, &context) else { return }
      packet = whole
    }
    packet.removeFirst(context.headerByteCount)
    deliver(packet, context)
  }

  func walkExtensionHeaders(
    of header: IPv6Header, in packet: borrowing Packet
  ) throws(WireError) -> IPv6ExtensionHeaders {
    // Only what is linear can be walked over: the chain, if it is an honest one.
    var header = header
    header.payloadLength = UInt16(min(Int(header.payloadLength), packet.linearCount - IPv6Header.byteCount))
    return try IPv6ExtensionHeaders(
      of: header, in: packet.bytes, limits: .init(headers: configuration.internet.maximumExtensionHeaders))
  }

  /// Walks over the extension headers and puts fragments together; nil when the packet was dropped or has to wait.
  private mutating func passExtensionHeaders(
    _ packet: consuming Packet, _ header: IPv6Header, _ context: inout InternetContext
  ) -> Packet? {
    // The chain has to be in one piece; a datagram whose chain is longer than a block is nobody's honest work.
    _ = packet.makeLinear(min(packet.count, packet.linearCount + packet.tailRoom))
    var header = header
    var hasBeenReassembled = false
    while true {
      let chain: IPv6ExtensionHeaders
      do {
        chain = try walkExtensionHeaders(of: header, in: packet)
      } catch {
        drop(packet, .ipExtensionMalformed)
        return nil
      }
      if let routing = chain.routing, routing.segmentsLeft > 0 {
        // RFC 8200 section 4.4 and RFC 5095: no routing header is processed here.
        let reports = !carriesICMPv6Error(packet)
        packet.removeFirst(IPv6Header.byteCount)
        if reports {
          sendError(.v6(.parameterProblem(code: 0, pointer: UInt32(routing.offset + 2))), about: &packet, context)
        }
        drop(packet, .ipRoutingHeader)
        return nil
      }
      if let problem = chain.problem {
        let reports =
          problem.action == .discardAndReport || problem.action == .discardAndReportUnlessMulticast && context.isUnicast
        let isOwed = reports && !carriesICMPv6Error(packet)
        packet.removeFirst(IPv6Header.byteCount)
        if isOwed {
          sendError(
            .v6(.parameterProblem(code: problem.code.rawValue, pointer: UInt32(problem.pointer))), about: &packet,
            context)
        }
        drop(packet, .ipExtensionUnknown)
        return nil
      }
      if hasBeenReassembled, chain.fragment != nil {
        drop(packet, .ipExtensionUnknown)
        return nil
      }
      guard chain.fragment != nil else {
        context.protocol = chain.upperProtocol
        context.headerByteCount = chain.upperOffset
        return packet
      }
      guard let whole = reassemble(packet, context) else { return nil }
      packet = whole
      hasBeenReassembled = true
      context.wasFragmented = true
      guard let merged = try? IPv6Header(parsing: packet.bytes, packetByteCount: packet.count) else {
        drop(packet, .fragmentMalformed)
        return nil
      }
      header = merged
      if !IPv6ExtensionHeaders.isExtension(header.nextHeader) {
        context.protocol = header.nextHeader
        context.headerByteCount = IPv6Header.byteCount
        return packet
      }
    }
  }
}
