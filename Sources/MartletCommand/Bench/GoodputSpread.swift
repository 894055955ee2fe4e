/// How far the goodput of rows in which chance rules lies apart: quartiles over many seeds, where a table of three runs
/// says little.
struct GoodputSpread: Sendable {
  var table: GoodputTable

  /// How many seeds the page in git is made of.
  static let seedCount = 101

  /// The quartiles of one cell, in Mbit/s: lower, median, upper.
  static func quartiles(of cell: GoodputTable.Cell) -> [Double] {
    let rates = cell.results.map(\.megabitsPerSecond).sorted()
    return [rates.count / 4, rates.count / 2, rates.count * 3 / 4].map { rates[$0] }
  }

  private static func text(of cell: GoodputTable.Cell) -> String {
    let quartiles = quartiles(of: cell).map { GoodputTable.text(megabitsPerSecond: $0) }
    return "\(quartiles[1]) (\(quartiles[0])–\(quartiles[2]))"
  }

  /// Each row of cells as text: the median and, in brackets, the lower and the upper quartile.
  private var rows: [[String]] {
    zip(table.rows, table.cells).map { row, cells in
      [row.name] + cells.map(Self.text) + row.references.prefix(2).map { GoodputTable.text(megabitsPerSecond: $0) }
    }
  }

  private var header: [String] { [""] + table.congestions.map(\.title) + GoodputTable.peers(count: 2) }

  /// For a terminal.
  var lines: [String] {
    var text = Table()
    text.header = header
    text.rows = rows
    return ["", "Of \(table.seeds.count) runs the median, and the quartiles:"] + text.lines
  }

  /// The section of the page that is kept in git.
  var markdown: String {
    var lines = [
      "",
      "Where packets are lost by chance, a few losses early or late decide a run. The same rows by \(table.seeds.count) seeds: the",
      "median and, in brackets, the lower and the upper quartile.", "", GoodputTable.line(header),
      GoodputTable.line([":--"] + header.dropFirst().map { _ in "--:" }),
    ]
    lines += rows.map(GoodputTable.line)
    return lines.joined(separator: "\n") + "\n"
  }
}
