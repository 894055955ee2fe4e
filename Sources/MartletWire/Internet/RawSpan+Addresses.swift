/// Addresses in spans, in network byte order. Out of bounds is the caller's bug and traps.
extension RawSpan {
  /// The Ethernet address whose six bytes stand at `offset`.
  @inlinable @inline(__always)
  public func macAddress(at offset: Int) -> MACAddress {
    MACAddress(
      value: UInt64(bigEndian(at: offset, as: UInt16.self)) << 32 | UInt64(bigEndian(at: offset + 2, as: UInt32.self)))
  }

  /// The IPv4 address whose four bytes stand at `offset`.
  @inlinable @inline(__always)
  public func ipv4Address(at offset: Int) -> IPv4Address {
    IPv4Address(value: bigEndian(at: offset))
  }

  /// The IPv6 address whose sixteen bytes stand at `offset`.
  @inlinable @inline(__always)
  public func ipv6Address(at offset: Int) -> IPv6Address {
    IPv6Address(high: bigEndian(at: offset), low: bigEndian(at: offset + 8))
  }
}

extension MutableRawSpan {
  /// Stores the six bytes of `address` at `offset`.
  @inlinable @inline(__always)
  @_lifetime(self: copy self)
  public mutating func store(_ address: MACAddress, at offset: Int) {
    store(bigEndian: UInt16(truncatingIfNeeded: address.value >> 32), at: offset)
    store(bigEndian: UInt32(truncatingIfNeeded: address.value), at: offset + 2)
  }

  /// Stores the four bytes of `address` at `offset`.
  @inlinable @inline(__always)
  @_lifetime(self: copy self)
  public mutating func store(_ address: IPv4Address, at offset: Int) {
    store(bigEndian: address.value, at: offset)
  }

  /// Stores the sixteen bytes of `address` at `offset`.
  @inlinable @inline(__always)
  @_lifetime(self: copy self)
  public mutating func store(_ address: IPv6Address, at offset: Int) {
    store(bigEndian: address.high, at: offset)
    store(bigEndian: address.low, at: offset + 8)
  }
}
