import Martlet
import MartletCore
import MartletLinks
import MartletWire

/// Where a scenario is told: lines of text, and what is checked. Whoever tells on the loop's thread is waited for meanwhile.
final class Stage: @unchecked Sendable {
  let seed: UInt64
  private let pace: WorldPace
  private var lines: [String] = []
  private(set) var failures: [String] = []
  private(set) var remarks: [String] = []
  private let name: String
  private let title: String
  private let watch: @Sendable (World) -> Void

  init(
    name: String, title: String, seed: UInt64, pace: WorldPace = .virtual,
    watch: @escaping @Sendable (World) -> Void = { _ in }
  ) {
    self.watch = watch
    self.seed = seed
    self.pace = pace
    self.name = name
    self.title = title
    lines = ["\(name): \(title)", ""]
  }

  var text: String { lines.joined(separator: "\n") + "\n" }

  /// A world under the scenario's name and seed.
  func world(isRecorded: Bool = true, _ build: (inout WorldDescription) throws -> Void) throws -> World {
    var description = WorldDescription(name, summary: title, seed: seed)
    try build(&description)
    let world = try World(description, seed: seed, isRecorded: isRecorded, pace: pace)
    watch(world)
    return world
  }

  func say(_ text: String = "") {
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) { lines.append(String(line)) }
  }

  /// Tells of what it took of this machine, beside the transcript.
  func remark(_ text: String) { remarks.append(text) }

  /// Tells whether what was announced came to pass.
  func check(_ holds: Bool, _ text: String) {
    if !holds { failures.append(text) }
    lines.append((holds ? "ok: " : "FAILED: ") + text)
  }

  func table(_ rows: [[String]]) {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
    for row in rows {
      let cells = row.enumerated().map { index, cell in
        index == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[index] - cell.count)
      }
      var line = "  " + cells.joined(separator: "  ")
      while line.hasSuffix(" ") { line.removeLast() }
      lines.append(line)
    }
  }

  /// Every frame on a link, as it left and as it arrived.
  func ladder(_ recording: Recording, on link: String, where condition: (Recording.Frame) -> Bool = { _ in true }) {
    guard let number = recording.links.firstIndex(where: { $0.name == link }) else { return }
    var describer = PacketDescriber()
    var rows: [[String]] = []
    for frame in recording.frames where frame.link == number {
      let words = unsafe describer.describe(frame.bytes.span.bytes)
      guard condition(frame) else { continue }
      let ends = recording.links[number].ends.map { recording.nodes[$0.node].name }
      let arrow: String
      if case .lost(let reason) = frame.fate {
        arrow = "──✗ \(reason)"
      } else {
        arrow = "──▶ \(milliseconds(frame.arrival))"
      }
      let comment = frame.comment.isEmpty || frame.comment.hasPrefix("lost") ? "" : "  [\(frame.comment)]"
      rows.append([
        milliseconds(frame.departure), ends[frame.end], arrow, ends[1 - frame.end],
        "\(words.layer) \(words.text)\(comment)",
      ])
    }
    table(rows)
  }
}

/// Nanoseconds as milliseconds, exact, with what is after the last digit left out: "10.00488".
func milliseconds(_ nanoseconds: Int64) -> String {
  let sign = nanoseconds < 0 ? "-" : ""
  let value = nanoseconds.magnitude
  var fraction = String(value % 1_000_000)
  fraction = String(repeating: "0", count: 6 - fraction.count) + fraction
  while fraction.count > 3, fraction.hasSuffix("0") { fraction.removeLast() }
  return "\(sign)\(value / 1_000_000).\(fraction) ms"
}

/// A number with so many digits behind the point.
func decimal(_ value: Double, _ digits: Int) -> String {
  var scale = 1.0
  for _ in 0..<digits { scale *= 10 }
  let scaled = Int64((value * scale).rounded())
  guard digits > 0 else { return "\(scaled)" }
  var fraction = String(scaled.magnitude % UInt64(scale))
  fraction = String(repeating: "0", count: digits - fraction.count) + fraction
  return "\(scaled < 0 ? "-" : "")\(scaled.magnitude / UInt64(scale)).\(fraction)"
}

extension Recording {
  /// The position of the link called `name`.
  func link(_ name: String) -> Int { links.firstIndex { $0.name == name } ?? -1 }

  /// The position of the node called `name`.
  func node(_ name: String) -> Int { nodes.firstIndex { $0.name == name } ?? -1 }

  /// What `frame` is.
  func view(_ frame: Frame) -> FrameView { unsafe FrameView(frame.bytes.span.bytes) }

  /// `frame` and what it was before, the first link first.
  func way(to frame: Int) -> [Int] {
    var way = [frame]
    while let origin = frames[way[0]].origin { way.insert(origin, at: 0) }
    return way
  }

  /// The payload of `frame`, as text.
  func payload(_ frame: Frame) -> String {
    let view = view(frame)
    let start = min(frame.bytes.count, view.payloadOffset)
    return String(decoding: frame.bytes[start..<min(frame.bytes.count, start + view.payloadByteCount)], as: UTF8.self)
  }
}
