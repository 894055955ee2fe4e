/// The header of an IPv4 packet (RFC 791 section 3.1).
///
///      0       4       8               16  19          24             31
///     +-------+-------+---------------+-------------------------------+
///     |version|  IHL  |type of service|         total length          |
///     +-------+-------+---------------+-----+-------------------------+
///     |        identification         |flags|     fragment offset     |
///     +---------------+---------------+-----+-------------------------+
///     | time to live  |   protocol    |        header checksum        |
///     +---------------+---------------+-------------------------------+
///     |                            source                             |
///     +---------------------------------------------------------------+
///     |                          destination                          |
///     +---------------------------------------------------------------+
///     |                      options, padding …                       |
///     +---------------------------------------------------------------+
public struct IPv4Header: Equatable, Sendable, BitwiseCopyable {
  /// The size of a header without options, in bytes.
  public static let minimumByteCount = 20
  /// The size of a header with all the options that fit, in bytes.
  public static let maximumByteCount = 60

  /// The size of the header with its options, in bytes: a multiple of 4 in 20...60.
  public var headerByteCount: UInt8
  public var trafficClass: TrafficClass
  /// Header and payload together, in bytes; never below ``headerByteCount``.
  public var totalLength: UInt16
  /// What the fragments of one packet have in common.
  public var identification: UInt16
  /// The three flags above the fragment offset.
  public var flags: Flags
  /// Where the payload belongs in the whole packet's payload, in bytes: a multiple of 8 in 0...65528.
  public var fragmentOffset: UInt16
  public var timeToLive: UInt8
  public var `protocol`: IPProtocol
  /// The Internet checksum of the header as it stands on the wire.
  public var checksum: UInt16
  public var source: IPv4Address
  public var destination: IPv4Address

  /// The flags of an IPv4 header (RFC 791 section 3.1).
  public struct Flags: OptionSet, Hashable, Sendable, BitwiseCopyable {
    public var rawValue: UInt8

    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

    @inlinable public static var moreFragments: Flags { Flags(rawValue: 1) }
    @inlinable public static var dontFragment: Flags { Flags(rawValue: 2) }
    /// Must be zero.
    @inlinable public static var reserved: Flags { Flags(rawValue: 4) }
  }

  @inlinable
  public init(
    headerByteCount: UInt8 = 20, trafficClass: TrafficClass = .bestEffort, totalLength: UInt16,
    identification: UInt16 = 0, flags: Flags = [], fragmentOffset: UInt16 = 0, timeToLive: UInt8,
    protocol: IPProtocol, checksum: UInt16 = 0, source: IPv4Address, destination: IPv4Address
  ) {
    self.headerByteCount = headerByteCount
    self.trafficClass = trafficClass
    self.totalLength = totalLength
    self.identification = identification
    self.flags = flags
    self.fragmentOffset = fragmentOffset
    self.timeToLive = timeToLive
    self.protocol = `protocol`
    self.checksum = checksum
    self.source = source
    self.destination = destination
  }

  /// Whether the packet is a part of a larger one.
  @inlinable public var isFragment: Bool { flags.contains(.moreFragments) || fragmentOffset != 0 }

  /// The size of what follows the header, in bytes.
  @inlinable public var payloadByteCount: Int { Int(totalLength) - Int(headerByteCount) }
}

extension IPv4Header {
  @usableFromInline enum Offset {
    @usableFromInline static let versionAndLength = 0
    @usableFromInline static let trafficClass = 1
    @usableFromInline static let totalLength = 2
    @usableFromInline static let identification = 4
    @usableFromInline static let flagsAndFragmentOffset = 6
    @usableFromInline static let timeToLive = 8
    @usableFromInline static let `protocol` = 9
    @usableFromInline static let checksum = 10
    @usableFromInline static let source = 12
    @usableFromInline static let destination = 16
  }

  /// Where the checksum stands, in bytes from the start of the header.
  @inlinable public static var checksumOffset: Int { Offset.checksum }

