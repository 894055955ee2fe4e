/// A block of addresses that begin with the same bits: `192.0.2.0/24`, `2001:db8::/32` (RFC 4632,
/// RFC 4291 section 2.3).
public struct Subnet: Hashable, Sendable, BitwiseCopyable {
  /// The first address of the block, its bits after the prefix all zero.
  public let network: IPAddress
  /// The number of bits that are the same, 0 to 128, of the sixteen bytes inside ``IPAddress``: an IPv4 prefix of
  /// length p counts 96 + p here.
  @usableFromInline package let mappedPrefixLength: UInt8

  @inlinable @inline(__always)
  init(masking address: IPAddress, mappedPrefixLength: UInt8) {
    network = address.masked(toMappedPrefixLength: mappedPrefixLength)
    self.mappedPrefixLength = mappedPrefixLength
  }

  /// The block that `address` lies in; a prefix length out of range is the caller's bug and traps.
  ///
  /// - Parameter prefixLength: 0 to 32 for IPv4, 0 to 128 for IPv6.
  @inlinable public init(_ address: IPAddress, prefixLength: Int) {
    guard let subnet = Subnet(checking: address, prefixLength: prefixLength) else {
      preconditionFailure("an address of \(address) has no prefix of \(prefixLength) bits")
    }
    self = subnet
  }

  /// The block that `address` lies in; nil if the version of `address` has no prefixes of that length.
  @inlinable public init?(checking address: IPAddress, prefixLength: Int) {
    guard let length = address.mappedPrefixLength(prefixLength) else { return nil }
    self.init(masking: address, mappedPrefixLength: length)
  }

  @inlinable public var version: IPVersion { network.version }

  /// The number of bits that are the same: 0 to 32 for IPv4, 0 to 128 for IPv6.
  @inlinable public var prefixLength: Int { network.isIPv4 ? Int(mappedPrefixLength) - 96 : Int(mappedPrefixLength) }

  /// Whether `address` lies in the block. An IPv6 block, even `::/0`, holds no IPv4 address.
  @inlinable public func contains(_ address: IPAddress) -> Bool {
    network == address.masked(toMappedPrefixLength: mappedPrefixLength) && network.isIPv4 == address.isIPv4
  }

  /// Whether every address of `other` lies in the block.
  @inlinable public func contains(_ other: Subnet) -> Bool {
    mappedPrefixLength <= other.mappedPrefixLength && contains(other.network)
  }

  /// The address of every host in the block (RFC 919): the last one. Nil where there is none: IPv6, /31 and /32.
  @inlinable public var broadcast: IPv4Address? {
    guard let v4 = network.v4, prefixLength < 31 else { return nil }
    return IPv4Address(value: v4.value | UInt32.max >> UInt32(prefixLength))
  }

  /// Whether the block is an IPv4 link of two hosts without network and broadcast addresses (/31, RFC 3021).
  @inlinable public var isPointToPoint: Bool { network.isIPv4 && mappedPrefixLength == 127 }

  /// The mask of an IPv4 block as hosts of old write it, 255.255.255.0; nil for IPv6.
  @inlinable public var netmask: IPv4Address? {
    network.isIPv4 ? IPv4Address(value: prefixLength == 0 ? 0 : UInt32.max << UInt32(32 - prefixLength)) : nil
  }
}

extension IPAddress {
  /// `prefixLength` in the terms of the sixteen bytes; nil if this address's version has no such prefix.
  @inlinable
  func mappedPrefixLength(_ prefixLength: Int) -> UInt8? {
    guard prefixLength >= 0, prefixLength <= version.addressBitCount else { return nil }
    return UInt8(isIPv4 ? 96 + prefixLength : prefixLength)
  }

  @inlinable @inline(__always)
  func masked(toMappedPrefixLength length: UInt8) -> IPAddress {
    let high = length >= 64 ? UInt64.max : ~(UInt64.max &>> UInt64(length))
    let low = length <= 64 ? 0 : UInt64.max &<< UInt64(128 &- length)
    return IPAddress(IPv6Address(high: v6.high & high, low: v6.low & low))
  }
}

extension Subnet: Comparable {
  /// By network, then the shorter prefix (the larger block) first.
  @inlinable public static func < (left: Self, right: Self) -> Bool {
    left.network == right.network
      ? left.mappedPrefixLength < right.mappedPrefixLength : left.network < right.network
  }
}

extension Subnet: LosslessStringConvertible, ExpressibleByStringLiteral {
  /// An address and a prefix length, `128.84.216.0/23` or `2001:db8::/32`; nil for anything else, and for an address
  /// with bits set after the prefix, which is no block's: see ``AddressInSubnet``.
  public init?(_ text: some StringProtocol) {
    guard let host = AddressInSubnet(text), host.subnet.network == host.address else { return nil }
    self = host.subnet
  }

  /// The block that `literal` spells; a literal that spells none is the programmer's bug and traps. Swift calls this
  /// for `Subnet("…")` with a literal as well; text that comes from outside is a `String` and gets `init?(_:)`.
  public init(stringLiteral literal: StaticString) {
    let text = literal.description
    guard let subnet = Self(text) else { preconditionFailure("\"\(text)\" is not a subnet") }
    self = subnet
  }

  /// `128.84.216.0/23`, `2001:db8::/32`.
  public var description: String { "\(network)/\(prefixLength)" }
}
