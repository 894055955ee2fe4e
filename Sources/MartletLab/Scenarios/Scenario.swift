/// A world, what happens in it, and what is to be seen there: one figure of a lecture, run.
public struct Scenario: Sendable {
  /// As `martlet lab run` calls it.
  public let name: String
  /// What it shows, in a line.
  public let title: String
  let body: @Sendable (Stage) throws -> Recording

  init(_ name: String, _ title: String, _ body: @escaping @Sendable (Stage) throws -> Recording) {
    self.name = name
    self.title = title
    self.body = body
  }

  /// What came of a run.
  public struct Result: Sendable {
    public var recording: Recording
    /// What was seen, for people; the same for the same seed.
    public var transcript: String
    /// What did not come out as told; empty if all is well.
    public var failures: [String]

    public init(recording: Recording, transcript: String, failures: [String]) {
      self.recording = recording
      self.transcript = transcript
      self.failures = failures
    }
  }

  /// Plays the scenario from beginning to end.
  public func run(seed: UInt64 = 1) throws -> Result {
    let stage = Stage(name: name, title: title, seed: seed)
    let recording = try body(stage)
    return Result(recording: recording, transcript: stage.text, failures: stage.failures)
  }

  /// All of them, in the order of the lectures.
  public static var all: [Scenario] {
    [
      letter, encapsulation, endToEnd, datagramDemultiplexing, streamDemultiplexing, handshake, lostSYN, timeout,
      stopAndWait, pipelined, window, goBackN, selectiveRepeat, fastRetransmit, earlyRetransmit,
      slowStart,
      sawtooth, fairness, slowReader, fragments, lostFragment, addressResolution, routingTable, delayBudget,
      spanningTree, broadcastStorm, csmaCD, hiddenTerminal,
    ]
  }

  /// The scenario called `name`.
  public static func named(_ name: String) -> Scenario? { all.first { $0.name == name } }
}
