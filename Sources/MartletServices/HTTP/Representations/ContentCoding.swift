/// A coding in which a file is sent (RFC 9110 section 8.4.1).
enum ContentCoding: String, CaseIterable, Sendable {
  // In the order of preference between equals: the smaller first.
  case brotli = "br"
  case zstandard = "zstd"
  case gzip

  /// What the name of a file carries that holds another one so coded.
  var suffix: String {
    switch self {
    case .brotli: ".br"
    case .zstandard: ".zst"
    case .gzip: ".gz"
    }
  }
}

/// Which codings a client takes, by its Accept-Encoding field (RFC 9110 section 12.5.3).
struct AcceptedCodings: Equatable, Sendable {
  /// Thousandths, in the order of `ContentCoding.allCases`; 0 is not acceptable.
  private var weights: [Int]
  private(set) var identity: Int

  /// Absent or empty, the field asks for nothing but the plain file.
  init(_ field: String?) {
    weights = ContentCoding.allCases.map { _ in 0 }
    identity = 1
    guard let field, !field.isEmpty else { return }
    var named: [Bool] = weights.map { _ in false }
    var namedIdentity = false
    var others: Int?
    for element in field.split(separator: ",") {
      let parts = element.split(separator: ";", maxSplits: 1)
      guard let name = parts.first.map({ $0.trimmingBlanks.lowercased() }) else { continue }
      let weight = parts.count > 1 ? Self.weight(parts[1].trimmingBlanks) : 1_000
      switch name {
      case "identity": (identity, namedIdentity) = (weight, true)
      case "*": others = weight
      default:
        let plain = name == "x-gzip" ? "gzip" : name
        guard let index = ContentCoding.allCases.firstIndex(where: { $0.rawValue == plain }) else { continue }
        (weights[index], named[index]) = (weight, true)
      }
    }
    if let others {
      for index in weights.indices where !named[index] { weights[index] = others }
      if !namedIdentity && others == 0 { identity = 0 }
    }
  }

  func weight(of coding: ContentCoding) -> Int {
    ContentCoding.allCases.firstIndex(of: coding).map { weights[$0] } ?? 0
  }

  /// The codings worth sending instead of the plain file, the best first.
  var preferred: [ContentCoding] {
    // The sort is stable: equals stay in the order of the cases.
    ContentCoding.allCases.filter { weight(of: $0) > 0 && weight(of: $0) >= identity }
      .sorted { weight(of: $0) > weight(of: $1) }
  }

  /// `q=0.8` in thousandths; what is no weight counts as refusal.
  private static func weight(_ text: Substring) -> Int {
    let sides = text.split(separator: "=", maxSplits: 1)
    guard sides.count == 2, sides[0].trimmingBlanks.lowercased() == "q" else { return 0 }
    let digits = sides[1].trimmingBlanks.split(separator: ".", omittingEmptySubsequences: false)
    guard (1...2).contains(digits.count), let whole = decimal(digits[0]), whole <= 1 else { return 0 }
    var thousandths = Int(whole) * 1_000
    if digits.count == 2, !digits[1].isEmpty {
      guard digits[1].utf8.count <= 3, let fraction = decimal(digits[1]) else { return 0 }
      thousandths += Int(fraction) * [100, 10, 1][digits[1].utf8.count - 1]
    }
    return thousandths <= 1_000 ? thousandths : 0
  }
}
