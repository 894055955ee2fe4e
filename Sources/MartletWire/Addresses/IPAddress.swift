/// An Internet address of either version: sixteen bytes inside, an IPv4 address as its IPv4-mapped IPv6 form
/// (`::ffff:192.0.2.1`, RFC 4291 section 2.5.5.2), so that one table, one TCP and one UDP serve both.
public struct IPAddress: Hashable, Sendable, BitwiseCopyable {
  /// The sixteen bytes.
  public let v6: IPv6Address

  @inlinable public init(_ address: IPv6Address) { v6 = address }

  @inlinable public init(_ address: IPv4Address) {
    v6 = IPv6Address(high: 0, low: 0xffff_0000_0000 | UInt64(address.value))
  }

  /// Whether this is an IPv4 address.
  @inlinable public var isIPv4: Bool { v6.high == 0 && v6.low >> 32 == 0xffff }

  /// The IPv4 address, if this is one.
  @inlinable public var v4: IPv4Address? { isIPv4 ? IPv4Address(value: UInt32(truncatingIfNeeded: v6.low)) : nil }
}
