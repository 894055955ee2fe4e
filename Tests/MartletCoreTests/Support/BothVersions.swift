import MartletWire
import Testing

/// Runs every test of a suite over IPv4 and over IPv6: one body, two runs.
struct BothVersions: SuiteTrait, TestTrait, TestScoping {
  /// The version that the test at work is to use.
  @TaskLocal static var current = IPVersion.v4

  var isRecursive: Bool { true }

  @concurrent
  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable @concurrent () async throws -> Void
  ) async throws {
    for version in IPVersion.allCases { try await Self.$current.withValue(version, operation: function) }
  }
}

extension Trait where Self == BothVersions {
  /// Over IPv4 and over IPv6.
  static var bothVersions: BothVersions { BothVersions() }
}
