internal import BasicContainers
internal import MartletWire

/// An ICMP error of either version.
enum ICMPError: BitwiseCopyable {
  case v4(ICMPv4Message)
  case v6(ICMPv6Message)

  var version: IPVersion {
    switch self {
    case .v4: .v4
    case .v6: .v6
    }
  }
}

// ICMP (RFC 792, RFC 1122 section 3.2.2) and ICMPv6 (RFC 4443).

extension Host {
  mutating func receiveICMPv4(_ packet: consuming Packet, _ context: InternetContext) {
    guard hasValidICMPv4Checksum(packet) else { return drop(packet, .icmpChecksum) }
    guard packet.makeLinear(ICMPv4Message.minimumByteCount) else { return drop(packet, .icmpTruncated) }
    _ = packet.makeLinear(min(packet.count, 128))
    let message: ICMPv4Message
    do { message = try ICMPv4Message(parsing: packet.bytes) } catch { return drop(packet, .icmpTruncated) }
    switch message {
    case .echoRequest(let identifier, let sequence):
      // HR3-27: echo requests to everybody are not answered.
      guard context.isUnicast else { return drop(packet, .icmpBroadcastEcho) }
      answerEcho(packet, context, .v4(.echoReply(identifier: identifier, sequenceNumber: sequence)))
    case .echoReply(let identifier, let sequence):
      receiveEchoReply(packet, context, identifier: identifier, sequence: sequence)
    case .destinationUnreachable, .timeExceeded, .parameterProblem:
      deliverError(.v4(message), quoting: packet, at: message.byteCount, from: context.source, on: context.interface)
    case .sourceQuench: drop(packet, .icmpSourceQuench)  // RFC 6633
    case .redirect(_, let gateway):
      receiveRedirect(packet, to: IPAddress(gateway), quoteAt: message.byteCount, context)
    case .timestampRequest, .timestampReply, .unknown: drop(packet, .icmpUnknownType)
    }
  }

  mutating func receiveICMPv6(_ packet: consuming Packet, _ context: InternetContext) {
    guard hasValidChecksum(packet, context) else { return drop(packet, .icmpChecksum) }
    guard packet.makeLinear(ICMPv6Message.byteCount) else { return drop(packet, .icmpTruncated) }
    _ = packet.makeLinear(min(packet.count, 128))
    let message: ICMPv6Message
    do { message = try ICMPv6Message(parsing: packet.bytes) } catch { return drop(packet, .icmpTruncated) }
    switch message {
    case .echoRequest(let identifier, let sequence):
      guard !context.source.isUnspecified else { return drop(packet, .ipSourceInvalid) }
      // RFC 4443 section 4.2 lets a node answer requests to a multicast address; the kernel does.
      answerEcho(packet, context, .v6(.echoReply(identifier: identifier, sequenceNumber: sequence)))
    case .echoReply(let identifier, let sequence):
      receiveEchoReply(packet, context, identifier: identifier, sequence: sequence)
    case .destinationUnreachable, .packetTooBig, .timeExceeded, .parameterProblem:
      deliverError(
        .v6(message), quoting: packet, at: ICMPv6Message.byteCount, from: context.source, on: context.interface)
    case .other(let type, _, _):
      if type.isNeighborDiscovery { return receiveNeighborDiscovery(packet, context) }
      drop(packet, .icmpUnknownType)
    }
  }

  private func hasValidICMPv4Checksum(_ packet: borrowing Packet) -> Bool {
    if packet.metadata.checksum == .verified { return true }
    var sum = InternetChecksum()
    sum.add(packet.bytes)
    for index in 0..<packet.sliceCount { sum.add(packet.slice(at: index)) }
    return sum.isValid
  }

