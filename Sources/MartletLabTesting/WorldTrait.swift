internal import MartletCore
public import MartletLab
public import Testing

/// Runs a test's body once for each seed, each time in a world of its own: ``Trait/world(_:seed:within:)``.
public struct WorldTrait: TestTrait, SuiteTrait, TestScoping {
  let seeds: @Sendable (WorldDescription) -> DeclaredSeeds
  let limit: Duration
  let describe: @Sendable (UInt64?) throws -> WorldDescription
  /// By which a test finds that an inner trait takes the place of an outer one.
  private let identity = Identity()

  private final class Identity: Sendable {}

  /// A suite's trait holds for all tests in it.
  public var isRecursive: Bool { true }

  init(
    limit: Duration, seeds: @escaping @Sendable (WorldDescription) -> DeclaredSeeds,
    describe: @escaping @Sendable (UInt64?) throws -> WorldDescription
  ) {
    self.limit = limit
    self.seeds = seeds
    self.describe = describe
  }

  /// This trait for a test that it is the innermost of, none for suites.
  public func scopeProvider(for test: Test, testCase: Test.Case?) -> WorldTrait? {
    guard testCase != nil, !test.isSuite else { return nil }
    let innermost = test.traits.last { $0 is WorldTrait } as? WorldTrait
    return innermost?.identity === identity ? self : nil
  }

  /// Runs `function` with each seed.
  ///
  /// - Throws: ``MartletLab/WorldError`` if the description or the environment makes no sense.
  public func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
  ) async throws {
    let environment = Environment.current
    let declared = seeds(try describe(nil))
    let plan = try SeedPlan(declared, environment)
    let expected = test.traits.compactMap { ($0 as? SometimesTrait)?.expected }.flatMap { $0 }
    let series = TestSeries(
      test: test, testCase: testCase, plan: plan, isPinned: declared.isPinned, limit: limit, environment: environment,
      runsTwice: environment.determinism != nil || test.traits.contains { $0 is DeterministicTrait },
      sightings: Sightings(expecting: expected), describe: { try describe($0) })
    try await series.run(function)
  }
}

extension Trait where Self == WorldTrait {
  /// Runs the test in a world that `description` describes, on the world's thread and by its clock: ``MartletLab/World/current``.
  ///
  /// `MARTLET_SEEDS` (a count, a range as 1...500 or a list) and `MARTLET_SEED` (one) in the environment choose other seeds.
  /// - Parameters:
  ///   - seed: Nil takes the description's.
  ///   - limit: The longest that the test may take in the world's time. Default a day.
  public static func world(
    _ description: WorldDescription, seed: UInt64? = nil, within limit: Duration = .seconds(86_400)
  ) -> Self {
    WorldTrait(limit: limit, seeds: { DeclaredSeeds(values: [seed ?? $0.seed]) }, describe: { _ in description })
  }

  /// Runs the test once for each of `seeds` (0 or more), each time in a new world. Else as ``world(_:seed:within:)``.
  public static func world(
    _ description: WorldDescription, seeds: ClosedRange<Int>, within limit: Duration = .seconds(86_400)
  ) -> Self {
    WorldTrait(limit: limit, seeds: { _ in DeclaredSeeds(seeds) }, describe: { _ in description })
  }

  /// Runs the test with `seed`, whatever the environment says: for a test about what just this seed does.
  public static func world(
    _ description: WorldDescription, pinnedTo seed: UInt64, within limit: Duration = .seconds(86_400)
  ) -> Self {
    WorldTrait(
      limit: limit, seeds: { _ in DeclaredSeeds(values: [seed], isPinned: true) }, describe: { _ in description })
  }

  /// Runs the test once for each of `seeds`, each time in the world that `describe` makes for it. Else as
  /// ``world(_:seed:within:)``.
  public static func world(
    seeds: ClosedRange<Int>, within limit: Duration = .seconds(86_400),
    _ describe: @escaping @Sendable (_ seed: UInt64) throws -> WorldDescription
  ) -> Self {
    WorldTrait(
      limit: limit, seeds: { _ in DeclaredSeeds(seeds) },
      describe: { try describe($0 ?? UInt64(clamping: seeds.lowerBound)) })
  }
}

/// Runs every body twice and compares: ``Trait/deterministic``.
public struct DeterministicTrait: TestTrait, SuiteTrait {
  /// A suite's trait holds for all tests in it.
  public var isRecursive: Bool { true }
}

extension Trait where Self == DeterministicTrait {
  /// Runs the body twice with each seed and fails, with the first difference, if the network did not do the same to the bit and the
  /// nanosecond. `MARTLET_DETERMINISM=1` in the environment does so to all tests in worlds.
  public static var deterministic: Self { DeterministicTrait() }
}
