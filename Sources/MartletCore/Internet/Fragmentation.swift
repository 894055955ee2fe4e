import MartletWire

/// Splits an IP packet that is larger than a link's MTU (RFC 791 section 3.2, RFC 8200 section 4.5).
package enum Fragmentation {
  /// Splits `packet` and puts the fragments at the end of `queue`; nothing is put there if it cannot be done.
  ///
  /// Payload in slices is shared by the fragments. A transport checksum still to be computed is computed first, because
  /// nobody can do it later. A packet that fits goes out as it is.
  ///
  /// - Parameters:
  ///   - packet: a whole IP packet, beginning with the IP header.
  ///   - mtu: the size of the largest IP packet the link takes, in bytes.
  ///   - identification: what the fragments of an IPv6 packet have in common; IPv4 has it in its header.
  /// - Returns: Why there are no fragments: ``Drop/Reason/ipTooBig`` if IPv4 forbids it (DF) or the headers alone are too
  ///   large. Nil if all went well.
  package static func split(
    _ packet: consuming Packet, mtu: Int, identification: UInt32, pool: borrowing PacketPool,
    into queue: inout PacketQueue
  ) -> Drop.Reason? {
    guard packet.count > mtu else {
      queue.append(packet)
      return nil
    }
    guard Segmentation.completeChecksum(&packet), packet.linearCount >= IPv4Header.minimumByteCount else {
      return .ipTruncated
    }
    switch packet.bytes.bigEndian(at: 0, as: UInt8.self) >> 4 {
    case 4: return splitIPv4(packet, mtu: mtu, pool: pool, into: &queue)
    case 6: return splitIPv6(packet, mtu: mtu, identification: identification, pool: pool, into: &queue)
    default: return .ipVersion
    }
  }

  private static func splitIPv4(
    _ packet: borrowing Packet, mtu: Int, pool: borrowing PacketPool, into queue: inout PacketQueue
  ) -> Drop.Reason? {
    let firstHeader = Int(packet.bytes.bigEndian(at: 0, as: UInt8.self) & 0xf) * 4
    guard firstHeader >= IPv4Header.minimumByteCount, packet.linearCount >= firstHeader else {
      return .ipHeaderMalformed
    }
    let fragmentField: UInt16 = packet.bytes.bigEndian(at: 6)
    guard fragmentField & 0x4000 == 0 else { return .ipTooBig }
    let base = Int(fragmentField & 0x1fff) * 8
    let payload = packet.count - firstHeader

    var fragments = PacketQueue()
    var done = 0
    var laterHeader = firstHeader
    while done < payload {
      let header = done == 0 ? firstHeader : laterHeader
      let room = mtu - header
      guard room >= 8 else { return .ipTooBig }
      let run = payload - done <= room ? payload - done : room & ~7
      guard var fragment = pool.allocate() else { return .poolExhausted }
      fragment.extend(firstHeader)
      unsafe fragment.pointer.copyMemory(from: packet.pointer, byteCount: firstHeader)
      if done > 0, firstHeader > IPv4Header.minimumByteCount {
        keepCopiedOptions(of: &fragment, headerByteCount: firstHeader)
        laterHeader = fragment.linearCount
      }
      // The later header is known once it was made, and is never larger than the first.
      let size = fragment.linearCount
      guard packet.share(from: firstHeader + done, count: run, into: &fragment) else { return .ipTooBig }
      let isLast = done + run == payload && fragmentField & 0x2000 == 0
      let offset = (base + done) / 8
      guard offset <= 0x1fff else { return .ipTooBig }
      var bytes = fragment.mutableBytes
      bytes.store(bigEndian: UInt8(0x40 | size / 4), at: 0)
      bytes.store(bigEndian: UInt16(size + run), at: 2)
      bytes.store(bigEndian: fragmentField & 0x8000 | (isLast ? 0 : 0x2000) | UInt16(offset), at: 6)
      bytes.store(bigEndian: UInt16(0), at: IPv4Header.checksumOffset)
      let checksum = InternetChecksum.of(fragment.bytes.extracting(first: size))
      fragment.storeBigEndian(checksum, at: IPv4Header.checksumOffset)
      fragment.metadata = packet.metadata
      fragments.append(fragment)
      done += run
    }
    queue.append(contentsOf: &fragments)
    return nil
  }

  /// Leaves of the options in the header of `fragment` those that go into every fragment (the copied flag), padded to
  /// words (RFC 791 section 3.1).
  private static func keepCopiedOptions(of fragment: inout Packet, headerByteCount: Int) {
    var bytes = fragment.mutableBytes
    var from = IPv4Header.minimumByteCount
    var to = IPv4Header.minimumByteCount
    while from < headerByteCount {
      let type = bytes.bytes.bigEndian(at: from, as: UInt8.self)
      if type == 0 { break }
      if type == 1 {
        from += 1
        continue
      }
      guard from + 1 < headerByteCount else { break }
      let size = Int(bytes.bytes.bigEndian(at: from + 1, as: UInt8.self))
      guard size >= 2, from + size <= headerByteCount else { break }
      if type & 0x80 != 0 {
        for index in 0..<size {
          bytes.store(bigEndian: bytes.bytes.bigEndian(at: from + index, as: UInt8.self), at: to + index)
        }
        to += size
      }
      from += size
    }
    while to % 4 != 0 {
      bytes.store(bigEndian: UInt8(0), at: to)
      to += 1
    }
    fragment.truncate(to: to)
  }

  private static func splitIPv6(
    _ packet: borrowing Packet, mtu: Int, identification: UInt32, pool: borrowing PacketPool,
    into queue: inout PacketQueue
  ) -> Drop.Reason? {
    guard let chain = HeaderChain(of: packet.bytes) else { return .ipTruncated }
    // Only a source fragments, and only once.
    guard chain.fragmentOffset == nil else { return .ipTooBig }
    let front = chain.unfragmentableByteCount
    let header = front + FragmentHeader.byteCount
    let room = mtu - header
    let payload = packet.count - front
    // The first fragment has to hold the whole chain (RFC 7112 section 3).
    let upper = chain.upperOffset + upperHeaderByteCount(chain, of: packet.bytes)
    guard room >= 8, upper - front <= room & ~7 else { return .ipTooBig }
    let next = IPProtocol(value: packet.bytes.bigEndian(at: chain.linkOffset))

    var fragments = PacketQueue()
    var done = 0
    while done < payload {
      let run = payload - done <= room ? payload - done : room & ~7
      guard var fragment = pool.allocate() else { return .poolExhausted }
      fragment.extend(header)
      unsafe fragment.pointer.copyMemory(from: packet.pointer, byteCount: front)
      guard packet.share(from: front + done, count: run, into: &fragment) else { return .ipTooBig }
      var bytes = fragment.mutableBytes
      bytes.store(bigEndian: IPProtocol.fragment.value, at: chain.linkOffset)
      bytes.store(bigEndian: UInt16(header - IPv6Header.byteCount + run), at: IPv6Header.payloadLengthOffset)
      let fields = FragmentHeader(
        nextHeader: next, offset: done, moreFragments: done + run < payload, identification: identification)
      fields.write(to: &bytes, at: front)
      fragment.metadata = packet.metadata
      fragments.append(fragment)
      done += run
    }
    queue.append(contentsOf: &fragments)
    return nil
  }

  private static func upperHeaderByteCount(_ chain: HeaderChain, of bytes: RawSpan) -> Int {
    let least = HeaderChain.upperHeaderByteCount(chain.upperProtocol)
    guard chain.upperProtocol == .tcp, bytes.byteCount >= chain.upperOffset + least else { return least }
    return Int(bytes.bigEndian(at: chain.upperOffset + 12, as: UInt8.self) >> 4) * 4
  }
}

extension Packet {
  /// Stores `value` at `offset` of the linear part.
  mutating func storeBigEndian(_ value: UInt16, at offset: Int) {
    var bytes = mutableBytes
    bytes.store(bigEndian: value, at: offset)
  }
}
