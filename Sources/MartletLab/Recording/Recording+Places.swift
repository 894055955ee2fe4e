/// Look-ups by number, nil for a number out of range: whoever shows a recording does not trap over a hole in it.
extension Recording {
  func node(_ index: Int) -> Node? { nodes.indices.contains(index) ? nodes[index] : nil }

  func link(_ index: Int) -> Link? { links.indices.contains(index) ? links[index] : nil }

  func flow(_ index: Int) -> Flow? { flows.indices.contains(index) ? flows[index] : nil }

  func frame(_ index: Int) -> Frame? { frames.indices.contains(index) ? frames[index] : nil }

  func event(_ index: Int) -> Event? { events.indices.contains(index) ? events[index] : nil }

  func nodeName(_ index: Int) -> String? { node(index)?.name }

  func interface(_ node: Int, _ index: Int) -> Interface? {
    guard let node = self.node(node), node.interfaces.indices.contains(index) else { return nil }
    return node.interfaces[index]
  }

  func interfaceName(_ node: Int, _ index: Int) -> String? { interface(node, index)?.name }

  /// Where a frame left from.
  func sender(of frame: Frame) -> Link.End? {
    guard let link = link(frame.link), link.ends.indices.contains(frame.end) else { return nil }
    return link.ends[frame.end]
  }

  /// Where a frame can arrive: every other end of its link.
  func receivers(of frame: Frame) -> [Link.End] {
    guard let link = link(frame.link) else { return [] }
    return link.ends.indices.filter { $0 != frame.end }.map { link.ends[$0] }
  }

  /// The first frame that carried the packet that `index` carries.
  func root(of index: Int) -> Int {
    var root = index
    // A cause lies before its effect; a recording that says otherwise must not make a loop.
    while let origin = frames[root].origin, origin >= 0, origin < root { root = origin }
    return root
  }
}

extension Recording.Frame {
  /// Whether it died; what was "still on its way" or "still waiting" when the run ended did not.
  var isGone: Bool {
    if case .lost(let reason) = fate { return !reason.hasPrefix("still ") }
    return false
  }
}

/// Times in words.
enum TimeText {
  /// Seconds with all nine digits: "0.012345678".
  static func seconds(_ nanoseconds: Int64) -> String {
    let magnitude = nanoseconds.magnitude
    let fraction = String(magnitude % 1_000_000_000)
    let padding = String(repeating: "0", count: 9 - fraction.count)
    return "\(nanoseconds < 0 ? "-" : "")\(magnitude / 1_000_000_000).\(padding)\(fraction)"
  }
}

extension Recording.Node.Kind {
  /// What it is called in a sentence.
  var word: String { self == .hub ? "segment" : rawValue }
}
