/// The header of an IPv6 packet (RFC 8200 section 3).
///
///      0       4              12      16              24             31
///     +-------+---------------+---------------------------------------+
///     |version| traffic class |              flow label               |
///     +-------+---------------+-------+---------------+---------------+
///     |        payload length         |  next header  |   hop limit   |
///     +-------------------------------+---------------+---------------+
///     |                      source (16 bytes)                        |
///     +---------------------------------------------------------------+
///     |                    destination (16 bytes)                     |
///     +---------------------------------------------------------------+
public struct IPv6Header: Equatable, Sendable, BitwiseCopyable {
  /// The size of the header on the wire, in bytes.
  public static let byteCount = 40

  public var trafficClass: TrafficClass
  /// The flow label, 20 bits (RFC 6437).
  public var flowLabel: UInt32
  /// What follows the header, extension headers included, in bytes.
  public var payloadLength: UInt16
  public var nextHeader: IPProtocol
  public var hopLimit: UInt8
  public var source: IPv6Address
  public var destination: IPv6Address

  @inlinable
  public init(
    trafficClass: TrafficClass = .bestEffort, flowLabel: UInt32 = 0, payloadLength: UInt16, nextHeader: IPProtocol,
    hopLimit: UInt8, source: IPv6Address, destination: IPv6Address
  ) {
    self.trafficClass = trafficClass
    self.flowLabel = flowLabel & 0x000f_ffff
    self.payloadLength = payloadLength
    self.nextHeader = nextHeader
    self.hopLimit = hopLimit
    self.source = source
    self.destination = destination
  }
}

extension IPv6Header {
  @usableFromInline enum Offset {
    @usableFromInline static let versionClassAndLabel = 0
    @usableFromInline static let payloadLength = 4
    @usableFromInline static let nextHeader = 6
    @usableFromInline static let hopLimit = 7
    @usableFromInline static let source = 8
    @usableFromInline static let destination = 24
  }

  /// Where the payload length stands, in bytes from the start of the header: what an ICMPv6 error points at.
  @inlinable public static var payloadLengthOffset: Int { Offset.payloadLength }
  /// Where the next-header field stands, in bytes from the start of the header: what an ICMPv6 error points at.
  @inlinable public static var nextHeaderOffset: Int { Offset.nextHeader }

  /// Reads the header in front of `bytes`, which may run on past the packet (link padding).
  ///
  /// - Parameter packetByteCount: the size of the packet, if only its beginning lies in `bytes`.
  /// - Throws: ``WireError/truncated`` if `bytes` ends before the header or the packet before the payload does,
  ///   ``WireError/malformed(field:)`` if the version is not 6.
  @inlinable
  public init(parsing bytes: RawSpan, packetByteCount: Int) throws(WireError) {
    guard bytes.byteCount >= Self.byteCount else { throw .truncated }
    let first: UInt32 = bytes.bigEndian(at: Offset.versionClassAndLabel)
    guard first >> 28 == 6 else { throw .malformed(field: "version") }
    trafficClass = TrafficClass(value: UInt8(truncatingIfNeeded: first >> 20))
    flowLabel = first & 0x000f_ffff
    payloadLength = bytes.bigEndian(at: Offset.payloadLength)
    nextHeader = IPProtocol(value: bytes.bigEndian(at: Offset.nextHeader))
    hopLimit = bytes.bigEndian(at: Offset.hopLimit)
    source = bytes.ipv6Address(at: Offset.source)
    destination = bytes.ipv6Address(at: Offset.destination)
    guard packetByteCount >= Self.byteCount + Int(payloadLength) else { throw .truncated }
  }

  /// Reads the header of a packet all of whose bytes lie in `bytes`; throws as ``init(parsing:packetByteCount:)``.
  @inlinable
  public init(parsing bytes: RawSpan) throws(WireError) {
    try self.init(parsing: bytes, packetByteCount: bytes.byteCount)
  }

  /// Writes the header over the first ``byteCount`` bytes of `bytes`.
  @inlinable
  public func write(to bytes: inout MutableRawSpan) {
    precondition(bytes.byteCount >= Self.byteCount, "no room for an IPv6 header")
    bytes.store(
      bigEndian: 6 << 28 | UInt32(trafficClass.value) << 20 | flowLabel & 0x000f_ffff,
      at: Offset.versionClassAndLabel)
    bytes.store(bigEndian: payloadLength, at: Offset.payloadLength)
    bytes.store(bigEndian: nextHeader.value, at: Offset.nextHeader)
    bytes.store(bigEndian: hopLimit, at: Offset.hopLimit)
    bytes.store(source, at: Offset.source)
    bytes.store(destination, at: Offset.destination)
  }
}
