import MartletCore

/// A connection's time–sequence diagram, as its sender saw it: what went out, what came back, what was lost; below it the
/// windows over the same time. (The form is that of S. Shepard, TCP packet trace analysis, 1991.)
struct SequencePlot {
  var events: [TCPTraceEvent]
  var start: Instant
  var title: String

  // Of the picture, in its units.
  private static let width = 1_200.0
  private static let height = 840.0
  private static let left = 80.0
  private static let right = 20.0
  private static let top = 70.0
  private static let middle = 600.0
  private static let lowerTop = 640.0
  private static let bottom = 790.0

  private enum Color {
    static let sent = "#1f6fc0"
    static let resent = "#d62728"
    static let probe = "#ff7f0e"
    static let acknowledged = "#2ca02c"
    static let held = "#9467bd"
    static let window = "#999"
    static let recovery = "#fbe3e3"
    static let threshold = "#8c564b"
  }

  // MARK: Scales

  private let lastTime: Double
  private let lastByte: Double
  private let lastWindow: Double

  init(events: [TCPTraceEvent], start: Instant, title: String) {
    self.events = events
    self.start = start
    self.title = title
    var (time, byte, window) = (0.0, 0.0, 0.0)
    for event in events {
      time = max(time, seconds(start.duration(to: event.time)))
      if case .sent(let bytes, _) = event.kind { byte = max(byte, Double(bytes.end)) }
      window = max(window, Double(event.congestionWindow), Double(event.bytesInFlight))
    }
    lastTime = max(time, 1e-6) * 1.01
    lastByte = max(byte, 1) * 1.02
    lastWindow = max(window, 1) * 1.05
  }

  private func x(_ time: Instant) -> Double {
    Self.left + seconds(start.duration(to: time)) / lastTime * (Self.width - Self.left - Self.right)
  }
  private func x(seconds: Double) -> Double { Self.left + seconds / lastTime * (Self.width - Self.left - Self.right) }
  private func y(_ byte: Int) -> Double {
    max(Self.top, Self.middle - Double(byte) / lastByte * (Self.middle - Self.top))
  }
  private func y(window: Double) -> Double {
    max(Self.lowerTop, Self.bottom - window / lastWindow * (Self.bottom - Self.lowerTop))
  }
  private func point(_ x: Double, _ y: Double) -> String { fixed(x, 2) + " " + fixed(y, 2) }

  // MARK: Paths

  /// Upright strokes, joined where one goes on at the same place.
  private struct Strokes {
    private var path: [String] = []
    private var last: (x: String, y: String)?

    mutating func add(x: String, from low: String, to high: String) {
      if let last, last.x == x, last.y == low {
        path.append("V" + high)
      } else {
        path.append("M" + x + " " + low + "V" + high)
      }
      last = (x, high)
    }

    var text: String { path.joined() }
  }

  /// A line that goes on at its height until a value changes.
  private struct Staircase {
    private var path: [String] = []
    private var last: String?

    mutating func add(x: String, y: String) {
      guard y != last else { return }
      path.append(last == nil ? "M" + x + " " + y : "H" + x + "V" + y)
      last = y
    }

    mutating func end(x: String) { if last != nil { path.append("H" + x) } }

    var text: String { path.joined() }
  }

  private func path(_ data: String, _ color: String, width: Double, more: String = "") -> String {
    data.isEmpty
      ? ""
      : "<path d=\"\(data)\" fill=\"none\" stroke=\"\(color)\" stroke-width=\"\(fixed(width, 1))\"\(more)/>"
  }

