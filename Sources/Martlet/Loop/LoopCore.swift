internal import Logging
internal import MartletCore
internal import MartletLinks
internal import Synchronization

/// A piece of work for a loop's thread.
enum LoopJob: Sendable {
  case serial(UnownedJob, LoopExecutor)
  case task(UnownedJob, LoopTaskExecutor)
  case call(@Sendable () -> Void)
}

/// What a loop's thread owns. Everything but the inbox and the atomics is touched by that thread alone.
final class LoopCore: @unchecked Sendable {
  struct Inbox: Sendable {
    var jobs: [LoopJob] = []
    /// Whether the thread sleeps, or is about to, and has to be woken.
    var needsBell = false
    /// The thread is gone; who brings a job runs it.
    var isFinished = false
    var isDraining = false
  }

  let inbox = Mutex(Inbox())
  let thread = Atomic<UInt>(0)
  let publishedNow = Atomic<Int64>(0)
  let isVirtual: Bool
  /// How long the thread asks for work before it sleeps, in nanoseconds.
  let busyPolling: Int64
  let seed: UInt64
  let start: Int64
  let poller: Poller
  let logger: Logger
  let stopped = Gate()

  // What each turn reads and writes is not checked for overlapping accesses, which took a fifth of a simulated day: no access
  // here lasts longer than a call that leads back to the loop.
  @safe @exclusivity(unchecked) var now = Instant.zero
  @safe @exclusivity(unchecked) var local: [LoopJob] = []
  @safe @exclusivity(unchecked) var running: [LoopJob] = []
  @safe @exclusivity(unchecked) var entities: [Entity] = []
  @safe @exclusivity(unchecked) var deadlines = DeadlineHeap()
  @safe @exclusivity(unchecked) var due: [UInt32] = []
  @safe @exclusivity(unchecked) var dirty: [HostBox] = []
  @safe @exclusivity(unchecked) var timers = TimerHeap()
  var timerSequence: UInt64 = 0
  @safe @exclusivity(unchecked) var waiters = WaiterRegistry()
  @safe @exclusivity(unchecked) var watchers: [UInt64: DescriptorWatcher] = [:]
  var watcherTag: UInt64 = 0
  let pool: PacketPool
  let files = FileCache()
  var hostNames: [String: Int] = [:]
  /// Runs and calls from elsewhere that are under way: while there are none, virtual time stands still and not even what
  /// is due now happens, so that a network is set up alike however slow the thread that does it.
  @safe @exclusivity(unchecked) var activeCount = 0 {
    didSet { followActivity() }
  }
  @safe @exclusivity(unchecked) var isStopping = false {
    didSet { followActivity() }
  }
  /// Whether virtual time may pass, for other threads.
  let isTimeRunning = Atomic<Bool>(false)
  /// What is said of jobs that other threads bring meanwhile.
  let foreignJobs = Mutex(ForeignJobs())
  /// How virtual time keeps to the system's; nil if it jumps.
  @safe @exclusivity(unchecked) var pace: LoopPace?
  /// Whether it was said that a run waits while nothing is left to happen.
  @safe @exclusivity(unchecked) var toldOfRest = false
  /// Past this, virtual time goes only after it was said.
  @safe @exclusivity(unchecked) var horizon = Instant(nanoseconds: .max)
  var horizonReached: (() -> Void)?
  /// What else ends with the loop, in the order in which it came.
  var endings: [() -> Void] = []
  /// What a floor above keeps for the loop (its event loop), as long as anyone has it.
  let companion = Mutex(Companion())

  struct Companion: Sendable {
    weak var object: (any AnyObject & Sendable)?
  }

  /// How often jobs that made jobs may do so before packets are sent.
  static let jobRounds = 8

  /// What has deadlines.
  enum Entity {
    case host(HostBox)
    case link(Attachment)
    case device(any LoopDevice)
  }

  init(
    isVirtual: Bool, seed: UInt64, pool: PacketPool.Configuration, busyPolling: Duration = .zero, logger: Logger
  ) {
    self.isVirtual = isVirtual
    let (seconds, attoseconds) = busyPolling.components
    self.busyPolling = max(0, min(seconds, 1)) * 1_000_000_000 + attoseconds / 1_000_000_000
    self.seed = seed
    self.logger = logger
    self.pool = PacketPool(pool)
    start = Platform.monotonicNanoseconds
    poller = Poller()
  }

