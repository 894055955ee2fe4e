internal import MartletLab

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// What the environment says about how tests in worlds run.
struct Environment: Sendable {
  /// `MARTLET_SEED`: this seed alone.
  var seed: String?
  /// `MARTLET_SEEDS`: a count, a range or a list.
  var seeds: String?
  /// `MARTLET_REPORT`: the folder for files about runs that fail.
  var report: String?
  /// `MARTLET_DETERMINISM`: every run twice.
  var determinism: String?

  static var current: Environment {
    Environment(
      seed: variable("MARTLET_SEED"), seeds: variable("MARTLET_SEEDS"), report: variable("MARTLET_REPORT"),
      determinism: variable("MARTLET_DETERMINISM"))
  }

  /// Nil if it is not set or empty.
  private static func variable(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    let text = unsafe String(cString: value)
    return text.isEmpty ? nil : text
  }
}

/// The seeds that a test names.
struct DeclaredSeeds: Sendable, Equatable {
  var values: [UInt64]
  /// Whether the environment has no say.
  var isPinned = false
}

extension DeclaredSeeds {
  init(_ range: ClosedRange<Int>) {
    precondition(range.lowerBound >= 0, "a seed is 0 or more")
    self.init(values: range.map { UInt64($0) })
  }
}

/// The seeds that a test is run with.
struct SeedPlan: Sendable, Equatable {
  var seeds: [UInt64]
  /// Whether so many are run that what should sometimes hold can be expected to have held.
  var judgesSometimes: Bool

  /// A test that names one seed is judged from so many on.
  static let fewestToJudge = 10

  /// - Throws: ``WorldError`` if the environment says something that is no seed.
  init(_ declared: DeclaredSeeds, _ environment: Environment) throws(WorldError) {
    seeds = declared.values
    if !declared.isPinned {
      if let text = environment.seed {
        guard let seed = UInt64(text) else {
          throw WorldError("MARTLET_SEED is \"\(text)\", which is no seed", remedy: "Write a number, as 42.")
        }
        seeds = [seed]
      } else if let text = environment.seeds {
        seeds = try Self.parse(text, from: declared.values.first ?? 1)
      }
    }
    judgesSometimes = seeds.count >= (declared.values.count > 1 ? declared.values.count : Self.fewestToJudge)
  }

  private static func parse(_ text: String, from first: UInt64) throws(WorldError) -> [UInt64] {
    let mistake = WorldError(
      "MARTLET_SEEDS is \"\(text)\", which names no seeds",
      remedy: "Write a count (100), a range (1...500) or a list (3,5,9).")
    var values: [UInt64] = []
    if let count = UInt64(text) {
      guard count > 0, count <= limit, first <= UInt64.max - count else { throw mistake }
      return Array(first..<first + count)
    }
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.replacing("...", with: "-").split(separator: "-", omittingEmptySubsequences: false)
        .map { UInt64($0) }
      switch ends.count {
      case 1:
        guard let seed = ends[0] else { throw mistake }
        values.append(seed)
      case 2:
        guard let low = ends[0], let high = ends[1], low <= high, high - low < limit else { throw mistake }
        values += Array(low...high)
      default: throw mistake
      }
    }
    return values
  }

  /// What nobody means to wait for.
  private static let limit: UInt64 = 100_000_000
}
