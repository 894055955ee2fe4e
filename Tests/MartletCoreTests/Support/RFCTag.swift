import Testing

/// Says which clause of which RFC a test is about.
struct RFCTrait: TestTrait, SuiteTrait, Hashable {
  /// The RFC's number.
  let number: Int
  /// A numbered requirement ("MUST-19") or a section ("3.2").
  let clause: String
  var isRecursive: Bool { true }

  var comments: [Comment] { [Comment(rawValue: "RFC \(number) \(clause)")] }
}

extension Trait where Self == RFCTrait {
  /// The numbered requirement `clause` of RFC `number`.
  static func rfc(_ number: Int, _ clause: String) -> RFCTrait { RFCTrait(number: number, clause: clause) }

  /// Section `section` of RFC `number`.
  static func rfc(_ number: Int, section: String) -> RFCTrait { RFCTrait(number: number, clause: "section \(section)") }
}
