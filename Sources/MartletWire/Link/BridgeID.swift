/// Who a bridge is among bridges: the lesser identifier is the better one (IEEE 802.1D-1998 section 9.2.5).
///
///      0        2                 8  (bytes)
///     +--------+-----------------+
///     |priority|     address     |
///     +--------+-----------------+
public struct BridgeID: Hashable, Sendable, BitwiseCopyable {
  /// The size of an identifier on the wire, in bytes.
  @inlinable public static var byteCount: Int { 8 }

  /// What an administrator chose; the least becomes the root.
  public var priority: UInt16
  /// What decides between bridges of one priority.
  public var address: MACAddress

  @inlinable
  public init(priority: UInt16, address: MACAddress) {
    self.priority = priority
    self.address = address
  }

  /// The eight bytes as one number, which is how identifiers are compared.
  @inlinable public var value: UInt64 { UInt64(priority) << 48 | address.value }

  /// Reads the eight bytes at `offset`. Out of bounds is the caller's bug and traps.
  @inlinable public init(reading bytes: RawSpan, at offset: Int) {
    priority = bytes.bigEndian(at: offset)
    address = MACAddress(reading: bytes, at: offset + 2)
  }

  /// Writes the eight bytes at `offset`. Out of bounds is the caller's bug and traps.
  @inlinable public func write(to bytes: inout MutableRawSpan, at offset: Int) {
    bytes.store(bigEndian: priority, at: offset)
    address.write(to: &bytes, at: offset + 2)
  }
}

extension BridgeID: Comparable {
  @inlinable public static func < (left: Self, right: Self) -> Bool { left.value < right.value }
}

extension BridgeID: CustomStringConvertible {
  /// The priority, in decimal, and the address: `32768/02:00:00:00:01:00`.
  public var description: String { "\(priority)/\(address)" }
}
