/// A 32-bit Internet address (RFC 791).
public struct IPv4Address: Hashable, Sendable, BitwiseCopyable {
  /// The address as a number: 192.0.2.1 is 0xc0000201.
  public let value: UInt32

  @inlinable public init(value: UInt32) { self.value = value }

  /// The address `a.b.c.d`.
  @inlinable public init(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) {
    value = UInt32(a) << 24 | UInt32(b) << 16 | UInt32(c) << 8 | UInt32(d)
  }

  /// 0.0.0.0: this host on this network, or any of a host's addresses when a socket is bound to it.
  public static let any = IPv4Address(value: 0)
  /// 127.0.0.1, this host.
  public static let loopback = IPv4Address(value: 0x7f00_0001)
  /// 255.255.255.255, every host on the link.
  public static let broadcast = IPv4Address(value: 0xffff_ffff)
  /// 224.0.0.1, every multicast host on the link (RFC 1112 section 4).
  public static let allHosts = IPv4Address(value: 0xe000_0001)
  /// 224.0.0.2, every multicast router on the link.
  public static let allRouters = IPv4Address(value: 0xe000_0002)
}

extension IPv4Address {
  /// The size of an address on the wire, in bytes.
  public static let byteCount = 4

  /// Reads the four bytes at `offset`. Out of bounds is the caller's bug and traps.
  @inlinable public init(reading bytes: RawSpan, at offset: Int) { value = bytes.bigEndian(at: offset) }

  /// Writes the four bytes at `offset`. Out of bounds is the caller's bug and traps.
  @inlinable public func write(to bytes: inout MutableRawSpan, at offset: Int) {
    bytes.store(bigEndian: value, at: offset)
  }

  /// The four bytes, in the order of the wire.
  @inlinable public var octets: (UInt8, UInt8, UInt8, UInt8) {
    (
      UInt8(truncatingIfNeeded: value >> 24), UInt8(truncatingIfNeeded: value >> 16),
      UInt8(truncatingIfNeeded: value >> 8), UInt8(truncatingIfNeeded: value)
    )
  }
}

/// What kind of address it is (RFC 1122 section 3.2.1.3, RFC 6890).
extension IPv4Address {
  /// 0.0.0.0.
  @inlinable public var isUnspecified: Bool { value == 0 }
  /// 0.0.0.0/8, "this network": only ever a source, of a host that does not know its address yet.
  @inlinable public var isThisNetwork: Bool { value >> 24 == 0 }
  /// 127.0.0.0/8, never on a wire.
  @inlinable public var isLoopback: Bool { value >> 24 == 127 }
  /// 224.0.0.0/4, a group of hosts (RFC 1112).
  @inlinable public var isMulticast: Bool { value >> 28 == 0xe }
  /// 224.0.0.0/24, a group that no router forwards (RFC 5771 section 4).
  @inlinable public var isLinkLocalMulticast: Bool { value >> 8 == 0xe00000 }
  /// 255.255.255.255, every host on the link; a subnet's own broadcast address is ``Subnet/broadcast``.
  @inlinable public var isLimitedBroadcast: Bool { value == 0xffff_ffff }
  /// 169.254.0.0/16 (RFC 3927).
  @inlinable public var isLinkLocal: Bool { value >> 16 == 0xa9fe }
  /// 10.0.0.0/8, 172.16.0.0/12 and 192.168.0.0/16 (RFC 1918).
  @inlinable public var isPrivate: Bool { value >> 24 == 10 || value >> 20 == 0xac1 || value >> 16 == 0xc0a8 }
  /// 100.64.0.0/10, between a provider's NAT and its customers (RFC 6598).
  @inlinable public var isShared: Bool { value >> 22 == 0x191 }
  /// 192.0.2.0/24, 198.51.100.0/24 and 203.0.113.0/24 (RFC 5737).
  @inlinable public var isDocumentation: Bool {
    value >> 8 == 0xc00002 || value >> 8 == 0xc63364 || value >> 8 == 0xcb0071
  }
  /// 198.18.0.0/15, for measuring devices (RFC 2544 appendix C.2.2).
  @inlinable public var isBenchmarking: Bool { value >> 17 == 0x6309 }
  /// 240.0.0.0/4, class E (RFC 1112 section 4); holds ``broadcast`` as well.
  @inlinable public var isReserved: Bool { value >> 28 == 0xf }
  /// Whether one host can have it: not of "this network", no group, not reserved. A subnet's broadcast address
  /// looks like any other here; see ``Subnet/broadcast``.
  @inlinable public var isUnicast: Bool { !isThisNetwork && value >> 28 < 0xe }
  /// Whether one host can have it on the public Internet (the IANA special-purpose registry, RFC 6890).
  @inlinable public var isGlobal: Bool {
    isUnicast && !isLoopback && !isLinkLocal && !isPrivate && !isShared && !isDocumentation && !isBenchmarking
      && value >> 8 != 0xc00000
  }
  /// How far it reaches, as address selection counts it (RFC 6724 section 3.2); groups by RFC 2365.
  @inlinable public var scope: AddressScope {
    if isLinkLocal || isLoopback || isLimitedBroadcast || isLinkLocalMulticast { return .linkLocal }
    guard isMulticast else { return .global }
    if value >> 16 == 0xefff { return .siteLocal }
    return value >> 18 == 0xefc0 >> 2 ? .organizationLocal : .global
  }
}

extension IPv4Address: Comparable {
  @inlinable public static func < (left: Self, right: Self) -> Bool { left.value < right.value }
}

extension IPv4Address: LosslessStringConvertible, ExpressibleByStringLiteral {
  /// Four decimal numbers of 0 to 255 with dots between. Anything else is nil: fewer numbers, hexadecimal, blanks, and
  /// leading zeros, which some programs read as octal (RFC 6943 section 3.1.1).
  public init?(_ text: some StringProtocol) {
    var reader = TextReader(text)
    guard let address = reader.readIPv4(), reader.isAtEnd else { return nil }
    self = address
  }

  /// The address that `literal` spells; a literal that spells none is the programmer's bug and traps. Swift calls this
  /// for `IPv4Address("…")` with a literal as well; text that comes from outside is a `String` and gets `init?(_:)`.
  public init(stringLiteral literal: StaticString) {
    let text = literal.description
    guard let address = Self(text) else { preconditionFailure("\"\(text)\" is not an IPv4 address") }
    self = address
  }

  /// Four decimal numbers: `192.0.2.1`.
  public var description: String {
    let (a, b, c, d) = octets
    return "\(a).\(b).\(c).\(d)"
  }
}
