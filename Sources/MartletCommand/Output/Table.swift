/// Rows of cells in aligned columns.
struct Table {
  var header: [String]
  var rows: [[String]] = []

  init(_ header: String...) { self.header = header }

  mutating func add(_ cells: String...) { rows.append(cells) }

  /// The table's lines, the header first; no blanks at the ends.
  var lines: [String] {
    let all = [header] + rows
    var widths = [Int](repeating: 0, count: header.count)
    for row in all {
      for (column, cell) in row.enumerated() where column < widths.count {
        widths[column] = max(widths[column], cell.count)
      }
    }
    return all.map { row in
      var line = row.enumerated().map { padded($1, to: widths[$0]) }.joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      return line
    }
  }
}

/// `text` with blanks after it (or before it) until it is `width` wide.
func padded(_ text: String, to width: Int, atEnd: Bool = true) -> String {
  let blanks = String(repeating: " ", count: max(0, width - text.count))
  return atEnd ? text + blanks : blanks + text
}

/// `value` with `digits` digits after the point.
func fixed(_ value: Double, _ digits: Int) -> String {
  var scale = 1.0
  for _ in 0..<digits { scale *= 10 }
  let scaled = (abs(value) * scale).rounded()
  guard scaled.isFinite, scaled < 9e15 else { return String(value) }
  let whole = Int64(scaled) / Int64(scale)
  let sign = value < 0 && scaled > 0 ? "-" : ""
  guard digits > 0 else { return "\(sign)\(whole)" }
  return "\(sign)\(whole)." + padded0(Int64(scaled) % Int64(scale), digits)
}

private func padded0(_ number: Int64, _ width: Int) -> String {
  let text = String(number)
  return String(repeating: "0", count: max(0, width - text.count)) + text
}

/// A number of bytes in decimal units: `64.0 MB`.
func byteCountText(_ count: Double) -> String {
  for (unit, size) in [("GB", 1e9), ("MB", 1e6), ("kB", 1e3)] where count >= size {
    return "\(fixed(count / size, 1)) \(unit)"
  }
  return "\(Int(count)) bytes"
}
