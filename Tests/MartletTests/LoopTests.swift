import Martlet
import MartletCore
import Synchronization
import Testing

@Suite("A loop")
struct LoopTests {
  static let times: [Loop.Time] = [.real, .virtual(seed: 1)]

  @Test("A body runs on the loop's thread, and so do its child tasks", arguments: times)
  func runsOnThread(time: Loop.Time) async throws {
    let loop = Loop(time)
    #expect(!loop.isCurrent)
    let seen = try await loop.run {
      async let child = { loop.isCurrent }()
      var here = [loop.isCurrent]
      here.append(await child)
      await Task.yield()
      here.append(loop.isCurrent)
      await withTaskGroup(of: Bool.self) { group in
        for _ in 0..<10 { group.addTask { loop.isCurrent } }
        for await value in group { here.append(value) }
      }
      return here
    }
    #expect(seen == Array(repeating: true, count: 13))
    loop.shutdown()
  }

  @Test("A day of virtual time passes at once")
  func virtualDay() async throws {
    let loop = Loop(.virtual(seed: 1))
    let before = ContinuousClock.now
    let ticks = try await loop.run {
      var ticks = 0
      while loop.now < Instant(nanoseconds: 86_400_000_000_000) {
        try await loop.clock.sleep(for: .seconds(60))
        ticks += 1
      }
      return ticks
    }
    #expect(ticks == 1_440)
    #expect(loop.now == Instant(nanoseconds: 86_400_000_000_000))
    #expect(ContinuousClock.now - before < .seconds(3_600))
    loop.shutdown()
  }

  @Test("Sleepers wake by time, then in the order in which they went to sleep")
  func order() async throws {
    let loop = Loop(.virtual(seed: 1))
    let order = try await loop.run {
      let order = Shared<[Int]>([])
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<6 {
          group.addTask {
            try await loop.clock.sleep(until: Instant(nanoseconds: number < 3 ? 2_000 : 1_000))
            order.value.withLock { $0.append(number) }
          }
        }
        try await group.waitForAll()
      }
      return order.value.withLock { $0 }
    }
    #expect(order == [3, 4, 5, 0, 1, 2])
    loop.shutdown()
  }

  @Test("A sleep on a real loop takes its time", arguments: [1, 5])
  func realSleep(milliseconds: Int) async throws {
    let loop = Loop()
    let slept = try await loop.run {
      let before = loop.now
      try await loop.clock.sleep(for: .milliseconds(milliseconds))
      return before.duration(to: loop.now)
    }
    #expect(slept >= .milliseconds(milliseconds))
    loop.shutdown()
  }

  @Test("A cancelled sleep ends at once", arguments: times)
  func cancelledSleep(time: Loop.Time) async throws {
    let loop = Loop(time)
    let woken = try await loop.run {
      let sleeper = loop.task { try await loop.clock.sleep(for: .seconds(1_000_000)) }
      await Task.yield()
      sleeper.cancel()
      do {
        try await sleeper.value
        return false
      } catch is CancellationError { return loop.now < Instant(nanoseconds: 1_000_000_000_000) }
    }
    #expect(woken)
    loop.shutdown()
  }

  @Test("A sleep from another thread keeps virtual time moving")
  func foreignSleep() async throws {
    let loop = Loop(.virtual(seed: 1))
    try await loop.clock.sleep(for: .seconds(3_600))
    #expect(loop.now == Instant(nanoseconds: 3_600_000_000_000))
    loop.shutdown()
  }

  @Test("Virtual time stands still while nobody runs")
  func standsStill() async throws {
    let loop = Loop(.virtual(seed: 1))
    let sleeper = loop.task { try await loop.clock.sleep(for: .seconds(1)) }
    try await loop.run {}
    #expect(loop.now == .zero)
    try await loop.run { try await loop.clock.sleep(for: .seconds(2)) }
    try await sleeper.value
    #expect(loop.now == Instant(nanoseconds: 2_000_000_000))
    loop.shutdown()
  }

  @Test("A time-out cuts off what takes longer, and says after how long", arguments: times)
  func timeout(time: Loop.Time) async throws {
    let loop = Loop(time)
    await #expect(throws: SocketError.timedOut(after: .milliseconds(3))) {
      try await loop.run {
        try await loop.withTimeout(.milliseconds(3)) { try await loop.clock.sleep(for: .seconds(100_000)) }
      }
    }
    let value = try await loop.run { try await loop.withTimeout(.seconds(1_000)) { 7 } }
    #expect(value == 7)
    loop.shutdown()
  }

  @Test("An actor lives on a loop")
  func actor() async throws {
    actor Counter {
      let loop: Loop
      var count = 0
      init(_ loop: Loop) { self.loop = loop }
      nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.executor.asUnownedSerialExecutor() }
      func add() -> Bool {
        count += 1
        return loop.isCurrent
      }
    }
    let loop = Loop()
    let counter = Counter(loop)
    let all = await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<1_000 { group.addTask { await counter.add() } }
      return await group.reduce(true) { $0 && $1 }
    }
    #expect(all)
    #expect(await counter.count == 1_000)
    loop.shutdown()
  }

  @Test("A main program can wait for a loop", arguments: times)
  func blocking(time: Loop.Time) throws {
    let loop = Loop(time)
    let value = try loop.runAndWait {
      try await loop.clock.sleep(for: .milliseconds(1))
      return loop.isCurrent
    }
    #expect(value)
    loop.shutdown()
  }

  @Test("Shutting down cancels those who wait, and later work is not lost", arguments: times)
  func shutdown(time: Loop.Time) async throws {
    let loop = Loop(time)
    let sleeper = loop.task { try await loop.clock.sleep(for: .seconds(1_000)) }
    try await loop.run {}
    loop.shutdown()
    await #expect(throws: CancellationError.self) { try await sleeper.value }
    let late = try await loop.run { 5 }
    #expect(late == 5)
    await #expect(throws: CancellationError.self) { try await loop.clock.sleep(for: .seconds(1)) }
  }

  @Test("Streams of random numbers depend on the seed and the name alone")
  func random() {
    var (a, again, b) = (0, 0, 0)
    func first(_ seed: UInt64, _ name: String) -> UInt64 {
      let loop = Loop(.virtual(seed: seed))
      defer { loop.shutdown() }
      var stream = loop.random(named: name)
      return stream.next()
    }
    a = Int(truncatingIfNeeded: first(1, "a"))
    again = Int(truncatingIfNeeded: first(1, "a"))
    b = Int(truncatingIfNeeded: first(1, "b"))
    #expect(a == again)
    #expect(a != b)
    #expect(a != Int(truncatingIfNeeded: first(2, "a")))
  }

  @Test("A loop that polls before it sleeps keeps time and hears other threads, awake or asleep")
  func busyPolling() async throws {
    let loop = Loop(.real, busyPolling: .milliseconds(2))
    for pause in [Duration.zero, .milliseconds(1), .milliseconds(10)] {
      let start = loop.now
      let isOnLoop = try await loop.run {
        try await loop.clock.sleep(until: start.advanced(by: pause))
        return loop.isCurrent
      }
      #expect(isOnLoop)
      #expect(start.advanced(by: pause) <= loop.now)
    }
    loop.shutdown()
  }
}

/// A value that several tasks change.
final class Shared<Value: Sendable>: Sendable {
  let value: Mutex<Value>
  init(_ value: Value) { self.value = Mutex(value) }
}
