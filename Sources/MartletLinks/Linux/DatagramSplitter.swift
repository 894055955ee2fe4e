#if os(Linux)
  import MartletCore
  import MartletWire

  /// Splits what the kernel, asked by a program (`UDP_SEGMENT`), left in one piece: a run of UDP datagrams under one header.
  enum DatagramSplitter {
    /// As many as Linux lets a program send at once (UDP_MAX_SEGMENTS).
    static var maximumPieces: Int { 128 }

    /// Whether `packet` is such a run; ``Packet/Metadata-swift.struct/segmentSize`` says how long its datagrams are.
    static func isRun(_ packet: borrowing Packet) -> Bool {
      let metadata = packet.metadata
      return metadata.segmentSize != 0 && metadata.checksum == .partial
        && Int(metadata.checksumOffset) == UDPHeader.checksumOffset
    }

    /// Puts the datagrams of `packet` at the end of `queue`, their payload by reference; each has headers of its own with
    /// lengths, identification and sums put right.
    ///
    /// Returns false, having put none, if the packet is not what its virtio header says or memory is short.
    static func split(_ packet: borrowing Packet, pool: borrowing PacketPool, into queue: inout PacketQueue) -> Bool {
      let metadata = packet.metadata
      let transport = Int(metadata.checksumStart)
      let headers = transport + UDPHeader.byteCount
      let network = EthernetFrame.headerByteCount(of: packet.bytes)
      let size = Int(metadata.segmentSize)
      guard let version = EthernetFrame.version(of: packet.bytes), headers <= packet.linearCount,
        transport >= network + (version == 4 ? IPv4Header.minimumByteCount : IPv6Header.byteCount)
      else { return false }
      let payload = packet.count - headers
      guard payload > 0, (payload + size - 1) / size <= maximumPieces else { return false }

      var pieces = PacketQueue()
      var done = 0
      while done < payload {
        let run = min(size, payload - done)
        guard var piece = pool.allocate() else { return false }
        guard packet.share(from: 0, count: headers, into: &piece),
          packet.share(from: headers + done, count: run, into: &piece)
        else { return false }
        var kept = metadata
        kept.segmentSize = 0
        piece.metadata = kept
        var bytes = piece.mutableBytes
        putRight(&bytes, network: network, transport: transport, payload: run, index: pieces.count, version: version)
        pieces.append(piece)
        done += run
      }
      queue.append(contentsOf: &pieces)
      return true
    }

    private static func putRight(
      _ bytes: inout MutableRawSpan, network: Int, transport: Int, payload: Int, index: Int, version: Int
    ) {
      let length = UInt16(truncatingIfNeeded: UDPHeader.byteCount + payload)
      let whole = UInt16(truncatingIfNeeded: transport - network) &+ length
      if version == 4 {
        // A changed word changes the sum by its difference (RFC 1624).
        var sum = InternetChecksum()
        sum.add(~bytes.bytes.bigEndian(at: network + IPv4Header.checksumOffset, as: UInt16.self))
        let oldLength: UInt16 = bytes.bytes.bigEndian(at: network + 2)
        let oldIdentification: UInt16 = bytes.bytes.bigEndian(at: network + 4)
        let identification = oldIdentification &+ UInt16(truncatingIfNeeded: index)
        sum.add(~oldLength)
        sum.add(~oldIdentification)
        sum.add(whole)
        sum.add(identification)
        bytes.store(bigEndian: whole, at: network + 2)
        bytes.store(bigEndian: identification, at: network + 4)
        bytes.store(bigEndian: sum.value, at: network + IPv4Header.checksumOffset)
      } else {
        bytes.store(
          bigEndian: whole &- UInt16(IPv6Header.byteCount), at: network + IPv6Header.payloadLengthOffset)
      }
      // The field has the pseudo-header's sum, of which the length is a part.
      let oldLength: UInt16 = bytes.bytes.bigEndian(at: transport + 4)
      var sum = InternetChecksum()
      sum.add(bytes.bytes.bigEndian(at: transport + UDPHeader.checksumOffset, as: UInt16.self))
      sum.add(~oldLength)
      sum.add(length)
      bytes.store(bigEndian: length, at: transport + 4)
      bytes.store(bigEndian: sum.foldedSum, at: transport + UDPHeader.checksumOffset)
    }
  }
#endif