  @inline(__always)
  var isCurrent: Bool { thread.load(ordering: .relaxed) == Platform.currentThread }

  // MARK: Jobs

  /// Takes in `job`; unless it `isExpected`, one from another thread while virtual time runs is told of.
  func enqueue(_ job: LoopJob, isExpected: Bool = false) {
    if isCurrent {
      local.append(job)
      return
    }
    if !isExpected, isTimeRunning.load(ordering: .acquiring) { tell(of: job) }
    let (ring, drain) = inbox.withLock { inbox -> (Bool, Bool) in
      inbox.jobs.append(job)
      if inbox.isFinished {
        defer { inbox.isDraining = true }
        return (false, !inbox.isDraining)
      }
      defer { inbox.needsBell = false }
      return (inbox.needsBell, false)
    }
    if ring { poller.ring() }
    if drain { drainAfterEnd() }
  }

  /// Runs `body` on the loop's thread: now if that is the caller's, else soon.
  func execute(_ body: @escaping @Sendable () -> Void) {
    if isCurrent { body() } else { enqueue(.call(body), isExpected: true) }
  }

  /// Runs `body` on the loop's thread and waits for it.
  func sync<T: Sendable, E: Error>(_ body: @escaping @Sendable () throws(E) -> T) throws(E) -> T {
    if isCurrent { return try body() }
    let gate = Gate()
    let result = ResultBox<T, E>()
    enqueue(
      .call {
        do throws(E) { result.store(.success(try body())) } catch { result.store(.failure(error)) }
        gate.open()
      }, isExpected: true)
    gate.wait()
    return try result.take()
  }

  private func takeInbox() {
    inbox.withLock { inbox in
      if !inbox.jobs.isEmpty {
        if local.isEmpty { swap(&local, &inbox.jobs) } else { local.append(contentsOf: inbox.jobs) }
        inbox.jobs.removeAll(keepingCapacity: true)
      }
      inbox.needsBell = false
    }
  }

  /// Runs the jobs that are there now, not those they make.
  private func runJobs() {
    guard !local.isEmpty else { return }
    swap(&local, &running)
    for index in running.indices {
      if !isVirtual { readClock() }
      switch running[index] {
      case .serial(let job, let executor): unsafe job.runSynchronously(on: executor.asUnownedSerialExecutor())
      case .task(let job, let executor): unsafe job.runSynchronously(on: executor.asUnownedTaskExecutor())
      case .call(let body): body()
      }
    }
    running.removeAll(keepingCapacity: true)
  }

  @inline(__always)
  func readClock() { now = Instant(nanoseconds: Platform.monotonicNanoseconds &- start) }

  /// Lets other threads know whether virtual time may pass.
  private func followActivity() {
    if isVirtual { isTimeRunning.store(activeCount > 0 && !isStopping, ordering: .releasing) }
  }

  func setVirtualNow(_ instant: Instant) {
    now = instant
    publishedNow.store(instant.nanoseconds, ordering: .relaxed)
  }

  // MARK: The thread

  func runThread() {
    thread.store(Platform.currentThread, ordering: .relaxed)
    while true {
      takeInbox()
      let hadJobs = !local.isEmpty
      if hadJobs, pace != nil { catchUp() }
      runJobs()
      // What a job leads to goes out with what it sent itself, within reason.
      var rounds = 1
      while !isVirtual, !local.isEmpty, rounds < Self.jobRounds {
        runJobs()
        rounds += 1
      }
      settle()
      if isStopping, local.isEmpty, finish() { break }
      if isVirtual { stepVirtual(hadJobs: hadJobs) } else { stepReal() }
    }
    stopped.open()
  }

  private func stepReal() {
    var timeout: Int64 = 0
    if local.isEmpty, maySleep() {
      readClock()
      timeout = nextDeadline.map { max(0, $0.nanoseconds &- now.nanoseconds) } ?? -1
    }
    // The bell matters only to a thread that sleeps.
    if timeout != 0 || !watchers.isEmpty { pollWakefully(timeout) }
    readClock()
    serviceDue()
    // Whoever is woken comes first: what programs answer goes out with the acknowledgement, when they have run.
    announce()
  }

