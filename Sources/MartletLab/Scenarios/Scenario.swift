/// A world, what happens in it, and what is to be seen there: one figure of a lecture, run.
public struct Scenario: Sendable {
  /// As `martlet lab run` calls it.
  public let name: String
  /// What it shows, in a line.
  public let title: String
  /// Whether it takes an optimized build to play it in seconds.
  let isLarge: Bool
  let body: @Sendable (Stage) throws -> Recording

  init(
    _ name: String, _ title: String, isLarge: Bool = false, _ body: @escaping @Sendable (Stage) throws -> Recording
  ) {
    self.name = name
    self.title = title
    self.isLarge = isLarge
    self.body = body
  }

  /// What came of a run.
  public struct Result: Sendable {
    public var recording: Recording
    /// What was seen, for people; the same for the same seed.
    public var transcript: String
    /// What did not come out as told; empty if all is well.
    public var failures: [String]
    /// What it took of this machine, which is never the same.
    public var remarks: [String]

    public init(recording: Recording, transcript: String, failures: [String], remarks: [String] = []) {
      self.recording = recording
      self.transcript = transcript
      self.failures = failures
      self.remarks = remarks
    }
  }

  /// Plays the scenario from beginning to end.
  ///
  /// - Parameters:
  ///   - pace: How the world's time passes.
  ///   - watch: Is told of each world before anything happens in it; its clock may be read from any thread.
  public func run(
    seed: UInt64 = 1, pace: WorldPace = .virtual, watch: @escaping @Sendable (World) -> Void = { _ in }
  ) throws -> Result {
    let stage = Stage(name: name, title: title, seed: seed, pace: pace, watch: watch)
    let recording = try body(stage)
    return Result(recording: recording, transcript: stage.text, failures: stage.failures, remarks: stage.remarks)
  }

  /// All of them, in the order of the lectures.
  public static var all: [Scenario] {
    [
      letter, encapsulation, endToEnd, datagramDemultiplexing, streamDemultiplexing, handshake, lostSYN, timeout,
      stopAndWait, pipelined, window, goBackN, selectiveRepeat, fastRetransmit, earlyRetransmit,
      slowStart,
      sawtooth, fairness, slowReader, fragments, lostFragment, addressResolution, routingTable, delayBudget,
      spanningTree, broadcastStorm, csmaCD, hiddenTerminal,
      uppercase, oneQuestion, refused, bestEffort, pathMTU, traceroute, persistentHTTP, tenThousand,
    ]
  }

  /// The scenario called `name`.
  public static func named(_ name: String) -> Scenario? { all.first { $0.name == name } }
}
