import MartletWire

/// What the fragments of one datagram have in common (RFC 791 section 3.2, RFC 8200 section 4.5).
struct ReassemblyKey: Equatable, BitwiseCopyable {
  var source: IPAddress
  var destination: IPAddress
  var identification: UInt32
  /// 0 for IPv6, where fragments may differ in it.
  var upperProtocol: UInt8
  var interface: InterfaceID

  func hash(with hash: KeyedHash) -> UInt64 {
    hash.hash(
      source.v6.high, source.v6.low, destination.v6.high, destination.v6.low,
      UInt64(identification) << 32 | UInt64(upperProtocol) << 16 | UInt64(interface.index))
  }
}

/// A fragment that arrived, with its headers still in front.
struct FragmentPiece: ~Copyable {
  /// Where it belongs in the datagram's payload, in bytes.
  var offset: Int
  /// How many bytes of payload it has.
  var count: Int
  /// How many bytes stand in front of the payload.
  var headerByteCount: Int
  var packet: Packet
  /// The next piece by offset.
  var next = FragmentPiece.none

  static let none = UInt32.max

  /// What holding it costs, in bytes: its block whole, and its slices.
  var heldByteCount: Int { FragmentPiece.heldByteCount(packet) }

  static func heldByteCount(_ packet: borrowing Packet) -> Int {
    Packet.blockByteCount + packet.count - packet.linearCount
  }
}

/// A datagram whose fragments are being gathered.
struct ReassemblyEntry: ~Copyable {
  let key: ReassemblyKey
  /// The first piece by offset.
  var first = FragmentPiece.none
  var pieceCount = 0
  /// Bytes of payload that are here.
  var received = 0
  /// Bytes of payload of the whole datagram, known when the last fragment came.
  var total: Int?
  /// Which of the four congestion notification codes the fragments had, a bit for each.
  var congestionCodes: UInt8 = 0
  /// Whether fragments overlapped: all of them, those still to come too, are dropped (RFC 5722 section 4).
  var isPoisoned = false

  init(key: ReassemblyKey) { self.key = key }
}

/// What the header of a fragment says, read once.
struct FragmentFields {
  var key: ReassemblyKey
  var offset: Int
  var moreFragments: Bool
  /// The headers in front of the piece, the fragment header too, in bytes.
  var headerByteCount: Int
  /// The payload in this piece, in bytes.
  var count: Int
  var upperProtocol: IPProtocol
  /// Where the next-header field stands that names the fragment header, and where that stands (IPv6).
  var linkOffset = 0
  var fragmentHeaderOffset = 0
  var congestionCode: UInt8

  /// Nil if the bytes are no IP fragment.
  init?(of packet: borrowing Packet, on interface: InterfaceID) {
    let bytes = packet.bytes
    guard bytes.byteCount >= IPv4Header.minimumByteCount else { return nil }
    let first: UInt8 = bytes.bigEndian(at: 0)
    switch first >> 4 {
    case 4:
      headerByteCount = Int(first & 0xf) * 4
      let length = Int(bytes.bigEndian(at: 2, as: UInt16.self))
      guard headerByteCount >= IPv4Header.minimumByteCount, bytes.byteCount >= headerByteCount,
        length >= headerByteCount, packet.count >= length
      else { return nil }
      count = length - headerByteCount
      let field: UInt16 = bytes.bigEndian(at: 6)
      offset = Int(field & 0x1fff) * 8
      moreFragments = field & 0x2000 != 0
      upperProtocol = IPProtocol(value: bytes.bigEndian(at: 9))
      congestionCode = bytes.bigEndian(at: 1, as: UInt8.self) & 3
      key = ReassemblyKey(
        source: IPAddress(bytes.ipv4Address(at: 12)), destination: IPAddress(bytes.ipv4Address(at: 16)),
        identification: UInt32(bytes.bigEndian(at: 4, as: UInt16.self)), upperProtocol: upperProtocol.value,
        interface: interface)
    case 6:
      guard let chain = HeaderChain(of: bytes), let place = chain.fragmentOffset,
        bytes.byteCount >= place + FragmentHeader.byteCount
      else { return nil }
      let length = IPv6Header.byteCount + Int(bytes.bigEndian(at: IPv6Header.payloadLengthOffset, as: UInt16.self))
      let fields = FragmentHeader(reading: bytes, at: place)
      headerByteCount = place + FragmentHeader.byteCount
      guard length >= headerByteCount, packet.count >= length else { return nil }
      count = length - headerByteCount
      offset = fields.offset
      moreFragments = fields.moreFragments
      upperProtocol = fields.nextHeader
      linkOffset = chain.fragmentLinkOffset
      fragmentHeaderOffset = place
      congestionCode = bytes.bigEndian(at: 1, as: UInt8.self) >> 4 & 3
      key = ReassemblyKey(
        source: IPAddress(bytes.ipv6Address(at: 8)), destination: IPAddress(bytes.ipv6Address(at: 24)),
        identification: fields.identification, upperProtocol: 0, interface: interface)
    default: return nil
    }
  }

  var version: IPVersion { fragmentHeaderOffset == 0 ? .v4 : .v6 }

  /// What of the front stays in the whole packet: all headers but the fragment header.
  var keptHeaderByteCount: Int { version == .v4 ? headerByteCount : fragmentHeaderOffset }

  /// Why a fragment is refused for what it says itself, and at which of its bytes an ICMPv6 parameter problem points.
  func refusal(in packet: borrowing Packet) -> (reason: Drop.Reason, pointer: UInt32?)? {
    if moreFragments, count == 0 || count % 8 != 0 {
      // RFC 8200 section 4.5: code 0, at the payload length.
      return (.fragmentMalformed, version == .v6 ? UInt32(IPv6Header.payloadLengthOffset) : nil)
    }
    let front = keptHeaderByteCount - (version == .v4 ? 0 : IPv6Header.byteCount)
    if front + offset + count > 65_535 {
      // RFC 8200 section 4.5: code 0, at the fragment offset.
      return (.fragmentTooBig, version == .v6 ? UInt32(fragmentHeaderOffset + 2) : nil)
    }
    switch version {
    case .v4:
      // RFC 1858 section 3.2.2 and RFC 3128: a filter must be able to see the transport header in the first fragment, and
      // nobody may write over it later.
      let least = HeaderChain.upperHeaderByteCount(upperProtocol)
      if offset == 0, count < least { return (.fragmentTiny, nil) }
      if offset > 0, offset < least, upperProtocol == .tcp { return (.fragmentTiny, nil) }
    case .v6:
      if offset == 0, !HeaderChain.isComplete(in: packet.bytes, from: headerByteCount, first: upperProtocol) {
        return (.fragmentTiny, nil)
      }
    }
    return nil
  }
}