  private func stepVirtual(hadJobs: Bool) {
    if hadJobs || !local.isEmpty { return }
    if !watchers.isEmpty { poll(0) }
    if pace != nil { activeCount > 0 ? pace?.begin(at: now) : pace?.stop() }
    guard activeCount > 0, let next = nextDeadline else {
      waitForWork()
      return
    }
    if next > horizon { return reachHorizon() }
    guard isTime(for: next) else { return }
    toldOfRest = false
    step(to: next)
    // Others' jobs can wait for a few steps; to look for them takes a lock.
    var steps = 16
    while steps > 0, local.isEmpty, watchers.isEmpty, pace == nil, activeCount > 0, let next = nextDeadline,
      next <= horizon
    {
      step(to: next)
      steps -= 1
    }
  }

  private func step(to next: Instant) {
    if next > now {
      if next.nanoseconds &- now.nanoseconds > Self.longSilence { giveBackMemory() }
      setVirtualNow(next)
    }
    serviceDue()
    settle()
  }

  /// In nanoseconds: after so long without anything to do a world has no use for the memory of what it did before.
  private static var longSilence: Int64 { 1_000_000_000 }

  func giveBackMemory() {
    if pool.giveBackUnused() { Platform.returnFreeMemory() }
  }

  /// Says that the thread is about to sleep, unless there is work.
  func maySleep() -> Bool {
    inbox.withLock { inbox in
      inbox.needsBell = inbox.jobs.isEmpty
      return inbox.jobs.isEmpty
    }
  }

  /// As ``poll(_:)``, asking for a while before it sleeps.
  private func pollWakefully(_ nanoseconds: Int64) {
    guard busyPolling > 0, nanoseconds != 0 else {
      poll(nanoseconds)
      return
    }
    let span = nanoseconds < 0 ? busyPolling : min(busyPolling, nanoseconds)
    let end = Instant(nanoseconds: now.nanoseconds &+ span)
    repeat {
      if poll(0) { return }
      readClock()
    } while now < end
    poll(nanoseconds < 0 ? nanoseconds : max(0, nanoseconds - busyPolling))
  }

  @discardableResult
  func poll(_ nanoseconds: Int64) -> Bool {
    // What comes in after a sleep came after it: frames stamped with the time before make round trips too short.
    var isLate = true
    return poller.wait(nanoseconds) { tag, flags in
      if isLate {
        if isVirtual { catchUp() } else { readClock() }
        isLate = false
      }
      watchers[tag]?.ready(flags)
    }
  }

  var nextDeadline: Instant? {
    switch (deadlines.first, timers.first) {
    case (let left?, let right?): min(left, right)
    case (let left?, nil): left
    case (nil, let right): right
    }
  }

  // MARK: Hosts and links

  /// Does what is due by now: links and hosts in the order they were made, then timers in the order they were set.
  private func serviceDue() {
    if let id = deadlines.popDue(at: now) {
      if let next = deadlines.first, next <= now { serviceAll(id) } else { service(id) }
    }
    while let timer = timers.popDue(at: now) { timer.fire() }
  }

  /// Does what is due of `first` and others.
  private func serviceAll(_ first: UInt32) {
    due.append(first)
    while let id = deadlines.popDue(at: now) { due.append(id) }
    due.sort()
    for id in due { service(id) }
    due.removeAll(keepingCapacity: true)
  }

  @inline(__always)
  private func service(_ id: UInt32) {
    switch entities[Int(id)] {
    case .host(let box):
      // Its deadline stays due until it goes on.
      guard !box.isPaused else { break }
      box.host.advance(to: box.time(at: now))
      touch(box)
    case .link(let attachment):
      attachment.receive(self)
    case .device(let device):
      device.advance(to: now)
      deadlines.set(device.nextDeadline, for: id)
    }
  }

  /// Notes that `box` was called and may have packets to send, events to tell and another deadline.
  @inline(__always)
  func touch(_ box: HostBox) {
    guard !box.isDirty else { return }
    box.isDirty = true
    dirty.append(box)
  }

