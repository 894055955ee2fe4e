/// Where a socket is: an address, the zone in which it is meant (RFC 4007), and a port.
public struct SocketAddress: Hashable, Sendable, BitwiseCopyable {
  public var address: IPAddress
  /// 0 stands for "any" when a socket is bound.
  public var port: UInt16
  /// The interface whose link a link-local address is meant on, by its index; 0 stands for none (RFC 4007 section 6).
  public var zone: UInt32

  @inlinable public init(_ address: IPAddress, port: UInt16, zone: UInt32 = 0) {
    self.address = address
    self.port = port
    self.zone = zone
  }

  /// The version whose packets carry the address.
  @inlinable public var version: IPVersion { address.version }
}

extension SocketAddress: Comparable {
  /// By address, then zone, then port.
  @inlinable public static func < (left: Self, right: Self) -> Bool {
    if left.address != right.address { return left.address < right.address }
    return left.zone == right.zone ? left.port < right.port : left.zone < right.zone
  }
}

extension SocketAddress: LosslessStringConvertible, ExpressibleByStringLiteral {
  /// `192.0.2.1:80`, `[2001:db8::1]:80` or, with the zone as a number, `[fe80::1%2]:80`; nil for anything else.
  public init?(_ text: some StringProtocol) {
    self.init(text, zoneIndex: { _ in nil })
  }

  /// As ``init(_:)``, and a zone may be a name: `[fe80::1%eth0]:80` (RFC 4007 section 11).
  ///
  /// - Parameter zoneIndex: The index of the interface of that name, nil if there is none. Not asked about numbers.
  public init?(_ text: some StringProtocol, zoneIndex: (Substring) -> UInt32?) {
    var reader = TextReader(text)
    var zone: UInt32 = 0
    let address: IPAddress
    if reader.skip("[") {
      guard let v6 = reader.readIPv6() else { return nil }
      address = IPAddress(v6)
      if reader.skip("%") {
        guard !address.isIPv4, let index = Self.zone(reader.readText(upTo: "]"), zoneIndex) else { return nil }
        zone = index
      }
      guard reader.skip("]") else { return nil }
    } else {
      guard let v4 = reader.readIPv4() else { return nil }
      address = IPAddress(v4)
    }
    guard reader.skip(":"), let port = reader.readDecimal(as: UInt16.self), reader.isAtEnd else { return nil }
    self.init(address, port: port, zone: zone)
  }

  /// The address that `text` spells, with its zone if it has one (`192.0.2.1`, `fe80::1%2`, `fe80::1%eth0`), and
  /// `port`; nil for anything else.
  ///
  /// - Parameter zoneIndex: The index of the interface of that name, nil if there is none. Not asked about numbers.
  public init?(
    host text: some StringProtocol, port: UInt16, zoneIndex: (Substring) -> UInt32? = { _ in nil }
  ) {
    var reader = TextReader(text)
    guard let address = reader.readIP() else { return nil }
    var zone: UInt32 = 0
    if reader.skip("%") {
      guard !address.isIPv4, let index = Self.zone(reader.readText(), zoneIndex) else { return nil }
      zone = index
    }
    guard reader.isAtEnd else { return nil }
    self.init(address, port: port, zone: zone)
  }

  private static func zone(_ text: Substring, _ zoneIndex: (Substring) -> UInt32?) -> UInt32? {
    guard !text.isEmpty else { return nil }
    var number = TextReader(text)
    if let index = number.readDecimal(as: UInt32.self), number.isAtEnd { return index }
    return zoneIndex(text)
  }

  /// The socket address that `literal` spells; a literal that spells none is the programmer's bug and traps. Swift
  /// calls this for `SocketAddress("…")` with a literal as well; text that comes from outside is a `String` and gets
  /// `init?(_:)`.
  public init(stringLiteral literal: StaticString) {
    let text = literal.description
    guard let address = Self(text) else { preconditionFailure("\"\(text)\" is not an address and a port") }
    self = address
  }

  /// `192.0.2.1:80`, `[2001:db8::1]:80`, `[fe80::1%2]:80`.
  public var description: String {
    if address.isIPv4 { return "\(address):\(port)" }
    return zone == 0 ? "[\(address)]:\(port)" : "[\(address)%\(zone)]:\(port)"
  }
}
