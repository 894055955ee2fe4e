public import Dispatch
public import Martlet
public import NIOCore
internal import MartletCore

/// SwiftNIO's view of a ``Loop``: handlers, futures and sockets on one thread, without a hop.
///
/// On a virtual loop it keeps virtual time: `now`, scheduled tasks and time-outs follow the network's clock, and time
/// moves on only while a ``Loop/run(_:)`` is under way (or a `connect` of a bootstrap). So wait for futures inside one:
/// `try await loop.run { try await future.get() }`. Code that reads `NIODeadline.now()` instead of the event loop's `now`
/// sees the system's time.
public final class MartletEventLoop: EventLoop {
  /// The loop underneath.
  public let loop: Loop
  let channels = OpenChannels()

  init(loop: Loop) {
    self.loop = loop
  }

  /// Whether the calling thread is the loop's.
  public var inEventLoop: Bool { loop.isCurrent }

  /// The loop's time: the system's uptime, or on a virtual loop the time since it began.
  public var now: NIODeadline {
    loop.isVirtual ? .uptimeNanoseconds(UInt64(max(0, loop.now.nanoseconds))) : .now()
  }

  /// Runs `task` on the loop's thread, never before this call returns.
  public func execute(_ task: @escaping @Sendable () -> Void) { loop.enqueue(task) }

  public func submit<T>(_ task: @escaping @Sendable () throws -> T) -> EventLoopFuture<T> {
    let promise = makePromise(of: T.self)
    execute {
      do { promise.assumeIsolatedUnsafeUnchecked().succeed(try task()) } catch { promise.fail(error) }
    }
    return promise.futureResult
  }

  @discardableResult
  public func scheduleTask<T>(
    deadline: NIODeadline, _ task: @escaping @Sendable () throws -> T
  ) -> Scheduled<T> {
    let promise = makePromise(of: T.self)
    let timer = ScheduledTimer {
      do { promise.assumeIsolatedUnsafeUnchecked().succeed(try task()) } catch { promise.fail(error) }
    } onEnd: {
      promise.fail(EventLoopError.shutdown)
    }
    if inEventLoop { start(timer, at: deadline) } else { execute { self.start(timer, at: deadline) } }
    return Scheduled(promise: promise) { [self] in
      if inEventLoop { timer.cancel(on: loop) } else { execute { timer.cancel(on: self.loop) } }
    }
  }

  @discardableResult
  public func scheduleTask<T>(in delay: TimeAmount, _ task: @escaping @Sendable () throws -> T) -> Scheduled<T> {
    scheduleTask(deadline: now + delay, task)
  }

  // SwiftNIO's own forms count from the system's time.
  @discardableResult
  public func scheduleCallback(
    in amount: TimeAmount, handler: some (NIOScheduledCallbackHandler & Sendable)
  ) throws -> NIOScheduledCallback {
    scheduleCallback(at: now + amount, handler: handler)
  }

  private func start(_ timer: ScheduledTimer, at deadline: NIODeadline) {
    guard !loop.isStopping else { return timer.end() }
    timer.start(on: loop, at: instant(deadline))
  }

  func instant(_ deadline: NIODeadline) -> Instant {
    let nanoseconds = Int64(clamping: deadline.uptimeNanoseconds)
    return Instant(nanoseconds: loop.isVirtual ? nanoseconds : nanoseconds &- loop.start)
  }

  /// The loop's executor: an actor on it shares the thread with the handlers.
  public var executor: any SerialExecutor { loop.executor }

  public func enqueue(_ job: consuming ExecutorJob) { loop.executor.enqueue(job) }

  public func preconditionInEventLoop(file: StaticString, line: UInt) {
    precondition(inEventLoop, "not on the event loop", file: file, line: line)
  }

  public func preconditionNotInEventLoop(file: StaticString, line: UInt) {
    precondition(!inEventLoop, "on the event loop", file: file, line: line)
  }
}

extension MartletEventLoop {
  public func next() -> any EventLoop { self }
  public func any() -> any EventLoop { self }
  public func makeIterator() -> EventLoopIterator { EventLoopIterator([self]) }

  /// Shuts the loop down, with all its hosts and sockets; open channels are closed first.
  public func shutdownGracefully(queue: DispatchQueue, _ callback: @escaping @Sendable ((any Error)?) -> Void) {
    let loop = loop
    queue.async {
      loop.shutdown()
      callback(nil)
    }
  }
}

extension Loop {
  /// The SwiftNIO event loop over this loop: always the same one, as long as somebody has it.
  public var eventLoop: MartletEventLoop { companion { MartletEventLoop(loop: self) } }
}
