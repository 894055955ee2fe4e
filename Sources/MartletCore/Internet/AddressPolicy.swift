public import MartletWire

/// What kinds of addresses are preferred and go together: the policy table of RFC 6724 section 2.1.
public struct AddressPolicy: Sendable {
  /// A line of the table.
  public struct Entry: Hashable, Sendable {
    public var subnet: Subnet
    /// A destination with a greater precedence comes first.
    public var precedence: UInt8
    /// A source with the destination's label comes first.
    public var label: UInt8

    public init(_ subnet: Subnet, precedence: UInt8, label: UInt8) {
      self.subnet = subnet
      self.precedence = precedence
      self.label = label
    }
  }

  /// The lines; the longest prefix that matches counts.
  public var entries: [Entry]

  public init(_ entries: [Entry]) { self.entries = entries }

  /// The default table of RFC 6724 section 2.1.
  public static let standard = AddressPolicy([
    Entry("::1/128", precedence: 50, label: 0),
    Entry("::/0", precedence: 40, label: 1),
    Entry("0.0.0.0/0", precedence: 35, label: 4),
    Entry("2002::/16", precedence: 30, label: 2),
    Entry("2001::/32", precedence: 5, label: 5),
    Entry("fc00::/7", precedence: 3, label: 13),
    Entry("::/96", precedence: 1, label: 3),
    Entry("fec0::/10", precedence: 1, label: 11),
    Entry("3ffe::/16", precedence: 1, label: 12),
  ])

  /// The line for `address`; the same as for `::/0` in the standard table if none matches.
  func entry(for address: IPAddress) -> (precedence: UInt8, label: UInt8) {
    var best = -1
    var found: (UInt8, UInt8) = (40, 1)
    for entry in entries where entry.subnet.contains(address) && entry.subnet.prefixLength > best {
      best = entry.subnet.prefixLength
      found = (entry.precedence, entry.label)
    }
    return found
  }
}
