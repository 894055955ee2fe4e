import ArgumentParser
import Glibc
import Martlet
import MartletLab

/// Plays a scenario or a world.
struct LabRun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Play a scenario by name, or a world from a YAML file.",
    discussion: "Exit code 0 says that everything came out as told.")

  @Argument(help: "A scenario's name (see `martlet lab list`), or a world's file, as world.yaml.")
  var name: String

  @Option(help: "What all that is random follows from.")
  var seed: UInt64?

  @Option(
    name: .customLong("for"),
    help: ArgumentHelp(
      "How long a world from a file runs (default: 10, or until SIGINT if programs of this machine reach it).",
      valueName: "seconds"))
  var duration: Double?

  @OptionGroup var time: LabTime

  @Flag(help: "One JSON object a line instead of text.")
  var json = false

  @Flag(help: "Print every event as it happened.")
  var follow = false

  @Option(
    help: ArgumentHelp(
      "Tell the way of this event's packet, hop by hop; --follow shows the numbers.", valueName: "event"))
  var explain: Int?

  @Option(help: ArgumentHelp("Write the page that shows the run.", valueName: "file.html"))
  var report: String?

  @Option(help: ArgumentHelp("Write the events, one JSON object a line.", valueName: "file.jsonl"))
  var log: String?

  @Option(help: ArgumentHelp("Write the frames of all interfaces.", valueName: "file.pcapng"))
  var pcap: String?

  @Option(help: ArgumentHelp("Write a sequence diagram in Mermaid's language.", valueName: "file.mmd"))
  var diagram: String?

  @Option(help: ArgumentHelp("Write a time-sequence graph in xplot's language.", valueName: "file.xpl"))
  var graph: String?

  @Option(help: ArgumentHelp("Write events, frames, samples and queues as CSV into this folder.", valueName: "folder"))
  var tables: String?

  @Option(
    help: ArgumentHelp(
      "The flow of the diagram and the graph, as the summary counts them; otherwise all flows, and the busiest.",
      valueName: "number"))
  var flow: Int?

  @Flag(help: ArgumentHelp("Print the run's fingerprint and transcript alone.", visibility: .hidden))
  var fingerprint = false

  func validate() throws {
    if let duration, !(duration > 0 && duration <= 1e7) {
      throw ValidationError("--for takes seconds up to 10,000,000.")
    }
  }

  func run() throws {
    try reportingFailure {
      let clock = ContinuousClock()
      let start = clock.now
      let progress = LabProgress(isShown: !fingerprint)
      progress.start()
      let result: Scenario.Result
      do {
        defer { progress.stop() }
        result = try play { progress.watch($0) }
      }
      let wall = seconds(clock.now - start)
      let recording = result.recording
      if let flow, !recording.flows.indices.contains(flow) {
        throw CommandFailure(.usage, "there is no flow \(flow): there are \(recording.flows.count), counted from 0")
      }
      try write(recording)
      if fingerprint {
        StandardStreams.line(LabRun.words(forFingerprint: recording.fingerprint))
        StandardStreams.line(result.transcript)
        return
      }
      if let explain { try tellPacket(of: explain, in: recording) }
      if follow {
        var describer = EventDescriber()
        for index in recording.events.indices {
          let line = describer.line(for: index, in: recording)
          StandardStreams.line(StandardStreams.hasColor ? Self.colored(line, recording.events[index].kind) : line)
        }
      }
      let report = LabRunReport(result: result, wall: wall, files: files.map { ($0.what, $0.path) })
      json ? report.tellJSON() : report.tell()
      if !result.failures.isEmpty {
        throw CommandFailure(
          .network,
          "\(result.failures.count) things did not come out as told: " + result.failures.joined(separator: "; "))
      }
    }
  }

  /// What went wrong is red, what mends it yellow; what only passes by is quiet.
  private static func colored(_ line: String, _ kind: String) -> String {
    let color: String? =
      switch kind {
      case "dropped", "lost", "fault", "timeout": "31"
      case "retransmitted", "probe", "congestion": "33"
      case "forwarded", "received": "2"
      default: nil
      }
    return color.map { "\u{1b}[\($0)m\(line)\u{1b}[0m" } ?? line
  }

  /// Tells the way of the packet of event `index`.
  private func tellPacket(of index: Int, in recording: Recording) throws {
    guard recording.events.indices.contains(index), let frame = recording.events[index].frame else {
      throw CommandFailure(
        .usage, "there is no event \(index) with a packet",
        remedy: "martlet lab run \(name) --follow shows the numbers.")
    }
    Transcript(json: json).tell(PacketStory(recording, frame: frame))
  }

  static func words(forFingerprint value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// Plays what `name` names.
  func play(watch: @escaping @Sendable (World) -> Void = { _ in }) throws -> Scenario.Result {
    do {
      if let scenario = Scenario.named(name) {
        try time.checkScenario(name)
        return try scenario.run(seed: seed ?? 1, pace: time.pace ?? .virtual, watch: watch)
      }
      guard name.contains("."), let text = Self.contents(of: name) else { throw Self.unknown(name) }
      var description = try WorldDescription(yaml: text, file: name)
      time.apply(to: &description)
      let signals = description.reachesOut ? Signals(blocking: [SIGINT, SIGTERM]) : nil
      let world = try World(description, seed: seed)
      watch(world)
      if description.reachesOut { LabTime.sayReady(world, json: json) }
      let span = duration ?? (description.reachesOut ? 1e7 : 10)
      try LabTime.run(world, for: .nanoseconds(Int64(span * 1e9)), stopBy: signals)
      return Scenario.Result(recording: world.finish(), transcript: "", failures: [])
    } catch let error as WorldError {
      throw CommandFailure(.usage, "\(error)")
    }
  }

  static func unknown(_ name: String) -> CommandFailure {
    let known = Scenario.all.map(\.name).joined(separator: ", ")
    return CommandFailure(.usage, "there is no scenario and no file \"\(name)\"", remedy: "Scenarios: \(known)")
  }

  private static func contents(of path: String) -> String? {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    while true {
      let more = StandardStreams.read(from: descriptor, limit: 65_536)
      if more.isEmpty { return String(decoding: bytes, as: UTF8.self) }
      bytes += more
    }
  }

  /// What is written, and where.
  private var files: [(what: String, path: String, format: Recording.Format?)] {
    let all: [(String, String?, Recording.Format?)] = [
      ("report", report, .html), ("log", log, .log), ("capture", pcap, .capture), ("diagram", diagram, .diagram),
      ("graph", graph, .graph), ("tables", tables, nil),
    ]
    return all.compactMap { what, path, format in path.map { (what, $0, format) } }
  }

  private func write(_ recording: Recording) throws {
    do throws(RecordingFileError) {
      for file in files {
        switch file.format {
        case nil: try recording.writeTables(to: file.path)
        case .diagram: try recording.write(.diagram, to: file.path, flow: flow)
        case .graph: try recording.write(.graph, to: file.path, flow: flow)
        case let format?: try recording.write(format, to: file.path)
        }
      }
    } catch {
      throw CommandFailure(.cannotCreate, "\(error)")
    }
  }
}
