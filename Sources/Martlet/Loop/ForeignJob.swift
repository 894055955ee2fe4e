internal import Synchronization

/// Work that another thread brought to a loop in virtual time while that time ran.
///
/// How far the loop's time is when such a job arrives depends on this machine's threads, and with it everything that
/// follows: the same seed no longer gives the same bytes.
public struct ForeignJob: Error, Hashable, Sendable, CustomStringConvertible {
  /// What came.
  public enum Kind: Hashable, Sendable {
    /// A task that began, or went on after it waited for something elsewhere.
    case task
    /// A call of an actor that lives on the loop.
    case actor
    /// A call of the SwiftNIO event loop.
    case eventLoop
  }

  /// What came.
  public var kind: Kind

  public init(_ kind: Kind) { self.kind = kind }

  /// What happened and what to do instead, for people.
  public var description: String {
    let what: String
    switch kind {
    case .task: what = "A task came to a world from another thread while the world's time ran"
    case .actor: what = "An actor of a world was called from another thread while the world's time ran"
    case .eventLoop: what = "The event loop of a world was called from another thread while the world's time ran"
    }
    return """
      \(what). When it arrives depends on this machine, so that the same seed would not give the same run. \
      Instead of Task.sleep(for:) sleep with `try await host.clock.sleep(for:)` or \
      `try await Task.sleep(for:, clock: host.clock)`; \
      instead of Task { } or Task.detached { } start `loop.task { }` or a task group; \
      give actors that programs wait for the loop's executor; \
      call in from outside with `world.run { }`, `runAndWait` or `loop.sync`.
      """
  }
}

extension Loop {
  /// Has `handler` told, on the thread that brings it, of every job that comes from another thread while virtual time
  /// runs; the job is done nevertheless. What comes by ``run(_:)``, ``runAndWait(_:)`` and ``sync(_:)``, cancellation,
  /// closing a socket and ``shutdown()`` is not of them.
  package func reportForeignJobs(_ handler: (@Sendable (ForeignJob) -> Void)?) {
    core.foreignJobs.withLock { $0.handler = handler }
  }
}

extension Loop {
  /// Runs `body` on the loop's thread, now or later; no foreign job.
  package func executeSoon(_ body: @escaping @Sendable () -> Void) { core.enqueue(.call(body), isExpected: true) }
}

/// What a loop knows of jobs from other threads.
struct ForeignJobs: Sendable {
  var handler: (@Sendable (ForeignJob) -> Void)?
  /// The threads that are bringing a run, for which the loop asked.
  var entering: [UInt] = []
}

extension LoopCore {
  /// Runs `body`, which starts a task on the loop, as a way in.
  func entering<T>(_ body: () -> T) -> T {
    guard isVirtual, !isCurrent else { return body() }
    let thread = Platform.currentThread
    foreignJobs.withLock { $0.entering.append(thread) }
    defer {
      foreignJobs.withLock { jobs in
        if let place = jobs.entering.lastIndex(of: thread) { jobs.entering.remove(at: place) }
      }
    }
    return body()
  }

  /// Tells of `job`, which another thread brings while virtual time runs.
  func tell(of job: LoopJob) {
    let thread = Platform.currentThread
    let handler = foreignJobs.withLock { jobs in jobs.entering.contains(thread) ? nil : jobs.handler }
    guard let handler else { return }
    switch job {
    case .serial: handler(ForeignJob(.actor))
    case .task: handler(ForeignJob(.task))
    case .call: handler(ForeignJob(.eventLoop))
    }
  }
}
