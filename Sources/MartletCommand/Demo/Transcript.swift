import MartletCore
import MartletLab

/// What a demonstration tells: numbered sections with packets' ways, tables, remarks and checks; or the same as JSON lines.
struct Transcript {
  private let isJSON: Bool
  private let hasColor: Bool
  private var sectionCount = 0
  /// What did not come out as it should, in words.
  private(set) var failures: [String] = []
  /// How much was checked.
  private(set) var checkCount = 0
  private let isSilent: Bool

  init(json: Bool = false, isSilent: Bool = false) {
    isJSON = json
    hasColor = !json && StandardStreams.hasColor
    self.isSilent = isSilent
  }

  private func put(_ text: String) { if !isSilent { StandardStreams.line(text) } }

  private enum Style: String {
    case title = "1"
    case quiet = "2"
    case good = "32"
    case bad = "1;31"
    case header = "36"
  }

  private func styled(_ text: String, _ style: Style) -> String {
    hasColor ? "\u{1b}[\(style.rawValue)m\(text)\u{1b}[0m" : text
  }

  private func emit(_ event: String, _ members: [(String, JSON)]) {
    put(JSON.object([("event", .string(event))] + members).line)
  }

  // MARK: Parts

  /// Begins a section, which gets the next number.
  mutating func section(_ title: String, _ words: String = "") {
    sectionCount += 1
    if isJSON { return emit("section", [("number", JSON(sectionCount)), ("title", .string(title))]) }
    put("\n" + styled("\(sectionCount). \(title)", .title))
    if !words.isEmpty { remark(words) }
  }

  /// Says something, wrapped by the caller.
  func remark(_ words: String) {
    if isJSON { return emit("remark", [("text", .string(words))]) }
    for line in words.split(separator: "\n", omittingEmptySubsequences: false) { put("   " + line) }
  }

  /// A packet's way, node by node and link by link.
  func tell(_ story: PacketStory) {
    for step in story.steps {
      if isJSON {
        emit(
          "step",
          [
            ("time", .number(Double(step.time) / 1e9)), ("kind", .string(step.kind.rawValue)),
            ("at", .string(step.place)),
            ("lines", .array(step.lines.map { .string($0) })),
          ])
        continue
      }
      let time = styled(padded(milliseconds(step.time), to: 12, atEnd: false), .quiet)
      switch step.kind {
      case .link: put("\(time)  " + styled("│ \(step.place): \(step.lines.joined(separator: ", "))", .quiet))
      case .dies: put("\(time)  │ \(step.place): " + styled(step.lines.joined(separator: ", "), .bad))
      default:
        put("\(time)  " + styled(step.place, .title) + " \(step.kind.rawValue)")
        for line in step.lines { tell(line) }
      }
    }
  }

  /// A line of a step, with its header's letters in front.
  private func tell(_ line: String) {
    let isOfHeader = ["HL  ", "HN  ", "HT  ", "M   "].contains { line.hasPrefix($0) }
    let letters = isOfHeader || line.hasPrefix("    ") ? String(line.prefix(4)) : ""
    let words = String(line.dropFirst(letters.count))
    for (number, part) in Self.wrapped(words, to: 96).enumerated() {
      let front = number == 0 && isOfHeader ? styled(letters, .header) : "    "
      put(String(repeating: " ", count: 14) + front + part)
    }
  }

  /// `words` in lines of up to `width` characters.
  static func wrapped(_ words: String, to width: Int) -> [String] {
    var lines = [""]
    for word in words.split(separator: " ", omittingEmptySubsequences: false) {
      if !lines[lines.count - 1].isEmpty, lines[lines.count - 1].count + 1 + word.count > width { lines.append("") }
      lines[lines.count - 1] += (lines[lines.count - 1].isEmpty ? "" : " ") + word
    }
    return lines
  }

  /// A few lines that belong together; in JSON an event of kind `kind`.
  func lines(_ lines: [String], _ kind: String) {
    if isJSON { return emit(kind, [("lines", .array(lines.map { .string($0) }))]) }
    for (number, line) in lines.enumerated() { put((number == 0 ? "   " : "     ") + line) }
  }

  /// A file that was written, and how to look at it.
  func file(_ path: String, _ what: String, _ how: String) {
    if isJSON { return emit("file", [("path", .string(path)), ("text", .string(what)), ("open", .string(how))]) }
    put("   \(path): \(what); to open it: \(how)")
  }

  /// A table under its caption; in JSON an event of kind `kind` for each row.
  func table(_ table: Table, _ caption: String, kind: String, host: String) {
    if isJSON {
      for row in table.rows {
        emit(kind, [("host", .string(host))] + zip(table.header, row).map { ($0, JSON.string($1)) })
      }
      return
    }
    put("\n   " + caption)
    if table.rows.isEmpty { return put("     (none)") }
    for (index, line) in table.lines.enumerated() {
      put("     " + (index == 0 ? styled(line, .quiet) : line))
    }
  }

  /// Tells whether what was announced came to pass; what did not makes the demonstration fail.
  mutating func check(_ holds: Bool, _ words: String) {
    checkCount += 1
    if !holds { failures.append(words) }
    if isJSON { return emit("check", [("ok", .bool(holds)), ("text", .string(words))]) }
    put("   " + (holds ? styled("✓", .good) : styled("✗ FAILED:", .bad)) + " " + words)
  }
}

/// Seconds since the loop began.
func seconds(_ instant: Instant) -> Double { Double(instant.nanoseconds) / 1e9 }

/// A duration in seconds.
func seconds(_ duration: Duration) -> Double {
  Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
}
