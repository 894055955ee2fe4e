#if os(Linux)
  import CMartletLinux
  import MartletCore
  import MartletWire

  /// The virtio header in front of a frame (virtio 1.2 section 5.1.6) as what Martlet knows of a packet, both ways.
  enum VirtioHeader {
    static let byteCount = MemoryLayout<martlet_vnet_header>.size

    /// Notes what `header` says of the frame `packet`; false if it contradicts the frame or is of a kind not offered.
    ///
    /// A checksum that is not there yet leaves the packet ``Packet/ChecksumState/partial``: this host trusts it like a
    /// verified one, and whoever sends the packet on knows that it has to be filled in.
    static func apply(_ header: martlet_vnet_header, to packet: inout Packet) -> Bool {
      if header.flags & UInt8(MARTLET_VNET_NEEDS_CHECKSUM) != 0 {
        let field = Int(header.checksum_start) + Int(header.checksum_offset)
        guard header.checksum_start >= EthernetFrame.headerByteCount, field + 2 <= packet.count else { return false }
        packet.metadata.checksum = .partial
        packet.metadata.checksumStart = header.checksum_start
        packet.metadata.checksumOffset = header.checksum_offset
      } else if header.flags & UInt8(MARTLET_VNET_DATA_VALID) != 0 {
        packet.metadata.checksum = .verified
      }
      switch Int(header.gso_type) & ~MARTLET_VNET_GSO_ECN {
      case MARTLET_VNET_GSO_NONE: return true
      case MARTLET_VNET_GSO_TCPV4, MARTLET_VNET_GSO_TCPV6:
        packet.metadata.segmentSize = header.gso_size
        return header.gso_size > 0
      case MARTLET_VNET_GSO_UDP_L4:
        packet.metadata.segmentSize = header.gso_size
        return header.gso_size > 0 && DatagramSplitter.isRun(packet)
      default: return false
      }
    }

    /// What a device has to be told of `packet`; nil for a packet to be segmented that is not TCP over IP.
    static func describing(_ packet: borrowing Packet) -> martlet_vnet_header? {
      var header = martlet_vnet_header()
      let metadata = packet.metadata
      if metadata.checksum == .partial {
        header.flags = UInt8(MARTLET_VNET_NEEDS_CHECKSUM)
        header.checksum_start = metadata.checksumStart
        header.checksum_offset = metadata.checksumOffset
      }
      guard metadata.segmentSize > 0 else { return header }
      guard metadata.checksum == .partial, let headers = EthernetFrame.byteCountToPayload(of: packet) else {
        return nil
      }
      guard packet.count - headers > Int(metadata.segmentSize) else { return header }
      switch EthernetFrame.version(of: packet.bytes) {
      case 4: header.gso_type = UInt8(MARTLET_VNET_GSO_TCPV4)
      case 6: header.gso_type = UInt8(MARTLET_VNET_GSO_TCPV6)
      default: return nil
      }
      let flags: UInt8 = packet.bytes.bigEndian(at: Int(metadata.checksumStart) + 13)
      if TCPFlags(rawValue: UInt16(flags)).contains(.cwr) { header.gso_type |= UInt8(MARTLET_VNET_GSO_ECN) }
      header.header_length = UInt16(headers)
      header.gso_size = metadata.segmentSize
      return header
    }
  }
#endif
