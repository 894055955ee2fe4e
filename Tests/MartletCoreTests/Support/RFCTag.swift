import Testing

/// Says which clause of which RFC a test is about.
struct RFCTrait: TestTrait, SuiteTrait, Hashable {
  /// The RFC's number.
  let number: Int
  /// Numbered requirements ("MUST-19") or sections ("3.2").
  let clauses: [String]
  var isRecursive: Bool { true }

  var comments: [Comment] { clauses.map { Comment(rawValue: "RFC \(number) \($0)") } }
}

extension Trait where Self == RFCTrait {
  /// The numbered requirements `clauses` of RFC `number`.
  static func rfc(_ number: Int, _ clauses: String...) -> RFCTrait { RFCTrait(number: number, clauses: clauses) }

  /// Section `section` of RFC `number`.
  static func rfc(_ number: Int, section: String) -> RFCTrait { RFCTrait(number: number, clauses: ["section \(section)"]) }
}
