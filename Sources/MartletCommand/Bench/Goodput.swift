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
      "The sender's view of one run (one row, one congestion control, seed 1) every 10 ms, tab-separated.",
      valueName: "file"))
  var trace: String?

  @OptionGroup var output: TableOutput

  static let golden = "docs/measurements/goodput.md"

  func validate() throws {
    if !(1...1_000).contains(seeds) { throw ValidationError("--seeds takes 1 to 1000, not \(seeds).") }
    let names = GoodputRow.all.map(\.name)
    if let unknown = only.first(where: { !names.contains($0.uppercased()) }) {
      throw ValidationError("There is no row \(unknown); there are \(names.joined(separator: ", ")).")
    }
    if trace != nil, rows.count != 1 || congestions.count != 1 {
      throw ValidationError("--trace shows one run: say which with --only and --congestion.")
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
      if let trace {
        let samples = TransferTrace()
        let row = rows[0]
        _ = try BulkTransfer(path: row.path, byteCount: row.byteCount, congestion: congestions[0], seed: 1)
          .run(trace: samples)
        try GoldenFile(path: trace).write(samples.text)
      }
      try output.tell(
        lines: table.lines, objects: table.objects, markdown: table.markdown, golden: Self.golden)
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
