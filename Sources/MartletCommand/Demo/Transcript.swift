import MartletCore
import MartletLinks

/// What a demonstration tells: numbered sections with packets, tables, remarks and checks; or the same as JSON lines.
struct Transcript {
  private let isJSON: Bool
  private let hasColor: Bool
  private var sectionCount = 0
  /// What did not come out as it should, in words.
  private(set) var failures: [String] = []

  init(json: Bool) {
    isJSON = json
    hasColor = !json && StandardStreams.hasColor
  }

  private enum Style: String {
    case title = "1"
    case quiet = "2"
    case good = "32"
    case bad = "1;31"
    case protocolName = "36"
  }

  private func styled(_ text: String, _ style: Style) -> String {
    hasColor ? "\u{1b}[\(style.rawValue)m\(text)\u{1b}[0m" : text
  }

  private func emit(_ event: String, _ members: [(String, JSON)]) {
    StandardStreams.line(JSON.object([("event", .string(event))] + members).line)
  }

  // MARK: Parts

  /// Begins a section, which gets the next number.
  mutating func section(_ title: String, _ words: String = "") {
    sectionCount += 1
    if isJSON { return emit("section", [("number", JSON(sectionCount)), ("title", .string(title))]) }
    StandardStreams.line("\n" + styled("\(sectionCount). \(title)", .title))
    if !words.isEmpty { remark(words) }
  }

  /// Says something, wrapped by the caller.
  func remark(_ words: String) {
    if isJSON { return emit("remark", [("text", .string(words))]) }
    for line in words.split(separator: "\n", omittingEmptySubsequences: false) { StandardStreams.line("   " + line) }
  }

  /// Frames, one a line: when, who to whom, and what.
  func packets(_ sightings: [Observer.Sighting]) {
    for sighting in sightings {
      let frame = sighting.frame
      if isJSON {
        emit(
          "packet",
          [
            ("time", .number(seconds(sighting.time))), ("from", .string(frame.source)),
            ("to", .string(frame.destination)),
            ("protocol", .string(frame.layer)), ("text", .string(frame.text)), ("bytes", JSON(frame.byteCount)),
          ])
        continue
      }
      let time = styled(padded(fixed(seconds(sighting.time), 6), to: 12, atEnd: false), .quiet)
      let way = "\(padded(frame.source, to: 6)) → \(padded(frame.destination, to: 8))"
      StandardStreams.line("\(time)  \(way)  \(styled(padded(frame.layer, to: 6), .protocolName))  \(frame.text)")
    }
  }

  /// A table under its caption; in JSON an event of kind `kind` for each row.
  func table(_ table: Table, _ caption: String, kind: String, host: String) {
    if isJSON {
      for row in table.rows {
        emit(kind, [("host", .string(host))] + zip(table.header, row).map { ($0, JSON.string($1)) })
      }
      return
    }
    StandardStreams.line("\n   " + caption)
    if table.rows.isEmpty { return StandardStreams.line("     (none)") }
    for (index, line) in table.lines.enumerated() {
      StandardStreams.line("     " + (index == 0 ? styled(line, .quiet) : line))
    }
  }

  /// Facts for programs alone.
  func facts(_ event: String, _ members: [(String, JSON)]) {
    if isJSON { emit(event, members) }
  }

  /// Tells whether what was announced came to pass; what did not makes the demonstration fail.
  mutating func check(_ holds: Bool, _ words: String) {
    if !holds { failures.append(words) }
    if isJSON { return emit("check", [("ok", .bool(holds)), ("text", .string(words))]) }
    StandardStreams.line("   " + (holds ? styled("✓", .good) : styled("✗ FAILED:", .bad)) + " " + words)
  }
}

/// Seconds since the loop began.
func seconds(_ instant: Instant) -> Double { Double(instant.nanoseconds) / 1e9 }

/// A duration in seconds.
func seconds(_ duration: Duration) -> Double {
  Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
}
