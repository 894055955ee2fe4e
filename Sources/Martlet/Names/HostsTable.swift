public import MartletWire

/// Names and addresses that a host knows by itself, in the form of `/etc/hosts`.
public struct HostsTable: Sendable, LosslessStringConvertible, ExpressibleByArrayLiteral {
  /// One line: an address, its canonical name, and other names.
  public struct Entry: Hashable, Sendable {
    public var address: IPAddress
    /// The canonical name first; never empty.
    public var names: [String]

    public init(_ address: IPAddress, _ names: String...) {
      self.init(address, names: names)
    }

    /// No name at all is the caller's bug and traps.
    public init(_ address: IPAddress, names: [String]) {
      precondition(!names.isEmpty, "a line of a hosts table needs a name")
      self.address = address
      self.names = names
    }
  }

  /// The lines, in order.
  public var entries: [Entry]

  public init(_ entries: [Entry] = []) { self.entries = entries }

  public init(arrayLiteral entries: Entry...) { self.entries = entries }

  /// Reads lines of an address and one or more names, with blanks between and comments after `#`. Lines whose address
  /// is none, or has no name, are passed over, as a resolver does.
  public init(_ text: String) {
    entries = []
    for line in text.split(whereSeparator: \.isNewline) {
      let content = line.prefix { $0 != "#" }
      let words = content.split { $0 == " " || $0 == "\t" || $0 == "\r" }
      guard words.count >= 2, let address = IPAddress(words[0].prefix { $0 != "%" }) else { continue }
      entries.append(Entry(address, names: words.dropFirst().map(String.init)))
    }
  }

  /// Adds a line at the end.
  public mutating func add(_ address: IPAddress, _ names: String...) { entries.append(Entry(address, names: names)) }

  /// The addresses of `name`, in the table's order, each once; names do not care for case or for one dot at the end
  /// (RFC 4343).
  public func addresses(of name: String) -> [IPAddress] {
    let wanted = Self.folded(name)
    var found: [IPAddress] = []
    for entry in entries where !found.contains(entry.address) {
      if entry.names.contains(where: { Self.folded($0) == wanted }) { found.append(entry.address) }
    }
    return found
  }

  /// The canonical name of `name`; nil if the table does not have it.
  public func canonicalName(of name: String) -> String? {
    let wanted = Self.folded(name)
    return entries.first { $0.names.contains { Self.folded($0) == wanted } }?.names.first
  }

  /// The canonical name of `address`; nil if the table does not have it.
  public func name(of address: IPAddress) -> String? {
    entries.first { $0.address == address }?.names.first
  }

  /// The table as a file has it.
  public var description: String {
    entries.map { "\($0.address)\t\($0.names.joined(separator: " "))\n" }.joined()
  }

  static func folded(_ name: String) -> String {
    let lower = name.lowercased()
    return lower.hasSuffix(".") ? String(lower.dropLast()) : lower
  }
}
