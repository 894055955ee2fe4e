internal import MartletCore
public import MartletLab
internal import Synchronization
internal import Testing

/// How runs of a body over many seeds went: ``MartletLab/World/sweep(_:seeds:within:isRecorded:_:)``.
public struct WorldSweep: Sendable {
  /// One run.
  public struct Run: Sendable {
    public var seed: UInt64
    /// Nil if it passed.
    public var failure: Failure?
    /// How long it took in the world's time, in nanoseconds.
    public var duration: Int64
    /// Of all that happened on the network; nil without a recording.
    public var fingerprint: UInt64?
  }

  /// Why a run failed.
  public struct Failure: Sendable, CustomStringConvertible {
    /// The first error or expectation.
    public var description: String
    /// What the body threw, if that was it.
    public var error: (any Error)?
    /// The world at that moment.
    public var snapshot: WorldSnapshot
  }

  /// In the order of the seeds.
  public var runs: [Run]
  /// What ``sometimes(_:_:sourceLocation:)`` looked for and never saw.
  public var unseen: [String]

  /// The runs that failed.
  public var failures: [Run] { runs.filter { $0.failure != nil } }
}

extension World {
  /// Runs `body` once for each of `seeds`, each time in a new world, and tells how it went instead of failing: for tests about what a
  /// sweep finds, and for programs.
  ///
  /// - Parameters:
  ///   - limit: The longest that a run may take in the world's time.
  ///   - isRecorded: Whether runs have fingerprints. Recording costs about twice the run.
  /// - Throws: ``WorldError`` if the description makes no sense; `CancellationError`.
  public static func sweep(
    _ description: WorldDescription, seeds: ClosedRange<Int>, within limit: Duration = .seconds(86_400),
    isRecorded: Bool = false, _ body: @Sendable (World) async throws -> Void
  ) async throws -> WorldSweep {
    let sightings = Sightings(expecting: [])
    var runs: [WorldSweep.Run] = []
    for seed in DeclaredSeeds(seeds).values {
      let run = try WorldRun(description, seed: seed, isRecorded: isRecorded, sightings: sightings, limit: limit)
      let world = run.world
      let failure = try await run.failure { try await body(world) }
      let duration = world.loop.now.nanoseconds
      var fingerprint: UInt64?
      if isRecorded { fingerprint = world.finish().fingerprint } else { world.loop.shutdown() }
      runs.append(WorldSweep.Run(seed: seed, failure: failure, duration: duration, fingerprint: fingerprint))
    }
    return WorldSweep(runs: runs, unseen: sightings.unseen.map(\.what))
  }
}

extension WorldRun {
  /// Performs `body`; what goes wrong is returned, and no issue of the test that calls.
  fileprivate func failure(_ body: @Sendable () async throws -> Void) async throws -> WorldSweep.Failure? {
    let first = Mutex<WorldSweep.Failure?>(nil)
    let note = { @Sendable (description: String, error: (any Error)?) in
      let snapshot = (error as? WorldExpectationFailure)?.snapshot ?? self.world.snapshot()
      first.withLock { first in
        if first == nil { first = WorldSweep.Failure(description: description, error: error, snapshot: snapshot) }
      }
    }
    @Sendable func attempt() async throws {
      do {
        try await self.perform(body)
      } catch is ExpectationFailedError {
      } catch is Overdue.Told {
      } catch {
        if Task.isCancelled { throw error }
        note("\(error)", error)
      }
    }
    guard let test = Test.current else {
      try await attempt()
      return first.withLock { $0 }
    }
    let handler: IssueHandlingTrait = .compactMapIssues { issue in
      guard issue.isFailure else { return issue }
      note("\(issue)", issue.error)
      return nil
    }
    try await handler.provideScope(for: test, testCase: Test.Case.current, performing: attempt)
    return first.withLock { $0 }
  }
}
