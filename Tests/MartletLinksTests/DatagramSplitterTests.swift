#if os(Linux)
  import CMartletLinux
  import MartletCore
  import MartletWire
  import Testing

  @testable import MartletLinks

  @Suite("Runs of UDP datagrams from the kernel")
  final class DatagramSplitterTests {
    let pool = PacketPool()

    /// A run as the kernel hands it over: headers for all of it, the pseudo-header's sum in the checksum field, and the
    /// payload partly behind the headers and partly in a slice.
    private func run(_ payload: Int, version: IPVersion) -> Packet {
      guard var packet = pool.allocate(), let region = pool.allocateRegion(large: true) else {
        preconditionFailure("the test's pool is too small")
      }
      let transport = version == .v4 ? 34 : 54
      let length = UDPHeader.byteCount + payload
      packet.extend(transport + UDPHeader.byteCount + 100)
      var bytes = packet.mutableBytes
      let type = version == .v4 ? EtherType.ipv4 : .ipv6
      EthernetHeader(destination: "02:00:00:00:00:02", source: "02:00:00:00:00:01", type: type).write(to: &bytes)
      var pseudo = InternetChecksum()
      var network = bytes._mutatingExtracting(14..<transport)
      switch version {
      case .v4:
        var header = IPv4Header(
          totalLength: UInt16(20 + length), identification: 65_535, flags: .dontFragment, timeToLive: 64,
          protocol: .udp,
          source: "10.0.0.1", destination: "10.0.0.2")
        header.checksum = header.computedChecksum
        header.write(to: &network)
        pseudo.addPseudoHeader(source: header.source, destination: header.destination, protocol: .udp, length: length)
      case .v6:
        let header = IPv6Header(
          payloadLength: UInt16(length), nextHeader: .udp, hopLimit: 64, source: "fd00::1", destination: "fd00::2")
        header.write(to: &network)
        pseudo.addPseudoHeader(source: header.source, destination: header.destination, protocol: .udp, length: length)
      }
      var udp = bytes._mutatingExtracting(transport..<transport + UDPHeader.byteCount)
      UDPHeader(sourcePort: 1_000, destinationPort: 2_000, length: UInt16(length), checksum: pseudo.foldedSum)
        .write(to: &udp)
      for index in 0..<100 {
        bytes.store(bigEndian: UInt8(truncatingIfNeeded: index), at: transport + UDPHeader.byteCount + index)
      }
      for index in 100..<payload {
        unsafe region.bytes.storeBytes(
          of: UInt8(truncatingIfNeeded: index), toByteOffset: index - 100, as: UInt8.self)
      }
      packet.append(Slice(region, offset: 0, count: payload - 100))
      return packet
    }

    private func header(size: UInt16, version: IPVersion) -> martlet_vnet_header {
      martlet_vnet_header(
        flags: UInt8(MARTLET_VNET_NEEDS_CHECKSUM), gso_type: UInt8(MARTLET_VNET_GSO_UDP_L4), header_length: 0,
        gso_size: size, checksum_start: version == .v4 ? 34 : 54, checksum_offset: 6)
    }

    @Test("Each datagram has its own lengths, identification and sums", arguments: [IPVersion.v4, .v6])
    func split(version: IPVersion) throws {
      var packet = run(1_050, version: version)
      let isUnderstood = VirtioHeader.apply(header(size: 400, version: version), to: &packet)
      #expect(isUnderstood)
      var queue = PacketQueue()
      let isSplit = DatagramSplitter.split(packet, pool: pool, into: &queue)
      #expect(isSplit)
      var payload: [UInt8] = []
      var sizes: [Int] = []
      var identifications: [UInt16] = []
      while var datagram = queue.popFirst() {
        let isComplete = Segmentation.completeChecksum(&datagram)
        #expect(isComplete && datagram.metadata.segmentSize == 0)
        let all = bytes(of: datagram)
        let frame = unsafe all.span.bytes
        let transport = version == .v4 ? 34 : 54
        let udp = try UDPHeader(parsing: frame.extracting(transport...))
        var sum = InternetChecksum()
        switch version {
        case .v4:
          let header = try IPv4Header(parsing: frame.extracting(14...))
          let isHeaderValid = header.isChecksumValid(in: frame.extracting(14...))
          #expect(isHeaderValid)
          #expect(Int(header.totalLength) == all.count - 14)
          identifications.append(header.identification)
          sum.addPseudoHeader(
            source: header.source, destination: header.destination, protocol: .udp, length: Int(udp.length))
        case .v6:
          let header = try IPv6Header(parsing: frame.extracting(14...), packetByteCount: all.count - 14)
          #expect(Int(header.payloadLength) == all.count - 54)
          sum.addPseudoHeader(
            source: header.source, destination: header.destination, protocol: .udp, length: Int(udp.length))
        }
        sum.add(frame.extracting(transport...))
        #expect(sum.isValid)
        sizes.append(Int(udp.length) - UDPHeader.byteCount)
        payload += all[(transport + UDPHeader.byteCount)...]
      }
      #expect(sizes == [400, 400, 250])
      #expect(identifications == (version == .v4 ? [65_535, 0, 1] : []))
      #expect(payload == (0..<1_050).map { UInt8(truncatingIfNeeded: $0) })
    }

    @Test("A run of more datagrams than the kernel sends, or without a sum to fill in, is refused")
    func refused() {
      var tooMany = run(1_050, version: .v4)
      let isUnderstood = VirtioHeader.apply(header(size: 8, version: .v4), to: &tooMany)
      #expect(isUnderstood)
      var queue = PacketQueue()
      let isSplit = DatagramSplitter.split(tooMany, pool: pool, into: &queue)
      #expect(!isSplit && queue.isEmpty)

      var complete = run(1_050, version: .v4)
      var header = header(size: 400, version: .v4)
      header.flags = 0
      let isTaken = VirtioHeader.apply(header, to: &complete)
      #expect(!isTaken)
    }
  }
#endif
