import ArgumentParser
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
    discussion: """
      The fingerprint, a hash of every frame, time, cause, table and sample, and byte for byte the event log, the capture, \
      the report and what was told. The second process has another locale, time zone and folder.

      Exit codes: 0 all the same, 1 something differs (and what differs first is told), 64 there is no such scenario, \
      70 a process did not come to its end.
      """)

  @Argument(help: "Scenarios' names or worlds' files; all scenarios if none is given.")
  var names: [String] = []

  @Option(help: "What all that is random follows from.")
  var seed: UInt64 = 1

  @Flag(help: "One JSON object a line instead of text.")
  var json = false

  func run() throws {
    try reportingFailure {
      if let name = names.first(where: { Scenario.named($0) == nil && !$0.contains(".") }) {
        throw LabRun.unknown(name)
      }
      let runs = try TwinRuns(seed: seed)
      defer { runs.remove() }
      var different: [String] = []
      for name in names.isEmpty ? Scenario.all.map(\.name) : names {
        let verdict = try runs.compare(name)
        if verdict.difference != nil { different.append(name) }
        tell(name, verdict)
      }
      if !different.isEmpty {
        throw CommandFailure(.network, "the same seed left something else behind: " + different.joined(separator: ", "))
      }
    }
  }

  private func tell(_ name: String, _ verdict: TwinRuns.Verdict) {
    if json {
      StandardStreams.line(
        JSON.object([
          ("name", .string(name)), ("same", .bool(verdict.difference == nil)),
          ("fingerprint", .string(verdict.fingerprint)), ("bytes", JSON(verdict.byteCount)),
          ("difference", verdict.difference.map { .string($0) } ?? .null),
        ]).line)
      return
    }
    let size = padded(byteCountText(Double(verdict.byteCount)), to: 9, atEnd: false)
    StandardStreams.line(
      "\(padded(verdict.difference == nil ? "same" : "DIFFERENT", to: 9))  \(verdict.fingerprint)  \(size)  \(name)")
    if let difference = verdict.difference { StandardStreams.line("  " + difference) }
  }
}
