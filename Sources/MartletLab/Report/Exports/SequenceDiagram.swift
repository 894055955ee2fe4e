/// A flow, or a whole run, as a sequence diagram in Mermaid's language.
public struct SequenceDiagram: Sendable {
  private let recording: Recording
  private let flow: Int?
  private let maximumCount: Int

  /// - Parameters:
  ///   - flow: The flow whose packets are shown, from end to end; without one every frame on every link is shown.
  ///   - maximumCount: How many arrows are drawn; a note says how many more there were.
  public init(_ recording: Recording, flow: Int? = nil, maximumCount: Int = 200) {
    self.recording = recording
    self.flow = flow
    self.maximumCount = maximumCount
  }

  private struct Arrow {
    var departure: Int64
    var from: Int
    var to: Int
    var text: String
    var isLost: Bool
  }

  /// The diagram's text, which ends with a line end.
  public var text: String {
    let arrows = self.arrows()
    let shown = arrows.prefix(maximumCount)
    var used: [Bool] = recording.nodes.map { _ in false }
    for arrow in shown {
      used[arrow.from] = true
      used[arrow.to] = true
    }
    var text = "sequenceDiagram\n"
    for (index, node) in recording.nodes.enumerated() where used[index] {
      text += "  participant n\(index) as \(Self.clean(node.name))\n"
    }
    for arrow in shown {
      text += "  n\(arrow.from)\(arrow.isLost ? "-x" : "->>")n\(arrow.to): "
      text += "\(TimeText.seconds(arrow.departure)) s  \(Self.clean(arrow.text))\n"
    }
    if let last = shown.last, arrows.count > shown.count {
      text += "  Note over n\(last.from): and \(arrows.count - shown.count) more\n"
    }
    return text
  }

  private func arrows() -> [Arrow] {
    var describer = FrameDescriber()
    var arrows: [Arrow] = []
    // Where the packet of a frame is drawn, so that its next hop makes that arrow longer.
    var drawn: [Int?] = []
    for (index, frame) in recording.frames.enumerated() {
      let words = describer.describe(index, in: recording)
      drawn.append(nil)
      guard let from = recording.sender(of: frame)?.node, let to = recording.receivers(of: frame).first?.node,
        recording.node(from) != nil, recording.node(to) != nil, flow == nil || frame.flow == flow
      else { continue }
      var reason = ""
      if case .lost(let why) = frame.fate { reason = "  lost: \(why)" }
      if flow != nil, let origin = frame.origin, origin >= 0, origin < index, let arrow = drawn[origin] {
        arrows[arrow].to = to
        arrows[arrow].text += reason
        arrows[arrow].isLost = !reason.isEmpty
        drawn[index] = arrow
        continue
      }
      drawn[index] = arrows.count
      arrows.append(
        Arrow(
          departure: frame.departure, from: from, to: to, text: "\(words?.layer ?? "") \(words?.text ?? "")\(reason)",
          isLost: !reason.isEmpty))
    }
    return arrows
  }

  /// Without what Mermaid takes for its own.
  private static func clean(_ text: String) -> String {
    String(text.map { $0 == ";" || $0 == "#" || $0 == "\n" ? " " : $0 })
  }
}
