/// The recording as the page's scripts read it: lists of many items are stored column by column, -1 stands for nothing.
extension HTMLReport {
  func data() -> [UInt8] {
    var text = JSONText()
    text.object { text in
      text.member("name", recording.name)
      text.member("summary", recording.summary)
      // As text: JavaScript's numbers do not hold 64 bits.
      text.member("seed", String(recording.seed))
      text.member("duration", recording.duration)
      text.key("unrepeatable")
      text.array(recording.unrepeatable) { $0.string($1) }
      writeTopology(&text)
      var describer = FrameDescriber()
      let words = recording.frames.indices.map { describer.describe($0, in: recording) ?? ("", "") }
      writeFrames(&text, words)
      writeEvents(&text, words)
      writeFlows(&text)
      writeTables(&text)
      text.key("queues")
      text.object { text in
        text.column("time", recording.queues) { $0.time }
        text.column("link", recording.queues) { $0.link }
        text.column("end", recording.queues) { $0.end }
        text.column("frames", recording.queues) { $0.frames }
        text.column("bytes", recording.queues) { $0.bytes }
      }
      text.key("counters")
      text.array(recording.counters) { text, counter in
        text.object { text in
          text.member("node", counter.node)
          text.member("name", counter.name)
          text.member("value", String(counter.value))
        }
      }
    }
    return text.bytes
  }

  private func writeTopology(_ text: inout JSONText) {
    text.key("nodes")
    text.array(recording.nodes) { text, node in
      text.object { text in
        text.member("name", node.name)
        text.member("kind", node.kind.rawValue)
        text.member("faults", node.faults)
        text.key("interfaces")
        text.array(node.interfaces) { text, interface in
          text.object { text in
            text.member("name", interface.name)
            text.member("mac", interface.mac)
            text.key("addresses")
            text.array(interface.addresses) { $0.string($1) }
            text.member("link", interface.link)
          }
        }
      }
    }
    text.key("links")
    text.array(recording.links) { text, link in
      text.object { text in
        text.member("name", link.name)
        text.key("ends")
        text.array(link.ends) { text, end in
          text.array {
            $0.number(end.node)
            $0.number(end.interface)
          }
        }
        text.member("rate", link.rate.map { Int64(clamping: $0) } ?? -1)
        text.member("delay", link.delay)
        text.member("mtu", link.mtu)
        text.member("faults", link.faults)
      }
    }
  }

  private func writeFrames(_ text: inout JSONText, _ words: [(layer: String, text: String)]) {
    text.key("frames")
    text.object { text in
      text.column("link", recording.frames) { $0.link }
      text.column("end", recording.frames) { $0.end }
      text.column("queued", recording.frames) { $0.queued }
      text.column("departure", recording.frames) { $0.departure }
      text.column("arrival", recording.frames) { $0.arrival }
      text.column("flow", recording.frames) { $0.flow ?? -1 }
      text.column("origin", recording.frames) { $0.origin ?? -1 }
      text.column("cause", recording.frames) { $0.cause ?? -1 }
      text.column("size", recording.frames) { $0.bytes.count }
      text.column("lost", recording.frames) { frame in if case .lost(let reason) = frame.fate { reason } else { "" } }
      text.column("comment", recording.frames) { $0.comment }
      // What the frame before says as well is not said again.
      let isSame = recording.frames.enumerated().map { index, frame in
        guard let origin = frame.origin, words.indices.contains(origin), origin < index else { return false }
        return words[origin] == words[index]
      }
      text.column("layer", words.indices) { isSame[$0] ? "" : words[$0].layer }
      text.column("text", words.indices) { isSame[$0] ? "" : words[$0].text }
      text.key("bytes")
      text.array(recording.frames.indices) { writeBytes(of: $1, to: &$0) }
    }
  }

  /// A frame's bytes in base 64; or, if another carried the packet before, a list of what differs: an offset, the bytes
  /// there, and so on.
  private func writeBytes(of index: Int, to text: inout JSONText) {
    let bytes = recording.frames[index].bytes.prefix(bytesPerFrame)
    guard let origin = recording.frames[index].origin, origin >= 0, origin < index,
      recording.frames[origin].bytes.count == recording.frames[index].bytes.count
    else { return text.base64(bytes) }
    let before = recording.frames[origin].bytes
    text.array { text in
      var offset = 0
      while offset < bytes.count {
        guard bytes[offset] != before[offset] else {
          offset += 1
          continue
        }
        let start = offset
        while offset < bytes.count, bytes[offset] != before[offset] { offset += 1 }
        text.number(start)
        text.base64(bytes[start..<offset])
      }
    }
  }

