import MartletLabTesting
import Synchronization
import Testing

@testable import MartletLabTesting

/// Hosts of these names on a switch, 1 ms from each other.
func office(_ names: [String], _ direction: LinkDirection = LinkDirection(delay: .microseconds(500)))
  -> WorldDescription
{
  var description = WorldDescription("office")
  description.switch("hub")
  for name in names {
    description.host(name)
    description.wire(.init(name), "hub", direction)
  }
  return description
}

/// The issues that `body` records, which are none of the test's.
func issues(_ body: @Sendable () async throws -> Void) async throws -> [Issue] {
  let issues = Mutex<[Issue]>([])
  let collector: IssueHandlingTrait = .compactMapIssues { issue in
    issues.withLock { $0.append(issue) }
    return nil
  }
  let test = try #require(Test.current)
  try await collector.provideScope(for: test, testCase: Test.Case.current, performing: body)
  return issues.withLock { $0 }
}

/// The issues of a test in a world that is run with `seeds`.
func issues(
  _ description: WorldDescription, seeds: [UInt64], isPinned: Bool = false, within limit: Duration = .seconds(3_600),
  expecting: [String] = [], twice: Bool = false, report: String? = nil,
  _ body: @concurrent @escaping @Sendable () async throws -> Void
) async throws -> [Issue] {
  let test = try #require(Test.current)
  let environment = Environment(report: report)
  let series = TestSeries(
    test: test, testCase: Test.Case.current,
    plan: try SeedPlan(DeclaredSeeds(values: seeds, isPinned: isPinned), environment), isPinned: isPinned,
    limit: limit, environment: environment, runsTwice: twice, sightings: Sightings(expecting: expecting),
    describe: { _ in description })
  return try await issues { try await series.run(body) }
}
