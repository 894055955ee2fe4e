/// A 128-bit Internet address (RFC 4291).
public struct IPv6Address: Hashable, Sendable, BitwiseCopyable {
  /// The first eight bytes (prefix), as a number.
  public let high: UInt64
  /// The last eight bytes (interface identifier), as a number.
  public let low: UInt64

  @inlinable public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }
}
