import ArgumentParser

/// What TCP makes of impaired paths, in virtual time.
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure TCP over simulated paths, in virtual time: the same numbers on every machine.",
    subcommands: [Goodput.self, Fairness.self])
}