  /// The diagram as a picture that can be enlarged.
  var svg: String {
    var (sent, again, probes, held) = (Strokes(), Strokes(), Strokes(), Strokes())
    var (acknowledged, edge, window, flight, threshold) =
      (Staircase(), Staircase(), Staircase(), Staircase(), Staircase())
    var losses: [String] = []
    var bands: [String] = []
    var marks: [String] = []
    var recoveryStart: Instant?
    var shownLoss: String?

    for event in events {
      let place = x(event.time)
      let at = fixed(place, 2)
      switch event.kind {
      case .sent(let bytes, let reason):
        let (low, high) = (fixed(y(bytes.start), 2), fixed(y(bytes.end), 2))
        switch reason {
        case .new: sent.add(x: at, from: low, to: high)
        case .tailLossProbe, .pathProbe, .windowProbe: probes.add(x: at, from: low, to: high)
        default: again.add(x: at, from: low, to: high)
        }
      case .held(let bytes): held.add(x: at, from: fixed(y(bytes.start), 2), to: fixed(y(bytes.end), 2))
      case .lost(let bytes, _):
        let cross = "M" + point(place - 3, y(bytes.start) - 3) + "l6 6m0 -6l-6 6"
        if cross != shownLoss { losses.append(cross) }
        shownLoss = cross
      case .recoveryBegan: recoveryStart = recoveryStart ?? event.time
      case .timedOut(let count):
        marks.append(mark(at, "timeout \(count)"))
        recoveryStart = recoveryStart ?? event.time
      case .recoveryEnded, .undone:
        if let from = recoveryStart { bands.append(band(from, event.time)) }
        recoveryStart = nil
        if case .undone(let reason) = event.kind { marks.append(mark(at, "undone: \(reason)")) }
      case .congestionMarked: marks.append(mark(at, "ECN"))
      case .probeRepaired: marks.append(mark(at, "probe repaired"))
      case .phase(let phase): marks.append(mark(at, "\(phase)", y: Self.lowerTop + 10))
      case .acknowledged, .duplicate, .window: break
      }
      acknowledged.add(x: at, y: fixed(y(event.unacknowledged), 2))
      edge.add(x: at, y: fixed(y(event.windowEdge), 2))
      guard event.congestionWindow > 0 else { continue }
      window.add(x: at, y: fixed(y(window: Double(event.congestionWindow)), 2))
      flight.add(x: at, y: fixed(y(window: Double(event.bytesInFlight)), 2))
      if event.slowStartThreshold < 1 << 30 {
        threshold.add(x: at, y: fixed(y(window: Double(event.slowStartThreshold)), 2))
      }
    }
    if let last = events.last {
      if let from = recoveryStart { bands.append(band(from, last.time)) }
      let end = fixed(x(last.time), 2)
      acknowledged.end(x: end)
      edge.end(x: end)
      window.end(x: end)
      flight.end(x: end)
      threshold.end(x: end)
    }
    let thin = " vector-effect=\"non-scaling-stroke\""
    var lines = frame + bands + grid
    lines += [
      path(edge.text, Color.window, width: 1, more: thin),
      path(held.text, Color.held, width: 1, more: " stroke-opacity=\"0.6\""),
      path(acknowledged.text, Color.acknowledged, width: 1.2, more: thin), path(sent.text, Color.sent, width: 1.2),
      path(probes.text, Color.probe, width: 3, more: " stroke-linecap=\"round\""),
      path(losses.joined(), "#000", width: 0.8, more: thin),
      path(again.text, Color.resent, width: 4, more: " stroke-linecap=\"round\""),
      path(flight.text, Color.sent, width: 0.8, more: thin), path(window.text, "#222", width: 1.4, more: thin),
      path(threshold.text, Color.threshold, width: 1, more: thin + " stroke-dasharray=\"6 3\""),
    ]
    lines += marks
    return (lines + legend + ["</svg>"]).filter { !$0.isEmpty }.joined(separator: "\n") + "\n"
  }

  // MARK: Around them

  private func text(_ x: Double, _ y: Double, _ text: String, anchor: String = "start", more: String = "") -> String {
    "<text x=\"\(fixed(x, 1))\" y=\"\(fixed(y, 1))\" text-anchor=\"\(anchor)\"\(more)>\(text)</text>"
  }

  private func band(_ from: Instant, _ to: Instant) -> String {
    let place = x(from)
    return "<rect x=\"\(fixed(place, 2))\" y=\"\(fixed(Self.top, 0))\" width=\"\(fixed(max(0.5, x(to) - place), 2))\""
      + " height=\"\(fixed(Self.middle - Self.top, 0))\" fill=\"\(Color.recovery)\"/>"
  }

