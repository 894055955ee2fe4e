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

  /// The address `a:b:c:d:e:f:g:h`.
  @inlinable public init(
    _ a: UInt16, _ b: UInt16, _ c: UInt16, _ d: UInt16, _ e: UInt16, _ f: UInt16, _ g: UInt16, _ h: UInt16
  ) {
    high = UInt64(a) << 48 | UInt64(b) << 32 | UInt64(c) << 16 | UInt64(d)
    low = UInt64(e) << 48 | UInt64(f) << 32 | UInt64(g) << 16 | UInt64(h)
  }

  /// `::`: no address, or any of a host's addresses when a socket is bound to it.
  public static let any = IPv6Address(high: 0, low: 0)
  /// `::1`, this host.
  public static let loopback = IPv6Address(high: 0, low: 1)
  /// `ff02::1`, every node on the link (RFC 4291 section 2.7.1).
  public static let allNodes = IPv6Address(high: 0xff02_0000_0000_0000, low: 1)
  /// `ff02::2`, every router on the link (RFC 4291 section 2.7.1).
  public static let allRouters = IPv6Address(high: 0xff02_0000_0000_0000, low: 2)
}

extension IPv6Address {
  /// The size of an address on the wire, in bytes.
  public static let byteCount = 16

  /// Reads the sixteen bytes at `offset`. Out of bounds is the caller's bug and traps.
  @inlinable public init(reading bytes: RawSpan, at offset: Int) {
    high = bytes.bigEndian(at: offset)
    low = bytes.bigEndian(at: offset + 8)
  }

  /// Writes the sixteen bytes at `offset`. Out of bounds is the caller's bug and traps.
  @inlinable public func write(to bytes: inout MutableRawSpan, at offset: Int) {
    bytes.store(bigEndian: high, at: offset)
    bytes.store(bigEndian: low, at: offset + 8)
  }

  /// The group at `position`, 0 (leftmost) to 7.
  @inlinable public func group(_ position: Int) -> UInt16 {
    precondition(position >= 0 && position < 8, "an IPv6 address has groups 0 to 7")
    return UInt16(truncatingIfNeeded: (position < 4 ? high : low) >> UInt64((3 - position & 3) * 16))
  }
}

/// What kind of address it is (RFC 4291 section 2.4, RFC 6890).
extension IPv6Address {
  /// `::`.
  @inlinable public var isUnspecified: Bool { high | low == 0 }
  /// `::1`, never on a wire.
  @inlinable public var isLoopback: Bool { high == 0 && low == 1 }
  /// `ff00::/8`, a group of nodes.
  @inlinable public var isMulticast: Bool { high >> 56 == 0xff }
  /// `fe80::/10`, only good on one link.
  @inlinable public var isLinkLocal: Bool { high >> 54 == 0x3fa }
  /// `fec0::/10`, deprecated (RFC 3879).
  @inlinable public var isSiteLocal: Bool { high >> 54 == 0x3fb }
  /// `fc00::/7`, the private addresses of IPv6 (RFC 4193).
  @inlinable public var isUniqueLocal: Bool { high >> 57 == 0x7e }
  /// `2001:db8::/32` (RFC 3849) and `3fff::/20` (RFC 9637).
  @inlinable public var isDocumentation: Bool { high >> 32 == 0x2001_0db8 || high >> 44 == 0x3fff0 }
  /// `::ffff:0:0/96`, an IPv4 address (RFC 4291 section 2.5.5.2).
  @inlinable public var isIPv4Mapped: Bool { high == 0 && low >> 32 == 0xffff }
  /// A group that exactly the nodes with some last 24 bits listen to (RFC 4291 section 2.7.1).
  @inlinable public var isSolicitedNode: Bool { high == 0xff02_0000_0000_0000 && low >> 24 == 0x1ff }
  /// Whether one node can have it: neither `::` nor a group.
  @inlinable public var isUnicast: Bool { !isUnspecified && !isMulticast }
  /// Whether one node can have it on the public Internet.
  @inlinable public var isGlobal: Bool {
    isUnicast && !isLoopback && !isLinkLocal && !isSiteLocal && !isUniqueLocal && !isDocumentation && !isIPv4Mapped
  }
  /// The scope of a group; nil for an address that is none (RFC 4291 section 2.7).
  @inlinable public var multicastScope: AddressScope? {
    isMulticast ? AddressScope(rawValue: UInt8(truncatingIfNeeded: high >> 48) & 0xf) : nil
  }
  /// How far it reaches, as address selection counts it (RFC 6724 section 3.1).
  @inlinable public var scope: AddressScope {
    if let multicastScope { return multicastScope }
    if isLinkLocal || isLoopback { return .linkLocal }
    if isIPv4Mapped { return IPv4Address(value: UInt32(truncatingIfNeeded: low)).scope }
    return isSiteLocal ? .siteLocal : .global
  }
}

