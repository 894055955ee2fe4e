/// The goodput of rows by congestion control, beside what others reached.
struct GoodputTable: Sendable {
  /// What one row has of one congestion control.
  struct Cell: Equatable, Sendable {
    /// Each seed's, in the seeds' order.
    var results: [BulkTransfer.Result]

    /// The run in the middle, by time; of an even number the slower one.
    var median: BulkTransfer.Result { results.sorted { $0.nanoseconds < $1.nanoseconds }[results.count / 2] }
  }

  var rows: [GoodputRow]
  var congestions: [CongestionChoice]
  var seeds: [UInt64]
  /// By row, then by congestion control.
  var cells: [[Cell]]

  /// The first of those who were measured elsewhere.
  static func peers(count: Int) -> [String] { Array(GoodputRow.peers.prefix(count)) }

  /// A rate with three digits that matter.
  static func text(megabitsPerSecond value: Double) -> String { fixed(value, value < 9.95 ? 2 : 1) }

  private static func text(megabytes count: Int) -> String { "\(count / 1_000_000) MB" }

  // MARK: Terminal

  /// The table in aligned columns.
  var lines: [String] {
    var table = Table()
    table.header = ["", "path"] + congestions.map(\.title) + GoodputRow.peers
    for (row, cells) in zip(rows, cells) {
      table.rows.append([row.name, Self.text(of: row)] + numbers(of: row, cells))
    }
    return table.lines
  }

  private static func text(of row: GoodputRow) -> String { "\(text(megabytes: row.byteCount)), \(row.path.text)" }

  private func numbers(of row: GoodputRow, _ cells: [Cell]) -> [String] {
    let ours = cells.map { Self.text(megabitsPerSecond: $0.median.megabitsPerSecond) }
    let theirs = row.references.map { Self.text(megabitsPerSecond: $0) }
    return ours + theirs + Array(repeating: "–", count: GoodputRow.peers.count - theirs.count)
  }

  // MARK: JSON

  /// An object for each row and congestion control.
  var objects: [JSON] {
    zip(rows, cells).flatMap { row, cells in
      zip(congestions, cells).map { congestion, cell in
        .object([
          ("row", .string(row.name)), ("path", .string(row.path.text)), ("bytes", JSON(row.byteCount)),
          ("congestion", .string(congestion.rawValue)), ("mbps", .number(cell.median.megabitsPerSecond)),
          ("runs", .array(zip(seeds, cell.results).map { Self.object(seed: $0, $1) })),
          (
            "elsewhere",
            .object(zip(GoodputRow.peers, row.references).map { ($0, .number($1)) })
          ),
        ])
      }
    }
  }

  private static func object(seed: UInt64, _ result: BulkTransfer.Result) -> JSON {
    .object([
      ("seed", JSON(seed)), ("seconds", .number(Double(result.nanoseconds) / 1e9)),
      ("mbps", .number(result.megabitsPerSecond)), ("retransmits", JSON(result.retransmittedSegments)),
      ("timeouts", JSON(result.timeouts)), ("queueDrops", JSON(result.queueDrops)), ("lost", JSON(result.lost)),
    ])
  }

  // MARK: Markdown

  /// The page that is kept in git.
  var markdown: String {
    var lines = [
      "# Goodput of one flow",
      "",
      "Written by `martlet bench goodput --output docs/measurements/goodput.md`, checked by `martlet bench goodput --check`.",
      "In virtual time: the same numbers in every process and on every machine.",
      "",
      "Megabits of payload per second, from the call of connect to the last byte read by the receiving program; the",
      "median of \(seeds.count) runs (seeds \(seeds.map(String.init).joined(separator: ", "))). MTU 1,500. Rate and queue are the bottleneck",
      "router's, in bytes of IP, drop-tail; chance (loss, lateness) is behind it and hits data only. Sockets as a host",
      "opens them: no buffer is set. The columns on the right were measured elsewhere, over such paths in real time.",
      "",
    ]
    let titles = congestions.map { "Martlet " + $0.title } + GoodputRow.peers
    lines.append(Self.line(["", "transfer and path"] + titles))
    lines.append(Self.line([":--", ":--"] + titles.map { _ in "--:" }))
    for (row, cells) in zip(rows, cells) {
      lines.append(Self.line([row.name, Self.text(of: row)] + numbers(of: row, cells)))
    }
    lines += [
      "", "What the median run cost: segments sent again / timeouts / packets dropped by the queue + lost by chance.",
      "",
    ]
    lines.append(Self.line([""] + congestions.map(\.title)))
    lines.append(Self.line([":--"] + congestions.map { _ in "--:" }))
    for (row, cells) in zip(rows, cells) {
      let costs = cells.map(\.median).map {
        "\($0.retransmittedSegments) / \($0.timeouts) / \($0.queueDrops) + \($0.lost)"
      }
      lines.append(Self.line([row.name] + costs))
    }
    return lines.joined(separator: "\n") + "\n"
  }

  static func line(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }
}
