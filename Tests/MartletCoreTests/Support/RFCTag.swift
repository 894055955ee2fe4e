import Testing

/// Says which requirement of an RFC a test holds Martlet to.
struct RFCTag: TestTrait, SuiteTrait {
  let number: Int
  let requirements: [String]
  let section: String?

  var comments: [Comment] {
    let parts = requirements + (section.map { ["section \($0)"] } ?? [])
    return [Comment(rawValue: "RFC \(number): \(parts.joined(separator: ", "))")]
  }
}

extension Trait where Self == RFCTag {
  /// Requirements by the ids they have in the tables of requirements.
  static func rfc(_ number: Int, _ requirements: String...) -> RFCTag {
    RFCTag(number: number, requirements: requirements, section: nil)
  }

  /// A section.
  static func rfc(_ number: Int, section: String) -> RFCTag {
    RFCTag(number: number, requirements: [], section: section)
  }
}
