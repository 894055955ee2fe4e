import Foundation
import MartletLab

/// Two processes at a time that play the same scenario, and what they left in their folders.
struct TwinRuns {
  /// What two processes made of one scenario.
  struct Verdict {
    var fingerprint: String
    /// Of one process's files.
    var byteCount: Int
    /// What differs first, in words; nil if all is the same.
    var difference: String?
  }

  /// The files, in the order in which a difference in them says most.
  private static let kinds = ["log", "pcap", "report"]

  private let seed: UInt64
  private let folder: URL

  init(seed: UInt64) throws {
    self.seed = seed
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("martlet-twins-\(UUID().uuidString)")
    do {
      for twin in ["one", "another"] {
        try FileManager.default.createDirectory(at: place(twin), withIntermediateDirectories: true)
      }
    } catch {
      throw CommandFailure(.cannotCreate, "cannot make a folder for the files to compare: \(error)")
    }
  }

  func remove() { try? FileManager.default.removeItem(at: folder) }

  private func place(_ twin: String) -> URL { folder.appendingPathComponent(twin) }

  /// Plays the scenario or the world's file called `name` in two processes at once.
  func compare(_ name: String) throws -> Verdict {
    let processes = try [start(name, "one"), start(name, "another")]
    let told = processes.map { process, pipe in
      let bytes = pipe.fileHandleForReading.readDataToEndOfFile()
      process.waitUntilExit()
      return Array(bytes)
    }
    for (process, _) in processes where process.terminationReason == .uncaughtSignal || process.terminationStatus != 0 {
      let isUnknown =
        process.terminationReason == .exit && process.terminationStatus == CommandFailure.Code.usage.rawValue
      throw CommandFailure(
        isUnknown ? .usage : .software,
        "\"\(name)\" did not run\(isUnknown ? "" : ": exit code \(process.terminationStatus)")",
        remedy: "Try: martlet lab run \(name)")
    }
    let files = try ["one", "another"].map { twin in
      try Self.kinds.map { kind in Array(try read(place(twin).appendingPathComponent(kind))) }
    }
    let fingerprint = String(decoding: told[0], as: UTF8.self).split(separator: "\n").first.map(String.init) ?? ""
    let difference = Self.difference(told, files)
    return Verdict(
      fingerprint: fingerprint, byteCount: files[0].reduce(0) { $0 + $1.count }, difference: difference)
  }

  private func read(_ file: URL) throws -> Data {
    do {
      return try Data(contentsOf: file)
    } catch {
      throw CommandFailure(.software, "a run left no \(file.lastPathComponent): \(error)")
    }
  }

  private func start(_ name: String, _ twin: String) throws -> (Process, Pipe) {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    let files = Self.kinds.flatMap { ["--\($0)", place(twin).appendingPathComponent($0).path] }
    // A world's file is named from where we are, and the second process is somewhere else.
    let path = name.contains(".") ? URL(fileURLWithPath: name).path : name
    process.arguments = ["lab", "run", path, "--seed", "\(seed)", "--fingerprint"] + files
    process.standardOutput = pipe
    if twin == "another" {
      process.currentDirectoryURL = place(twin)
      process.environment = ProcessInfo.processInfo.environment.merging(
        ["TZ": "Asia/Tokyo", "LANG": "tr_TR.UTF-8", "LC_ALL": "tr_TR.UTF-8"]) { $1 }
    }
    do {
      try process.run()
    } catch {
      throw CommandFailure(.software, "a second process could not be started: \(error)")
    }
    return (process, pipe)
  }

  /// What differs first between two processes' words and files; nil if nothing does.
  static func difference(_ told: [[UInt8]], _ files: [[[UInt8]]]) -> String? {
    if let difference = firstLine(files[0][0], files[1][0]) { return "the logs differ first in " + difference }
    for (index, kind) in kinds.enumerated().dropFirst() {
      if let offset = offset(files[0][index], files[1][index]) {
        return "the logs are the same, but the \(kind == "pcap" ? "captures" : "reports") differ at byte \(offset)"
      }
    }
    if let difference = firstLine(told[0], told[1]) {
      return "the files are the same, but not what was told: " + difference
    }
    return nil
  }

  private static func offset(_ one: [UInt8], _ another: [UInt8]) -> Int? {
    if one == another { return nil }
    return zip(one, another).enumerated().first { $1.0 != $1.1 }?.offset ?? min(one.count, another.count)
  }

  /// Where two texts differ first: the line's number and both lines.
  private static func firstLine(_ one: [UInt8], _ another: [UInt8]) -> String? {
    if one == another { return nil }
    let lines = [one, another].map { $0.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) }
    let number =
      zip(lines[0], lines[1]).enumerated().first { $1.0 != $1.1 }?.offset ?? min(lines[0].count, lines[1].count)
    let pair = lines.map { number < $0.count ? String(decoding: $0[number], as: UTF8.self) : "" }
    return "line \(number + 1):\n    one:     \(pair[0])\n    another: \(pair[1])"
  }
}
