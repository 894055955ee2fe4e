import MartletWire

/// The time-sequence graph of one direction of a TCP flow, as its sender saw it, in the language of xplot.
///
/// White: segments as they left; red: those sent again (R) and those that died (X); green: what was acknowledged, as
/// the acknowledgments arrived; yellow: how far the receiver's window allowed to send.
public struct SequenceGraph: Sendable {
  private let recording: Recording
  private let flow: Int
  private let isFromClient: Bool

  /// - Parameters:
  ///   - flow: A position in the recording's flows; without one it is the TCP flow with the most frames.
  ///   - isFromClient: Whether the client's bytes are shown, or the server's; without it, of who sent more.
  public init(_ recording: Recording, flow: Int? = nil, isFromClient: Bool? = nil) {
    self.recording = recording
    self.flow = flow ?? Self.busiestFlow(of: recording)
    self.isFromClient = isFromClient ?? Self.isClientBusier(self.flow, recording)
  }

  private static func busiestFlow(of recording: Recording) -> Int {
    var counts = recording.flows.map { $0.transport == "TCP" ? 0 : -1 }
    for frame in recording.frames {
      if let flow = frame.flow, counts.indices.contains(flow), counts[flow] >= 0 { counts[flow] += 1 }
    }
    return counts.indices.max { (counts[$0], -$0) < (counts[$1], -$1) } ?? 0
  }

  private static func isClientBusier(_ flow: Int, _ recording: Recording) -> Bool {
    guard let client = recording.flow(flow)?.client else { return true }
    var difference = 0
    for frame in recording.frames where frame.flow == flow && frame.origin == nil {
      difference += recording.sender(of: frame)?.node == client ? frame.bytes.count : -frame.bytes.count
    }
    return difference >= 0
  }

  /// The file's text; a graph without a line if the flow is not of TCP.
  public var text: String {
    guard let flow = recording.flow(flow) else { return Self.frame("no such flow", "") }
    let sender = isFromClient ? flow.client : flow.server
    return Self.frame("\(flow.name), bytes of \(recording.nodeName(sender) ?? "?")", lines(sender))
  }

  private static func frame(_ title: String, _ lines: String) -> String {
    "timeval double\ntitle\n\(title)\nxlabel\ntime (s)\nylabel\nsequence number (bytes)\n\(lines)go\n"
  }

  private func lines(_ sender: Int) -> String {
    var text = ""
    var first: SequenceNumber?
    var highest = 0
    var scale: UInt8 = 0
    var acknowledged: (time: String, number: Int, edge: Int)?
    let lost = lostRoots()
    // Departures from the sender and arrivals at it, in the order of time.
    var sightings: [(time: Int64, frame: Int, isArrival: Bool)] = []
    for (index, frame) in recording.frames.enumerated() where frame.flow == flow {
      if recording.sender(of: frame)?.node == sender {
        sightings.append((frame.departure, index, false))
      } else if frame.fate == .delivered, recording.receivers(of: frame).contains(where: { $0.node == sender }) {
        sightings.append((frame.arrival, index, true))
      }
    }
    sightings.sort { ($0.time, $0.frame) < ($1.time, $1.frame) }
    for sighting in sightings {
      guard let segment = Segment(recording.frames[sighting.frame].bytes) else { continue }
      let time = TimeText.seconds(sighting.time)
      if sighting.isArrival {
        if segment.header.flags.contains(.syn) { scale = min(segment.options?.windowScale ?? 0, 14) }
        guard segment.header.flags.contains(.ack), let first else { continue }
        let number = segment.header.acknowledgmentNumber - first
        let shift = segment.header.flags.contains(.syn) ? 0 : scale
        let edge = number + Int(segment.header.window) << Int(shift)
        if let before = acknowledged {
          text += "green\nline \(before.time) \(before.number) \(time) \(before.number)\n"
          text += "line \(time) \(before.number) \(time) \(number)\n"
          text += "yellow\nline \(before.time) \(before.edge) \(time) \(before.edge)\n"
          text += "line \(time) \(before.edge) \(time) \(edge)\n"
        }
        acknowledged = (time, number, edge)
      } else {
        if first == nil { first = segment.header.sequenceNumber }
        guard let first, segment.sequenceCount > 0 else { continue }
        let from = segment.header.sequenceNumber - first
        let to = from + segment.sequenceCount
        let isLost = lost[recording.root(of: sighting.frame)]
        let isAgain = from < highest
        highest = max(highest, to)
        text += isLost || isAgain ? "red\n" : "white\n"
        text += "darrow \(time) \(from)\nuarrow \(time) \(to)\nline \(time) \(from) \(time) \(to)\n"
        if isAgain { text += "atext \(time) \(to)\nR\n" }
        if isLost { text += "x \(time) \(from)\n" }
      }
    }
    return text
  }

  /// For each frame: whether it is the first of a packet that died on its way.
  private func lostRoots() -> [Bool] {
    var lost = recording.frames.map { _ in false }
    for (index, frame) in recording.frames.enumerated() {
      if case .lost = frame.fate { lost[recording.root(of: index)] = true }
    }
    return lost
  }
}
