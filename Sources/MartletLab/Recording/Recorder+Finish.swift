import MartletCore
import MartletLinks
import MartletWire

extension Recorder {
  /// An event, and what it is sorted by.
  private struct Draft {
    var event: Recording.Event
    /// What is received comes before what it leads to, and that before what is sent.
    var rank: Int
    var order: Int
    var cause: Cause?
  }

  /// The recording of all there was until `duration`.
  func finish(at duration: Int64) -> Recording {
    var result = recording
    result.duration = duration
    // Frames in the order of departure.
    let order = frames.indices.sorted { left, right in
      frames[left].departure != frames[right].departure
        ? frames[left].departure < frames[right].departure : left < right
    }
    var place = [Int](repeating: 0, count: frames.count)
    for (new, old) in order.enumerated() { place[old] = new }

    var drafts: [Draft] = []
    var describer = PacketDescriber(names: names)
    // By frame: where its events are among the drafts.
    var sentDraft = [Int?](repeating: nil, count: frames.count)
    var receivedDraft = [Int?](repeating: nil, count: frames.count)
    for old in order {
      let frame = frames[old]
      let (from, to) = (sender(of: frame), receiver(of: frame))
      let words = unsafe describer.describe(frame.bytes.span.bytes)
      let text = "\(words.layer) \(words.text)"
      func draft(_ time: Int64, _ end: Recording.Link.End, _ kind: String, _ text: String, rank: Int, _ cause: Cause?) {
        drafts.append(
          Draft(
            event: Recording.Event(
              time: time, node: end.node, interface: end.interface, flow: frame.flow, frame: place[old], kind: kind,
              text: text),
            rank: rank, order: drafts.count, cause: cause))
      }
      // What a segment does is told by those on it.
      let cause: Cause? = trails[old].isHeard ? trails[old].cause : .sent(old)
      if !trails[old].isTwin, !trails[old].isHeard {
        let passesOn = frame.origin != nil
        let route = trails[old].route.map { " (\($0))" } ?? ""
        draft(frame.queued, from, passesOn ? "forwarded" : "sent", text + route, rank: 2, trails[old].cause)
        sentDraft[old] = drafts.count - 1
      }
      switch frame.fate {
      case .lost(let reason) where trails[old].diedInside:
        let place = "\(result.nodes[to.node].name)'s \(result.nodes[to.node].interfaces[to.interface].name)"
        draft(frame.arrival, to, "dropped", "dropped at \(place): \(reason): \(text)", rank: 0, .sent(old))
      case .lost(let reason):
        draft(
          frame.arrival, from, reason.hasSuffix("collision") ? "collision" : "dropped",
          "lost on \(result.links[frame.link].name): \(reason): \(text)", rank: 3, cause)
      case .delivered where frame.arrival > duration: break
      case .delivered where result.nodes[to.node].kind == .hub: break
      case .delivered:
        draft(max(frame.arrival, trails[old].looked), to, "received", text, rank: 0, cause)
        receivedDraft[old] = drafts.count - 1
      }
    }
    let firstLive = drafts.count
    for event in events {
      drafts.append(
        Draft(
          event: Recording.Event(
            time: event.time, node: event.node, interface: event.interface, flow: event.flow,
            frame: event.frame.map { place[$0] }, kind: event.kind, text: event.text),
          rank: 1, order: drafts.count, cause: event.cause))
    }
    let sorted = drafts.indices.sorted { left, right in
      let (left, right) = (drafts[left], drafts[right])
      if left.event.time != right.event.time { return left.event.time < right.event.time }
      return left.rank != right.rank ? left.rank < right.rank : left.order < right.order
    }
    var number = [Int](repeating: 0, count: drafts.count)
    for (new, old) in sorted.enumerated() { number[old] = new }
    func resolve(_ cause: Cause?) -> Int? {
      switch cause {
      case .event(let index): number[firstLive + index]
      case .sent(let frame): sentDraft[frame].map { number[$0] }
      case .received(let frame): receivedDraft[frame].map { number[$0] }
      case nil: nil
      }
    }
    result.events = sorted.map { old in
      var event = drafts[old].event
      // A cause is never later than what it led to.
      event.cause = resolve(drafts[old].cause).flatMap { $0 < number[old] ? $0 : nil }
      return event
    }
    result.frames = order.map { old in
      var frame = frames[old]
      frame.origin = frame.origin.map { place[$0] }
      frame.cause = resolve(trails[old].cause)
      if case .delivered = frame.fate, frame.arrival > duration { frame.fate = .lost("still on its way at the end") }
      if case .lost(let reason) = frame.fate {
        frame.comment = (frame.comment.isEmpty ? "" : frame.comment + "; ") + "lost: \(reason)"
      }
      return frame
    }
    result.queues = result.queues.enumerated().sorted {
      ($0.element.time, $0.offset) < ($1.element.time, $1.offset)
    }.map(\.element)
    return result
  }
}
