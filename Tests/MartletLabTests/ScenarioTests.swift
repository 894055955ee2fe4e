import Foundation
import Testing

@testable import MartletLab

@Suite("The scenarios of the lectures")
struct ScenarioTests {
  /// What a scenario is to tell, line by line. `MARTLET_RECORD=1` writes it anew.
  static let golden = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Golden")

  /// All of them, or in a debug build those that do not take a minute there.
  static let played = Scenario.all.filter { scenario in
    #if DEBUG
      !scenario.isLarge
    #else
      true
    #endif
  }.map(\.name)

  @Test("A scenario comes out as told, and tells what it told before", arguments: played)
  func tells(_ name: String) throws {
    let scenario = try #require(Scenario.named(name))
    let result = try scenario.run()
    #expect(result.failures.isEmpty)
    let file = Self.golden.appendingPathComponent("\(name).txt")
    if ProcessInfo.processInfo.environment["MARTLET_RECORD"] != nil {
      try FileManager.default.createDirectory(at: Self.golden, withIntermediateDirectories: true)
      try result.transcript.write(to: file, atomically: true, encoding: .utf8)
    }
    #expect(try String(contentsOf: file, encoding: .utf8) == result.transcript)
  }

  @Test("Connections by the hundred each have a socket, and are found as fast as a few")
  func manyConnections() throws {
    let stage = Stage(name: "many", title: "", seed: 1)
    let recording = try ManyConnections.play(stage, hosts: 20, connectionsEach: 20)
    #expect(stage.failures.isEmpty)
    #expect(recording.counters.contains { $0.name == "eth0 frames received" && $0.value > 4_000 })
  }

  @Test(
    "The same seed leaves the same behind, another does not", arguments: ["letter", "early-retransmit", "fragments"])
  func repeats(_ name: String) throws {
    let scenario = try #require(Scenario.named(name))
    let first = try scenario.run(seed: 5)
    let second = try scenario.run(seed: 5)
    #expect(first.recording == second.recording)
    #expect(first.recording.fingerprint == second.recording.fingerprint)
    #expect(try scenario.run(seed: 6).recording.fingerprint != first.recording.fingerprint)
  }
}
