import MartletCore

/// A TCP event trace as lines of JSON: times in seconds from a start, sequence numbers relative to the SYN's.
struct EventLines {
  var trace: TCPTrace
  var start: Instant

  /// One object a line; a first one says how many events are missing, if any are.
  var text: String {
    var lines: [String] = []
    lines.reserveCapacity(trace.events.count + 1)
    if trace.overwrittenCount > 0 {
      lines.append((["event": "overwritten", "count": JSON(trace.overwrittenCount)] as JSON).line)
    }
    for event in trace.events { lines.append(object(event).line) }
    return lines.map { $0 + "\n" }.joined()
  }

  private func object(_ event: TCPTraceEvent) -> JSON {
    let what = Self.members(event.kind)
    let threshold = event.slowStartThreshold
    return .object(
      [("time", .number(Double(event.time.nanoseconds - start.nanoseconds) / 1e9)), ("event", .string(what.name))]
        + what.members + [
          ("una", JSON(event.unacknowledged)), ("edge", JSON(event.windowEdge)), ("cwnd", JSON(event.congestionWindow)),
          // A threshold that was never set is as large as can be.
          ("ssthresh", threshold >= 1 << 30 ? .null : JSON(threshold)), ("flight", JSON(event.bytesInFlight)),
          ("pacing_rate", event.pacingRate == 0 ? .null : JSON(event.pacingRate)),
        ])
  }

  private static func members(_ kind: TCPTraceEvent.Kind) -> (name: String, members: [(String, JSON)]) {
    func range(_ bytes: TCPTraceEvent.Bytes) -> [(String, JSON)] {
      [("start", JSON(bytes.start)), ("end", JSON(bytes.end))]
    }
    switch kind {
    case .sent(let bytes, let reason): return ("sent", range(bytes) + [("reason", word(reason))])
    case .acknowledged(let number, let delivered, let roundTrip):
      return (
        "acknowledged",
        [
          ("ack", JSON(number)), ("delivered", JSON(delivered)),
          ("rtt", roundTrip.duration.map { .number(seconds(Instant.zero.advanced(by: $0))) } ?? .null),
        ]
      )
    case .held(let bytes): return ("held", range(bytes))
    case .duplicate(let bytes): return ("duplicate", range(bytes))
    case .lost(let bytes, let cause): return ("lost", range(bytes) + [("cause", word(cause))])
    case .window(let count): return ("window", [("window", JSON(count))])
    case .recoveryBegan: return ("recovery_began", [])
    case .recoveryEnded: return ("recovery_ended", [])
    case .timedOut(let count): return ("timed_out", [("count", JSON(count))])
    case .undone(let reason): return ("undone", [("reason", word(reason))])
    case .congestionMarked: return ("congestion_marked", [])
    case .probeRepaired: return ("probe_repaired", [])
    case .phase(let phase): return ("phase", [("phase", word(phase))])
    }
  }

  /// The name of a case.
  private static func word(_ value: some Any) -> JSON { .string("\(value)") }
}
