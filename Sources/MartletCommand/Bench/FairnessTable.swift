/// How flows share a bottleneck, by number, kind and distance.
struct FairnessTable: Sendable {
  var rows: [FairnessRow]
  var seeds: [UInt64]
  /// By row, then by seed.
  var results: [[FairnessScenario.Result]]

  /// What a row's runs say; the median of the seeds', number by number.
  struct Numbers: Equatable, Sendable {
    var index: Double
    /// What the first half of the flows has of all.
    var share: Double
    /// The least and the most of one flow, in Mbit/s.
    var least: Double
    var most: Double
    var utilization: Double
    var dropRate: Double
  }

  func numbers(_ row: Int) -> Numbers {
    let split = rows[row].split
    func middle(_ value: (FairnessScenario.Result) -> Double) -> Double { median(results[row].map(value)) }
    return Numbers(
      index: middle { fairnessIndex($0.byteCounts) }, share: middle { $0.share(of: 0..<split) },
      least: middle { result in result.byteCounts.indices.map(result.megabitsPerSecond).min() ?? 0 },
      most: middle { result in result.byteCounts.indices.map(result.megabitsPerSecond).max() ?? 0 },
      utilization: middle(\.utilization), dropRate: middle(\.dropRate))
  }

  /// A table: its heading, the columns' titles, the cells.
  private struct Section {
    var heading: String
    var titles: [String]
    var cells: [[String]]
  }

  private var sections: [Section] {
    FairnessRow.Kind.allCases.compactMap { kind in
      let cells = rows.indices.filter { rows[$0].kind == kind }.map { self.cells(of: $0) }
      guard !cells.isEmpty else { return nil }
      return Section(heading: Self.heading(kind), titles: Self.titles(kind), cells: cells)
    }
  }

  private static func heading(_ kind: FairnessRow.Kind) -> String {
    switch kind {
    case .alike: "Flows of one kind"
    case .mixed: "Two congestion controls against each other"
    case .roundTrips: "Two flows, 20 and 80 ms away"
    }
  }

  private static func titles(_ kind: FairnessRow.Kind) -> [String] {
    switch kind {
    case .alike: ["flows", "Jain's index", "least Mbit/s", "most Mbit/s", "utilisation", "dropped"]
    case .mixed: ["flows", "share of the first", "of the second", "Jain's index", "utilisation", "dropped"]
    case .roundTrips: ["flows", "20 ms, Mbit/s", "80 ms, Mbit/s", "ratio", "utilisation", "dropped"]
    }
  }

  private func cells(of row: Int) -> [String] {
    let numbers = numbers(row)
    let middle =
      switch rows[row].kind {
      case .alike:
        [
          fixed(numbers.index, 3), GoodputTable.text(megabitsPerSecond: numbers.least),
          GoodputTable.text(megabitsPerSecond: numbers.most),
        ]
      case .mixed:
        [Self.percent(numbers.share, 0), Self.percent(1 - numbers.share, 0), fixed(numbers.index, 3)]
      case .roundTrips:
        roundTripCells(row)
      }
    return [rows[row].name] + middle + [Self.percent(numbers.utilization, 1), Self.percent(numbers.dropRate, 2)]
  }

  private func roundTripCells(_ row: Int) -> [String] {
    let near = median(results[row].map { $0.megabitsPerSecond(0) })
    let far = median(results[row].map { $0.megabitsPerSecond(1) })
    return [
      GoodputTable.text(megabitsPerSecond: near), GoodputTable.text(megabitsPerSecond: far),
      "\(fixed(near / max(far, 0.001), 1)) : 1",
    ]
  }

  private static func percent(_ share: Double, _ digits: Int) -> String { "\(fixed(share * 100, digits)) %" }

  // MARK: Terminal

  var lines: [String] {
    var lines: [String] = []
    for section in sections {
      var table = Table()
      table.header = section.titles
      table.rows = section.cells
      lines += [section.heading] + table.lines.map { "  " + $0 } + [""]
    }
    return lines
  }

  // MARK: JSON

  /// An object for each row.
  var objects: [JSON] {
    rows.indices.map { row in
      let numbers = numbers(row)
      return .object([
        ("kind", .string(rows[row].kind.rawValue)), ("flows", .string(rows[row].name)),
        ("index", .number(numbers.index)), ("share", .number(numbers.share)),
        ("utilization", .number(numbers.utilization)), ("dropRate", .number(numbers.dropRate)),
        (
          "runs",
          .array(
            zip(seeds, results[row]).map { seed, result in
              let rates = result.byteCounts.indices.map { JSON.number(result.megabitsPerSecond($0)) }
              return .object([("seed", JSON(seed)), ("mbps", .array(rates))])
            })
        ),
      ])
    }
  }

  // MARK: Markdown

  /// The page that is kept in git, with the plot at `plot` beside it.
  func markdown(plot: String) -> String {
    let path = FairnessRow.path
    var lines = [
      "# Fairness of flows that share a bottleneck",
      "",
      "Written by `martlet bench fairness --output docs/measurements/fairness.md`, checked by",
      "`martlet bench fairness --check`. In virtual time: the same numbers in every process and on every machine.",
      "",
      "\(path.text) (one bandwidth-delay product), MTU 1,500; a jitter of up to one packet's time keeps flows from falling",
      "in step with the queue. Flows begin within the first second, never end, and count from second 20 to second 60;",
      "medians of \(seeds.count) runs (seeds \(seeds.map(String.init).joined(separator: ", "))). Jain's index is 1 when all have the same. Utilisation counts",
      "headers; dropped is the share of packets that the queue refused.",
    ]
    for section in sections {
      lines += ["", "## " + section.heading, "", GoodputTable.line(section.titles)]
      lines.append(GoodputTable.line([":--"] + section.titles.dropFirst().map { _ in "--:" }))
      lines += section.cells.map(GoodputTable.line)
    }
    lines += [
      "", "## The way to the fair share", "",
      "Two NewReno flows over 20 Mbit/s and 40 ms with a queue of 30 KB, from the moment the second begins: what one gets",
      "against what the other gets in half a second. Loss halves both, the larger one by more, and so they meet.", "",
      "![Phase plot of two flows](\(plot))",
    ]
    return lines.joined(separator: "\n") + "\n"
  }
}
