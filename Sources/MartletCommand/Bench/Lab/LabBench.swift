import ArgumentParser

/// How fast and how large the laboratory is.
struct LabBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lab",
    abstract: "Measure the virtual internet: packet-hops a second, a day of a thousand hosts, memory.",
    discussion: """
      Worlds of the laboratory, without a recording unless asked for, on one thread. A hop is a frame that was delivered \
      over one link; time is this process's processor time while the world runs, not while it is put up. This measures \
      the machine it runs on: Benchmarks/lab measures ns-3 in the same run, with the same dumbbell.
      """)

  /// What can be measured.
  enum Row: String, CaseIterable, ExpressibleByArgument {
    case tcp = "dumbbell-tcp"
    case udp = "dumbbell-udp"
    case day
    case hosts = "idle-hosts"
    case connections
  }

  @Option(
    help: ArgumentHelp(
      "Only this row: \(Row.allCases.map(\.rawValue).joined(separator: ", ")); repeatable.", valueName: "row"))
  var only: [Row] = []

  @Option(help: ArgumentHelp("How often each row is measured; the medians are told.", valueName: "count"))
  var turns = 1

  @Option(help: ArgumentHelp("Virtual seconds of a dumbbell.", valueName: "seconds"))
  var seconds = 20

  @Option(help: ArgumentHelp("Virtual hours of the day.", valueName: "hours"))
  var hours = 24

  @Flag(help: "Record what happens in the dumbbells.")
  var recorded = false

  @Flag(help: "One JSON object a line instead of a table.")
  var json = false

  func validate() throws {
    if !(1...1_000).contains(turns) { throw ValidationError("--turns takes 1 to 1000, not \(turns).") }
    if !(1...100_000).contains(seconds) { throw ValidationError("--seconds takes 1 to 100000, not \(seconds).") }
    if !(1...10_000).contains(hours) { throw ValidationError("--hours takes 1 to 10000, not \(hours).") }
  }

  func run() throws {
    try reportingFailure {
      for row in only.isEmpty ? Row.allCases : only {
        let results = try (0..<turns).map { _ in try measure(row) }.sorted { $0.order < $1.order }
        let result = results[results.count / 2]
        if json {
          StandardStreams.line(result.object(row.rawValue).line)
        } else {
          StandardStreams.line("\(padded(row.rawValue, to: 14))\(result.words)")
        }
      }
    }
  }

  private func measure(_ row: Row) throws -> LabFigures {
    switch row {
    case .tcp: try LabDumbbell(transport: .tcp, seconds: seconds).measure(isRecorded: recorded)
    case .udp: try LabDumbbell(transport: .udp, seconds: seconds).measure(isRecorded: recorded)
    case .day: try LabCrowd.day(hours: hours)
    case .hosts: try LabCrowd.idleHosts()
    case .connections: try LabCrowd.connections()
    }
  }
}

/// What one measurement came to: figures by name, in their order, and the same in words.
struct LabFigures {
  var members: [(String, JSON)]
  var words: String
  /// By which the median is found.
  var order: Double

  func object(_ row: String) -> JSON { .object([("row", .string(row))] + members) }
}
