/// The fragment header of IPv6 (RFC 8200 section 4.5).
///
///      0               8               16                       29  31
///     +---------------+---------------+-------------------------+---+-+
///     |  next header  |   reserved    |     fragment offset     |res|M|
///     +---------------+---------------+-------------------------+---+-+
///     |                        identification                         |
///     +---------------------------------------------------------------+
public struct IPv6FragmentHeader: Equatable, Sendable, BitwiseCopyable {
  /// The size of the header on the wire, in bytes.
  public static let byteCount = 8

  /// What the fragmentable part begins with.
  public var nextHeader: IPProtocol
  /// Where the fragment belongs in the fragmentable part, in bytes: a multiple of 8 in 0...65528.
  public var fragmentOffset: UInt16
  public var hasMoreFragments: Bool
  /// What the fragments of one packet have in common.
  public var identification: UInt32

  @inlinable
  public init(nextHeader: IPProtocol, fragmentOffset: UInt16, hasMoreFragments: Bool, identification: UInt32) {
    self.nextHeader = nextHeader
    self.fragmentOffset = fragmentOffset
    self.hasMoreFragments = hasMoreFragments
    self.identification = identification
  }

  /// Whether the packet is whole in spite of the header (RFC 6946).
  @inlinable public var isAtomic: Bool { fragmentOffset == 0 && !hasMoreFragments }
}

extension IPv6FragmentHeader {
  @usableFromInline enum Offset {
    @usableFromInline static let nextHeader = 0
    @usableFromInline static let reserved = 1
    @usableFromInline static let fragmentOffset = 2
    @usableFromInline static let identification = 4
  }

  /// Where the fragment offset stands, in bytes from the start of the header: what an ICMPv6 error points at.
  @inlinable public static var fragmentOffsetOffset: Int { Offset.fragmentOffset }

  /// Reads the header in front of `bytes`. The reserved bits are ignored.
  ///
  /// - Throws: ``WireError/truncated`` if `bytes` ends before the header.
  @inlinable
  public init(parsing bytes: RawSpan) throws(WireError) {
    guard bytes.byteCount >= Self.byteCount else { throw .truncated }
    nextHeader = IPProtocol(value: bytes.bigEndian(at: Offset.nextHeader))
    let offsetAndFlag: UInt16 = bytes.bigEndian(at: Offset.fragmentOffset)
    fragmentOffset = offsetAndFlag & 0xfff8
    hasMoreFragments = offsetAndFlag & 1 != 0
    identification = bytes.bigEndian(at: Offset.identification)
  }

  /// Writes the header over the first ``byteCount`` bytes of `bytes`.
  @inlinable
  public func write(to bytes: inout MutableRawSpan) {
    precondition(bytes.byteCount >= Self.byteCount, "no room for a fragment header")
    bytes.store(bigEndian: nextHeader.value, at: Offset.nextHeader)
    bytes.store(bigEndian: 0 as UInt8, at: Offset.reserved)
    bytes.store(bigEndian: fragmentOffset & 0xfff8 | (hasMoreFragments ? 1 : 0), at: Offset.fragmentOffset)
    bytes.store(bigEndian: identification, at: Offset.identification)
  }
}
