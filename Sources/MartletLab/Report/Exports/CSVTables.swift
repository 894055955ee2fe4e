/// A run's lists as comma-separated values (RFC 4180), each with a header line. Times are nanoseconds, sizes bytes.
public struct CSVTables: Sendable {
  private let recording: Recording

  public init(_ recording: Recording) { self.recording = recording }

  /// One line for each event.
  public var events: String {
    Self.table(
      ["id", "time", "host", "interface", "flow", "kind", "event", "frame", "cause"],
      recording.events.enumerated().map { index, event in
        [
          String(index), String(event.time), recording.nodeName(event.node) ?? "",
          event.interface.flatMap { recording.interfaceName(event.node, $0) } ?? "",
          event.flow.flatMap { recording.flow($0)?.name } ?? "", event.kind, event.text,
          Self.number(event.frame), Self.number(event.cause),
        ]
      })
  }

  /// One line for each frame on each link.
  public var frames: String {
    var describer = FrameDescriber()
    return Self.table(
      [
        "id", "link", "from", "queued", "departure", "arrival", "fate", "bytes", "flow", "origin", "cause", "protocol",
        "packet", "comment",
      ],
      recording.frames.enumerated().map { index, frame in
        let words = describer.describe(index, in: recording)
        let fate: String =
          switch frame.fate {
          case .delivered: "delivered"
          case .lost(let reason): "lost: \(reason)"
          }
        return [
          String(index), recording.link(frame.link)?.name ?? "",
          recording.sender(of: frame).flatMap { recording.nodeName($0.node) } ?? "", String(frame.queued),
          String(frame.departure), String(frame.arrival), fate, String(frame.bytes.count),
          frame.flow.flatMap { recording.flow($0)?.name } ?? "", Self.number(frame.origin), Self.number(frame.cause),
          words?.layer ?? "", words?.text ?? "", frame.comment,
        ]
      })
  }

  /// One line for each sample of each TCP sender; an unlimited slow-start threshold is empty.
  public var samples: String {
    var rows: [[String]] = []
    for flow in recording.flows {
      for sample in flow.samples {
        rows.append([
          flow.name, recording.nodeName(sample.isClient ? flow.client : flow.server) ?? "", String(sample.time),
          String(sample.congestionWindow),
          sample.slowStartThreshold == .max ? "" : String(sample.slowStartThreshold), String(sample.receiveWindow),
          String(sample.inFlight), String(sample.roundTrip), String(sample.retransmissionTimeout), sample.phase,
          String(sample.sendQueue), String(sample.receiveQueue),
        ])
      }
    }
    return Self.table(
      [
        "flow", "host", "time", "cwnd", "ssthresh", "receive_window", "in_flight", "rtt", "rto", "phase", "send_queue",
        "receive_queue",
      ], rows)
  }

  /// One line for each change of a queue.
  public var queues: String {
    Self.table(
      ["time", "link", "from", "frames", "bytes"],
      recording.queues.map { sample in
        let link = recording.link(sample.link)
        let end = link.flatMap { $0.ends.indices.contains(sample.end) ? $0.ends[sample.end] : nil }
        return [
          String(sample.time), link?.name ?? "", end.flatMap { recording.nodeName($0.node) } ?? "",
          String(sample.frames), String(sample.bytes),
        ]
      })
  }

  private static func number(_ value: Int?) -> String { value.map(String.init) ?? "" }

  private static func table(_ header: [String], _ rows: [[String]]) -> String {
    var text = ""
    for row in [header] + rows {
      text += row.map(quoted).joined(separator: ",") + "\r\n"
    }
    return text
  }

  /// In quotation marks where the value would be misread without.
  private static func quoted(_ value: String) -> String {
    let risky: [UInt8] = [UInt8(ascii: ","), UInt8(ascii: "\""), UInt8(ascii: "\r"), UInt8(ascii: "\n")]
    guard value.utf8.contains(where: { risky.contains($0) }) else { return value }
    var text = "\""
    for character in value { text += character == "\"" ? "\"\"" : String(character) }
    return text + "\""
  }
}
