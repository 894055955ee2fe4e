import ArgumentParser

/// What TCP makes of impaired paths, in virtual time, and what serving files costs.
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure TCP over simulated paths, in virtual time, what it costs to serve a file, and the laboratory.",
    subcommands: [Goodput.self, Fairness.self, FileServerBench.self, LabBench.self])
}
