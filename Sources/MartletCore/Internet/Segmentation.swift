import MartletWire

/// What a device with offloads would do, in software: fill in a transport checksum, split a large TCP packet.
package enum Segmentation {
  /// Fills in the transport checksum of a packet whose checksum is ``Packet/ChecksumState/partial``: its field has the
  /// pseudo-header's folded sum.
  ///
  /// Returns false, and changes nothing, if the field does not lie in the linear part: only a guest can ask for that.
  @discardableResult
  package static func completeChecksum(_ packet: inout Packet) -> Bool {
    let metadata = packet.metadata
    guard metadata.checksum == .partial else { return true }
    let start = Int(metadata.checksumStart)
    let field = start + Int(metadata.checksumOffset)
    guard field + 2 <= packet.linearCount else { return false }
    var sum = InternetChecksum()
    unsafe sum.add(UnsafeRawPointer(packet.pointer + start), count: packet.linearCount &- start)
    for index in 0..<packet.sliceCount {
      let slice = unsafe packet.slices[index]
      unsafe sum.add(slice.region, offset: Int(slice.offset), count: Int(slice.count))
    }
    // Only UDP has a value that says "none" (RFC 768).
    let value = metadata.checksumOffset == UInt16(UDPHeader.checksumOffset) ? sum.udpValue : sum.value
    unsafe packet.pointer.storeBytes(of: value.bigEndian, toByteOffset: field, as: UInt16.self)
    unsafe packet.block.pointee.metadata.checksum = .computed
    return true
  }

  /// Splits a TCP packet with a segment size into segments that a link carries, and puts them at the end of `queue`.
  ///
  /// The headers are copied and put right, IPv4 identifications count up, FIN and PSH stay with the last segment and CWR
  /// with the first (RFC 3168 section 6.1.2). Payload in slices is shared. Each segment's checksum is complete.
  ///
  /// - Parameters:
  ///   - linkHeaderByteCount: what stands in front of the IP header, in bytes.
  /// - Returns: Why segments are missing: the pool is exhausted, or the headers are not those of a TCP packet. Nil if all
  ///   went well.
  package static func segment(
    _ packet: consuming Packet, linkHeaderByteCount: Int, pool: borrowing PacketPool, into queue: inout PacketQueue
  ) -> Drop.Reason? {
    var template: Template
    switch Template.reading(packet, linkHeaderByteCount: linkHeaderByteCount) {
    case .success(let read): template = read
    case .failure(let malformed): return malformed.reason
    }
    let headers = template.headerByteCount
    let payload = packet.count - headers
    let segmentSize = Int(packet.metadata.segmentSize)
    var metadata = packet.metadata
    metadata.segmentSize = 0
    metadata.checksum = .computed
    metadata.checksumStart = UInt16(template.transportOffset)
    metadata.checksumOffset = UInt16(TCPHeader.checksumOffset)

    var done = 0
    var cursor = PayloadCursor(linearOffset: headers)
    repeat {
      let run = segmentSize == 0 ? payload : min(segmentSize, payload - done)
      guard var segment = pool.allocate() else { return .poolExhausted }
      // Into the headroom, so that a linear payload finds all the room behind.
      if headers <= segment.frontRoom { segment.prepend(headers) } else { segment.extend(headers) }
      guard min(run, packet.linearCount &- cursor.linearOffset) <= segment.tailRoom else { return .ipTooBig }
      unsafe segment.pointer.copyMemory(from: packet.pointer, byteCount: headers)
      var sum = template.checksum
      guard cursor.move(run, of: packet, to: &segment, sum: &sum) else { return .ipTooBig }
      template.finish(
        &segment, offset: done, payload: run, isFirst: done == 0, isLast: done + run >= payload, sum: sum)
      segment.metadata = metadata
      queue.append(segment)
      done += run
    } while done < payload
    return nil
  }

  /// Why a packet cannot be segmented.
  private struct Malformed: Error {
    var reason: Drop.Reason
  }

  /// What all segments of a packet have in common, computed once.
  private struct Template {
    var version: IPVersion
    var networkOffset: Int
    var transportOffset: Int
    var headerByteCount: Int
    var identification: UInt16 = 0
    var sequenceNumber: UInt32
    /// The data offset and the flags as on the wire.
    var offsetAndFlags: UInt16
    /// The sum of the pseudo-header without its length, and of the TCP header without sequence number, flags and checksum.
    var checksum = InternetChecksum()
    /// The sum of the IPv4 header without total length, identification and checksum.
    var networkChecksum = InternetChecksum()

    static func reading(_ packet: borrowing Packet, linkHeaderByteCount: Int) -> Result<Template, Malformed> {
      let bytes = packet.bytes
      let network = linkHeaderByteCount
      guard bytes.byteCount >= network + IPv4Header.minimumByteCount else {
        return .failure(Malformed(reason: .ipTruncated))
      }
      let first: UInt8 = bytes.bigEndian(at: network)
      guard let version = IPVersion(rawValue: first >> 4) else { return .failure(Malformed(reason: .ipVersion)) }
      let transport: Int
      switch version {
      case .v4:
        let size = Int(first & 0xf) * 4
        guard size >= IPv4Header.minimumByteCount else { return .failure(Malformed(reason: .ipHeaderMalformed)) }
        guard IPProtocol(value: bytes.bigEndian(at: network + 9)) == .tcp else {
          return .failure(Malformed(reason: .ipUnknownProtocol))
        }
        transport = network + size
      case .v6:
        guard let chain = HeaderChain(of: bytes.extracting(droppingFirst: network)) else {
          return .failure(Malformed(reason: .ipTruncated))
        }
        guard chain.upperProtocol == .tcp else { return .failure(Malformed(reason: .ipUnknownProtocol)) }
        transport = network + chain.upperOffset
      }
      guard bytes.byteCount >= transport + TCPHeader.minimumByteCount else {
        return .failure(Malformed(reason: .tcpTruncated))
      }
      let offsetAndFlags: UInt16 = bytes.bigEndian(at: transport + 12)
      let headers = transport + Int(offsetAndFlags >> 12) * 4
      guard headers >= transport + TCPHeader.minimumByteCount, bytes.byteCount >= headers else {
        return .failure(Malformed(reason: .tcpTruncated))
      }
      var template = Template(
        version: version, networkOffset: network, transportOffset: transport, headerByteCount: headers,
        sequenceNumber: bytes.bigEndian(at: transport + 4), offsetAndFlags: offsetAndFlags)
      template.sumConstantParts(bytes)
      return .success(template)
    }

    private mutating func sumConstantParts(_ bytes: RawSpan) {
      switch version {
      case .v4:
        identification = bytes.bigEndian(at: networkOffset + 4)
        networkChecksum.add(bytes.extracting(networkOffset..<networkOffset + 2))
        networkChecksum.add(bytes.extracting(networkOffset + 6..<networkOffset + 10))
        networkChecksum.add(bytes.extracting(networkOffset + 12..<transportOffset))
        checksum.addPseudoHeader(
          source: bytes.ipv4Address(at: networkOffset + 12), destination: bytes.ipv4Address(at: networkOffset + 16),
          protocol: .tcp, length: 0)
      case .v6:
        checksum.addPseudoHeader(
          source: bytes.ipv6Address(at: networkOffset + 8), destination: bytes.ipv6Address(at: networkOffset + 24),
          protocol: .tcp, length: 0)
      }
      checksum.add(bytes.extracting(transportOffset..<transportOffset + 4))
      checksum.add(bytes.extracting(transportOffset + 8..<transportOffset + 12))
      checksum.add(bytes.extracting(transportOffset + 14..<transportOffset + 16))
      checksum.add(bytes.extracting(transportOffset + 18..<headerByteCount))
    }

    /// Puts the headers of `segment` right, whose payload `sum` has been added to ``checksum``.
    @inline(__always)
    mutating func finish(
      _ segment: inout Packet, offset: Int, payload: Int, isFirst: Bool, isLast: Bool, sum: InternetChecksum
    ) {
      let transportLength = headerByteCount - transportOffset + payload
      let sequence = sequenceNumber &+ UInt32(truncatingIfNeeded: offset)
      var word = offsetAndFlags
      if !isLast { word &= ~(TCPFlags.fin.rawValue | TCPFlags.psh.rawValue) }
      if !isFirst { word &= ~TCPFlags.cwr.rawValue }
      // The payload's sum is folded to whole words, an odd last byte padded, so that these go on at an even place.
      var total = InternetChecksum()
      total.add(sum.foldedSum)
      total.add(UInt16(truncatingIfNeeded: transportLength))
      total.add(sequence)
      total.add(word)

      var bytes = segment.mutableBytes
      bytes.store(bigEndian: sequence, at: transportOffset + 4)
      bytes.store(bigEndian: word, at: transportOffset + 12)
      bytes.store(bigEndian: total.value, at: transportOffset + TCPHeader.checksumOffset)
      switch version {
      case .v4:
        let length = UInt16(truncatingIfNeeded: headerByteCount - networkOffset + payload)
        var header = networkChecksum
        header.add(length)
        header.add(identification)
        bytes.store(bigEndian: length, at: networkOffset + 2)
        bytes.store(bigEndian: identification, at: networkOffset + 4)
        bytes.store(bigEndian: header.value, at: networkOffset + IPv4Header.checksumOffset)
        identification &+= 1
      case .v6:
        let length = UInt16(truncatingIfNeeded: headerByteCount - networkOffset - IPv6Header.byteCount + payload)
        bytes.store(bigEndian: length, at: networkOffset + IPv6Header.payloadLengthOffset)
      }
    }
  }

  /// How far the payload of a packet has been dealt out.
  private struct PayloadCursor {
    var linearOffset: Int
    var slice = 0
    var sliceOffset = 0

    init(linearOffset: Int) { self.linearOffset = linearOffset }

    /// Gives the next `count` bytes of `packet` to `target`, and adds them to `sum`; slices are shared, bytes of the linear
    /// part copied. Returns false if `target` has no place for them.
    @inline(__always)
    mutating func move(
      _ count: Int, of packet: borrowing Packet, to target: inout Packet, sum: inout InternetChecksum
    ) -> Bool {
      var left = count
      if linearOffset < packet.linearCount, left > 0 {
        let run = min(left, packet.linearCount &- linearOffset)
        let old = target.linearCount
        target.extend(run)
        let words = unsafe WordSum.copying(
          from: UnsafeRawPointer(packet.pointer + linearOffset), to: target.pointer + old, count: run)
        sum.add(sum: words, count: run)
        linearOffset &+= run
        left &-= run
      }
      while left > 0 {
        guard slice < packet.sliceCount else { return false }
        let stored = unsafe packet.slices[slice]
        let run = unsafe min(left, Int(stored.count) &- sliceOffset)
        let offset = unsafe Int(stored.offset) &+ sliceOffset
        unsafe sum.add(stored.region, offset: offset, count: run)
        unsafe stored.region.pointee.references &+= 1
        guard target.append(unsafe Slice(Region(header: stored.region), offset: offset, count: run)) else {
          return false
        }
        left &-= run
        sliceOffset &+= run
        if unsafe sliceOffset == Int(stored.count) {
          slice &+= 1
          sliceOffset = 0
        }
      }
      return true
    }
  }
}
