public import MartletCore

/// A host's time, for the programs that run on it: the loop's, or a little faster or slower where a world says that the host's
/// clock drifts.
///
/// In virtual time this is what stands in for `Task.sleep(for:)`: `try await host.clock.sleep(for: .seconds(1))`, or
/// `try await Task.sleep(for: .seconds(1), clock: host.clock)`.
public struct HostClock: Clock {
  public typealias Instant = MartletCore.Instant

  let host: VirtualHost

  /// The time since the loop began, as the host's clock has it; it never goes back.
  public var now: Instant { reading.now }

  /// What the clock shows, and what the calendar is beside it.
  var reading: (now: Instant, offset: Int64) {
    let core = host.loop.core
    if !core.isVirtual { return (host.loop.now, 0) }
    if core.isCurrent { return unsafe (host.box.time(at: core.now), host.box.calendarOffset) }
    return host.withQuietBox { core, box in (box.time(at: core.now), box.calendarOffset) }
  }

  /// One nanosecond.
  public var minimumResolution: Duration { .nanoseconds(1) }

  /// Waits until the host's clock shows `deadline`, and throws `CancellationError` if the task is cancelled before.
  ///
  /// - Parameter tolerance: Not used: a loop is as punctual as it can be.
  public func sleep(until deadline: Instant, tolerance: Duration? = nil) async throws {
    let core = host.loop.core
    let outcome: WaitOutcome
    if core.isCurrent {
      outcome = await core.wait(until: deadline, byClockOf: unsafe host.box, purpose: "a time")
    } else {
      let host = host
      outcome = await host.loop.perform {
        await core.wait(until: deadline, byClockOf: unsafe host.box, purpose: "a time")
      }
    }
    guard case .ready = outcome else { throw CancellationError() }
  }
}

extension VirtualHost {
  /// The host's time, with sleeps that obey it.
  public var clock: HostClock { HostClock(host: self) }

  /// Runs `body` and cancels it when it takes longer than `limit` by the host's clock.
  ///
  /// - Throws: What `body` throws; ``SocketError/timedOut(after:)`` if it was cut off.
  public func withTimeout<T: Sendable>(
    _ limit: Duration, _ body: @escaping @Sendable () async throws -> T
  ) async throws -> T {
    try await Loop.withTimeout(limit, by: clock, body)
  }

  /// Runs `body` with the host on the loop's thread, when it changes nothing there.
  func withQuietBox<T: Sendable>(_ body: @escaping @Sendable (LoopCore, HostBox) -> T) -> T {
    let core = loop.core
    return core.sync { unsafe body(core, self.box) }
  }
}

// MARK: - A clock that is wrong

/// What is wrong with a host's clock.
public struct ClockFault: Sendable, Hashable {
  /// How far its calendar (``VirtualHost/timeOfDay``) is ahead; negative if it is behind. Timers do not care.
  public var skew: Duration
  /// By how many parts of a million the clock is fast; negative if it is slow. Timers of its stack, its programs and its
  /// calendar follow it. From -500,000 (half as fast) to 1,000,000 (twice as fast), exact to a thousandth.
  public var drift: Double

  public init(skew: Duration = .zero, drift: Double = 0) {
    self.skew = skew
    self.drift = drift
  }

  /// Parts of a billion.
  package var partsPerBillion: Int64 {
    let bounds = HostTime.drifts
    guard drift.isFinite else { return 0 }
    return Int64(min(max((drift * 1_000).rounded(), Double(bounds.lowerBound)), Double(bounds.upperBound)))
  }
}

extension VirtualHost {
  /// Makes the host's clock wrong, or right again, from now on. Only on the loop's thread.
  ///
  /// The calendar jumps to the skew; the clock itself never does, it goes on from where it is at another rate.
  package func setClockFault(_ fault: ClockFault) {
    let core = loop.core
    let box = unsafe box
    let now = box.time(at: core.now)
    let drift = fault.partsPerBillion
    // What was gained or lost so far stays in the clock; the skew is what the calendar is ahead beside it.
    box.hostTime = drift == 0 && now == core.now ? nil : HostTime(drift: drift, since: core.now, at: now)
    box.calendarOffset = fault.skew.inNanoseconds
    core.retime(box)
    core.touch(box)
  }
}

extension LoopCore {
  /// As ``wait(for:in:until:purpose:isolation:)``, until the clock of the host shows `deadline`.
  func wait(
    until deadline: Instant, byClockOf box: HostBox, purpose: StaticString,
    isolation: isolated (any Actor)? = #isolation
  ) async -> WaitOutcome {
    await wait(until: box.moment(of: deadline), clock: (box, deadline), purpose: purpose, isolation: isolation)
  }

  /// Sets the timers of those who wait by the clock of `box` anew.
  func retime(_ box: HostBox) {
    for waiter in waiters.waiters {
      guard let (other, deadline) = waiter.clock, other === box, let timer = waiter.timer else { continue }
      timers.remove(timer)
      waiter.timer = setTimer(at: box.moment(of: deadline)) { waiter.finish(.ready([])) }
    }
  }
}