  /// Sends the request back as a reply, with the same data (HR3-26).
  private mutating func answerEcho(_ packet: consuming Packet, _ context: InternetContext, _ reply: ICMPError) {
    let isIPv4 = context.source.isIPv4
    let source = context.isUnicast ? context.destination : sourceAddress(for: context.source, by: context.interface)
    guard let source else { return drop(packet, .ipNoSource) }
    guard let route = findRoute(to: context.source, zone: context.source.isLinkLocal ? context.interface : nil) else {
      return drop(packet, .ipNoRoute)
    }
    packet.metadata = Packet.Metadata()
    var bytes = packet.mutableBytes
    bytes.store(bigEndian: UInt8(isIPv4 ? 0 : 129), at: 0)
    bytes.store(bigEndian: UInt16(0), at: 2)
    let outgoing = Outgoing(
      source: source, destination: context.source, protocol: context.protocol,
      hopLimit: configuration.internet.timeToLive, trafficClass: context.trafficClass, interface: route.interface,
      nextHop: route.nextHop)
    sendICMP(packet, outgoing)
  }

  /// Sends an ICMP message whose checksum field is zero.
  mutating func sendICMP(_ packet: consuming Packet, _ outgoing: Outgoing) {
    if outgoing.protocol == .icmpv6 {
      leaveChecksumPartial(&packet, outgoing, at: ICMPv6Message.checksumOffset)
    } else {
      // ICMP over IPv4 has no pseudo-header: the field itself begins at zero.
      packet.metadata.checksum = .partial
      packet.metadata.checksumStart = 0
      packet.metadata.checksumOffset = UInt16(ICMPv4Message.checksumOffset)
      // Devices fill in TCP and UDP only.
      Segmentation.completeChecksum(&packet)
    }
    if packet.metadata.checksum == .partial { Segmentation.completeChecksum(&packet) }
    output(packet, outgoing)
  }
}

// MARK: - Errors we send

extension Host {
  /// Tells the sender of `packet` what was wrong with it, if it is one who should be told (RFC 1122 section 3.2.2,
  /// RFC 4443 section 2.4 (e)), and not more often than the bound.
  ///
  /// The packet begins with its transport header; the IP header still stands in front. Returns whether anything was sent.
  @discardableResult
  mutating func sendError(_ error: ICMPError, about packet: inout Packet, _ context: InternetContext) -> Bool {
    guard context.source.isUnicast, mayAnswerWithError(packet, error, context) else { return false }
    guard icmpErrors.take(at: now) else { return note(.icmpRateLimited) }
    guard let route = findRoute(to: context.source, zone: context.source.isLinkLocal ? context.interface : nil) else {
      return note(.ipNoRoute)
    }
    // A router speaks from the interface that the message leaves by (RFC 1812 section 4.3.2.4, RFC 4443 section 2.2).
    let source =
      context.isForwarded
      ? sourceAddress(for: context.source, by: route.interface)
      : context.isUnicast ? context.destination : sourceAddress(for: context.source, by: context.interface)
    guard let source else { return note(.ipNoSource) }
    guard var reply = pool.allocate() else { return note(.poolExhausted) }
    // Quotes are unchanged (HR3-18); a checksum that its sender left to a device is one nobody ever wrote.
    Segmentation.completeChecksum(&packet)
    let isIPv4 = context.source.isIPv4
    // As much of the packet as fits into what every link carries: 576 (RFC 1812 section 4.3.2.3) or 1,280 bytes.
    let limit = (isIPv4 ? 576 - IPv4Header.minimumByteCount : 1_280 - IPv6Header.byteCount) - 8
    let quoted = min(limit, context.headerByteCount + packet.count)
    reply.extend(8 + quoted)
    var bytes = reply.mutableBytes
    switch error {
    case .v4(let message): message.write(to: &bytes)
    case .v6(let message): message.write(to: &bytes)
    }
    bytes.store(bigEndian: UInt16(0), at: 2)
    let fromHeader = min(quoted, context.headerByteCount)
    unsafe (reply.pointer + 8).copyMemory(from: packet.pointer - context.headerByteCount, byteCount: fromHeader)
    if quoted > fromHeader {
      unsafe packet.copyBytes(from: 0, count: quoted - fromHeader, to: reply.pointer + 8 + fromHeader)
    }
    sendICMP(
      reply,
      Outgoing(
        source: source, destination: context.source, protocol: isIPv4 ? .icmpv4 : .icmpv6,
        hopLimit: configuration.internet.timeToLive, trafficClass: trafficClass(ofErrorAbout: context),
        interface: route.interface, nextHop: route.nextHop))
    return true
  }