  /// Sends what hosts have to send and wakes who waited for what happened.
  private func settle() {
    guard !dirty.isEmpty else { return }
    var index = 0
    while index < dirty.count {
      let box = dirty[index]
      index += 1
      box.isDirty = false
      guard !box.isPaused else { continue }
      box.transmit(at: now)
      if let observer = box.turnObserver { observer(&box.host, now) }
      announce(box)
      deadlines.set(box.nextMoment, for: box.id)
    }
    if dirty.count == 1 { dirty.removeLast() } else { dirty.removeAll(keepingCapacity: true) }
  }

  /// Wakes who waited for what happened to hosts that will be settled.
  private func announce() {
    for box in dirty { announce(box) }
  }

  @inline(__always)
  private func announce(_ box: HostBox) {
    while let event = box.host.nextEvent() {
      guard let state = box.states[event.socket] else { continue }
      state.observer?.socketChanged(event.changes)
      state.waiters.wake(event.changes)
    }
  }

  /// Follows a link's or device's deadline, which became earlier.
  func linkWoke(_ id: UInt32) {
    switch entities[Int(id)] {
    case .link(let attachment): deadlines.set(attachment.link.nextDeadline, for: id)
    case .device(let device): deadlines.set(device.nextDeadline, for: id)
    case .host: break
    }
  }

  // MARK: Waiting

  /// Waits on the loop's thread until `waiter` is woken. The caller has to be on that thread.
  func wait(
    for interest: SocketEvent.Changes = [], in list: WaiterList? = nil, until deadline: Instant? = nil,
    clock: (HostBox, Instant)? = nil, purpose: StaticString, isolation: isolated (any Actor)? = #isolation
  ) async -> WaitOutcome {
    precondition(isCurrent, "a wait outside the loop's thread")
    if isStopping { return .cancelled }
    let waiter = Waiter(for: interest, purpose: purpose)
    waiter.clock = clock
    // The isolation is handed on by name: the closures would lose it, and go on elsewhere when an actor of the loop
    // waits (Swift 6.3.1).
    let outcome = await withTaskCancellationHandler {
      _ = isolation
      return await unsafe withUnsafeContinuation(isolation: isolation) { continuation in
        unsafe waiter.arm(continuation)
        guard !waiter.isFinished else { return }
        waiters.insert(waiter)
        list?.append(waiter)
        if let deadline {
          waiter.timer = setTimer(at: deadline) { waiter.finish(.ready([])) }
        }
      }
    } onCancel: {
      self.execute { self.end(waiter, .cancelled) }
    }
    precondition(isCurrent, "a wait outside the loop's thread")
    forget(waiter)
    return outcome
  }

  func setTimer(
    at deadline: Instant, _ fire: @escaping () -> Void, onEnd: (() -> Void)? = nil
  ) -> LoopTimer {
    timerSequence += 1
    let timer = LoopTimer(deadline: deadline, sequence: timerSequence, fire: fire, onEnd: onEnd)
    timers.insert(timer)
    return timer
  }

  func end(_ waiter: Waiter, _ outcome: WaitOutcome) {
    waiter.list?.remove(waiter)
    waiter.finish(outcome)
  }

  private func forget(_ waiter: Waiter) {
    waiters.remove(waiter)
    waiter.list?.remove(waiter)
    if let timer = waiter.timer {
      timers.remove(timer)
      waiter.timer = nil
    }
  }

  // MARK: The end

  func stop() {
    execute { [self] in
      guard !isStopping else { return }
      isStopping = true
      for waiter in waiters.waiters { end(waiter, .cancelled) }
      let endings = endings
      self.endings = []
      for ending in endings { ending() }
      while let timer = timers.popFirst() { timer.onEnd?() }
    }
  }

  /// Ends the thread's ownership if no job came in between.
  private func finish() -> Bool {
    inbox.withLock { inbox in
      guard inbox.jobs.isEmpty else { return false }
      inbox.isFinished = true
      thread.store(0, ordering: .relaxed)
      return true
    }
  }

  /// Runs jobs that came after the end on the thread that brought them, so that no task is lost.
  private func drainAfterEnd() {
    thread.store(Platform.currentThread, ordering: .relaxed)
    while true {
      takeInbox()
      runJobs()
      guard local.isEmpty else { continue }
      let isDone = inbox.withLock { inbox in
        guard inbox.jobs.isEmpty else { return false }
        inbox.isDraining = false
        thread.store(0, ordering: .relaxed)
        return true
      }
      if isDone { return }
    }
  }
}
