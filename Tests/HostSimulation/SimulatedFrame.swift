import MartletCore
import MartletWire

/// A frame under way, with what its sender left to the link.
struct SimulatedFrame {
  var bytes: [UInt8]
  var segmentSize: UInt16 = 0
  var checksum = Packet.ChecksumState.unknown
  var checksumStart: UInt16 = 0
  var checksumOffset: UInt16 = 0
  /// Whether bits of it were turned over: its receiver has to drop it.
  var isCorrupt = false

  init(bytes: [UInt8]) { self.bytes = bytes }

  init(_ packet: borrowing Packet) {
    bytes = [UInt8](repeating: 0, count: packet.count)
    var span = bytes.mutableSpan
    var raw = unsafe span.mutableBytes
    _ = packet.copyBytes(into: &raw)
    let metadata = packet.metadata
    segmentSize = metadata.segmentSize
    guard metadata.checksum == .partial else { return }
    checksum = .partial
    checksumStart = metadata.checksumStart
    checksumOffset = metadata.checksumOffset
  }

  /// The frame as a packet of the receiver's; nil when it has no memory.
  func packet(from pool: borrowing PacketPool) -> Packet? {
    guard var packet = pool.allocate() else { return nil }
    let inLinear = bytes.count <= packet.tailRoom ? bytes.count : 64
    packet.append(copying: unsafe bytes.span.bytes.extracting(0..<inLinear))
    if inLinear < bytes.count {
      guard let region = pool.allocateRegion(large: true) else { return nil }
      unsafe bytes.withUnsafeBytes { source in
        guard let base = source.baseAddress else { return }
        unsafe region.bytes.copyMemory(from: base + inLinear, byteCount: bytes.count - inLinear)
      }
      packet.append(Slice(region, offset: 0, count: bytes.count - inLinear))
    }
    packet.metadata.segmentSize = segmentSize
    packet.metadata.checksum = checksum
    packet.metadata.checksumStart = checksumStart
    packet.metadata.checksumOffset = checksumOffset
    return packet
  }
}

/// Where the parts of a frame begin.
struct FrameLayout {
  static let network = EthernetHeader.untaggedByteCount

  var isIPv6 = false
  var isNeighborDiscovery = false
  /// Where the TCP header begins, if there is one.
  var tcp: Int?
  var mayFragment = false

  init(_ bytes: [UInt8]) {
    let network = Self.network
    guard bytes.count >= network + 20 else { return }
    switch UInt16(bytes[12]) << 8 | UInt16(bytes[13]) {
    case EtherType.arp.value: isNeighborDiscovery = true
    case EtherType.ipv4.value:
      if bytes[network + 9] == 6 { tcp = network + Int(bytes[network] & 0xf) * 4 }
      mayFragment = bytes[network + 6] & 0x40 == 0
    case EtherType.ipv6.value where bytes.count >= network + 41:
      isIPv6 = true
      if bytes[network + 6] == 6 { tcp = network + 40 }
      isNeighborDiscovery = bytes[network + 6] == 58 && bytes[network + 40] >= 133
    default: break
    }
    if let start = tcp, bytes.count < start + TCPHeader.minimumByteCount { tcp = nil }
  }

  /// The first byte of which every bit is covered by a checksum: of IPv6 the addresses and what follows.
  var firstCoveredByte: Int { isIPv6 ? Self.network + 8 : Self.network }
}

extension SimulatedFrame {
  /// The size of the IP packet, or of each that the frame stands for.
  func networkByteCount(_ layout: FrameLayout) -> Int {
    guard segmentSize > 0, let tcp = layout.tcp else { return bytes.count - FrameLayout.network }
    return tcp - FrameLayout.network + Int(bytes[tcp + 12] >> 4) * 4 + Int(segmentSize)
  }

