import MartletWire

/// What stands between an IPv6 header and what it carries, as far as fragmentation cares (RFC 8200 section 4.1).
struct HeaderChain: Equatable {
  /// Where the next-header field stands that names the first header after ``unfragmentableByteCount``, in bytes from the
  /// IPv6 header.
  var linkOffset = IPv6Header.nextHeaderOffset
  /// The IPv6 header and the extension headers that every router on the way must see, in bytes.
  var unfragmentableByteCount = IPv6Header.byteCount
  /// Where the fragment header stands, if there is one.
  var fragmentOffset: Int?
  /// Where the next-header field stands that names the fragment header.
  var fragmentLinkOffset = 0
  /// What the chain ends with.
  var upperProtocol = IPProtocol.noNextHeader
  /// Where that begins, in bytes from the IPv6 header.
  var upperOffset = IPv6Header.byteCount

  /// Follows the chain in `bytes`, which begin with an IPv6 header, and ends at the first header that is none of an
  /// extension or at a fragment header. Nil if `bytes` end before the chain does.
  init?(of bytes: RawSpan) {
    guard bytes.byteCount >= IPv6Header.byteCount else { return nil }
    var link = IPv6Header.nextHeaderOffset
    var next = IPProtocol(value: bytes.bigEndian(at: link))
    var offset = IPv6Header.byteCount
    while true {
      switch next {
      case .hopByHopOptions, .routing, .destinationOptions:
        guard let size = Self.extensionByteCount(in: bytes, at: offset) else { return nil }
        link = offset
        // What stands before a routing header, destination options too, concerns the nodes that it names.
        if next != .destinationOptions {
          linkOffset = link
          unfragmentableByteCount = offset + size
        }
        next = IPProtocol(value: bytes.bigEndian(at: offset))
        offset += size
      default:
        if next == .fragment {
          fragmentOffset = offset
          fragmentLinkOffset = link
        }
        upperProtocol = next
        upperOffset = offset
        return
      }
    }
  }

  /// Whether `bytes` hold the whole chain from a header of type `first` at `offset` on, up to and with the upper layer's
  /// own header (RFC 7112 section 3).
  static func isComplete(in bytes: RawSpan, from offset: Int, first: IPProtocol) -> Bool {
    var offset = offset
    var next = first
    while true {
      switch next {
      case .hopByHopOptions, .routing, .destinationOptions:
        guard let size = extensionByteCount(in: bytes, at: offset) else { return false }
        next = IPProtocol(value: bytes.bigEndian(at: offset))
        offset += size
      case .fragment:
        guard bytes.byteCount >= offset + FragmentHeader.byteCount else { return false }
        next = IPProtocol(value: bytes.bigEndian(at: offset))
        offset += FragmentHeader.byteCount
      default:
        return bytes.byteCount >= offset + upperHeaderByteCount(next)
      }
    }
  }

  /// The least that the header of `upperProtocol` takes, in bytes.
  static func upperHeaderByteCount(_ upperProtocol: IPProtocol) -> Int {
    switch upperProtocol {
    case .tcp: TCPHeader.minimumByteCount
    case .udp: UDPHeader.byteCount
    case .icmpv4, .icmpv6: 8
    default: 0
    }
  }

  private static func extensionByteCount(in bytes: RawSpan, at offset: Int) -> Int? {
    guard bytes.byteCount >= offset + 8 else { return nil }
    let size = (Int(bytes.bigEndian(at: offset + 1, as: UInt8.self)) + 1) * 8
    return bytes.byteCount >= offset + size ? size : nil
  }
}

/// The fragment header of IPv6 (RFC 8200 section 4.5).
///
///      0               8               16                        29  31
///     +---------------+---------------+---------------------------+---+-+
///     |  next header  |   reserved    |      fragment offset      |res|M|
///     +---------------+---------------+---------------------------+---+-+
///     |                         identification                          |
///     +-----------------------------------------------------------------+
struct FragmentHeader: Equatable {
  static let byteCount = 8

  var nextHeader: IPProtocol
  /// Where the piece belongs, in bytes: a multiple of 8.
  var offset: Int
  var moreFragments: Bool
  var identification: UInt32

  init(nextHeader: IPProtocol, offset: Int, moreFragments: Bool, identification: UInt32) {
    self.nextHeader = nextHeader
    self.offset = offset
    self.moreFragments = moreFragments
    self.identification = identification
  }

  /// Reads the header at `start`, where ``byteCount`` bytes must be.
  init(reading bytes: RawSpan, at start: Int) {
    nextHeader = IPProtocol(value: bytes.bigEndian(at: start))
    let field: UInt16 = bytes.bigEndian(at: start + 2)
    offset = Int(field & 0xfff8)
    moreFragments = field & 1 != 0
    identification = bytes.bigEndian(at: start + 4)
  }

  /// Writes the header at `start`.
  func write(to bytes: inout MutableRawSpan, at start: Int) {
    bytes.store(bigEndian: nextHeader.value, at: start)
    bytes.store(bigEndian: UInt8(0), at: start + 1)
    bytes.store(bigEndian: UInt16(offset) | (moreFragments ? 1 : 0), at: start + 2)
    bytes.store(bigEndian: identification, at: start + 4)
  }
}
