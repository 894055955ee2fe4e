/// A 32-bit Internet address (RFC 791).
public struct IPv4Address: Hashable, Sendable, BitwiseCopyable {
  /// The address as a number: 192.0.2.1 is 0xc0000201.
  public let value: UInt32

  @inlinable public init(value: UInt32) { self.value = value }
}
