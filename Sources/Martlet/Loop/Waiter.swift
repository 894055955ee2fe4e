internal import MartletCore

/// How a wait ended.
enum WaitOutcome: Sendable {
  case ready(SocketEvent.Changes)
  case cancelled
  /// Virtual time has nothing left that could end the wait.
  case stalled
}

/// One task that waits for something on a loop. Touched by the loop's thread alone.
@safe
final class Waiter: @unchecked Sendable {
  private var continuation: UnsafeContinuation<WaitOutcome, Never>?
  private var early: WaitOutcome?
  let interest: SocketEvent.Changes
  /// What the task waits for, for people.
  let purpose: StaticString
  /// Where the waiter stands among all of its loop.
  fileprivate(set) var place = -1
  var timer: LoopTimer?
  /// The host by whose clock the task waits, and until when.
  var clock: (HostBox, Instant)?
  var list: WaiterList?

  init(for interest: SocketEvent.Changes, purpose: StaticString) {
    unsafe continuation = nil
    self.interest = interest
    self.purpose = purpose
  }

  func arm(_ continuation: UnsafeContinuation<WaitOutcome, Never>) {
    if let early { unsafe continuation.resume(returning: early) } else { unsafe self.continuation = continuation }
  }

  /// Ends the wait; the task goes on in a job of its own.
  func finish(_ outcome: WaitOutcome) {
    guard early == nil else { return }
    early = outcome
    let waiting = unsafe continuation
    unsafe continuation = nil
    unsafe waiting?.resume(returning: outcome)
  }

  var isFinished: Bool { early != nil }
}

/// Everything that waits on a loop, in no order that anything depends on but repeated alike.
struct WaiterRegistry {
  private(set) var waiters: [Waiter] = []

  mutating func insert(_ waiter: Waiter) {
    waiter.place = waiters.count
    waiters.append(waiter)
  }

  mutating func remove(_ waiter: Waiter) {
    let place = waiter.place
    guard place >= 0 else { return }
    waiter.place = -1
    let last = waiters.removeLast()
    guard place < waiters.count else { return }
    waiters[place] = last
    last.place = place
  }
}

/// Those who wait for one socket or descriptor, first come, first served.
final class WaiterList {
  private var waiters: [Waiter] = []

  var isEmpty: Bool { waiters.isEmpty }
  var interest: SocketEvent.Changes { waiters.reduce(into: []) { $0.formUnion($1.interest) } }

  func append(_ waiter: Waiter) {
    waiters.append(waiter)
    waiter.list = self
  }

  func remove(_ waiter: Waiter) {
    if let index = waiters.firstIndex(where: { $0 === waiter }) { waiters.remove(at: index) }
    waiter.list = nil
  }

  /// Wakes everyone who waits for one of `changes`.
  func wake(_ changes: SocketEvent.Changes) {
    guard !waiters.isEmpty else { return }
    var index = 0
    while index < waiters.count {
      let waiter = waiters[index]
      if waiter.interest.isDisjoint(with: changes) {
        index += 1
      } else {
        waiters.remove(at: index)
        waiter.list = nil
        waiter.finish(.ready(changes))
      }
    }
  }

  func endAll(_ outcome: WaitOutcome) {
    let all = waiters
    waiters.removeAll()
    for waiter in all {
      waiter.list = nil
      waiter.finish(outcome)
    }
  }
}
