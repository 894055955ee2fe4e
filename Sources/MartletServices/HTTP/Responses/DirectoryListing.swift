/// A name in a directory and what is told of it.
struct DirectoryEntry: Equatable, Sendable {
  /// The bytes of the name; file systems do not promise UTF-8.
  var name: [UInt8]
  var isDirectory: Bool
  /// In bytes; of no meaning for a directory.
  var size: Int64
  var lastModified: HTTPDate

  var displayName: String { String(decoding: name, as: UTF8.self) }
}

/// What a directory without an index file looks like.
struct DirectoryListing: Equatable, Sendable {
  enum Column: String, CaseIterable, Sendable { case name, size, modified }

  /// The order that the query of a request asks for: `sort=size&order=desc`.
  struct Order: Equatable, Sendable {
    var column = Column.name
    var isDescending = false

    init(column: Column = .name, isDescending: Bool = false) {
      self.column = column
      self.isDescending = isDescending
    }

    init(query: Substring?) {
      for pair in (query ?? "").split(separator: "&") {
        if pair.hasPrefix("sort=") { column = Column(rawValue: String(pair.dropFirst(5))) ?? .name }
        if pair == "order=desc" { isDescending = true }
      }
    }
  }

  /// The path of the directory, decoded, without slashes at its ends.
  var path: [UInt8]
  private(set) var entries: [DirectoryEntry]
  var order: Order

  init(path: [UInt8], entries: [DirectoryEntry], order: Order) {
    self.path = path
    self.order = order
    self.entries = entries.sorted { left, right in
      // Directories first, whatever the order; equals by name.
      if left.isDirectory != right.isDirectory { return left.isDirectory }
      let (first, second) = order.isDescending ? (right, left) : (left, right)
      switch order.column {
      case .size where first.size != second.size && !left.isDirectory: return first.size < second.size
      case .modified where first.lastModified != second.lastModified: return first.lastModified < second.lastModified
      default: return first.name.lexicographicallyPrecedes(second.name)
      }
    }
  }

  /// A size as people read it: powers of 1024, three digits.
  static func humanSize(_ bytes: Int64) -> String {
    if bytes < 1_024 { return "\(bytes) B" }
    var value = Double(bytes)
    var unit = 0
    // What would be rounded to 1024 is one of the next unit.
    while value >= 1_023.5 && unit < 6 {
      value /= 1_024
      unit += 1
    }
    let name = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"][unit]
    let tenths = Int((value * 10).rounded())
    return tenths >= 1_000 ? "\(Int(value.rounded())) \(name)" : "\(tenths / 10).\(tenths % 10) \(name)"
  }

  /// RFC 3339, in GMT: `1994-11-06T08:49:37Z`.
  static func timestamp(_ date: HTTPDate, separator: String = "T", suffix: String = "Z", seconds: Bool = true) -> String
  {
    let (year, month, day, hour, minute, second, _) = date.components
    return "\(padded(Int(year), to: 4))-\(padded(month))-\(padded(day))\(separator)\(padded(hour)):\(padded(minute))"
      + (seconds ? ":\(padded(second))" : "") + suffix
  }

  /// One object: the path and its entries.
  var json: String {
    var result = "{\"path\":\(JSONText.quoted(displayPath)),\"entries\":["
    for (index, entry) in entries.enumerated() {
      if index > 0 { result += "," }
      result +=
        "{\"name\":\(JSONText.quoted(entry.displayName)),\"type\":\"\(entry.isDirectory ? "directory" : "file")\""
      if !entry.isDirectory { result += ",\"size\":\(entry.size)" }
      result += ",\"modified\":\"\(Self.timestamp(entry.lastModified))\""
      result += ",\"href\":\(JSONText.quoted(href(of: entry)))}"
    }
    return result + "]}\n"
  }

  var displayPath: String { "/" + String(decoding: path, as: UTF8.self) + (path.isEmpty ? "" : "/") }

  /// Relative, and with `./` in front, so that a name like `a:b` is not read as a scheme.
  func href(of entry: DirectoryEntry) -> String {
    "./" + RequestTarget.escapedSegment(entry.name) + (entry.isDirectory ? "/" : "")
  }
}