  /// What a router says has the packet's type of service, and goes first (RFC 1812 section 4.3.2.5).
  private func trafficClass(ofErrorAbout context: InternetContext) -> UInt8 {
    context.isForwarded && context.source.isIPv4 ? 0xc0 | context.trafficClass & 0x1c : 0
  }

  /// Counts why no error was sent.
  private func note(_ reason: Drop.Reason) -> Bool {
    ledger.count(reason)
    return false
  }

  private func mayAnswerWithError(_ packet: borrowing Packet, _ error: ICMPError, _ context: InternetContext) -> Bool {
    switch error {
    case .v4:
      guard context.isUnicast else { return false }
      guard context.protocol == .icmpv4 else { return true }
      // Never an error about an error.
      guard packet.linearCount > 0 else { return false }
      let type: UInt8 = packet.bytes.bigEndian(at: 0)
      return type == 0 || type == 8
    case .v6(let message):
      if !context.isUnicast {
        // RFC 4443 section 2.4 (e.3): packet too big, and unrecognized options that ask for it.
        switch message {
        case .packetTooBig: break
        case .parameterProblem(let code, _) where code == IPv6HeaderProblem.Code.unrecognizedOption.rawValue: break
        default: return false
        }
      }
      guard context.protocol == .icmpv6 else { return true }
      guard packet.linearCount > 0 else { return false }
      return packet.bytes.bigEndian(at: 0, as: UInt8.self) >= 128
    }
  }
}

extension Host {
  /// Whether `packet`, which begins with its IPv6 header, carries an ICMPv6 error behind its extension headers: then no
  /// error is sent about it (RFC 4443 section 2.4 (e.1)).
  func carriesICMPv6Error(_ packet: borrowing Packet) -> Bool {
    let bytes = packet.bytes
    guard let chain = HeaderChain(of: bytes) else { return false }
    var offset = chain.upperOffset
    var upperProtocol = chain.upperProtocol
    if upperProtocol == .fragment, bytes.byteCount >= offset + FragmentHeader.byteCount {
      let fragment = FragmentHeader(reading: bytes, at: offset)
      guard fragment.offset == 0 else { return false }
      upperProtocol = fragment.nextHeader
      offset += FragmentHeader.byteCount
    }
    return upperProtocol == .icmpv6 && offset < bytes.byteCount && bytes.bigEndian(at: offset, as: UInt8.self) < 128
  }
}

// MARK: - Errors we receive

/// What an ICMP error means for the transport it quotes.
enum QuotedError: BitwiseCopyable {
  /// Nobody listens there (port or protocol unreachable).
  case refused
  /// It cannot be reached for now: a hint from a router, not proof (HR3-22); without one, this host's own finding that
  /// the neighbour does not answer.
  case unreachable(by: IPAddress?)
  /// `reported` is the next hop's MTU, 0 from routers older than RFC 1191.
  case packetTooBig(reported: Int)
  case timeExceeded(by: IPAddress?)
  case other
}

extension Host {
  /// Hands an error to the socket whose packet it quotes (HR3-20). `packet` has the quoted IP packet at `offset`.
  mutating func deliverError(
    _ error: ICMPError, quoting packet: borrowing Packet, at offset: Int, from reporter: IPAddress?,
    on interface: InterfaceID
  ) {
    guard let quote = Quote(parsing: packet.bytes, at: offset), quote.source.version == error.version,
      addresses.isLocal(quote.source, on: interface)
    else { return ledger.count(.icmpErrorUnmatched) }
    let meaning = meaning(of: error, quote, from: reporter)
    switch quote.protocol {
    case .tcp: deliverTCPError(meaning, quote, on: interface)
    case .udp: deliverUDPError(meaning, quote, on: interface)
    case .icmpv4, .icmpv6: deliverEchoError(error, quote, from: reporter)
    default: ledger.count(.icmpErrorUnmatched)
    }
  }

