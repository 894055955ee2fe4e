/// The address of a host together with the block it is in: `192.0.2.1/24`.
public struct AddressInSubnet: Hashable, Sendable, BitwiseCopyable {
  public let address: IPAddress
  @usableFromInline package let mappedPrefixLength: UInt8

  /// A prefix length out of range is the caller's bug and traps.
  ///
  /// - Parameter prefixLength: 0 to 32 for IPv4, 0 to 128 for IPv6.
  @inlinable public init(_ address: IPAddress, prefixLength: Int) {
    guard let host = AddressInSubnet(checking: address, prefixLength: prefixLength) else {
      preconditionFailure("\(address) has no prefix of \(prefixLength) bits")
    }
    self = host
  }

  /// Nil if the version of `address` has no prefixes of that length.
  @inlinable public init?(checking address: IPAddress, prefixLength: Int) {
    guard let length = address.mappedPrefixLength(prefixLength) else { return nil }
    self.address = address
    mappedPrefixLength = length
  }

  @inlinable public var version: IPVersion { address.version }

  /// The number of bits that all addresses of the block have in common: 0 to 32 for IPv4, 0 to 128 for IPv6.
  @inlinable public var prefixLength: Int { Int(mappedPrefixLength) - (address.isIPv4 ? 96 : 0) }

  /// The block.
  @inlinable public var subnet: Subnet { Subnet(masking: address, mappedPrefixLength: mappedPrefixLength) }

  /// The address of every host in the block; nil where there is none: IPv6, /31 and /32.
  @inlinable public var broadcast: IPv4Address? { subnet.broadcast }
}

extension AddressInSubnet: Comparable {
  /// By address, then the shorter prefix first.
  @inlinable public static func < (left: Self, right: Self) -> Bool {
    left.address == right.address
      ? left.mappedPrefixLength < right.mappedPrefixLength : left.address < right.address
  }
}

extension AddressInSubnet: LosslessStringConvertible, ExpressibleByStringLiteral {
  /// An address and a prefix length, `192.0.2.1/24` or `2001:db8::1/64`; nil for anything else. The prefix length is in
  /// the terms of the address as written, so `::ffff:192.0.2.1/120` is 192.0.2.1/24.
  public init?(_ text: some StringProtocol) {
    var reader = TextReader(text)
    let address: IPAddress
    var mappedBits = 0
    if let v4 = reader.readIPv4() {
      address = IPAddress(v4)
    } else if let v6 = reader.readIPv6() {
      address = IPAddress(v6)
      mappedBits = address.isIPv4 ? 96 : 0
    } else {
      return nil
    }
    guard reader.skip("/"), let length = reader.readDecimal(as: UInt8.self), reader.isAtEnd else { return nil }
    self.init(checking: address, prefixLength: Int(length) - mappedBits)
  }

  /// The address and prefix that `literal` spells; a literal that spells none is the programmer's bug and traps. Swift
  /// calls this for `AddressInSubnet("…")` with a literal as well; text that comes from outside is a `String` and gets
  /// `init?(_:)`.
  public init(stringLiteral literal: StaticString) {
    let text = literal.description
    guard let host = Self(text) else { preconditionFailure("\"\(text)\" is not an address with its prefix") }
    self = host
  }

  /// `192.0.2.1/24`, `2001:db8::1/64`.
  public var description: String { "\(address)/\(prefixLength)" }
}
