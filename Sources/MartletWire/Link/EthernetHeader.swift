/// The header of an Ethernet II frame, with at most one IEEE 802.1Q tag (RFC 894, RFC 2464, IEEE 802.1Q section 9).
///
///      0        6        12       14  (bytes)
///     +--------+--------+--------+
///     |  dest. | source |  type  |
///     +--------+--------+--------+
///
///      0        6        12       14       16       18
///     +--------+--------+--------+--------+--------+
///     |  dest. | source | 0x8100 |  tag   |  type  |
///     +--------+--------+--------+--------+--------+
public struct EthernetHeader: Equatable, Sendable, BitwiseCopyable {
  /// The size of a header without a tag, in bytes.
  public static let untaggedByteCount = 14
  /// The size of a header with a tag, in bytes.
  public static let taggedByteCount = 18

  public var destination: MACAddress
  public var source: MACAddress
  /// The IEEE 802.1Q tag, if the frame carries one.
  public var tag: VLANTag?
  /// What follows the header, tag included.
  public var type: EtherType

  @inlinable
  public init(destination: MACAddress, source: MACAddress, tag: VLANTag? = nil, type: EtherType) {
    self.destination = destination
    self.source = source
    self.tag = tag
    self.type = type
  }

  /// The size of this header on the wire, in bytes.
  @inlinable public var byteCount: Int { tag == nil ? Self.untaggedByteCount : Self.taggedByteCount }
}

/// The tag control information of IEEE 802.1Q (section 9.6).
///
///      15   13  12  11                   0
///     +-------+---+-----------------------+
///     |  PCP  |DEI|          VID          |
///     +-------+---+-----------------------+
public struct VLANTag: Hashable, Sendable, BitwiseCopyable {
  /// The sixteen bits on the wire.
  public var value: UInt16

  @inlinable public init(value: UInt16) { self.value = value }

  /// A tag of its three fields; bits of `priority` above 7 and of `identifier` above 4095 are ignored.
  @inlinable
  public init(identifier: UInt16, priority: UInt8 = 0, isDropEligible: Bool = false) {
    value = UInt16(priority & 7) << 13 | (isDropEligible ? 0x1000 : 0) | identifier & 0x0fff
  }

  /// The VLAN identifier, 0...4095; 0 says that the tag only carries a priority.
  @inlinable public var identifier: UInt16 { value & 0x0fff }
  /// The priority code point, 0...7.
  @inlinable public var priority: UInt8 { UInt8(truncatingIfNeeded: value >> 13) }
  /// Whether the frame may go first when a queue is full.
  @inlinable public var isDropEligible: Bool { value & 0x1000 != 0 }
}

extension EthernetHeader {
  @usableFromInline enum Offset {
    @usableFromInline static let destination = 0
    @usableFromInline static let source = 6
    @usableFromInline static let type = 12
    @usableFromInline static let tag = 14
    @usableFromInline static let taggedType = 16
  }

  /// Reads the header in front of `bytes`. A second tag stays in ``type``.
  ///
  /// - Throws: ``WireError/truncated`` if `bytes` ends before the header.
  @inlinable @inline(__always)
  public init(parsing bytes: RawSpan) throws(WireError) {
    guard bytes.byteCount >= Self.untaggedByteCount else { throw .truncated }
    destination = bytes.macAddress(at: Offset.destination)
    source = bytes.macAddress(at: Offset.source)
    type = EtherType(value: bytes.bigEndian(at: Offset.type))
    tag = nil
    if type == .vlan {
      guard bytes.byteCount >= Self.taggedByteCount else { throw .truncated }
      tag = VLANTag(value: bytes.bigEndian(at: Offset.tag))
      type = EtherType(value: bytes.bigEndian(at: Offset.taggedType))
    }
  }

  /// Writes the header over the first ``byteCount`` bytes of `bytes`.
  @inlinable @inline(__always)
  public func write(to bytes: inout MutableRawSpan) {
    bytes.store(destination, at: Offset.destination)
    bytes.store(source, at: Offset.source)
    if let tag {
      bytes.store(bigEndian: EtherType.vlan.value, at: Offset.type)
      bytes.store(bigEndian: tag.value, at: Offset.tag)
      bytes.store(bigEndian: type.value, at: Offset.taggedType)
    } else {
      bytes.store(bigEndian: type.value, at: Offset.type)
    }
  }
}
