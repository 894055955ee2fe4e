import HostSimulation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What is printed in the end, for people or as JSON.
enum Output {
  static func failure(_ failure: SimulationFailure, seed: UInt64, json: Bool) {
    if json {
      print(
        #"{"seed":\#(seed),"rule":\#(quoted(failure.rule.rawValue)),"detail":\#(quoted(failure.detail)),"#
          + #""time_us":\#(failure.time)}"#)
    } else {
      print("FAILED seed \(seed): \(failure)")
      print("  again: swift run --package-path Fuzz -c release simulate --seed \(seed) --trace")
      print("  small: swift run --package-path Fuzz -c release simulate --seed \(seed) --shrink")
    }
  }

  static func summary(_ report: SimulationReport, seeds: Int, failures: Int, seconds: Double?, json: Bool) {
    let faults = FaultCounts.Kind.allCases.map { (name: $0.name, count: report.faults[$0]) }
    if json {
      let list = faults.map { "\(quoted($0.name)):\($0.count)" }.joined(separator: ",")
      print(
        #"{"seeds":\#(seeds),"failures":\#(failures),"connections":\#(report.finished + report.broken),"#
          + #""broken":\#(report.broken),"bytes":\#(report.bytes),"packets":\#(report.packets),"#
          + #""steps":\#(report.steps),"virtual_seconds":\#(report.time / 1_000_000),"most_blocks":\#(report.mostBlocks),"#
          + (seconds.map { #""seconds":\#($0),"# } ?? "") + #""faults":{\#(list)}}"#)
      return
    }
    let took = seconds.map { " in \(Int($0.rounded())) s" } ?? ""
    print("\(seeds) \(seeds == 1 ? "seed" : "seeds")\(took): \(failures == 0 ? "all well" : "\(failures) failed")")
    print(
      "  \(report.finished) connections finished, \(report.broken) broken off; \(report.bytes >> 10) KB read, "
        + "\(report.packets) packets, \(report.time / 1_000_000) s of virtual time, "
        + "at most \(report.mostBlocks) packets held by a host")
    print("  packets " + faults.map { "\($0.name) \($0.count)" }.joined(separator: ", "))
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      if scalar == "\"" || scalar == "\\" { result += "\\" }
      if scalar.value < 0x20 { result += " " } else { result.unicodeScalars.append(scalar) }
    }
    return result + "\""
  }
}

/// How far something is: a bar on a terminal, a line for each tenth in a pipe.
struct ProgressLine {
  private let total: Int
  private let isShown: Bool
  private let isTerminal = isatty(1) == 1
  private var lastStep = -1

  init(total: Int, isShown: Bool) {
    self.total = max(1, total)
    self.isShown = isShown
  }

  mutating func show(_ count: Int, _ note: String) {
    guard isShown else { return }
    let step = count * (isTerminal ? 200 : 10) / total
    guard step != lastStep, isTerminal || step > 0 else { return }
    lastStep = step
    if isTerminal {
      let filled = min(40, count * 40 / total)
      let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 40 - filled)
      print("\r\(bar) \(count) of \(total)  \(note)\u{1b}[K", terminator: "")
    } else {
      print("\(count) of \(total)  \(note)")
    }
    fflush(nil)
  }

  /// Takes the bar away.
  func finish() {
    if isShown && isTerminal && lastStep >= 0 { print("\r\u{1b}[K", terminator: "") }
  }
}

/// Files, whole.
enum Files {
  static func read(_ path: String) -> String? {
    guard let file = unsafe fopen(path, "r") else { return nil }
    defer { unsafe fclose(file) }
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = unsafe part.withUnsafeMutableBytes { unsafe fread($0.baseAddress, 1, $0.count, file) }
      if count == 0 { return String(decoding: bytes, as: UTF8.self) }
      bytes += part[..<count]
    }
  }
}

/// A crash takes the process with it; the seeds that were under way are named before.
enum Crash {
  nonisolated(unsafe) private static var seeds = unsafe UnsafeMutableBufferPointer<UInt64>(start: nil, count: 0)

  static func watch(jobs: Int) {
    unsafe seeds = .allocate(capacity: jobs)
    unsafe seeds.initialize(repeating: 0)
    for number in [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGABRT] {
      _ = signal(number) { number in
        Crash.tell()
        _ = signal(number, SIG_DFL)
        raise(number)
      }
    }
  }

  static func note(_ seed: UInt64, job: Int) { unsafe seeds[job] = seed }

  private static func tell() {
    for job in unsafe seeds.indices { print("CRASHED with seed \(unsafe seeds[job]) under way") }
    fflush(nil)
  }
}