  /// In an event's text the words for its packet are one character, U+0001: they are with the packet.
  private func writeEvents(_ text: inout JSONText, _ words: [(layer: String, text: String)]) {
    var kinds: [String] = []
    var numbers: [String: Int] = [:]
    for event in recording.events where numbers[event.kind] == nil {
      numbers[event.kind] = kinds.count
      kinds.append(event.kind)
    }
    text.key("kinds")
    text.array(kinds) { $0.string($1) }
    text.key("events")
    text.object { text in
      text.column("time", recording.events) { $0.time }
      text.column("node", recording.events) { $0.node }
      text.column("interface", recording.events) { $0.interface ?? -1 }
      text.column("flow", recording.events) { $0.flow ?? -1 }
      text.column("frame", recording.events) { $0.frame ?? -1 }
      text.column("kind", recording.events) { numbers[$0.kind] ?? -1 }
      text.column("text", recording.events) { event in
        guard let frame = event.frame, words.indices.contains(frame) else { return event.text }
        return event.text.replacing("\(words[frame].layer) \(words[frame].text)", with: "\u{1}")
      }
      text.column("cause", recording.events) { $0.cause ?? -1 }
    }
  }

  private func writeFlows(_ text: inout JSONText) {
    text.key("flows")
    text.array(recording.flows) { text, flow in
      text.object { text in
        text.member("name", flow.name)
        text.member("transport", flow.transport)
        text.member("client", flow.client)
        text.member("server", flow.server)
        text.key("samples")
        text.object { text in
          text.column("time", flow.samples) { $0.time }
          text.column("client", flow.samples) { $0.isClient ? 1 : 0 }
          text.column("cwnd", flow.samples) { $0.congestionWindow }
          text.column("ssthresh", flow.samples) { $0.slowStartThreshold == .max ? -1 : $0.slowStartThreshold }
          text.column("window", flow.samples) { $0.receiveWindow }
          text.column("flight", flow.samples) { $0.inFlight }
          text.column("rtt", flow.samples) { $0.roundTrip }
          text.column("rto", flow.samples) { $0.retransmissionTimeout }
          text.column("sendQueue", flow.samples) { $0.sendQueue }
          text.column("receiveQueue", flow.samples) { $0.receiveQueue }
          text.column("phase", flow.samples) { $0.phase }
        }
      }
    }
  }

  /// Each row once, and of each table what is not as in the one of the same node and kind before: from a row on so many
  /// are gone, and these have come. Histories of long tables would be most of the page otherwise.
  private func writeTables(_ text: inout JSONText) {
    struct Change {
      var table: Recording.Table
      var columns: Int
      var start: Int
      var removed: Int
      var added: [Int]
    }
    struct Key: Hashable {
      var node: Int
      var kind: Recording.Table.Kind
    }
    var columns: [[String]] = []
    var rows: [[String]] = []
    var numbers: [[String]: Int] = [:]
    var last: [Key: [Int]] = [:]
    var changes: [Change] = []
    for table in recording.tables {
      let now = table.rows.map { row in
        if let number = numbers[row] { return number }
        numbers[row] = rows.count
        rows.append(row)
        return rows.count - 1
      }
      let key = Key(node: table.node, kind: table.kind)
      let before = last[key] ?? []
      last[key] = now
      var start = 0
      while start < min(before.count, now.count), before[start] == now[start] { start += 1 }
      var end = 0
      while end < min(before.count, now.count) - start, before[before.count - 1 - end] == now[now.count - 1 - end] {
        end += 1
      }
      let names = columns.firstIndex(of: table.columns) ?? columns.count
      if names == columns.count { columns.append(table.columns) }
      changes.append(
        Change(
          table: table, columns: names, start: start, removed: before.count - start - end,
          added: Array(now[start..<now.count - end])))
    }
    text.key("tables")
    text.object { text in
      text.key("rows")
      text.array(rows) { text, row in text.array(row) { $0.string($1) } }
      text.key("names")
      text.array(columns) { text, names in text.array(names) { $0.string($1) } }
      text.column("time", changes) { $0.table.time }
      text.column("node", changes) { $0.table.node }
      text.column("kind", changes) { $0.table.kind.rawValue }
      text.column("columns", changes) { $0.columns }
      text.column("start", changes) { $0.start }
      text.column("removed", changes) { $0.removed }
      text.key("added")
      text.array(changes) { text, change in text.array(change.added) { $0.number($1) } }
    }
  }
}
