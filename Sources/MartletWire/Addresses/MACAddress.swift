/// A 48-bit Ethernet address (IEEE 802 EUI-48).
public struct MACAddress: Hashable, Sendable, BitwiseCopyable {
  /// The address in the low 48 bits, the first byte on the wire being the most significant.
  public let value: UInt64

  /// The address in the low 48 bits of `value`; the rest is ignored.
  @inlinable public init(value: UInt64) { self.value = value & 0xffff_ffff_ffff }

  /// ff:ff:ff:ff:ff:ff, every station on the link.
  public static let broadcast = MACAddress(value: 0xffff_ffff_ffff)
}
