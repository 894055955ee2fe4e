/// A 48-bit Ethernet address (IEEE 802 EUI-48).
public struct MACAddress: Hashable, Sendable, BitwiseCopyable {
  /// The address in the low 48 bits, the first byte on the wire being the most significant.
  public let value: UInt64

  /// The address in the low 48 bits of `value`; the rest is ignored.
  @inlinable public init(value: UInt64) { self.value = value & 0xffff_ffff_ffff }

  /// The address whose bytes are `a` to `f`, in the order of the wire.
  @inlinable public init(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8, _ e: UInt8, _ f: UInt8) {
    let left = UInt64(a) << 40 | UInt64(b) << 32 | UInt64(c) << 24
    value = left | UInt64(d) << 16 | UInt64(e) << 8 | UInt64(f)
  }

  /// ff:ff:ff:ff:ff:ff, every station on the link.
  public static let broadcast = MACAddress(value: 0xffff_ffff_ffff)
  /// 00:00:00:00:00:00, no station; what an ARP request has for its target.
  public static let zero = MACAddress(value: 0)
}

extension MACAddress {
  /// The size of an address on the wire, in bytes.
  public static let byteCount = 6

  /// Reads the six bytes at `offset`. Out of bounds is the caller's bug and traps.
  @inlinable public init(reading bytes: RawSpan, at offset: Int) {
    let left: UInt16 = bytes.bigEndian(at: offset)
    let right: UInt32 = bytes.bigEndian(at: offset + 2)
    value = UInt64(left) << 32 | UInt64(right)
  }

  /// Writes the six bytes at `offset`. Out of bounds is the caller's bug and traps.
  @inlinable public func write(to bytes: inout MutableRawSpan, at offset: Int) {
    bytes.store(bigEndian: UInt16(truncatingIfNeeded: value >> 32), at: offset)
    bytes.store(bigEndian: UInt32(truncatingIfNeeded: value), at: offset + 2)
  }
}

extension MACAddress {
  /// Whether a group of stations is meant (the group bit of IEEE 802); true for ``broadcast`` as well.
  @inlinable public var isMulticast: Bool { value & 0x0100_0000_0000 != 0 }
  /// Whether every station on the link is meant.
  @inlinable public var isBroadcast: Bool { value == 0xffff_ffff_ffff }
  /// Whether one station is meant: neither a group nor ``zero``.
  @inlinable public var isUnicast: Bool { !isMulticast && value != 0 }
  /// Whether someone other than a manufacturer chose the address (the local bit of IEEE 802).
  @inlinable public var isLocallyAdministered: Bool { value & 0x0200_0000_0000 != 0 }

  /// The station group that carries datagrams to the IPv4 group `address` (RFC 1112 section 6.4).
  @inlinable public init(multicast address: IPv4Address) {
    self.init(value: 0x0100_5e00_0000 | UInt64(address.value & 0x7f_ffff))
  }

  /// The station group that carries packets to the IPv6 group `address` (RFC 2464 section 7).
  @inlinable public init(multicast address: IPv6Address) {
    self.init(value: 0x3333_0000_0000 | address.low & 0xffff_ffff)
  }

  /// The station group that carries packets to the group `address` of either version.
  @inlinable public init(multicast address: IPAddress) {
    if let v4 = address.v4 { self.init(multicast: v4) } else { self.init(multicast: address.v6) }
  }

  /// The interface identifier made of this address: `ff:fe` in its middle, its local bit turned over
  /// (modified EUI-64, RFC 4291 appendix A).
  @inlinable public var interfaceIdentifier: UInt64 {
    ((value & 0xffff_ff00_0000) << 16 | 0xff_fe00_0000 | value & 0xff_ffff) ^ 0x0200_0000_0000_0000
  }
}

extension MACAddress: Comparable {
  @inlinable public static func < (left: Self, right: Self) -> Bool { left.value < right.value }
}

extension MACAddress: LosslessStringConvertible, ExpressibleByStringLiteral {
  /// Six bytes of two hexadecimal digits each, all separated by ":" or all by "-"; nil for anything else.
  public init?(_ text: some StringProtocol) {
    var reader = TextReader(text)
    var separator: Unicode.Scalar = ":"
    var value: UInt64 = 0
    for position in 0..<6 {
      if position == 1, reader.skip("-") {
        separator = "-"
      } else if position > 0, !reader.skip(separator) {
        return nil
      }
      guard let byte = reader.readHexadecimal(digits: 2...2) else { return nil }
      value = value << 8 | UInt64(byte)
    }
    guard reader.isAtEnd else { return nil }
    self.init(value: value)
  }

  /// The address that `literal` spells; a literal that spells none is the programmer's bug and traps. Swift calls this
  /// for `MACAddress("…")` with a literal as well; text that comes from outside is a `String` and gets `init?(_:)`.
  public init(stringLiteral literal: StaticString) {
    let text = literal.description
    guard let address = Self(text) else { preconditionFailure("\"\(text)\" is not an Ethernet address") }
    self = address
  }

  /// Lower-case hexadecimal, separated by colons: `1a:34:2c:9a:de:cc`.
  public var description: String {
    var text = ""
    text.reserveCapacity(17)
    for shift in stride(from: 40, through: 0, by: -8) {
      if shift < 40 { text += ":" }
      text += twoHexDigits(UInt8(truncatingIfNeeded: value >> UInt64(shift)))
    }
    return text
  }
}

private func twoHexDigits(_ byte: UInt8) -> String {
  (byte < 16 ? "0" : "") + String(byte, radix: 16)
}