  /// Reads the header in front of `bytes`, which may run on past the packet (link padding). The checksum is not
  /// verified: see ``isChecksumValid(in:)``.
  ///
  /// - Parameter packetByteCount: the size of the packet, if only its beginning lies in `bytes`.
  /// - Throws: ``WireError/truncated`` if `bytes` ends before the header or the packet before ``totalLength``,
  ///   ``WireError/malformed(field:)`` if the version is not 4, the header length is below 5 words or the total length
  ///   is below the header's.
  @inlinable @inline(__always)
  public init(parsing bytes: RawSpan, packetByteCount: Int) throws(WireError) {
    guard bytes.byteCount >= Self.minimumByteCount else { throw .truncated }
    let versionAndLength: UInt8 = bytes.bigEndian(at: Offset.versionAndLength)
    guard versionAndLength >> 4 == 4 else { throw .malformed(field: "version") }
    headerByteCount = (versionAndLength & 0x0f) << 2
    trafficClass = TrafficClass(value: bytes.bigEndian(at: Offset.trafficClass))
    totalLength = bytes.bigEndian(at: Offset.totalLength)
    identification = bytes.bigEndian(at: Offset.identification)
    let fragment: UInt16 = bytes.bigEndian(at: Offset.flagsAndFragmentOffset)
    flags = Flags(rawValue: UInt8(truncatingIfNeeded: fragment >> 13))
    fragmentOffset = fragment << 3
    timeToLive = bytes.bigEndian(at: Offset.timeToLive)
    `protocol` = IPProtocol(value: bytes.bigEndian(at: Offset.protocol))
    checksum = bytes.bigEndian(at: Offset.checksum)
    source = bytes.ipv4Address(at: Offset.source)
    destination = bytes.ipv4Address(at: Offset.destination)
    guard headerByteCount >= Self.minimumByteCount else { throw .malformed(field: "IHL") }
    guard totalLength >= headerByteCount else { throw .malformed(field: "total length") }
    guard packetByteCount >= Int(totalLength) else { throw .truncated }
  }

  /// Reads the header of a packet all of whose bytes lie in `bytes`; throws as ``init(parsing:packetByteCount:)``.
  @inlinable
  public init(parsing bytes: RawSpan) throws(WireError) {
    try self.init(parsing: bytes, packetByteCount: bytes.byteCount)
  }

  /// Writes the header without its options over the first 20 bytes of `bytes`.
  @inlinable @inline(__always)
  public func write(to bytes: inout MutableRawSpan) {
    precondition(bytes.byteCount >= Self.minimumByteCount, "no room for an IPv4 header")
    bytes.store(bigEndian: 0x40 | headerByteCount >> 2, at: Offset.versionAndLength)
    bytes.store(bigEndian: trafficClass.value, at: Offset.trafficClass)
    bytes.store(bigEndian: totalLength, at: Offset.totalLength)
    bytes.store(bigEndian: identification, at: Offset.identification)
    bytes.store(bigEndian: UInt16(flags.rawValue) << 13 | fragmentOffset >> 3, at: Offset.flagsAndFragmentOffset)
    bytes.store(bigEndian: timeToLive, at: Offset.timeToLive)
    bytes.store(bigEndian: `protocol`.value, at: Offset.protocol)
    bytes.store(bigEndian: checksum, at: Offset.checksum)
    bytes.store(source, at: Offset.source)
    bytes.store(destination, at: Offset.destination)
  }

  /// Whether the checksum of this header, which was parsed from `bytes`, is right (RFC 791 section 3.1).
  @inlinable @inline(__always)
  public func isChecksumValid(in bytes: RawSpan) -> Bool {
    if headerByteCount == Self.minimumByteCount {
      // Nearly every header: five words, and no loop.
      guard bytes.byteCount >= Self.minimumByteCount else { return false }
      var sum = UInt64(bytes.bigEndian(at: 0, as: UInt32.self)) &+ UInt64(bytes.bigEndian(at: 4, as: UInt32.self))
      sum &+= UInt64(bytes.bigEndian(at: 8, as: UInt32.self)) &+ UInt64(bytes.bigEndian(at: 12, as: UInt32.self))
      return WordSum.fold(sum &+ UInt64(bytes.bigEndian(at: 16, as: UInt32.self))) == 0xffff
    }
    var sum = InternetChecksum()
    sum.add(bytes.extracting(first: Int(headerByteCount)))
    return sum.isValid
  }

  /// The checksum that this header must carry if it has no options; what ``checksum`` says now does not matter.
  @inlinable @inline(__always)
  public var computedChecksum: UInt16 {
    // The fields as 32-bit words of the wire's byte order, which a sum does not mind (RFC 1071 section 2 (B)).
    let first = UInt64(0x40 | headerByteCount >> 2) &<< 24 | UInt64(trafficClass.value) &<< 16 | UInt64(totalLength)
    let second = UInt64(identification) &<< 16 | UInt64(flags.rawValue) &<< 13 | UInt64(fragmentOffset >> 3)
    let third = UInt64(timeToLive) &<< 24 | UInt64(`protocol`.value) &<< 16
    return ~WordSum.fold(first &+ second &+ third &+ UInt64(source.value) &+ UInt64(destination.value))
  }
}
