import ArgumentParser
import MartletCore

/// One bulk flow over impaired paths.
struct Goodput: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure one bulk flow over slow, long, lossy and reordering paths.",
    discussion: """
      Goodput is payload per time, from the call of connect to the last byte read. Rows S1 to S8; the median of the \
      seeds' runs. Everything happens in virtual time: the same seed gives the same numbers.
      """)

  @Option(help: ArgumentHelp("Only this row; repeatable.", valueName: "row"))
  var only: [String] = []

  @Option(help: ArgumentHelp("Only this congestion control; repeatable.", valueName: "name"))
  var congestion: [CongestionChoice] = []

  @Option(help: ArgumentHelp("How many runs the median is of: seeds 1, 2 … .", valueName: "count"))
  var seeds = 3

  @Option(
    help: ArgumentHelp(
      "Also the quartiles over this many seeds, of rows that lose by chance; the page in git has \(GoodputSpread.seedCount).",
      valueName: "count"))
  var spread: Int?

  @Option(
    help: ArgumentHelp(
      "The sender's view of one run (one row, one congestion control, seed 1) every 10 ms, tab-separated.",
      valueName: "file"))
  var trace: String?

  @Option(
    help: ArgumentHelp(
      "All that its sender did and learned: one JSON object a line for each transmission, acknowledgement, loss …",
      valueName: "file"))
  var events: String?

  @Option(help: ArgumentHelp("The same as a time–sequence diagram.", valueName: "svg file"))
  var sequencePlot: String?

  @OptionGroup var output: TableOutput

  static let golden = "docs/measurements/goodput.md"

  func validate() throws {
    if !(1...1_000).contains(seeds) { throw ValidationError("--seeds takes 1 to 1000, not \(seeds).") }
    if let spread, !(4...10_000).contains(spread) {
      throw ValidationError("--spread takes 4 to 10000 seeds, not \(spread).")
    }
    let names = GoodputRow.all.map(\.name)
    if let unknown = only.first(where: { !names.contains($0.uppercased()) }) {
      throw ValidationError("There is no row \(unknown); there are \(names.joined(separator: ", ")).")
    }
    if isTraced, rows.count != 1 || congestions.count != 1 {
      let option = trace != nil ? "--trace" : events != nil ? "--events" : "--sequence-plot"
      throw ValidationError("\(option) shows one run: say which with --only and --congestion.")
    }
    if output.check, !only.isEmpty || !congestion.isEmpty || seeds != 3 {
      throw ValidationError("--check compares the whole table.")
    }
  }

  private var rows: [GoodputRow] {
    let names = only.map { $0.uppercased() }
    return only.isEmpty ? GoodputRow.all : GoodputRow.all.filter { names.contains($0.name) }
  }

  private var congestions: [CongestionChoice] {
    congestion.isEmpty ? CongestionChoice.allCases : CongestionChoice.allCases.filter { congestion.contains($0) }
  }

  func run() throws {
    try reportingFailure {
      let table = try Self.measure(rows, congestions, seeds: (1...seeds).map { UInt64($0) })
      if isTraced { try writeTraces() }
      let spread = try measureSpread()
      try output.tell(
        lines: table.lines + (spread?.lines ?? []), objects: table.objects,
        markdown: table.markdown + (spread?.markdown ?? ""), golden: Self.golden)
    }
  }

  /// What the page, or ``spread``, asks for.
  private func measureSpread() throws -> GoodputSpread? {
    let isPage = output.check || output.markdown || output.output != nil
    guard let count = spread ?? (isPage ? GoodputSpread.seedCount : nil) else { return nil }
    let rows = rows.filter { $0.path.loss > 0 }
    guard !rows.isEmpty else { return nil }
    return GoodputSpread(table: try Self.measure(rows, congestions, seeds: (1...count).map { UInt64($0) }))
  }

  private var isTraced: Bool { trace != nil || events != nil || sequencePlot != nil }

  /// Runs one transfer again, and writes what its sender saw.
  private func writeTraces() throws {
    let row = rows[0]
    let transfer = BulkTransfer(path: row.path, byteCount: row.byteCount, congestion: congestions[0], seed: 1)
    let traces = TransferTrace(eventCapacity: events != nil || sequencePlot != nil ? 1 << 20 : 0)
    let result = try transfer.run(trace: traces)
    if let trace { try GoldenFile(path: trace).write(traces.text) }
    guard let recorded = traces.events else { return }
    if let events {
      try GoldenFile(path: events).write(EventLines(trace: recorded.trace, start: recorded.start).text)
    }
    if let sequencePlot {
      let plot = SequencePlot(
        events: recorded.trace.events, start: recorded.start,
        title: "\(row.name), \(congestions[0].title): \(fixed(result.megabitsPerSecond, 1)) Mbit/s")
      try GoldenFile(path: sequencePlot).write(plot.svg)
    }
  }

  /// Runs everything, on all cores.
  static func measure(
    _ rows: [GoodputRow], _ congestions: [CongestionChoice], seeds: [UInt64], showsProgress: Bool = true
  ) throws -> GoodputTable {
    let transfers = rows.flatMap { row in
      congestions.flatMap { congestion in
        seeds.map { BulkTransfer(path: row.path, byteCount: row.byteCount, congestion: congestion, seed: $0) }
      }
    }
    let progress = RunProgress(total: transfers.count, isShown: showsProgress)
    var results = try inParallel(transfers, progress: progress) { try $0.run() }[...]
    let cells = rows.map { _ in
      congestions.map { _ in
        let cell = GoodputTable.Cell(results: Array(results.prefix(seeds.count)))
        results = results.dropFirst(seeds.count)
        return cell
      }
    }
    return GoodputTable(rows: rows, congestions: congestions, seeds: seeds, cells: cells)
  }
}
