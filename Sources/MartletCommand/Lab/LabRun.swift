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

  @Option(help: ArgumentHelp("Write the page that shows the run.", valueName: "file.html"))
  var report: String?

  @Option(help: ArgumentHelp("Write the events, one JSON object a line.", valueName: "file.jsonl"))
  var log: String?

  @Option(help: ArgumentHelp("Write the frames of all interfaces.", valueName: "file.pcapng"))
  var pcap: String?

  @Flag(help: ArgumentHelp("Print the run's fingerprint alone.", visibility: .hidden))
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
      let result = try play()
      let wall = seconds(clock.now - start)
      let recording = result.recording
      if fingerprint {
        StandardStreams.line(LabRun.words(forFingerprint: recording.fingerprint))
        return
      }
      try write(recording)
      if follow {
        for line in EventDescriber.lines(of: recording) { StandardStreams.line(line) }
      }
      if json {
        tellJSON(result, wall)
      } else {
        tell(result, wall)
      }
      if !result.failures.isEmpty {
        throw CommandFailure(
          .network,
          "\(result.failures.count) things did not come out as told: " + result.failures.joined(separator: "; "))
      }
    }
  }

  static func words(forFingerprint value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// Plays what `name` names.
  private func play() throws -> Scenario.Result {
    do {
      if let scenario = Scenario.named(name) {
        try time.checkScenario(name)
        return try scenario.run(seed: seed ?? 1, pace: time.pace ?? .virtual)
      }
      guard name.contains("."), let text = Self.contents(of: name) else {
        let known = Scenario.all.map(\.name).joined(separator: ", ")
        throw CommandFailure(.usage, "there is no scenario and no file \"\(name)\"", remedy: "Scenarios: \(known)")
      }
      var description = try WorldDescription(yaml: text, file: name)
      time.apply(to: &description)
      let signals = description.reachesOut ? Signals(blocking: [SIGINT, SIGTERM]) : nil
      let world = try World(description, seed: seed)
      if description.reachesOut { LabTime.sayReady(world, json: json) }
      let span = duration ?? (description.reachesOut ? 1e7 : 10)
      try LabTime.run(world, for: .nanoseconds(Int64(span * 1e9)), stopBy: signals)
      return Scenario.Result(recording: world.finish(), transcript: "", failures: [])
    } catch let error as WorldError {
      throw CommandFailure(.usage, "\(error)")
    }
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

  private func write(_ recording: Recording) throws {
    do throws(RecordingFileError) {
      if let report { try recording.write(.html, to: report) }
      if let log { try recording.write(.log, to: log) }
      if let pcap { try recording.write(.capture, to: pcap) }
    } catch {
      throw CommandFailure(.cannotCreate, "\(error)")
    }
  }

  private func tell(_ result: Scenario.Result, _ wall: Double) {
    let recording = result.recording
    if !result.transcript.isEmpty { StandardStreams.line(result.transcript) }
    for remark in result.remarks { StandardStreams.line("here: \(remark)") }
    var table = Table("link", "frames", "bytes", "lost", "busy")
    for (index, link) in recording.links.enumerated() {
      let frames = recording.frames.filter { $0.link == index }
      let lost = frames.count { if case .lost = $0.fate { true } else { false } }
      let bytes = frames.reduce(0) { $0 + $1.bytes.count }
      let busy = link.rate.map { rate in
        recording.duration == 0
          ? "" : fixed(Double(bytes) * 8 / Double(rate) / (Double(recording.duration) / 1e9) / 2 * 100, 1) + " %"
      }
      table.add(link.name, "\(frames.count)", "\(bytes)", "\(lost)", busy ?? "")
    }
    for line in table.lines { StandardStreams.line(line) }
    StandardStreams.line(
      """

      \(recording.events.count) events in \(fixed(Double(recording.duration) / 1e9, 3)) s of the world's time, \
      \(fixed(wall, 2)) s of ours; seed \(recording.seed), fingerprint \(LabRun.words(forFingerprint: recording.fingerprint))
      """)
    for reason in recording.unrepeatable { StandardStreams.line("this run cannot be repeated: \(reason)") }
    for (path, what) in [(report, "report"), (log, "log"), (pcap, "capture")] {
      if let path { StandardStreams.line("\(what): \(path)") }
    }
  }

  private func tellJSON(_ result: Scenario.Result, _ wall: Double) {
    let recording = result.recording
    let lost = recording.frames.count { if case .lost = $0.fate { true } else { false } }
    StandardStreams.line(
      JSON.object([
        ("name", .string(recording.name)), ("seed", .integer(Int64(bitPattern: recording.seed))),
        ("ok", .bool(result.failures.isEmpty)), ("failures", .array(result.failures.map { .string($0) })),
        ("nodes", JSON(recording.nodes.count)), ("links", JSON(recording.links.count)),
        ("frames", JSON(recording.frames.count)), ("lost", JSON(lost)), ("events", JSON(recording.events.count)),
        ("virtualSeconds", .number(Double(recording.duration) / 1e9)), ("wallSeconds", .number(wall)),
        ("fingerprint", .string(LabRun.words(forFingerprint: recording.fingerprint))),
        ("replayable", .bool(recording.isReplayable)), ("transcript", .string(result.transcript)),
        ("remarks", .array(result.remarks.map { .string($0) })),
      ]).line)
  }
}
