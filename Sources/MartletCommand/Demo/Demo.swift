import ArgumentParser
import Glibc
import MartletLab

/// A small internet that explains itself.
struct Demo: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show a small internet at work: a packet's way out and back, hop by hop, and what a loss does.",
    discussion: """
      A client and a server, each behind a switch and a router, and a link that loses frames. Nothing has to be set up, and \
      no network is touched. Exit code 0 says that everything came out as told.
      """)

  @Flag(help: "One JSON object a line instead of text.")
  var json = false

  @Option(help: ArgumentHelp("Where to record the frames.", valueName: "file"))
  var record = "martlet-demo.pcapng"

  @Option(help: ArgumentHelp("Where to write the page that shows the run.", valueName: "file"))
  var report = "martlet-demo.html"

  @Option(help: "What all that is random follows from.")
  var seed: UInt64 = 1

  func run() throws {
    try reportingFailure {
      let progress = LabProgress(isShown: !json)
      progress.start()
      let outcome: DemoWorld.Outcome
      do {
        defer { progress.stop() }
        outcome = try DemoWorld(seed: seed).play { progress.watch($0) }
      }
      var narrator = DemoNarrator(outcome, transcript: Transcript(json: json))
      narrator.tell()
      do throws(RecordingFileError) {
        try outcome.recording.write(.capture, to: record)
        try outcome.recording.write(.html, to: report)
      } catch {
        throw CommandFailure(.cannotCreate, "\(error)")
      }
      narrator.transcript.file(record, "\(outcome.recording.frames.count) frames", "wireshark \(record)")
      narrator.transcript.file(report, "the page that shows it all", Self.absolute(report))
      let failures = narrator.transcript.failures
      if !failures.isEmpty {
        throw CommandFailure(.network, "\(failures.count) steps failed: " + failures.joined(separator: "; "))
      }
    }
  }

  /// The path from the root, which a browser opens.
  private static func absolute(_ path: String) -> String {
    guard let folder = unsafe realpath(".", nil) else { return path }
    defer { unsafe free(folder) }
    return "file://" + (path.hasPrefix("/") ? path : unsafe String(cString: folder) + "/" + path)
  }
}
