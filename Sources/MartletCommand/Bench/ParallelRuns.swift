import Dispatch
import Synchronization

/// Does `jobs` on all cores; the results are in the jobs' order, and so is the first error.
func inParallel<Job: Sendable, Result: Sendable>(
  _ jobs: [Job], progress: RunProgress, _ body: @escaping @Sendable (Job) throws -> Result
) throws -> [Result] {
  let results = Mutex<[Swift.Result<Result, any Error>?]>(Array(repeating: nil, count: jobs.count))
  DispatchQueue.concurrentPerform(iterations: jobs.count) { index in
    let result = Swift.Result { try body(jobs[index]) }
    results.withLock { $0[index] = result }
    progress.step()
  }
  progress.finish()
  return try results.withLock { $0 }.compactMap { try $0?.get() }
}

/// How many of several runs are done: a bar on a terminal, a line for each quarter on standard error in a pipe.
final class RunProgress: Sendable {
  private struct State {
    var done = 0
    var line: ProgressLine
  }
  private let state: Mutex<State>

  init(total: Int, isShown: Bool = true) {
    state = Mutex(State(line: ProgressLine(total: total, isShown: isShown)))
  }

  func step() {
    state.withLock {
      $0.done += 1
      $0.line.show($0.done)
    }
  }

  func finish() { state.withLock { $0.line.finish() } }
}
