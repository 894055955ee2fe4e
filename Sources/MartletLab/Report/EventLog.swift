/// What happened in a run, one JSON object a line.
///
/// Members: `id` (counted from 0), `time` (nanoseconds), `host`, `interface`, `flow`, `kind`, `event` (a sentence),
/// `frame`, `cause` (an `id`); those that do not apply are left out. The same recording gives the same bytes.
public struct EventLog: Sendable {
  private let recording: Recording

  public init(_ recording: Recording) { self.recording = recording }

  /// One line for each event, in order, without line ends.
  public var lines: [String] {
    recording.events.indices.map { String(decoding: bytes(of: $0), as: UTF8.self) }
  }

  /// The file: the lines with their ends.
  public var bytes: [UInt8] {
    var file: [UInt8] = []
    for index in recording.events.indices {
      file += bytes(of: index)
      file.append(UInt8(ascii: "\n"))
    }
    return file
  }

  private func bytes(of index: Int) -> [UInt8] {
    let event = recording.events[index]
    var text = JSONText()
    text.object { text in
      text.member("id", index)
      text.member("time", event.time)
      text.member("host", ifPresent: recording.nodeName(event.node))
      text.member("interface", ifPresent: event.interface.flatMap { recording.interfaceName(event.node, $0) })
      text.member("flow", ifPresent: event.flow.flatMap { recording.flow($0)?.name })
      text.member("kind", event.kind)
      text.member("event", event.text)
      text.member("frame", ifPresent: event.frame)
      text.member("cause", ifPresent: event.cause)
    }
    return text.bytes
  }
}
