import MartletLab

/// What is said of a run when it is over.
struct LabRunReport {
  var result: Scenario.Result
  /// How long it took, in seconds.
  var wall: Double
  /// What was written, and where.
  var files: [(what: String, path: String)]
  /// How many links, and how many flows, have a row; the rest is counted.
  var mostRows = 20

  private var recording: Recording { result.recording }
  private var virtual: Double { Double(recording.duration) / 1e9 }

  /// The transcript, tables of links and flows, and a line about the run.
  func tell() {
    if !result.transcript.isEmpty { StandardStreams.line(result.transcript) }
    for remark in result.remarks { StandardStreams.line("here: \(remark)") }
    for line in lines { StandardStreams.line(line) }
  }

  /// All but the transcript.
  var lines: [String] {
    let summary = RunSummary(recording)
    var lines: [String] = []
    // A world that was not recorded has nothing to add up.
    if !recording.frames.isEmpty {
      lines += links(summary).lines + rest(summary.links.count, "links")
      if !summary.flows.isEmpty { lines += [""] + flows(summary).lines + rest(summary.flows.count, "flows") }
    }
    let speed = wall > 0 && virtual > 0 ? ", \(fixed(virtual / wall, virtual / wall < 10 ? 1 : 0)) times as fast" : ""
    lines += [
      "",
      "\(recording.events.count) events in \(fixed(virtual, 3)) s of the world's time, \(fixed(wall, 2)) s of ours\(speed)",
      "seed \(recording.seed), fingerprint \(LabRun.words(forFingerprint: recording.fingerprint))",
    ]
    lines += recording.unrepeatable.map { "this run cannot be repeated: \($0)" }
    lines += files.map { "\($0.what): \($0.path)" }
    return lines
  }

  private func rest(_ count: Int, _ name: String) -> [String] {
    count > mostRows ? ["and \(count - mostRows) more \(name)"] : []
  }

  private func links(_ summary: RunSummary) -> Table {
    var table = Table("link", "frames", "bytes", "lost", "busy there", "back", "most waiting")
    for link in summary.links.prefix(mostRows) {
      let busy = link.busy.map { fixed($0 * 100, 1) + " %" }
      table.add(
        link.name, "\(link.frames)", "\(link.bytes)", "\(link.lost)", busy.first ?? "", busy.dropFirst().first ?? "",
        link.mostWaiting > 0 ? "\(link.mostWaiting)" : "")
    }
    return table
  }

  private func flows(_ summary: RunSummary) -> Table {
    var table = Table("flow", "", "packets", "lost", "again", "bytes there", "back", "goodput")
    for (index, flow) in summary.flows.enumerated().prefix(mostRows) {
      table.add(
        "\(index)", flow.name, "\(flow.packets)", "\(flow.lost)", "\(flow.retransmissions)", "\(flow.toServer)",
        "\(flow.toClient)", rateText(flow.goodput))
    }
    return table
  }

  /// One JSON object.
  func tellJSON() {
    let summary = RunSummary(recording)
    let lost = summary.links.reduce(0) { $0 + $1.lost }
    StandardStreams.line(
      JSON.object([
        ("name", .string(recording.name)), ("seed", .integer(Int64(bitPattern: recording.seed))),
        ("ok", .bool(result.failures.isEmpty)), ("failures", .array(result.failures.map { .string($0) })),
        ("nodes", JSON(recording.nodes.count)), ("frames", JSON(recording.frames.count)), ("lost", JSON(lost)),
        ("events", JSON(recording.events.count)), ("virtualSeconds", .number(virtual)), ("wallSeconds", .number(wall)),
        ("fingerprint", .string(LabRun.words(forFingerprint: recording.fingerprint))),
        (
          "links",
          .array(
            summary.links.map { link in
              .object([
                ("name", .string(link.name)), ("frames", JSON(link.frames)), ("bytes", JSON(link.bytes)),
                ("lost", JSON(link.lost)), ("busy", .array(link.busy.map { .number($0) })),
                ("mostWaiting", JSON(link.mostWaiting)),
              ])
            })
        ),
        (
          "flows",
          .array(
            summary.flows.map { flow in
              .object([
                ("name", .string(flow.name)), ("packets", JSON(flow.packets)), ("lost", JSON(flow.lost)),
                ("retransmissions", JSON(flow.retransmissions)), ("bytesToServer", JSON(flow.toServer)),
                ("bytesToClient", JSON(flow.toClient)), ("seconds", .number(Double(flow.duration) / 1e9)),
                ("goodput", .number(flow.goodput)),
              ])
            })
        ),
        ("replayable", .bool(recording.isReplayable)), ("files", .object(files.map { ($0.what, .string($0.path)) })),
        ("transcript", .string(result.transcript)), ("remarks", .array(result.remarks.map { .string($0) })),
      ]).line)
  }
}

/// Bits a second in decimal units: `9.3 Mbit/s`.
func rateText(_ rate: Double) -> String {
  for (unit, size) in [("Gbit/s", 1e9), ("Mbit/s", 1e6), ("kbit/s", 1e3)] where rate >= size {
    return "\(fixed(rate / size, 1)) \(unit)"
  }
  return rate > 0 ? "\(fixed(rate, 0)) bit/s" : ""
}
