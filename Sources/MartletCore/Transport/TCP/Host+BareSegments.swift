internal import MartletWire

// The short way of segments without text, which open, acknowledge and end connections. Any that is not plain goes the long
// way, which comes to the same.

extension Host {
  /// Takes a packet, which begins with its TCP header, if it is a ``BareSegment`` that its connection expects or a plain SYN,
  /// and says whether it was.
  @inline(__always)
  mutating func receiveBare(_ packet: borrowing Packet, _ context: InternetContext) -> Bool {
    guard packet.count == packet.linearCount else { return false }
    switch packet.count {
    case 32, 20: return receiveAcknowledgment(packet, context)
    case 40: return receivePlainSYN(packet, context)
    default: return false
    }
  }

  @inline(never)
  private mutating func receiveAcknowledgment(_ packet: borrowing Packet, _ context: InternetContext) -> Bool {
    let hasTimestamps = packet.linearCount == 32
    let words = packet.wordsOfHeader
    let shape = UInt16(truncatingIfNeeded: words.1 &>> 16)
    guard shape & 0xf1fe == TCPFlags.ack.rawValue | (hasTimestamps ? 0x8000 : 0x5000),
      !hasTimestamps || UInt32(truncatingIfNeeded: words.2) == TCPOptions.alignedTimestamps,
      let index = findConnection(ports: UInt32(truncatingIfNeeded: words.0 &>> 32), context)
    else { return false }
    let connection = unsafe connections.pointer(at: index)
    let segment = BareSegment(
      sequence: SequenceNumber(UInt32(truncatingIfNeeded: words.0)),
      acknowledgment: SequenceNumber(UInt32(truncatingIfNeeded: words.1 &>> 32)),
      timestamp: UInt32(truncatingIfNeeded: words.3 &>> 32), window: UInt16(truncatingIfNeeded: words.1),
      isFIN: shape & 1 != 0, hasTimestamps: hasTimestamps)
    guard unsafe connection.pointee.tcp.expects(segment), hasValidSum(words, 0, packet, context) else { return false }
    unsafe connection.pointee.tcp.receive(segment, at: now)
    update(index)
    return true
  }

  /// A SYN, or the answer to one, with the options that nearly all have.
  @inline(never)
  private mutating func receivePlainSYN(_ packet: borrowing Packet, _ context: InternetContext) -> Bool {
    let words = packet.wordsOfHeader
    let last: UInt64 = packet.bytes.bigEndian(at: 32)
    let shape = UInt16(truncatingIfNeeded: words.1 &>> 16)
    let ports = UInt32(truncatingIfNeeded: words.0 &>> 32)
    let header = TCPHeader(
      sourcePort: UInt16(truncatingIfNeeded: ports &>> 16), destinationPort: UInt16(truncatingIfNeeded: ports),
      sequenceNumber: SequenceNumber(UInt32(truncatingIfNeeded: words.0)),
      acknowledgmentNumber: SequenceNumber(UInt32(truncatingIfNeeded: words.1 &>> 32)), headerByteCount: 40,
      flags: TCPFlags(rawValue: shape & 0x01ff), window: UInt16(truncatingIfNeeded: words.1))
    guard shape & 0xf1ef == 0xa000 | TCPFlags.syn.rawValue, header.sourcePort != 0, header.destinationPort != 0,
      let options = TCPOptions.plainSYN(UInt32(truncatingIfNeeded: words.2), words.3, last),
      hasValidSum(words, last, packet, context)
    else { return false }
    let known = findConnection(ports: ports, context)
    if header.flags.contains(.ack) {
      guard let known, connections[known].tcp.receiveAnswer(header, options, at: now) else { return false }
      update(known)
      return true
    }
    guard known == nil else { return false }
    let flow = Flow(
      localAddress: context.destination, localPort: header.destinationPort, remoteAddress: context.source,
      remotePort: header.sourcePort, zone: context.source.isLinkLocal ? context.interface : .loopback)
    guard let listener = findListener(flow, context.source.version), takesSYN(listener),
      let maximumSegmentSize = maximumSegmentSize(for: flow),
      let index = openPassively(header, options, flow, listener, maximumSegmentSize: maximumSegmentSize)
    else { return false }
    update(index)
    return true
  }

  /// Whether a TCP header of `words` and `last` has the right checksum.
  @inline(__always)
  private func hasValidSum(
    _ words: (UInt64, UInt64, UInt64, UInt64), _ last: UInt64, _ packet: borrowing Packet,
    _ context: InternetContext
  ) -> Bool {
    switch packet.metadata.checksum {
    case .verified, .partial: return true
    case .unknown, .computed: break
    }
    func halves(_ word: UInt64) -> UInt64 { word &>> 32 &+ word & 0xffff_ffff }
    // The prefix of a mapped IPv4 address is 0xffff, which changes no sum.
    let sum =
      halves(words.0) &+ halves(words.1) &+ halves(words.2) &+ halves(words.3) &+ halves(last)
      &+ halves(context.source.v6.low) &+ halves(context.destination.v6.low) &+ halves(context.source.v6.high)
      &+ halves(context.destination.v6.high) &+ UInt64(IPProtocol.tcp.value) &+ UInt64(packet.linearCount)
    return WordSum.fold(sum) == 0xffff
  }
}

extension Packet {
  /// The TCP header that stands in front, up to 32 bytes of it: ports and sequence number; acknowledgment number, shape and
  /// window; checksum, urgent pointer and the first word of options; two more.
  @inline(__always)
  fileprivate var wordsOfHeader: (UInt64, UInt64, UInt64, UInt64) {
    let bytes = bytes
    guard bytes.byteCount >= 32 else {
      return (
        bytes.bigEndian(at: 0), bytes.bigEndian(at: 8), UInt64(bytes.bigEndian(at: 16, as: UInt32.self)) &<< 32, 0
      )
    }
    return (bytes.bigEndian(at: 0), bytes.bigEndian(at: 8), bytes.bigEndian(at: 16), bytes.bigEndian(at: 24))
  }
}

extension Flow {
  /// Whether a segment with these ports, source and destination in one word, and `context` is of this flow.
  @inline(__always)
  func isOf(ports: UInt32, _ context: InternetContext) -> Bool {
    ports == UInt32(remotePort) &<< 16 | UInt32(localPort) && context.source == remoteAddress
      && context.destination == localAddress
      && zone == (context.source.isLinkLocal ? context.interface : .loopback)
  }
}