  /// Turns bits over. A checksum that was left to the link is filled in before.
  mutating func corrupt(at bit: Int, pattern: UInt16, _ layout: FrameLayout) {
    if checksum == .partial {
      let start = Int(checksumStart)
      let field = start + Int(checksumOffset)
      let sum = InternetChecksum.of(unsafe bytes.span.bytes.extracting(start..<bytes.count))
      bytes[field] = UInt8(sum >> 8)
      bytes[field + 1] = UInt8(sum & 0xff)
      checksum = .unknown
    }
    let first = layout.firstCoveredByte * 8
    let room = bytes.count * 8 - first - 15
    guard room > 0 else { return }
    for offset in 0..<15 where pattern & (1 << UInt16(offset)) != 0 {
      let place = first + bit % room + offset
      bytes[place / 8] ^= 0x80 >> UInt8(place % 8)
    }
    isCorrupt = true
  }

  /// Makes the window of a segment smaller, and its checksum right again. False if there is nothing to make smaller.
  mutating func clampWindow(to window: Int, _ layout: FrameLayout) -> Bool {
    guard let tcp = layout.tcp, bytes[tcp + 13] & 0x06 == 0 else { return false }
    let old = UInt16(bytes[tcp + 14]) << 8 | UInt16(bytes[tcp + 15])
    guard old > window else { return false }
    bytes[tcp + 14] = UInt8(window >> 8)
    bytes[tcp + 15] = UInt8(window & 0xff)
    if checksum != .partial {
      let sum = UInt16(bytes[tcp + 16]) << 8 | UInt16(bytes[tcp + 17])
      let new = InternetChecksum.updated(sum, from: old, to: UInt16(window))
      bytes[tcp + 16] = UInt8(new >> 8)
      bytes[tcp + 17] = UInt8(new & 0xff)
    }
    return true
  }

  /// What a router says about this frame, which is too big for what follows.
  func tooBig(mtu: Int, _ layout: FrameLayout) -> SimulatedFrame? {
    let network = FrameLayout.network
    let quoted = Array(bytes[network..<min(bytes.count, network + 200)])
    var frame = Array(bytes[6..<12]) + [2, 0, 0, 0, 0, 0xfe] + bytes[12..<14]
    if layout.isIPv6 {
      guard bytes.count >= network + 40 else { return nil }
      let header = IPv6Header(
        payloadLength: UInt16(8 + quoted.count), nextHeader: .icmpv6, hopLimit: 64, source: Self.router6,
        destination: unsafe bytes.span.bytes.ipv6Address(at: network + 8))
      var sum = InternetChecksum()
      sum.addPseudoHeader(
        source: IPAddress(header.source), destination: IPAddress(header.destination), protocol: .icmpv6,
        length: 8 + quoted.count)
      var message = Self.head(8) { ICMPv6Message.packetTooBig(mtu: UInt32(mtu)).write(to: &$0) } + quoted
      sum.add(unsafe message.span.bytes)
      message[2] = UInt8(sum.value >> 8)
      message[3] = UInt8(sum.value & 0xff)
      frame += Self.head(IPv6Header.byteCount) { header.write(to: &$0) } + message
    } else {
      var header = IPv4Header(
        totalLength: UInt16(28 + quoted.count), timeToLive: 64, protocol: .icmpv4, source: Self.router4,
        destination: unsafe bytes.span.bytes.ipv4Address(at: network + 12))
      header.checksum = header.computedChecksum
      var message =
        Self.head(8) {
          ICMPv4Message.destinationUnreachable(code: .fragmentationNeeded, nextHopMTU: UInt16(mtu)).write(to: &$0)
        } + quoted
      let sum = InternetChecksum.of(unsafe message.span.bytes)
      message[2] = UInt8(sum >> 8)
      message[3] = UInt8(sum & 0xff)
      frame += Self.head(IPv4Header.minimumByteCount) { header.write(to: &$0) } + message
    }
    return SimulatedFrame(bytes: frame)
  }

  private static let router4: IPv4Address = "192.0.2.254"
  private static let router6: IPv6Address = "2001:db8::fe"

  private static func head(_ count: Int, _ write: (inout MutableRawSpan) -> Void) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var span = bytes.mutableSpan
    var raw = unsafe span.mutableBytes
    write(&raw)
    return bytes
  }
}
