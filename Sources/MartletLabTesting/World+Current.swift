internal import Martlet
public import MartletCore
public import MartletLab

extension World {
  /// The world of the test that calls this: the one that the trait `.world(…)` put up for this run.
  ///
  /// - Throws: ``WorldError`` outside of such a test.
  public static var current: World {
    get throws(WorldError) {
      if let run = WorldRun.here { return run.world }
      throw WorldError(
        "No test in a world is under way here",
        remedy: "Give the test the trait .world(…), or the function the world that it needs as an argument.")
    }
  }

  /// Lets `span` of the world's time pass.
  public func sleep(for span: Duration) async throws { try await loop.clock.sleep(for: span) }

  /// A stream of random numbers of its own for `name`: the world's seed and the name determine it.
  public func random(_ name: String) -> RandomStream { loop.random(named: "test:\(name)") }
}
