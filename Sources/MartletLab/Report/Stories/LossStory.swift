import MartletWire

/// What became of the packets of a flow that died: how its sender noticed, what it sent again and why, and how late that was.
public struct LossStory: Sendable {
  /// One packet that died.
  public struct Loss: Sendable, Equatable {
    /// The frame that died.
    public var frame: Int
    /// The frame that carried the same bytes again, as it left its sender; nil if none did.
    public var again: Int?
    /// What happened, in the order of time.
    public var lines: [String]
    /// Whether its bytes were sent again, or needed not to be.
    public var isMadeUpFor: Bool
  }

  public private(set) var losses: [Loss] = []

  /// - Parameter flow: A position in the recording's flows.
  public init(_ recording: Recording, flow: Int) {
    var describer = FrameDescriber()
    var first: [UInt32?] = [nil, nil]
    for (index, frame) in recording.frames.enumerated() where frame.flow == flow {
      let words = describer.describe(index, in: recording)?.text ?? ""
      let segment = Segment(frame.bytes)
      let side = recording.flows[flow].client == Self.origin(of: index, in: recording) ? 0 : 1
      if let segment, segment.header.flags.contains(.syn), first[side] == nil {
        first[side] = segment.header.sequenceNumber.value
      }
      guard case .lost(let reason) = frame.fate, frame.isGone, let link = recording.link(frame.link) else { continue }
      let what = Self.name(segment, first[side], words)
      var lines = ["\(StoryText.moment(frame.arrival))  ✗ \(what) dies on \(link.name): \(reason)"]
      guard let segment, segment.sequenceCount > 0 else {
        if segment != nil { lines.append("an acknowledgement is not missed: the next one says the same and more") }
        losses.append(Loss(frame: index, again: nil, lines: lines, isMadeUpFor: segment != nil))
        continue
      }
      let again = recording.frames.indices.first { other in
        guard other > index, recording.frames[other].flow == flow, recording.frames[other].origin == nil else {
          return false
        }
        guard let later = Segment(recording.frames[other].bytes) else { return false }
        return later.header.sequenceNumber == segment.header.sequenceNumber && later.sequenceCount > 0
          && Self.origin(of: other, in: recording) == Self.origin(of: index, in: recording)
      }
      lines += Self.recovery(of: again, in: recording)
      losses.append(Loss(frame: index, again: again, lines: lines, isMadeUpFor: again != nil))
    }
  }

  private static func origin(of frame: Int, in recording: Recording) -> Int? {
    recording.sender(of: recording.frames[recording.root(of: frame)])?.node
  }

  private static func name(_ segment: Segment?, _ first: UInt32?, _ words: String) -> String {
    guard let segment, let first else { return words }
    let start = segment.header.sequenceNumber.value &- first
    if segment.header.flags.contains(.syn) { return "the SYN" }
    if segment.payload > 0 { return "the segment with bytes \(start) to \(start &+ UInt32(segment.payload) &- 1)" }
    return segment.header.flags.contains(.fin) ? "the FIN" : "an acknowledgement"
  }

  /// How the sender came to send again: the causes, oldest first.
  private static func recovery(of again: Int?, in recording: Recording) -> [String] {
    guard let again else { return ["it is not sent again before the end"] }
    let frame = recording.frames[again]
    var lines: [String] = []
    var next = frame.cause
    while let index = next, let event = recording.event(index), lines.count < 2 {
      guard ["lost", "timeout", "retransmitted", "probe"].contains(event.kind) else { break }
      let host = recording.nodeName(event.node) ?? "?"
      let words = event.kind == "retransmitted" && event.cause != nil ? "sends them again" : event.text
      lines.insert("\(StoryText.moment(event.time))  \(host): \(words)", at: 0)
      next = event.cause
    }
    let way = PacketStory(recording, frame: again)
    if let last = way.frames.last, recording.frames[last].fate == .delivered {
      lines.append("\(StoryText.moment(recording.frames[last].arrival))  the bytes are there")
    } else {
      lines.append("and dies again")
    }
    return lines
  }
}
