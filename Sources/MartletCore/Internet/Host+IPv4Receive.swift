internal import MartletWire

// IPv4 in: header checks (RFC 1122 section 3.2.1), addresses, options, fragments.

extension Host {
  mutating func receiveIPv4(_ packet: consuming Packet, on interface: InterfaceID) {
    guard packet.makeLinear(IPv4Header.minimumByteCount) else { return drop(packet, .ipTruncated) }
    let ihl = Int(packet.bytes.bigEndian(at: 0, as: UInt8.self) & 15) * 4
    if ihl > IPv4Header.minimumByteCount, !packet.makeLinear(ihl) { return drop(packet, .ipTruncated) }
    let header: IPv4Header
    do { header = try IPv4Header(parsing: packet.bytes, packetByteCount: packet.count) } catch {
      if packet.bytes.bigEndian(at: 0, as: UInt8.self) >> 4 != 4 { return drop(packet, .ipVersion) }
      return drop(packet, error == .truncated ? .ipTruncated : .ipHeaderMalformed)
    }
    guard header.isChecksumValid(in: packet.bytes) else { return drop(packet, .ipHeaderChecksum) }
    // Link padding is not data (RFC 1122 section 2.3.3, LL-4).
    if packet.count > Int(header.totalLength) { packet.truncate(to: Int(header.totalLength)) }
    let source = IPAddress(header.source)
    let destination = IPAddress(header.destination)
    let headerByteCount = Int(header.headerByteCount)
    var isLocal = true
    if !addresses.isKnownGood(from: source, to: destination, on: interface) {
      if let reason = refusal(ofSource: source, on: interface) { return drop(packet, reason) }
      if header.destination.isLoopback && interface != .loopback { return drop(packet, .ipLoopbackFromWire) }
      isLocal = addresses.isLocal(destination, on: interface)
      guard
        isLocal || addresses.isBroadcast(destination, on: interface) || header.destination == .allHosts
          || header.destination == .allRouters && forwards(.v4, from: interface)
      else {
        if forwards { return forwardIPv4(packet, header, on: interface) }
        return drop(packet, .ipNotForUs)
      }
      if isLocal { addresses.noteGood(from: source, to: destination, on: interface) }
    }
    // A unicast datagram in a link broadcast is dropped (HR3-39).
    if isLocal && packet.metadata.delivery != .unicast { return drop(packet, .ipBroadcastMismatch) }
    var context = InternetContext(
      source: source, destination: destination, protocol: header.protocol, hopLimit: header.timeToLive,
      trafficClass: header.trafficClass.value, interface: interface, headerByteCount: headerByteCount,
      isUnicast: isLocal)
    if headerByteCount > IPv4Header.minimumByteCount {
      switch checkOptions(of: packet, headerByteCount) {
      case .fine: break
      case .sourceRouted: return drop(packet, .ipSourceRouted)
      case .malformed(let pointer):
        packet.removeFirst(headerByteCount)
        // Never about a later fragment (HR3-19).
        if header.fragmentOffset == 0 {
          sendError(.v4(.parameterProblem(code: 0, pointer: pointer)), about: &packet, context)
        }
        return drop(packet, .ipOptionMalformed)
      }
    }
    if header.isFragment {
      guard let whole = reassemble(packet, context) else { return }
      packet = whole
      guard let merged = try? IPv4Header(parsing: packet.bytes, packetByteCount: packet.count) else {
        return drop(packet, .fragmentMalformed)
      }
      context.headerByteCount = Int(merged.headerByteCount)
      context.wasFragmented = true
    }
    packet.removeFirst(context.headerByteCount)
    deliver(packet, context)
  }

  /// Why nobody can have sent a packet with this source from outside (RFC 1122 section 3.2.1.3).
  func refusal(ofSource source: IPAddress, on interface: InterfaceID) -> Drop.Reason? {
    if interface == .loopback { return nil }
    if source.isLoopback { return .ipLoopbackFromWire }
    if source.isMulticast || addresses.isBroadcast(source, on: interface) { return .ipSourceInvalid }
    if let v4 = source.v4 {
      // 0.0.0.0 is a host that asks for its address; nothing above IP can answer it. 240/4 is nobody's.
      if v4.isThisNetwork || v4.isReserved { return .ipSourceInvalid }
    } else if source.v6.isIPv4Mapped {
      return .ipSourceInvalid
    }
    if addresses.isLocal(source, on: interface) { return .ipSourceSpoofed }
    return nil
  }

  /// Options are looked at and ignored (HR3-14), but for source routes, which are refused, as everybody does.
  private func checkOptions(of packet: borrowing Packet, _ headerByteCount: Int) -> IPv4OptionCheck {
    let bytes = packet.bytes.extracting(IPv4Header.minimumByteCount..<headerByteCount)
    var options = IPv4Options(parsing: bytes)
    do {
      while let option = try options.nextOption() {
        switch option {
        case .looseSourceRoute(let route), .strictSourceRoute(let route):
          // A route that is used up ended here: the datagram is for us (RFC 1122 section 3.2.1.8 (c)).
          if !route.isFull { return .sourceRouted }
        default: break
        }
      }
      return .fine
    } catch {
      return .malformed(pointer: UInt8(IPv4Header.minimumByteCount + options.offset))
    }
  }
}

/// What is the matter with the options of an IPv4 header.
enum IPv4OptionCheck {
  case fine, sourceRouted
  /// `pointer` is the byte at fault, from the header's first.
  case malformed(pointer: UInt8)
}
