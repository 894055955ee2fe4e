import ArgumentParser
import Martlet
import MartletCore
import MartletWire

/// Two hosts on a virtual wire, told line by line.
struct Demo: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show two hosts on a virtual wire at work, line by line, and record them.",
    discussion:
      "Exit code 0 says that every step came out as told. Nothing has to be set up, and no network is touched.")

  @Flag(help: "One JSON object a line instead of text.")
  var json = false

  @Option(help: ArgumentHelp("Where to record the frames.", valueName: "file"))
  var record = "martlet-demo.pcapng"

  @Option(help: ArgumentHelp("How much to transfer.", valueName: "count"))
  var megabytes = 64

  func validate() throws {
    if !(1...100_000).contains(megabytes) {
      throw ValidationError("--megabytes takes 1 to 100000, not \(megabytes).")
    }
  }

  func run() throws {
    try reportingFailure {
      let stage = try DemoStage(recordingTo: record)
      var play = DemoPlay(stage: stage, transcript: Transcript(json: json))
      try play.open()
      try play.resolve()
      try play.ping()
      try play.uppercaseOverUDP()
      try play.uppercaseOverTCP()
      try play.demultiplex()
      try play.transfer(byteCount: megabytes * 1_000_000, showsProgress: !json)
      try play.refuse()
      try play.end(file: record)
      stage.loop.shutdown()
      let failures = play.transcript.failures
      if !failures.isEmpty {
        throw CommandFailure(.network, "\(failures.count) steps failed: " + failures.joined(separator: "; "))
      }
    }
  }
}
