/// What a checksum becomes when a field that it covers changes (RFC 1624 section 3, equation 3: HC' = ~(~HC + ~m + m')).
/// The field must begin at an even offset of what the checksum covers. A UDP checksum of 0 stands for none and must not
/// be updated; pass the result through ``InternetChecksum/udp(_:)``.
extension InternetChecksum {
  /// `checksum` after a 16-bit field changed from `old` to `new`.
  @inlinable @inline(__always)
  public static func updated(_ checksum: UInt16, from old: UInt16, to new: UInt16) -> UInt16 {
    ~WordSum.fold(UInt64(~checksum) &+ UInt64(~old) &+ UInt64(new))
  }

  /// `checksum` after a 32-bit field changed from `old` to `new`.
  @inlinable @inline(__always)
  public static func updated(_ checksum: UInt16, from old: UInt32, to new: UInt32) -> UInt16 {
    ~WordSum.fold(UInt64(~checksum) &+ UInt64(~old) &+ UInt64(new))
  }

  /// `checksum` after an IPv4 address changed from `old` to `new`.
  @inlinable @inline(__always)
  public static func updated(_ checksum: UInt16, from old: IPv4Address, to new: IPv4Address) -> UInt16 {
    updated(checksum, from: old.value, to: new.value)
  }

  /// `checksum` after an IPv6 address changed from `old` to `new`.
  @inlinable @inline(__always)
  public static func updated(_ checksum: UInt16, from old: IPv6Address, to new: IPv6Address) -> UInt16 {
    ~WordSum.fold(UInt64(~checksum) &+ halves(~old.high) &+ halves(~old.low) &+ halves(new.high) &+ halves(new.low))
  }

  @inlinable @inline(__always)
  static func halves(_ value: UInt64) -> UInt64 { (value & 0xffff_ffff) &+ value &>> 32 }
}
