/// The parts of a representation that a Range field asks for (RFC 9110 section 14.2).
enum ByteRanges: Equatable, Sendable {
  /// The field is absent, of another unit, malformed or beyond a limit: the whole is sent.
  case whole
  /// What to send, in the order that was asked for; never empty.
  case parts([Range<Int64>])
  /// No range lies inside: 416.
  case unsatisfiable

  /// Reads `field` for a representation of `size` bytes.
  ///
  /// - Parameter limit: How many ranges are served; a request for more gets the whole, as section 14.2 allows.
  init(_ field: String?, size: Int64, limit: Int = 32) {
    guard let field, let specification = Self.specification(of: field) else {
      self = .whole
      return
    }
    var parts: [Range<Int64>] = []
    var count = 0
    for element in specification.split(separator: ",") {
      let element = element.trimmingBlanks
      if element.isEmpty { continue }
      count += 1
      guard count <= limit, let asked = AskedRange(element) else {
        self = .whole
        return
      }
      if let range = asked.resolved(size: size) { parts.append(range) }
    }
    guard count > 0 else {
      self = .whole
      return
    }
    if parts.isEmpty {
      self = .unsatisfiable
    } else {
      self = .parts(Self.withoutOverlap(parts))
    }
  }

  /// What follows `bytes=`; the unit's case does not matter.
  private static func specification(of field: String) -> Substring? {
    guard let equals = field.utf8.firstIndex(of: UInt8(ascii: "=")), field[..<equals].lowercased() == "bytes" else {
      return nil
    }
    return field[field.utf8.index(after: equals)...]
  }

  /// Parts that overlap are put together, so that nobody is sent a byte twice (section 14.2, section 15.3.7.2).
  private static func withoutOverlap(_ parts: [Range<Int64>]) -> [Range<Int64>] {
    let sorted = parts.sorted { $0.lowerBound < $1.lowerBound }
    guard zip(sorted, sorted.dropFirst()).contains(where: { $0.upperBound > $1.lowerBound }) else { return parts }
    var merged: [Range<Int64>] = []
    for part in sorted {
      if let last = merged.last, part.lowerBound <= last.upperBound {
        merged[merged.count - 1] = last.lowerBound..<max(last.upperBound, part.upperBound)
      } else {
        merged.append(part)
      }
    }
    return merged
  }
}

/// One element of a Range field.
private enum AskedRange {
  case from(Int64, through: Int64)
  case suffix(Int64)

  init?(_ text: Substring) {
    guard let dash = text.utf8.firstIndex(of: UInt8(ascii: "-")) else { return nil }
    let (first, last) = (text[..<dash], text[text.utf8.index(after: dash)...])
    if first.isEmpty {
      guard let count = Self.number(last) else { return nil }
      self = .suffix(count)
      return
    }
    guard let start = Self.number(first), let end = last.isEmpty ? .max : Self.number(last), start <= end else {
      return nil
    }
    self = .from(start, through: end)
  }

  func resolved(size: Int64) -> Range<Int64>? {
    switch self {
    case .from(let first, let last): first < size ? first..<(min(last, size - 1) + 1) : nil
    case .suffix(let count): count > 0 && size > 0 ? max(0, size - count)..<size : nil
    }
  }

  /// A number beyond the type means what the largest means: no file is that long.
  private static func number(_ text: Substring) -> Int64? {
    guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
      return nil
    }
    return Int64(text) ?? .max
  }
}