  private func mark(_ at: String, _ word: String, y: Double = SequencePlot.top + 10) -> String {
    "<path d=\"M\(at) \(fixed(y, 0))v14\" stroke=\"#555\" stroke-width=\"0.8\"/>"
      + "<text x=\"\(at)\" y=\"\(fixed(y - 2, 0))\" font-size=\"9\" fill=\"#555\">\(word)</text>"
  }

  private var frame: [String] {
    let (width, height) = (fixed(Self.width, 0), fixed(Self.height, 0))
    return [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(width)\" height=\"\(height)\""
        + " viewBox=\"0 0 \(width) \(height)\" font-family=\"sans-serif\" font-size=\"12\">",
      "<title>\(title)</title>", "<rect width=\"\(width)\" height=\"\(height)\" fill=\"#fff\"/>",
      text(Self.width / 2, 24, title, anchor: "middle", more: " font-size=\"15\""),
    ]
  }

  /// The axes, with round numbers.
  private var grid: [String] {
    var lines: [String] = []
    let right = Self.width - Self.right
    func axis(_ low: Double) {
      lines.append("<path d=\"M\(point(Self.left, low))H\(fixed(right, 1))\" stroke=\"#333\"/>")
    }
    axis(Self.middle)
    axis(Self.bottom)
    for tick in Self.ticks(to: lastTime, about: 10) {
      let place = x(seconds: tick)
      lines.append(
        "<path d=\"M\(point(place, Self.top))V\(fixed(Self.bottom, 1))\" stroke=\"#eee\" stroke-width=\"0.8\"/>")
      lines.append(text(place, Self.bottom + 18, Self.short(tick), anchor: "middle"))
    }
    for tick in Self.ticks(to: lastByte, about: 8) {
      lines.append(text(Self.left - 6, y(Int(tick)) + 4, Self.bytes(tick), anchor: "end"))
    }
    for tick in Self.ticks(to: lastWindow, about: 4) {
      lines.append(text(Self.left - 6, y(window: tick) + 4, Self.bytes(tick), anchor: "end"))
    }
    lines.append(text(Self.width / 2, Self.height - 12, "seconds", anchor: "middle"))
    return lines
  }

  private var legend: [String] {
    let entries = [
      ("sent", Color.sent), ("sent again", Color.resent), ("probe", Color.probe),
      ("acknowledged", Color.acknowledged), ("held (SACK)", Color.held), ("the peer's window", Color.window),
      ("× lost", "#000"), ("recovery", "#e8a0a0"), ("cwnd", "#222"), ("in flight", Color.sent),
      ("ssthresh", Color.threshold),
    ]
    var place = Self.left
    return entries.map { name, color in
      defer { place += 34 + Double(name.count) * 6.4 }
      let stroke = "<path d=\"M\(fixed(place, 1)) 46h14\" stroke=\"\(color)\" stroke-width=\"3\"/>"
      return stroke + text(place + 18, 50, name, more: " fill=\"#333\" font-size=\"11\"")
    }
  }

  /// Multiples of 1, 2 or 5 times a power of ten up to `end`, some `count` of them.
  static func ticks(to end: Double, about count: Int) -> [Double] {
    guard end > 0, end.isFinite else { return [] }
    var step = 1e-9
    var factor = 0
    while end / step > Double(count) {
      step *= factor % 3 == 1 ? 2.5 : 2
      factor += 1
    }
    return (0...Int(end / step)).map { Double($0) * step }
  }

  private static func short(_ value: Double) -> String {
    var text = fixed(value, 6)
    while text.hasSuffix("0") { text.removeLast() }
    if text.hasSuffix(".") { text.removeLast() }
    return text
  }

  private static func bytes(_ count: Double) -> String {
    count >= 1e6 ? short(count / 1e6) + " MB" : count >= 1e3 ? short(count / 1e3) + " kB" : short(count)
  }
}
