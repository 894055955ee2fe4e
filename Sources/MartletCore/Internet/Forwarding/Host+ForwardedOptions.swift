internal import MartletWire

// What a router does with the options of IPv4 packets that it forwards (RFC 1812 section 5.3.13).

extension Host {
  /// Checks the options of a packet for somebody else, which begins with its IP header, and writes into them what they ask
  /// of routers.
  ///
  /// Source routes are refused, as everybody does (RFC 7126 section 4.3); router alert and options without a meaning here go
  /// along as they are.
  @inline(never)
  mutating func passOptions(
    of packet: inout Packet, _ headerByteCount: Int, leavingBy interface: InterfaceID, to destination: IPAddress
  ) -> IPv4OptionCheck {
    var recordRoute: (offset: Int, option: IPv4Option.Route)?
    var timestamp: (offset: Int, option: IPv4Option.Timestamp)?
    do {
      let bytes = packet.bytes.extracting(IPv4Header.minimumByteCount..<headerByteCount)
      var options = IPv4Options(parsing: bytes)
      do {
        while let option = try options.nextOption() {
          switch option {
          case .looseSourceRoute(let route), .strictSourceRoute(let route):
            if !route.isFull { return .sourceRouted }
          case .recordRoute(let route): recordRoute = (options.offset, route)
          case .timestamp(let times): timestamp = (options.offset, times)
          default: break
          }
        }
      } catch {
        return .malformed(pointer: UInt8(IPv4Header.minimumByteCount + options.offset))
      }
    }
    if recordRoute == nil, timestamp == nil { return .fine }
    let address = sourceAddress(for: destination, by: interface)?.v4
    if let (offset, option) = recordRoute, let address, !option.isFull {
      let start = IPv4Header.minimumByteCount + offset
      var bytes = packet.mutableBytes
      bytes.store(bigEndian: address.value, at: start + Int(option.pointer) - 1)
      bytes.store(bigEndian: option.pointer + 4, at: start + 2)
    }
    if let (offset, option) = timestamp {
      let start = IPv4Header.minimumByteCount + offset
      guard writeTimestamp(option, at: start, into: &packet, address) else {
        return .malformed(pointer: UInt8(start + 2))
      }
    }
    packet.storeBigEndian(0, at: IPv4Header.checksumOffset)
    let checksum = InternetChecksum.of(packet.bytes.extracting(first: headerByteCount))
    packet.storeBigEndian(checksum, at: IPv4Header.checksumOffset)
    return .fine
  }

  /// Writes the time, and the router's address if that is asked for, into the option at `start`; false if the option cannot
  /// take them and cannot say so (RFC 791 section 3.1).
  private func writeTimestamp(
    _ option: IPv4Option.Timestamp, at start: Int, into packet: inout Packet, _ address: IPv4Address?
  ) -> Bool {
    let room = Int(option.length) + 1 - Int(option.pointer)
    let place = start + Int(option.pointer) - 1
    // The host does not know the time of day: this clock counts from some other beginning, which the first bit says.
    let milliseconds = UInt32(truncatingIfNeeded: now.nanoseconds / 1_000_000) | 0x8000_0000
    var bytes = packet.mutableBytes
    switch option.flag {
    case 0, 1:
      let byteCount = option.flag == 0 ? 4 : 8
      guard room >= byteCount else {
        guard room <= 0, option.overflow < 15 else { return false }
        bytes.store(bigEndian: (option.overflow + 1) << 4 | option.flag, at: start + 3)
        return true
      }
      if option.flag == 1 { bytes.store(bigEndian: address?.value ?? 0, at: place) }
      bytes.store(bigEndian: milliseconds, at: place + byteCount - 4)
      bytes.store(bigEndian: option.pointer + UInt8(byteCount), at: start + 2)
    case 3:
      guard room >= 8 else { return room <= 0 }
      let asked = IPAddress(IPv4Address(value: bytes.bytes.bigEndian(at: place)))
      guard addresses.contains(asked) else { return true }
      bytes.store(bigEndian: milliseconds, at: place + 4)
      bytes.store(bigEndian: option.pointer + 8, at: start + 2)
    default: break
    }
    return true
  }
}
