internal import MartletLab
internal import Synchronization
public import Testing

/// What was seen to hold in at least one run of a sweep.
final class Sightings: Sendable {
  struct Sighting: Sendable {
    var what: String
    var count = 0
    var sourceLocation: SourceLocation?
  }

  private let all: Mutex<[Sighting]>

  /// - Parameter expected: What has to be seen, even if nobody comes by to look.
  init(expecting expected: [String]) { all = Mutex(expected.map { Sighting(what: $0) }) }

  func look(for what: String, _ holds: Bool, _ sourceLocation: SourceLocation) {
    all.withLock { all in
      let place: Int
      if let known = all.firstIndex(where: { $0.what == what }) {
        place = known
      } else {
        all.append(Sighting(what: what))
        place = all.count - 1
      }
      if all[place].sourceLocation == nil { all[place].sourceLocation = sourceLocation }
      if holds { all[place].count += 1 }
    }
  }

  /// What never held.
  var unseen: [Sighting] { all.withLock { $0.filter { $0.count == 0 } } }
}

/// Expects that `condition` holds in at least one run of the sweep that this run is part of.
///
/// A test over many seeds passes easily if what it is about never happens; this says that it did. What never held is reported when the
/// sweep is over, if all its runs passed and there were as many as the test names (at least ten, if it names one seed): a single
/// run, as `MARTLET_SEED=42` asks for, proves nothing either way and is not judged.
/// - Parameter what: What it is, in words; calls with the same words are one.
public func sometimes(
  _ what: String, _ condition: Bool = true, sourceLocation: SourceLocation = #_sourceLocation
) {
  guard let run = WorldRun.here else {
    Issue.record(
      "sometimes(\"\(what)\") counts runs of a test in a world, and there is none here. Give the test the trait .world(…).",
      sourceLocation: sourceLocation)
    return
  }
  run.sightings.look(for: what, condition, sourceLocation)
}

/// Expects that this place is reached in at least one run of the sweep: ``sometimes(_:_:sourceLocation:)``.
///
/// A place that is never reached says nothing by itself: name it in the trait `.sometimes(…)` too.
public func reachable(_ what: String, sourceLocation: SourceLocation = #_sourceLocation) {
  sometimes(what, sourceLocation: sourceLocation)
}

/// What has to be seen in at least one run: ``Trait/sometimes(_:)``.
public struct SometimesTrait: TestTrait, SuiteTrait {
  let expected: [String]
  /// A suite's trait holds for all tests in it.
  public var isRecursive: Bool { true }
}

extension Trait where Self == SometimesTrait {
  /// Says what at least one run of the sweep has to meet: by ``sometimes(_:_:sourceLocation:)`` or
  /// ``reachable(_:sourceLocation:)`` with the same words, which need not be called in any run for the test to fail.
  public static func sometimes(_ what: String...) -> Self { SometimesTrait(expected: what) }
}