extension IPv6Address {
  /// The group that a neighbor solicitation for this address goes to, `ff02::1:ffxx:xxxx` (RFC 4291 section 2.7.1).
  @inlinable public var solicitedNodeMulticast: IPv6Address {
    IPv6Address(high: 0xff02_0000_0000_0000, low: 0x1_ff00_0000 | low & 0xff_ffff)
  }

  /// The link-local address that a node makes of its Ethernet address (RFC 2464 section 5).
  @inlinable public init(linkLocal mac: MACAddress) {
    self.init(high: 0xfe80_0000_0000_0000, low: mac.interfaceIdentifier)
  }

  /// How many bits from the left are the same in both addresses, 0 to 128 (`CommonPrefixLen` of RFC 6724).
  @inlinable public func commonPrefixLength(with other: Self) -> Int {
    high == other.high ? 64 + (low ^ other.low).leadingZeroBitCount : (high ^ other.high).leadingZeroBitCount
  }
}

extension IPv6Address: Comparable {
  @inlinable public static func < (left: Self, right: Self) -> Bool {
    left.high == right.high ? left.low < right.low : left.high < right.high
  }
}

extension IPv6Address: LosslessStringConvertible, ExpressibleByStringLiteral {
  /// Any form of RFC 4291 section 2.2: eight groups, `::` once for one group or more, a dotted quad for the last two.
  /// Nil for anything else, a zone (`%eth0`) too: see ``SocketAddress``.
  public init?(_ text: some StringProtocol) {
    var reader = TextReader(text)
    guard let address = reader.readIPv6(), reader.isAtEnd else { return nil }
    self = address
  }

  /// The address that `literal` spells; a literal that spells none is the programmer's bug and traps. Swift calls this
  /// for `IPv6Address("…")` with a literal as well; text that comes from outside is a `String` and gets `init?(_:)`.
  public init(stringLiteral literal: StaticString) {
    let text = literal.description
    guard let address = Self(text) else { preconditionFailure("\"\(text)\" is not an IPv6 address") }
    self = address
  }

  /// The one canonical form (RFC 5952); `::ffff:192.0.2.1` for an IPv4-mapped address (its section 5).
  public var description: String {
    if isIPv4Mapped { return "::ffff:\(IPv4Address(value: UInt32(truncatingIfNeeded: low)))" }
    let zeros = longestZeroRun
    var text = ""
    text.reserveCapacity(39)
    var position = 0
    while position < 8 {
      if position == zeros.lowerBound, !zeros.isEmpty {
        text += "::"
        position = zeros.upperBound
        continue
      }
      if position > 0, position != zeros.upperBound || zeros.isEmpty { text += ":" }
      text += String(group(position), radix: 16)
      position += 1
    }
    return text
  }

  /// The groups that "::" stands for: the longest run of zeros, the leftmost of several, never one group alone
  /// (RFC 5952 section 4.2).
  private var longestZeroRun: Range<Int> {
    var best = 0..<0
    var start = 0
    for position in 0..<8 {
      if group(position) != 0 {
        start = position + 1
      } else if position + 1 - start > max(best.count, 1) {
        best = start..<position + 1
      }
    }
    return best
  }
}
