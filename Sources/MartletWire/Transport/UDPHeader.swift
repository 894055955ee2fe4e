/// The header of a UDP datagram (RFC 768).
///
///      0               8               16             24             31
///     +-------------------------------+-------------------------------+
///     |          source port          |       destination port        |
///     +-------------------------------+-------------------------------+
///     |            length             |           checksum            |
///     +-------------------------------+-------------------------------+
public struct UDPHeader: Equatable, Sendable, BitwiseCopyable {
  /// The size of the header on the wire, in bytes.
  public static let byteCount = 8

  public var sourcePort: UInt16
  public var destinationPort: UInt16
  /// Header and payload together, in bytes; never below ``byteCount``.
  public var length: UInt16
  /// The Internet checksum as it stands on the wire; 0 says that the sender computed none (IPv4 only).
  public var checksum: UInt16

  @inlinable
  public init(sourcePort: UInt16, destinationPort: UInt16, length: UInt16, checksum: UInt16 = 0) {
    self.sourcePort = sourcePort
    self.destinationPort = destinationPort
    self.length = length
    self.checksum = checksum
  }
}

extension UDPHeader {
  @usableFromInline enum Offset {
    @usableFromInline static let sourcePort = 0
    @usableFromInline static let destinationPort = 2
    @usableFromInline static let length = 4
    @usableFromInline static let checksum = 6
  }

  /// Where the checksum stands, in bytes from the start of the header.
  @inlinable public static var checksumOffset: Int { Offset.checksum }

  /// Reads the header in front of `bytes`, which may run on past the datagram (link padding).
  ///
  /// - Throws: ``WireError/truncated`` if `bytes` ends before the header or before ``length``,
  ///   ``WireError/malformed(field:)`` if ``length`` is below ``byteCount``.
  @inlinable
  public init(parsing bytes: RawSpan) throws(WireError) {
    guard bytes.byteCount >= Self.byteCount else { throw .truncated }
    sourcePort = bytes.bigEndian(at: Offset.sourcePort)
    destinationPort = bytes.bigEndian(at: Offset.destinationPort)
    length = bytes.bigEndian(at: Offset.length)
    checksum = bytes.bigEndian(at: Offset.checksum)
    guard length >= Self.byteCount else { throw .malformed(field: "length") }
    guard bytes.byteCount >= Int(length) else { throw .truncated }
  }

  /// Writes the header over the first ``byteCount`` bytes of `bytes`.
  @inlinable
  public func write(to bytes: inout MutableRawSpan) {
    precondition(bytes.byteCount >= Self.byteCount, "no room for a UDP header")
    bytes.store(bigEndian: sourcePort, at: Offset.sourcePort)
    bytes.store(bigEndian: destinationPort, at: Offset.destinationPort)
    bytes.store(bigEndian: length, at: Offset.length)
    bytes.store(bigEndian: checksum, at: Offset.checksum)
  }
}
