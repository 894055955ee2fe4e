/// The header of a TCP segment (RFC 9293 section 3.1).
///
///      0       4       8               16             24             31
///     +-------------------------------+-------------------------------+
///     |          source port          |       destination port        |
///     +-------------------------------+-------------------------------+
///     |                        sequence number                        |
///     +---------------------------------------------------------------+
///     |                    acknowledgment number                      |
///     +-------+-----+-----------------+-------------------------------+
///     | data  |     |A C E U A P R S F|                               |
///     |offset |  0  |E W C R C S S Y I|            window             |
///     |       |     |  R E G K H T N N|                               |
///     +-------+-----+-----------------+-------------------------------+
///     |           checksum            |        urgent pointer         |
///     +-------------------------------+-------------------------------+
///     |                          options …                            |
///     +---------------------------------------------------------------+
public struct TCPHeader: Equatable, Sendable, BitwiseCopyable {
  /// The size of a header without options, in bytes.
  public static let minimumByteCount = 20
  /// The size of a header with all the options that fit, in bytes.
  public static let maximumByteCount = 60

  public var sourcePort: UInt16
  public var destinationPort: UInt16
  public var sequenceNumber: SequenceNumber
  /// The next byte that the sender expects, if ``TCPFlags/ack`` is set.
  public var acknowledgmentNumber: SequenceNumber
  /// The data offset: the size of the header with its options, in bytes; a multiple of 4 in 20...60.
  public var headerByteCount: UInt8
  public var flags: TCPFlags
  /// The window as it stands on the wire, not scaled.
  public var window: UInt16
  /// The Internet checksum as it stands on the wire.
  public var checksum: UInt16
  public var urgentPointer: UInt16

  @inlinable
  public init(
    sourcePort: UInt16, destinationPort: UInt16, sequenceNumber: SequenceNumber, acknowledgmentNumber: SequenceNumber,
    headerByteCount: UInt8 = 20, flags: TCPFlags, window: UInt16, checksum: UInt16 = 0, urgentPointer: UInt16 = 0
  ) {
    self.sourcePort = sourcePort
    self.destinationPort = destinationPort
    self.sequenceNumber = sequenceNumber
    self.acknowledgmentNumber = acknowledgmentNumber
    self.headerByteCount = headerByteCount
    self.flags = flags
    self.window = window
    self.checksum = checksum
    self.urgentPointer = urgentPointer
  }
}

/// The control bits of a TCP segment (RFC 9293 section 3.1; AE: RFC 9768).
public struct TCPFlags: OptionSet, Hashable, Sendable, BitwiseCopyable {
  public var rawValue: UInt16

  @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }

  /// No more data from the sender.
  @inlinable public static var fin: TCPFlags { TCPFlags(rawValue: 0x001) }
  /// Synchronize sequence numbers.
  @inlinable public static var syn: TCPFlags { TCPFlags(rawValue: 0x002) }
  /// Reset the connection.
  @inlinable public static var rst: TCPFlags { TCPFlags(rawValue: 0x004) }
  /// Push function.
  @inlinable public static var psh: TCPFlags { TCPFlags(rawValue: 0x008) }
  /// The acknowledgment number is significant.
  @inlinable public static var ack: TCPFlags { TCPFlags(rawValue: 0x010) }
  /// The urgent pointer is significant.
  @inlinable public static var urg: TCPFlags { TCPFlags(rawValue: 0x020) }
  /// ECN echo (RFC 3168).
  @inlinable public static var ece: TCPFlags { TCPFlags(rawValue: 0x040) }
  /// Congestion window reduced (RFC 3168).
  @inlinable public static var cwr: TCPFlags { TCPFlags(rawValue: 0x080) }
  /// Accurate ECN (RFC 9768).
  @inlinable public static var ae: TCPFlags { TCPFlags(rawValue: 0x100) }
}

extension TCPHeader {
  @usableFromInline enum Offset {
    @usableFromInline static let sourcePort = 0
    @usableFromInline static let destinationPort = 2
    @usableFromInline static let sequenceNumber = 4
    @usableFromInline static let acknowledgmentNumber = 8
    @usableFromInline static let dataOffsetAndFlags = 12
    @usableFromInline static let window = 14
    @usableFromInline static let checksum = 16
    @usableFromInline static let urgentPointer = 18
  }

  /// Where the checksum stands, in bytes from the start of the header.
  @inlinable public static var checksumOffset: Int { Offset.checksum }

  /// Reads the header in front of `bytes`, the whole segment. The reserved bits are ignored (RFC 9293 section 3.1).
  ///
  /// - Throws: ``WireError/truncated`` if `bytes` ends before the header or its options,
  ///   ``WireError/malformed(field:)`` if the data offset is below 5 words.
  @inlinable @inline(__always)
  public init(parsing bytes: RawSpan) throws(WireError) {
    guard bytes.byteCount >= Self.minimumByteCount else { throw .truncated }
    sourcePort = bytes.bigEndian(at: Offset.sourcePort)
    destinationPort = bytes.bigEndian(at: Offset.destinationPort)
    sequenceNumber = SequenceNumber(bytes.bigEndian(at: Offset.sequenceNumber))
    acknowledgmentNumber = SequenceNumber(bytes.bigEndian(at: Offset.acknowledgmentNumber))
    let offsetAndFlags: UInt16 = bytes.bigEndian(at: Offset.dataOffsetAndFlags)
    headerByteCount = UInt8(truncatingIfNeeded: offsetAndFlags >> 12) << 2
    flags = TCPFlags(rawValue: offsetAndFlags & 0x01ff)
    window = bytes.bigEndian(at: Offset.window)
    checksum = bytes.bigEndian(at: Offset.checksum)
    urgentPointer = bytes.bigEndian(at: Offset.urgentPointer)
    guard headerByteCount >= Self.minimumByteCount else { throw .malformed(field: "data offset") }
    guard bytes.byteCount >= Int(headerByteCount) else { throw .truncated }
  }

  /// Writes the header without its options over the first 20 bytes of `bytes`.
  @inlinable @inline(__always)
  public func write(to bytes: inout MutableRawSpan) {
    precondition(bytes.byteCount >= Self.minimumByteCount, "no room for a TCP header")
    // In words as large as they go: each field for itself costs three times as much.
    let ports = UInt64(sourcePort) &<< 48 | UInt64(destinationPort) &<< 32
    bytes.store(bigEndian: ports | UInt64(sequenceNumber.value), at: Offset.sourcePort)
    let offsetAndFlags = UInt64(headerByteCount &>> 2) &<< 12 | UInt64(flags.rawValue & 0x01ff)
    bytes.store(
      bigEndian: UInt64(acknowledgmentNumber.value) &<< 32 | offsetAndFlags &<< 16 | UInt64(window),
      at: Offset.acknowledgmentNumber)
    bytes.store(bigEndian: UInt32(checksum) &<< 16 | UInt32(urgentPointer), at: Offset.checksum)
  }
}
