import ArgumentParser
import Foundation
import MartletLab

/// Asks of a scenario what cannot be seen in one run.
struct LabCheck: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Check what a scenario promises.", subcommands: [LabCheckDeterminism.self])
}

/// Runs a scenario in two processes and compares what they left behind.
struct LabCheckDeterminism: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "determinism", abstract: "Run a scenario in two processes and compare what they leave behind.",
    discussion: "The fingerprint is a hash of every frame, time, cause, table and sample. Exit code 1 if they differ.")

  @Argument(help: "Scenarios' names or worlds' files; all scenarios if none is given.")
  var names: [String] = []

  @Option(help: "What all that is random follows from.")
  var seed: UInt64 = 1

  func run() throws {
    try reportingFailure {
      var different: [String] = []
      for name in names.isEmpty ? Scenario.all.map(\.name) : names {
        let first = try Self.fingerprint(of: name, seed: seed)
        let second = try Self.fingerprint(of: name, seed: seed)
        let isSame = first == second
        if !isSame { different.append(name) }
        StandardStreams.line("\(isSame ? "same" : "DIFFERENT")  \(first)  \(second)  \(name)")
      }
      if !different.isEmpty {
        throw CommandFailure(
          .network, "the same seed left something else behind: " + different.joined(separator: ", "),
          remedy: "Compare the logs: martlet lab run \(different[0]) --seed \(seed) --log one.jsonl, twice.")
      }
    }
  }

  /// What another process makes of it.
  private static func fingerprint(of name: String, seed: UInt64) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments = ["lab", "run", name, "--seed", "\(seed)", "--fingerprint"]
    let pipe = Pipe()
    process.standardOutput = pipe
    do {
      try process.run()
    } catch {
      throw CommandFailure(.network, "a second process could not be started: \(error)")
    }
    let bytes = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw CommandFailure(.usage, "\"\(name)\" did not run", remedy: "Try: martlet lab run \(name)")
    }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").first.map(String.init) ?? ""
  }
}
