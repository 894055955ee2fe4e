/// A version of the Internet Protocol.
public enum IPVersion: UInt8, Hashable, Sendable, BitwiseCopyable, CaseIterable {
  case v4 = 4
  case v6 = 6

  /// The size of an address on the wire, in bytes: 4 or 16.
  @inlinable public var addressByteCount: Int { self == .v4 ? 4 : 16 }
  /// The size of an address in bits: 32 or 128.
  @inlinable public var addressBitCount: Int { self == .v4 ? 32 : 128 }
}

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

  /// The version whose packets carry this address.
  @inlinable public var version: IPVersion { isIPv4 ? .v4 : .v6 }

  /// The unspecified address of `version`: 0.0.0.0 or `::`.
  @inlinable public static func any(_ version: IPVersion) -> IPAddress {
    version == .v4 ? IPAddress(IPv4Address.any) : IPAddress(IPv6Address.any)
  }

  /// The address of this host for itself: 127.0.0.1 or `::1`.
  @inlinable public static func loopback(_ version: IPVersion) -> IPAddress {
    version == .v4 ? IPAddress(IPv4Address.loopback) : IPAddress(IPv6Address.loopback)
  }
}

extension IPAddress {
  /// The size of this address on the wire, in bytes: 4 or 16.
  @inlinable public var byteCount: Int { version.addressByteCount }

  /// Reads the 4 or 16 bytes at `offset`. Out of bounds is the caller's bug and traps.
  @inlinable public init(reading bytes: RawSpan, at offset: Int, version: IPVersion) {
    switch version {
    case .v4: self.init(IPv4Address(reading: bytes, at: offset))
    case .v6: self.init(IPv6Address(reading: bytes, at: offset))
    }
  }

  /// Writes the address at `offset` as its version has it, in ``byteCount`` bytes. Out of bounds is the caller's bug
  /// and traps.
  @inlinable public func write(to bytes: inout MutableRawSpan, at offset: Int) {
    if let v4 { v4.write(to: &bytes, at: offset) } else { v6.write(to: &bytes, at: offset) }
  }
}

/// What kind of address it is, by the rules of its version.
extension IPAddress {
  /// 0.0.0.0 or `::`.
  @inlinable public var isUnspecified: Bool { v4?.isUnspecified ?? v6.isUnspecified }
  /// 127.0.0.0/8 or `::1`.
  @inlinable public var isLoopback: Bool { v4?.isLoopback ?? v6.isLoopback }
  /// 224.0.0.0/4 or `ff00::/8`.
  @inlinable public var isMulticast: Bool { v4?.isMulticast ?? v6.isMulticast }
  /// 255.255.255.255; IPv6 has no broadcast.
  @inlinable public var isLimitedBroadcast: Bool { v4?.isLimitedBroadcast ?? false }
  /// 169.254.0.0/16 or `fe80::/10`.
  @inlinable public var isLinkLocal: Bool { v4?.isLinkLocal ?? v6.isLinkLocal }
  /// The addresses that everyone may use at home: RFC 1918, or IPv6's unique-local ones (RFC 4193).
  @inlinable public var isPrivate: Bool { v4?.isPrivate ?? v6.isUniqueLocal }
  /// An address for books and examples (RFC 5737, RFC 3849, RFC 9637).
  @inlinable public var isDocumentation: Bool { v4?.isDocumentation ?? v6.isDocumentation }
  /// Whether one host can have it.
  @inlinable public var isUnicast: Bool { v4?.isUnicast ?? v6.isUnicast }
  /// Whether one host can have it on the public Internet.
  @inlinable public var isGlobal: Bool { v4?.isGlobal ?? v6.isGlobal }
  /// How far it reaches, as address selection counts it (RFC 6724 section 3.1).
  @inlinable public var scope: AddressScope { v4?.scope ?? v6.scope }
}

extension IPAddress: Comparable {
  /// By the sixteen bytes, as a number.
  @inlinable public static func < (left: Self, right: Self) -> Bool { left.v6 < right.v6 }
}

extension IPAddress: LosslessStringConvertible, ExpressibleByStringLiteral {
  /// A dotted quad, or any form of RFC 4291 section 2.2; nil for anything else. `::ffff:192.0.2.1` is 192.0.2.1.
  public init?(_ text: some StringProtocol) {
    var reader = TextReader(text)
    guard let address = reader.readIP(), reader.isAtEnd else { return nil }
    self = address
  }

  /// The address that `literal` spells; a literal that spells none is the programmer's bug and traps. Swift calls this
  /// for `IPAddress("…")` with a literal as well; text that comes from outside is a `String` and gets `init?(_:)`.
  public init(stringLiteral literal: StaticString) {
    let text = literal.description
    guard let address = Self(text) else { preconditionFailure("\"\(text)\" is not an Internet address") }
    self = address
  }

  /// `192.0.2.1`, or the canonical form of RFC 5952.
  public var description: String { v4?.description ?? v6.description }
}
