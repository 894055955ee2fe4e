import MartletLinks
import MartletWire

/// Puts the events of a run into lines for a terminal, as a packet sniffer does.
///
///     0.000012300  client   eth0  sent           TCP   49152 → 80  SYN  seq 0  window 64240  (54 bytes)  #4
///     0.030012300  r1       eth1  dropped        queue full  (1514 bytes)  #19 because of #12
///
/// It remembers each TCP stream's first sequence number, so ask for the lines in the events' order. The recording may
/// grow between two calls, as long as a world runs.
public struct EventDescriber: Sendable {
  private var describer = FrameDescriber()

  public init() {}

  /// The line of event `index` of `recording`, without a line end; empty if there is no such event.
  public mutating func line(for index: Int, in recording: Recording) -> String {
    guard let event = recording.event(index) else { return "" }
    var line = TimeText.seconds(event.time)
    line += "  " + Self.pad(recording.nodeName(event.node) ?? "?", to: 8)
    line += "  " + Self.pad(event.interface.flatMap { recording.interfaceName(event.node, $0) } ?? "", to: 5)
    line += "  " + Self.pad(event.kind, to: 13)
    let frame = event.frame.flatMap { recording.frame($0) }
    if let frame, let words = describer.describe(event.frame, in: recording) {
      let packet = "\(words.layer) \(words.text)"
      let isOnlyPacket = ["sent", "received", "forwarded"].contains(event.kind)
      if event.text.hasPrefix(packet) {
        line += "  " + Self.pad(words.layer, to: 6) + event.text.dropFirst(words.layer.count + 1)
      } else if event.text.contains(packet) {
        line += "  " + event.text
      } else {
        line += "  " + (isOnlyPacket ? Self.pad(words.layer, to: 6) + words.text : event.text + ": " + packet)
      }
      line += "  (\(frame.bytes.count) bytes)"
    } else {
      line += "  " + event.text
    }
    line += "  #\(index)"
    if let cause = event.cause { line += " because of #\(cause)" }
    return line
  }

  /// A line for each event of `recording`.
  public static func lines(of recording: Recording) -> [String] {
    var describer = EventDescriber()
    return recording.events.indices.map { describer.line(for: $0, in: recording) }
  }

  private static func pad(_ text: String, to width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }
}

/// Puts a recording's frames into words, in the order in which they left.
struct FrameDescriber: Sendable {
  private var describer = PacketDescriber()
  private var words: [(layer: String, text: String)] = []

  /// What frame `index` says; nil if there is no such frame.
  mutating func describe(_ index: Int?, in recording: Recording) -> (layer: String, text: String)? {
    guard let index, recording.frames.indices.contains(index) else { return nil }
    while words.count <= index {
      let bytes = recording.frames[words.count].bytes
      let description = unsafe describer.describe(bytes.span.bytes)
      words.append((description.layer, description.text))
    }
    return words[index]
  }
}
