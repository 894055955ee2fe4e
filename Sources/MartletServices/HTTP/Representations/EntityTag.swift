/// The validator that tells versions of a representation apart (RFC 9110 section 8.8.3).
struct EntityTag: Hashable, Sendable, CustomStringConvertible {
  var isWeak: Bool
  /// What stands between the quotes.
  var opaque: String

  init(opaque: String, isWeak: Bool = false) {
    self.opaque = opaque
    self.isWeak = isWeak
  }

  /// Reads one tag that is all of `text`.
  init?(_ text: some StringProtocol) {
    var rest = Substring(text)
    guard let tag = Self.next(in: &rest), rest.isEmpty else { return nil }
    self = tag
  }

  var description: String { "\(isWeak ? "W/" : "")\"\(opaque)\"" }

  /// Same bytes: both strong and equal (section 8.8.3.2).
  func matchesStrongly(_ other: EntityTag) -> Bool { !isWeak && !other.isWeak && opaque == other.opaque }

  /// Same meaning: equal, strong or not.
  func matchesWeakly(_ other: EntityTag) -> Bool { opaque == other.opaque }

  fileprivate static func next(in rest: inout Substring) -> EntityTag? {
    var isWeak = false
    if rest.hasPrefix("W/") {
      isWeak = true
      rest = rest.dropFirst(2)
    }
    guard rest.utf8.first == UInt8(ascii: "\"") else { return nil }
    let inside = rest.dropFirst()
    guard let end = inside.utf8.firstIndex(of: UInt8(ascii: "\"")) else { return nil }
    let opaque = inside[..<end]
    // etagc: visible but for the quote, and bytes of 8 bits.
    guard opaque.utf8.allSatisfy({ $0 == 0x21 || (0x23...0x7e).contains($0) || $0 >= 0x80 }) else { return nil }
    rest = inside[inside.utf8.index(after: end)...]
    return EntityTag(opaque: String(opaque), isWeak: isWeak)
  }
}

/// What If-Match and If-None-Match carry (RFC 9110 sections 13.1.1 and 13.1.2).
enum EntityTagCondition: Equatable, Sendable {
  /// `*`: any current representation.
  case any
  case tags([EntityTag])

  /// Nil if it is neither.
  init?(_ text: some StringProtocol) {
    var rest = Substring(text).trimmingBlanks
    if rest == "*" {
      self = .any
      return
    }
    var tags: [EntityTag] = []
    while true {
      rest = rest.trimmingBlanks
      // A recipient accepts empty elements of a list (section 5.6.1.2).
      if rest.utf8.first == UInt8(ascii: ",") {
        rest = rest.dropFirst()
        continue
      }
      if rest.isEmpty { break }
      guard let tag = EntityTag.next(in: &rest) else { return nil }
      tags.append(tag)
      rest = rest.trimmingBlanks
      guard rest.isEmpty || rest.utf8.first == UInt8(ascii: ",") else { return nil }
    }
    if tags.isEmpty { return nil }
    self = .tags(tags)
  }

  func matches(_ tag: EntityTag, strongly: Bool) -> Bool {
    switch self {
    case .any: true
    case .tags(let tags): tags.contains { strongly ? $0.matchesStrongly(tag) : $0.matchesWeakly(tag) }
    }
  }
}

extension Substring {
  /// Without blanks and tabs at both ends.
  var trimmingBlanks: Substring {
    var view = utf8[...]
    while let first = view.first, first == 0x20 || first == 0x09 { view = view.dropFirst() }
    while let last = view.last, last == 0x20 || last == 0x09 { view = view.dropLast() }
    return Substring(view)
  }
}