  private func meaning(of error: ICMPError, _ quote: Quote, from reporter: IPAddress?) -> QuotedError {
    switch error {
    case .v4(.destinationUnreachable(let code, let mtu)):
      switch code {
      case .port, .protocol: return .refused
      case .fragmentationNeeded: return .packetTooBig(reported: Int(mtu))
      default: return .unreachable(by: reporter)
      }
    case .v4(.timeExceeded): return .timeExceeded(by: reporter)
    case .v6(.destinationUnreachable(let code)): return code == .port ? .refused : .unreachable(by: reporter)
    case .v6(.packetTooBig(let mtu)): return .packetTooBig(reported: Int(min(mtu, 65_535)))
    case .v6(.timeExceeded): return .timeExceeded(by: reporter)
    case .v6(.parameterProblem(let code, _))
    where code == IPv6HeaderProblem.Code.unrecognizedNextHeader.rawValue: return .refused
    default: return .other
    }
  }

  /// Notes a smaller path MTU; returns what it is now, if it changed. The quote has been found to be ours.
  mutating func learnPathMTU(_ reported: Int, _ quote: Quote) -> Int? {
    // What routers may fragment is never too big for them.
    guard quote.dontFragment else { return nil }
    guard let route = findRoute(to: quote.destination, zone: nil), route.interface != .loopback else { return nil }
    let estimate = pathMTUs.report(
      reported, packetLength: quote.totalLength, linkMTU: interfaces[Int(route.interface.index)].mtu,
      for: quote.destination, at: now)
    return estimate?.mtu
  }
}

/// The beginning of one of our own packets, as an ICMP error brings it back.
struct Quote: BitwiseCopyable {
  var source: IPAddress
  var destination: IPAddress
  var `protocol`: IPProtocol
  var totalLength: Int
  /// Whether routers had to leave it whole: always in IPv6.
  var dontFragment: Bool
  /// The first eight bytes of the transport header, which every quote has (RFC 792).
  var transport: UInt64

  var sourcePort: UInt16 { UInt16(truncatingIfNeeded: transport >> 48) }
  var destinationPort: UInt16 { UInt16(truncatingIfNeeded: transport >> 32) }
  /// TCP's sequence number; for an echo request, identifier and sequence number.
  var secondWord: UInt32 { UInt32(truncatingIfNeeded: transport) }

  init?(parsing bytes: RawSpan, at offset: Int) {
    guard offset < bytes.byteCount else { return nil }
    let version: UInt8 = bytes.bigEndian(at: offset, as: UInt8.self) >> 4
    let transportOffset: Int
    if version == 4 {
      guard bytes.byteCount >= offset + IPv4Header.minimumByteCount else { return nil }
      // The quote is cut off, so that its lengths do not fit: fields are read where they stand.
      let ihl = Int(bytes.bigEndian(at: offset, as: UInt8.self) & 15) * 4
      guard ihl >= IPv4Header.minimumByteCount, bytes.bigEndian(at: offset + 6, as: UInt16.self) & 0x1fff == 0 else {
        return nil
      }
      source = IPAddress(IPv4Address(reading: bytes, at: offset + 12))
      destination = IPAddress(IPv4Address(reading: bytes, at: offset + 16))
      `protocol` = IPProtocol(value: bytes.bigEndian(at: offset + 9))
      totalLength = Int(bytes.bigEndian(at: offset + 2, as: UInt16.self))
      dontFragment = bytes.bigEndian(at: offset + 6, as: UInt8.self) & 0x40 != 0
      transportOffset = offset + ihl
    } else if version == 6 {
      guard bytes.byteCount >= offset + IPv6Header.byteCount else { return nil }
      source = IPAddress(IPv6Address(reading: bytes, at: offset + 8))
      destination = IPAddress(IPv6Address(reading: bytes, at: offset + 24))
      var next = IPProtocol(value: bytes.bigEndian(at: offset + 6))
      var position = offset + IPv6Header.byteCount
      // Of what we send ourselves only fragments have an extension header.
      if next == .fragment, bytes.byteCount >= position + 8 {
        guard bytes.bigEndian(at: position + 2, as: UInt16.self) & 0xfff8 == 0 else { return nil }
        next = IPProtocol(value: bytes.bigEndian(at: position))
        position += 8
      }
      `protocol` = next
      totalLength = Int(bytes.bigEndian(at: offset + 4, as: UInt16.self)) + IPv6Header.byteCount
      dontFragment = true
      transportOffset = position
    } else {
      return nil
    }
    guard bytes.byteCount >= transportOffset + 8 else { return nil }
    transport = bytes.bigEndian(at: transportOffset)
  }
}
