import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Says which clause of which RFC a test is about.
struct RFCTrait: TestTrait, SuiteTrait, Hashable {
  /// The RFC's number.
  let number: Int
  /// Numbered requirements ("MUST-19") or sections ("3.2").
  let clauses: [String]
  var isRecursive: Bool { true }

  var comments: [Comment] { clauses.map { Comment(rawValue: "RFC \(number) \($0)") } }

  /// Puts what the test is about into the file that `MARTLET_RFC_TAGS` names, for `scripts/conformance.sh`: the test's
  /// identifier, as the event stream has it, and the clause. Whether the test passed is the event stream's to say.
  @concurrent
  func prepare(for test: Test) async throws {
    guard !test.isSuite, let path = unsafe getenv("MARTLET_RFC_TAGS") else { return }
    let lines = clauses.map { "\(test.id)\t\(number)\t\($0)\n" }.joined()
    // One call, behind all else: lines of tests that run at once do not mix.
    let file = unsafe open(path, O_WRONLY | O_APPEND | O_CREAT, 0o644)
    guard file >= 0 else { return }
    defer { close(file) }
    let bytes = Array(lines.utf8)
    _ = unsafe bytes.withUnsafeBytes { unsafe write(file, $0.baseAddress, $0.count) }
  }
}

extension Trait where Self == RFCTrait {
  /// The numbered requirements `clauses` of RFC `number`.
  static func rfc(_ number: Int, _ clauses: String...) -> RFCTrait { RFCTrait(number: number, clauses: clauses) }

  /// Section `section` of RFC `number`.
  static func rfc(_ number: Int, section: String) -> RFCTrait {
    RFCTrait(number: number, clauses: ["section \(section)"])
  }
}
