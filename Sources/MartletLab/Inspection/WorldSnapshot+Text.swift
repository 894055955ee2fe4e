import MartletCore
import MartletWire

extension WorldSnapshot: CustomStringConvertible {
  /// All of it, a line for each row.
  public var description: String { (["at \(Self.seconds(time.nanoseconds))"] + lines).joined(separator: "\n") }

  /// Sockets and busy or broken links alone: what a failed test wants to see first.
  public var summary: String {
    var lines = ["at \(Self.seconds(time.nanoseconds))"]
    for node in nodes where !node.sockets.isEmpty || node.condition != .running {
      lines.append(node.heading)
      lines += node.sockets.map { "  \($0.line)" }
    }
    for link in links {
      for direction in [link.there, link.back] where direction.isRemarkable {
        lines.append("\(link.name)  \(direction.line)")
      }
    }
    return lines.joined(separator: "\n")
  }

  /// What is other than in `earlier`: lines that are gone (`-`) and new (`+`), whatever the time.
  public func differences(from earlier: WorldSnapshot) -> [String] {
    let (old, new) = (earlier.placedLines, placedLines)
    let difference = new.difference(from: old)
    return (difference.removals + difference.insertions).map { change in
      switch change {
      case .remove(_, let line, _): "- \(line)"
      case .insert(_, let line, _): "+ \(line)"
      }
    }
  }

  private var lines: [String] {
    var lines: [String] = []
    for node in nodes {
      lines.append(node.heading)
      lines += node.lines.map { "  \($0)" }
    }
    for link in links {
      lines.append("link \(link.name)")
      lines += [link.there, link.back].map { "  \($0.line)" }
    }
    return lines
  }

  /// Lines that say whose they are.
  private var placedLines: [String] {
    nodes.flatMap { node in [node.heading] + node.lines.map { "\(node.name): \($0)" } }
      + links.flatMap { link in [link.there, link.back].map { "\(link.name): \($0.line)" } }
  }

  /// "1.234 s"
  static func seconds(_ nanoseconds: Int64) -> String {
    let (whole, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    var digits = "\(rest)"
    digits = String(repeating: "0", count: 9 - digits.count) + digits
    while digits.last == "0" { digits.removeLast() }
    return digits.isEmpty ? "\(whole) s" : "\(whole).\(digits) s"
  }
}

extension WorldSnapshot.Node {
  fileprivate var heading: String {
    "\(kind.rawValue) \(name)" + (condition == .running ? "" : ", \(condition.rawValue)")
  }

  fileprivate var lines: [String] {
    sockets.map(\.line)
      + neighbors.map { "neighbour \($0.address) at \($0.mac?.description ?? "?") on \($0.interface), \($0.state)" }
      + routes.map { route in
        "route \(route.destination) \(route.gateway.map { "via \($0)" } ?? "on the link") on \(route.interface)"
          + (route.metric > 0 ? ", metric \(route.metric)" : "")
      }
      + stations.map { "station \($0.address) behind \($0.port)" }
  }
}

extension WorldSnapshot.Socket {
  var line: String {
    var words = [kind.rawValue, Recorder.words(for: local)]
    if let remote { words.append("> \(Recorder.words(for: remote))") }
    if let state, kind != .listener { words.append(state) }
    let unit = kind == .listener ? "connections" : "bytes"
    if receiveQueue > 0 { words.append("\(receiveQueue) \(unit) to read") }
    if sendQueue > 0 { words.append("\(sendQueue) \(unit) to send") }
    return words.joined(separator: " ")
  }
}

extension WorldSnapshot.Direction {
  /// Whether anything is on it, or it does not do what a good link does.
  fileprivate var isRemarkable: Bool {
    !isUp || isHeld || waitingFrames > 0 || travelingFrames > 0 || counters.lost > 0
  }

  var line: String {
    var parts = ["\(source) > \(destination): \(counters.delivered) of \(counters.sent) delivered"]
    if !isUp { parts.append("down") }
    if isHeld { parts.append("held") }
    if waitingFrames > 0 { parts.append("\(waitingFrames) waiting (\(waitingBytes) bytes)") }
    if travelingFrames > 0 { parts.append("\(travelingFrames) on the way") }
    for (count, word) in [
      (counters.lost, "lost"), (counters.queueDrops, "of them for want of room"), (counters.duplicated, "duplicated"),
      (counters.damaged, "damaged"), (counters.marked, "marked"),
    ] where count > 0 { parts.append("\(count) \(word)") }
    if !faults.isEmpty { parts.append(faults) }
    return parts.joined(separator: ", ")
  }
}
