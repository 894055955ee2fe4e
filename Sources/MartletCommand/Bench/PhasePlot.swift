/// The lectures' picture of two flows that share a line: what one gets against what the other gets, over time.
///
/// On the falling line the two use the line up; on the rising one they have the same. A flow that adds while there is
/// room moves both along the rising diagonal, one that halves on loss towards the origin, and so to the middle (D. Chiu,
/// R. Jain, Analysis of the increase and decrease algorithms for congestion avoidance, 1989).
struct PhasePlot: Equatable, Sendable {
  /// What each flow got, in Mbit/s, over time.
  var points: [(x: Double, y: Double)]
  /// What there is to share, in Mbit/s.
  var capacity: Double
  var title: String

  static func == (left: Self, right: Self) -> Bool { left.svg == right.svg }

  /// From what two flows had delivered at regular times: rates over `window` samples, one every `step`.
  init(samples: [[Int]], sampleMilliseconds: Int, window: Int, step: Int, capacity: Double, title: String) {
    points = stride(from: window, to: samples.count, by: step).map { index in
      let seconds = Double(window * sampleMilliseconds) / 1_000
      let rates = (0..<2).map { Double(samples[index][$0] - samples[index - window][$0]) * 8e-6 / seconds }
      return (rates[0], rates[1])
    }
    self.capacity = capacity
    self.title = title
  }

  // MARK: Terminal

  /// The plot in characters: `/` has both alike, `\` uses the line up, points grow from · to ●, the last is ◆.
  var lines: [String] {
    let (columns, rows) = (56, 24)
    var grid = Array(repeating: Array(repeating: Character(" "), count: columns), count: rows)
    func plot(_ x: Double, _ y: Double, _ mark: Character) {
      let column = Int((x / (capacity * 1.05) * Double(columns - 1)).rounded())
      let row = rows - 1 - Int((y / (capacity * 1.05) * Double(rows - 1)).rounded())
      if grid.indices.contains(row), grid[row].indices.contains(column) { grid[row][column] = mark }
    }
    for step in 0...columns * 2 {
      let x = capacity * Double(step) / Double(columns * 2)
      plot(x, x, "/")
      plot(x, capacity - x, "\\")
    }
    for (index, point) in points.enumerated() {
      let marks: [Character] = ["·", "•", "●"]
      plot(point.x, point.y, marks[index * marks.count / points.count])
    }
    if let last = points.last { plot(last.x, last.y, "◆") }
    return [title, "flow 2, Mbit/s (to \(fixed(capacity, 0)))"] + grid.map { "│" + String($0) }
      + ["└" + String(repeating: "─", count: columns), "  flow 1, Mbit/s (to \(fixed(capacity, 0)))"]
  }

  // MARK: SVG

  private static let size = 560.0
  private static let margin = 60.0

  private func place(_ value: Double) -> Double { value / (capacity * 1.05) * (Self.size - 2 * Self.margin) }
  private func x(_ value: Double) -> String { fixed(Self.margin + place(value), 1) }
  private func y(_ value: Double) -> String { fixed(Self.size - Self.margin - place(value), 1) }

  /// The plot as a picture; time goes from light to dark.
  var svg: String {
    let size = Int(Self.size)
    var lines = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(size)\" height=\"\(size)\" viewBox=\"0 0 \(size) \(size)\""
        + " font-family=\"sans-serif\" font-size=\"13\">",
      "<title>\(title)</title>",
      "<rect width=\"\(size)\" height=\"\(size)\" fill=\"#fff\"/>",
      "<text x=\"\(size / 2)\" y=\"28\" text-anchor=\"middle\" font-size=\"15\">\(title)</text>",
      line(0, 0, capacity * 1.05, 0, "#333"), line(0, 0, 0, capacity * 1.05, "#333"),
      line(0, 0, capacity, capacity, "#888", dashed: true), line(0, capacity, capacity, 0, "#888", dashed: true),
      "<text x=\"\(x(capacity * 0.86))\" y=\"\(y(capacity * 0.9))\" text-anchor=\"end\" fill=\"#666\">fair share</text>",
      "<text x=\"\(x(capacity * 0.2))\" y=\"\(y(capacity * 0.84))\" fill=\"#666\">the line is used up</text>",
      "<text x=\"\(size / 2)\" y=\"\(size - 16)\" text-anchor=\"middle\">flow 1, Mbit/s</text>",
      "<text transform=\"translate(20 \(size / 2)) rotate(-90)\" text-anchor=\"middle\">flow 2, Mbit/s</text>",
    ]
    for tick in 0...4 {
      let value = capacity * Double(tick) / 4
      let text = fixed(value, 0)
      lines.append("<text x=\"\(x(value))\" y=\"\(y(-capacity * 0.04))\" text-anchor=\"middle\">\(text)</text>")
      lines.append("<text x=\"\(x(-capacity * 0.02))\" y=\"\(y(value))\" text-anchor=\"end\">\(text)</text>")
    }
    let colors = ["#b8d8f8", "#86bcf0", "#4a98e0", "#1f6fc0", "#0b3f7f"]
    for (index, color) in colors.enumerated() {
      let (from, to) = (points.count * index / colors.count, points.count * (index + 1) / colors.count)
      // Each piece begins where the one before ends.
      let piece = points[max(0, from - 1)..<to].map { "\(x($0.x)),\(y($0.y))" }.joined(separator: " ")
      lines.append("<polyline points=\"\(piece)\" fill=\"none\" stroke=\"\(color)\" stroke-width=\"1.5\"/>")
    }
    if let first = points.first, let last = points.last {
      lines.append(
        "<circle cx=\"\(x(first.x))\" cy=\"\(y(first.y))\" r=\"4\" fill=\"#fff\" stroke=\"#0b3f7f\"/>"
          + "<circle cx=\"\(x(last.x))\" cy=\"\(y(last.y))\" r=\"4\" fill=\"#0b3f7f\"/>")
    }
    return (lines + ["</svg>"]).joined(separator: "\n") + "\n"
  }

  private func line(
    _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ color: String, dashed: Bool = false
  ) -> String {
    "<line x1=\"\(x(x1))\" y1=\"\(y(y1))\" x2=\"\(x(x2))\" y2=\"\(y(y2))\" stroke=\"\(color)\""
      + (dashed ? " stroke-dasharray=\"5 4\"/>" : "/>")
  }
}
