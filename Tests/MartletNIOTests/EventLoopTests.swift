import Martlet
import MartletNIO
import NIOCore
import Synchronization
import Testing

/// The event loop over a loop.
@Suite struct EventLoopTests {
  @Test("A loop has one event loop, and a handler runs on the loop's thread")
  func oneEventLoop() async throws {
    let loop = Loop()
    let eventLoop = loop.eventLoop
    #expect(eventLoop === loop.eventLoop)
    #expect(!eventLoop.inEventLoop)
    #expect(try await eventLoop.submit { eventLoop.inEventLoop && loop.isCurrent }.get())
    loop.shutdown()
  }

  @Test("A task for tomorrow runs at once in virtual time, at its time")
  func virtualTime() async throws {
    let loop = Loop(.virtual(seed: 1))
    let eventLoop = loop.eventLoop
    let time = try await loop.run {
      try await eventLoop.scheduleTask(in: .hours(24)) { eventLoop.now }.futureResult.get()
    }
    #expect(time == .uptimeNanoseconds(86_400_000_000_000))
    loop.shutdown()
  }

  @Test("Real time is the system's uptime")
  func realTime() async throws {
    let loop = Loop()
    let eventLoop = loop.eventLoop
    let start = NIODeadline.now()
    let time = try await eventLoop.scheduleTask(in: .milliseconds(20)) { eventLoop.now }.futureResult.get()
    #expect(time >= start + .milliseconds(20))
    #expect(time <= NIODeadline.now())
    loop.shutdown()
  }

  @Test(
    "What is executed runs later, in order; tasks run by time, and at one time in the order they were made",
    arguments: Pair.times)
  func order(_ time: Loop.Time) async throws {
    let loop = Loop(time)
    let log = Log()
    try await loop.run {
      let eventLoop = loop.eventLoop
      eventLoop.execute { log.note("second") }
      eventLoop.execute { log.note("third") }
      log.note("first")
      let deadline = eventLoop.now + .milliseconds(20)
      let last = eventLoop.scheduleTask(deadline: deadline + .milliseconds(1)) { log.note("last") }
      for index in 0..<3 { eventLoop.scheduleTask(deadline: deadline) { log.note("\(index)") } }
      try await last.futureResult.get()
    }
    #expect(log.all == ["first", "second", "third", "0", "1", "2", "last"])
    loop.shutdown()
  }

  @Test("A task that is cancelled does not run, and its future says so", arguments: Pair.times)
  func cancelled(_ time: Loop.Time) async throws {
    let loop = Loop(time)
    let log = Log()
    let cancelled = loop.eventLoop.scheduleTask(in: .milliseconds(30)) { log.note("ran") }
    cancelled.cancel()
    await #expect(throws: EventLoopError.cancelled) { try await cancelled.futureResult.get() }
    try await loop.run { try await loop.clock.sleep(for: .milliseconds(60)) }
    #expect(log.all.isEmpty)
    loop.shutdown()
  }

  @Test("A repeated task comes back at its interval in virtual time")
  func repeated() async throws {
    let loop = Loop(.virtual(seed: 1))
    let log = Log()
    try await loop.run {
      let eventLoop = loop.eventLoop
      let task = eventLoop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(10)) { _ in
        log.note("\(eventLoop.now.uptimeNanoseconds / 1_000_000_000)")
      }
      try await loop.clock.sleep(for: .seconds(25))
      task.cancel()
      try await loop.clock.sleep(for: .seconds(25))
    }
    #expect(log.all == ["1", "11", "21"])
    loop.shutdown()
  }

  @Test("A scheduled callback is called at its time, and not when it is cancelled")
  func callbacks() async throws {
    final class Callback: NIOScheduledCallbackHandler, Sendable {
      let log = Log()
      func handleScheduledCallback(eventLoop: some EventLoop) { log.note("called") }
      func didCancelScheduledCallback(eventLoop: some EventLoop) { log.note("cancelled") }
    }
    let loop = Loop(.virtual(seed: 1))
    let (first, second) = (Callback(), Callback())
    try await loop.run {
      _ = try loop.eventLoop.scheduleCallback(in: .seconds(1), handler: first)
      try loop.eventLoop.scheduleCallback(in: .seconds(1), handler: second).cancel()
      try await loop.clock.sleep(for: .seconds(2))
    }
    #expect(first.log.all == ["called"])
    #expect(second.log.all == ["cancelled"])
    loop.shutdown()
  }

  @Test("Shutting a loop down fails the tasks that wait and closes the channels")
  func shutdown() async throws {
    let pair = try Pair()
    let log = Log()
    let listener = try await pair.listen(noting: Log())
    let channel = try await pair.connect(noting: log)
    let task = pair.loop.eventLoop.scheduleTask(in: .hours(1)) {}
    try await pair.loop.eventLoop.shutdownGracefully()
    await #expect(throws: EventLoopError.shutdown) { try await task.futureResult.get() }
    #expect(!channel.isActive && !listener.isActive)
    #expect(log.all == ["registered", "active", "inactive", "unregistered"])
    // A loop that is gone has no time left.
    let late = pair.loop.eventLoop.scheduleTask(in: .seconds(1)) {}
    await #expect(throws: EventLoopError.shutdown) { try await late.futureResult.get() }
  }

  @Test("A future of a loop can be waited for on another thread")
  func waiting() async throws {
    let loop = Loop()
    let eventLoop = loop.eventLoop
    let sum = eventLoop.makeSucceededFuture(1).map { $0 + 1 }
    let value = try await withCheckedThrowingContinuation { continuation in
      DetachedThread.run { continuation.resume(with: Result { try sum.wait() }) }
    }
    #expect(value == 2)
    loop.shutdown()
  }

  @Test("An actor on the event loop's executor shares its thread")
  func executor() async throws {
    actor Resident {
      let eventLoop: MartletEventLoop
      nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe eventLoop.executor.asUnownedSerialExecutor()
      }
      init(_ eventLoop: MartletEventLoop) { self.eventLoop = eventLoop }
      func isAtHome() -> Bool { eventLoop.inEventLoop }
    }
    let loop = Loop()
    #expect(await Resident(loop.eventLoop).isAtHome())
    loop.shutdown()
  }

  @Test("A group gives its loops in turn, and on one of them that one")
  func groups() async throws {
    let loops = [Loop(), Loop()]
    let group = MartletEventLoopGroup(loops)
    let (first, second) = (group.next(), group.next())
    #expect(first !== second)
    #expect(group.next() === first)
    #expect(Array(group.makeIterator()).count == 2)
    #expect(try await first.submit { group.any() === first }.get())
    #expect(try await second.submit { group.any() === second }.get())
    try await group.shutdownGracefully()
  }

  @Test("A run that waits for a future is not taken for one that waits in vain")
  func noFalseStall() async throws {
    let pair = try Pair()
    try await pair.loop.run {
      // Somebody waits for a connection all the time.
      let listener = try pair.server.listen(on: 81)
      let acceptor = pair.loop.task { try await listener.accept() }
      let promise = pair.loop.eventLoop.makePromise(of: Int.self)
      pair.loop.eventLoop.scheduleTask(in: .hours(5)) { promise.succeed(3) }
      #expect(try await promise.futureResult.get() == 3)
      listener.close()
      await #expect(throws: SocketError.self) { _ = try await acceptor.value }
    }
    pair.loop.shutdown()
  }
}
