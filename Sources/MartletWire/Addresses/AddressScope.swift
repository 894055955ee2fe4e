/// How far an address reaches: the scope of an IPv6 group (RFC 4291 section 2.7), and the same scale for all other
/// addresses (RFC 6724 section 3.1).
public struct AddressScope: RawRepresentable, Hashable, Comparable, Sendable, BitwiseCopyable {
  /// 0 to 15; a greater number reaches further.
  public let rawValue: UInt8

  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Not beyond one interface.
  public static let interfaceLocal = AddressScope(rawValue: 1)
  /// Not beyond one link.
  public static let linkLocal = AddressScope(rawValue: 2)
  /// As far as one technology goes (RFC 7346).
  public static let realmLocal = AddressScope(rawValue: 3)
  /// As far as an administrator has set up.
  public static let adminLocal = AddressScope(rawValue: 4)
  /// One site.
  public static let siteLocal = AddressScope(rawValue: 5)
  /// The sites of one organization.
  public static let organizationLocal = AddressScope(rawValue: 8)
  /// Everywhere.
  public static let global = AddressScope(rawValue: 14)

  @inlinable public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}
