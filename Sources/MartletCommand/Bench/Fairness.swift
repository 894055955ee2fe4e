import ArgumentParser
import MartletCore

/// Many flows over one bottleneck.
struct Fairness: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure how flows share a bottleneck: alike, of two kinds, and from different distances.",
    discussion: """
      The phase plot (--plot, --svg) shows two NewReno flows on their way to the fair share. Everything happens in \
      virtual time: the same seed gives the same numbers.
      """)

  @Option(help: ArgumentHelp("Only this congestion control; repeatable.", valueName: "name"))
  var congestion: [CongestionChoice] = []

  @Option(help: ArgumentHelp("How many runs the medians are of: seeds 1, 2 … .", valueName: "count"))
  var seeds = 3

  @Flag(help: "Only the phase plot, in the terminal.")
  var plot = false

  @Option(help: ArgumentHelp("Write the phase plot to this file.", valueName: "file"))
  var svg: String?

  @OptionGroup var output: TableOutput

  static let golden = "docs/measurements/fairness.md"

  func validate() throws {
    if !(1...1_000).contains(seeds) { throw ValidationError("--seeds takes 1 to 1000, not \(seeds).") }
    if output.check, !congestion.isEmpty || seeds != 3 || plot {
      throw ValidationError("--check compares the whole page.")
    }
  }

  func run() throws {
    try reportingFailure {
      let picture = FairnessRow.phasePlot(try FairnessRow.phase.run(seed: 1))
      if let svg { try GoldenFile(path: svg).write(picture.svg) }
      if plot {
        for line in picture.lines { StandardStreams.line(line) }
        return
      }
      let congestions = CongestionChoice.allCases.filter { congestion.isEmpty || congestion.contains($0) }
      let table = try Self.measure(FairnessRow.all(congestions), seeds: (1...seeds).map { UInt64($0) })
      try output.tell(
        lines: table.lines + picture.lines, objects: table.objects,
        markdown: table.markdown(plot: "fairness.svg"), golden: Self.golden)
      if let page = output.output { try GoldenFile(path: Self.plotPath(beside: page)).write(picture.svg) }
      if output.check {
        let file = GoldenFile(path: Self.plotPath(beside: output.golden ?? Self.golden))
        guard try file.difference(to: picture.svg).isEmpty else {
          throw CommandFailure(.network, "\(file.path) is not what was measured.")
        }
      }
    }
  }

  /// Where the phase plot is: `fairness.svg` in the page's folder.
  private static func plotPath(beside page: String) -> String {
    let folder = page.lastIndex(of: "/").map { page[...$0] } ?? ""
    return folder + "fairness.svg"
  }

  /// Runs everything, on all cores.
  static func measure(
    _ rows: [FairnessRow], seeds: [UInt64], showsProgress: Bool = true
  ) throws -> FairnessTable {
    let runs = rows.flatMap { row in seeds.map { (row.scenario, $0) } }
    let progress = RunProgress(total: runs.count, isShown: showsProgress)
    var results = try inParallel(runs, progress: progress) { try $0.run(seed: $1) }[...]
    let byRow = rows.map { _ in
      let result = Array(results.prefix(seeds.count))
      results = results.dropFirst(seeds.count)
      return result
    }
    return FairnessTable(rows: rows, seeds: seeds, results: byRow)
  }
}
