import ArgumentParser
#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif
import HostFuzzing

/// Gives a host bad frames for as long as it is told, batch by batch.
@main
struct Fuzz: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Gives a Martlet host bad frames and asks after each batch whether it is well.",
    discussion: """
      Each batch follows from its seed: the first has the one that is printed, the next ones count up. A batch that fails \
      prints the command that has it again. A crash takes the process with it; the seed of the batch is printed before \
      the batch when --verbose is given.
      """)

  @Option(help: "How long, in seconds.")
  var seconds: Double = 60

  @Option(help: "The seed of the first batch; by default another one each time.")
  var seed: UInt64 = .random(in: 0...UInt64.max / 2)

  @Option(help: "Run the one batch with this seed, and no other.")
  var replay: UInt64?

  @Option(help: "Frames in a batch.")
  var count = 2_000

  @Flag(help: "Give the frames to a router, most of them for others.")
  var forwards = false

  @Flag(help: "Name each batch before it begins.")
  var verbose = false

  func run() throws {
    // A crash must not take the seed with it.
    func say(_ line: String) {
      print(line)
      fflush(nil)
    }
    if let replay { return try report(FuzzBatch.run(seed: replay, count: count, forwards: forwards), seed: replay) }
    say("seed \(seed), \(count) frames a batch")
    let clock = ContinuousClock()
    let start = clock.now
    let end = start.advanced(by: .seconds(seconds))
    var cases = 0
    try report(FuzzBatch.prefixes(), seed: nil)
    var batch = seed
    while clock.now < end {
      if verbose { say("batch \(batch)") }
      let result = FuzzBatch.run(seed: batch, count: count, forwards: forwards)
      try report(result, seed: batch)
      cases += result.cases
      batch &+= 1
    }
    let elapsed = (clock.now - start) / .seconds(1)
    print(
      "\(cases) cases in \(Int(elapsed)) s, \(Int(Double(cases) / elapsed)) cases/s, seeds \(seed)..<\(batch): all well"
    )
  }

  private func report(_ result: FuzzBatch.Result, seed: UInt64?) throws {
    guard let complaint = result.complaint else { return }
    print("FAILED after \(result.cases) cases: \(complaint)")
    if let seed {
      let role = forwards ? "--forwards " : ""
      print("again: swift run --package-path Fuzz -c release fuzz \(role)--replay \(seed) --count \(count)")
    } else {
      print("among the prefixes of valid frames, which are the same every time")
    }
    throw ExitCode.failure
  }
}
