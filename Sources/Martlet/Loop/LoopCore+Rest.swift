internal import Logging
internal import Synchronization

/// What a loop in virtual time does when nothing is due: it sleeps, or it says that somebody waits in vain.
extension LoopCore {
  func waitForWork() {
    guard local.isEmpty, maySleep() else { return }
    giveBackMemory()
    let inVain = activeCount > 0 && watchers.isEmpty && pace?.isOpen != true && !(waiters.waiters.isEmpty && toldOfRest)
    guard inVain else {
      poll(-1)
      return
    }
    guard isForsaken() else { return }
    if waiters.waiters.isEmpty {
      // A future of a floor above cannot be ended from here, and work on another thread may still end it.
      toldOfRest = true
      logger.notice("nothing is left to happen in virtual time, and a run still waits for something else")
    }
    for waiter in waiters.waiters {
      logger.error("nothing is left to happen while a task waits for \(waiter.purpose)")
    }
    for waiter in waiters.waiters { end(waiter, .stalled) }
  }

  /// Whether no job comes from another thread either.
  ///
  /// Time alone does not tell: the threads of Swift's pool may be busy with others' work for seconds. So the pool is asked
  /// after each pause to run something of ours, which comes behind the jobs that it had already.
  private func isForsaken() -> Bool {
    let deadline = Platform.monotonicNanoseconds + Self.longestWait
    for _ in 0..<Self.pauses {
      poll(Self.pause)
      guard hasNoJobs else { return false }
      let round = PoolRound(bell: poller)
      round.start()
      while !round.isDone, Platform.monotonicNanoseconds < deadline {
        poll(Self.pause)
        guard hasNoJobs else { return false }
      }
    }
    return true
  }

  private var hasNoJobs: Bool { inbox.withLock { $0.jobs.isEmpty } }

  private static var pauses: Int { 4 }
  /// In nanoseconds.
  private static var pause: Int64 { 50_000_000 }
  /// In nanoseconds: the pool's threads may all be held by callers that wait for this loop.
  private static var longestWait: Int64 { 30_000_000_000 }
}

/// A task for each priority of Swift's pool; done when all have run.
private final class PoolRound: Sendable {
  private static let priorities: [TaskPriority] = [.high, .medium, .low, .background]
  private let returned = Atomic<Int>(0)
  private let bell: Poller

  init(bell: Poller) { self.bell = bell }

  var isDone: Bool { returned.load(ordering: .acquiring) == Self.priorities.count }

  func start() {
    for priority in Self.priorities {
      Task.detached(priority: priority) {
        self.returned.add(1, ordering: .releasing)
        self.bell.ring()
      }
    }
  }
}
