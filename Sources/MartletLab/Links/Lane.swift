import BasicContainers
import MartletCore
import MartletLinks

/// One direction of a link at work: a queue, a line, the way, and what goes wrong there. Used by its loop's thread alone.
///
/// The queue is served when somebody looks, at the times that are then past, in order: a frame costs no event of its own for
/// being put on the line.
final class Lane {
  /// Who the lane is in the recording.
  let link: Int
  let end: Int
  var direction: LinkDirection
  let pool: PacketPool
  var recorder: Recorder?
  /// Tells the receiving end that a frame comes earlier than it was told.
  var wake: (() -> Void)?
  /// Where frames wait in the receiving node; nil if it looks at them at once.
  var intake: Intake?
  var counters = Counters()
  /// A frame for which this says so is lost.
  var predicate: ((FrameView) -> Bool)?

  struct Counters: Sendable, Equatable {
    var sent: UInt64 = 0
    var delivered: UInt64 = 0
    var lost: UInt64 = 0
    var queueDrops: UInt64 = 0
    var duplicated: UInt64 = 0
    var damaged: UInt64 = 0
    var marked: UInt64 = 0
    var sentBytes: UInt64 = 0
  }

  private var waiting = PacketQueue()
  /// On their way, in the order in which they arrive.
  private var travelling = PacketQueue()
  /// The same for those that may overtake: the next one is the last here.
  private var overtaking = UniqueArray<Packet>()
  /// When the line is free again: whole nanoseconds, and a remainder in units of 1/rate ns.
  private var lineFree: Int64 = 0
  private var lineFreeRemainder: UInt64 = 0
  private var lastArrival: Int64 = 0
  private var rateChange = 0
  private var rate: UInt64?
  private var delay: Int64
  private var faults: LaneFaults
  private var discipline: QueueDiscipline
  /// What the receiver was last told.
  private var announced = Int64.max
  private var isUp = true
  private(set) var isHeld = false
  private var releasedAt: Int64 = 0

  init(_ direction: LinkDirection, link: Int, end: Int, seed: UInt64, name: String, pool: borrowing PacketPool) {
    self.direction = direction
    self.link = link
    self.end = end
    self.pool = pool.share()
    rate = direction.rate
    delay = max(0, direction.delay.inNanoseconds)
    faults = LaneFaults(direction, seed: seed, name: name)
    discipline = QueueDiscipline(direction.queue, seed: seed, name: name)
  }

  // MARK: Sending

  func send(_ packet: consuming Packet, at now: Instant) {
    let time = now.nanoseconds
    serve(until: time)
    counters.sent &+= 1
    counters.sentBytes &+= UInt64(packet.count)
    if let recorder { packet.metadata.tag = recorder.sent(packet, on: self, at: time) }
    guard isUp, faults.isUp(at: time) else { return lose(packet, "link down", at: time) }
    guard packet.count <= direction.mtu + 14 else { return lose(packet, "longer than the MTU", at: time) }
    guard packet.detachFromFiles() else { return lose(packet, "file gone", at: time) }
    packet.metadata.checksum = .unknown
    packet.metadata.time = now
    if rate == nil, waiting.isEmpty {
      lineFree = time
      leave(packet, started: time, ended: time)
    } else if lineFree <= time, waiting.isEmpty, discipline.isPlain {
      occupy(packet, at: time)
    } else {
      switch discipline.admit(packet, waitingFrames: waiting.count, waitingBytes: waiting.byteCount, at: time) {
      case .take: break
      case .mark:
        if markCongestion(&packet) { counters.marked &+= 1 } else { return drop(packet, discipline.dropName, at: time) }
      case .drop(let reason): return drop(packet, reason, at: time)
      }
      waiting.append(packet)
      noteQueue(at: time)
      serve(until: time)
    }
    announce()
  }

  private func drop(_ packet: consuming Packet, _ reason: String, at time: Int64) {
    counters.queueDrops &+= 1
    lose(packet, reason, at: time)
  }

  private func lose(_ packet: consuming Packet, _ reason: String, at time: Int64) {
    counters.lost &+= 1
    recorder?.lost(packet.metadata.tag, reason, at: time)
  }

  private func noteQueue(at time: Int64) {
    recorder?.queue(of: self, frames: waiting.count, bytes: waiting.byteCount, at: time)
  }

  // MARK: The line

  /// Puts on the line what goes there by `now`.
  private func serve(until now: Int64) {
    guard !waiting.isEmpty else { return }
    while lineFree <= now, var packet = waiting.popFirst() {
      let start = max(lineFree, packet.metadata.time.nanoseconds)
      noteQueue(at: start)
      switch discipline.dequeue(waited: start - packet.metadata.time.nanoseconds, left: waiting.byteCount, at: start) {
      case .take: break
      case .mark:
        if markCongestion(&packet) {
          counters.marked &+= 1
        } else {
          drop(packet, discipline.dropName, at: start)
          continue
        }
      case .drop(let reason):
        drop(packet, reason, at: start)
        continue
      }
      occupy(packet, at: start)
    }
  }

  /// Puts `packet` on the line, which is free at `start`.
  private func occupy(_ packet: consuming Packet, at start: Int64) {
    var start = start
    if !direction.rateChanges.isEmpty, let stopped = followRate(at: start) {
      guard stopped < Int64.max else {
        lineFree = .max
        return lose(packet, "the line stands still", at: start)
      }
      start = stopped
    }
    guard let rate, rate > 0 else {
      lineFree = start
      return leave(packet, started: start, ended: start)
    }
    if lineFree < start {
      lineFree = start
      lineFreeRemainder = 0
    }
    let (whole, rest) = (UInt64(packet.count) &* 8_000_000_000 &+ lineFreeRemainder)
      .quotientAndRemainder(dividingBy: rate)
    lineFree &+= Int64(clamping: whole)
    lineFreeRemainder = rest
    leave(packet, started: start, ended: lineFree &+ (rest > 0 ? 1 : 0))
  }

  /// Takes the rate that holds at `time`; when it is 0, the time at which it no longer is.
  private func followRate(at time: Int64) -> Int64? {
    var time = time
    var hasStopped = false
    while rateChange < direction.rateChanges.count {
      let change = direction.rateChanges[rateChange]
      let begin = change.time.inNanoseconds
      if begin > time {
        guard rate == 0 else { break }
        time = begin
        hasStopped = true
      }
      rate = change.rate
      lineFreeRemainder = 0
      rateChange += 1
    }
    if rate == 0 { return .max }
    return hasStopped ? time : nil
  }

  /// The last bit is on the line: the frame travels, unless something happens to it.
  private func leave(_ packet: consuming Packet, started: Int64, ended: Int64) {
    recorder?.departed(packet.metadata.tag, at: started)
    var arrival = ended &+ delay
    guard faults.isPresent || predicate != nil else { return travel(packet, arrival: arrival, mayOvertake: false) }
    let frame = FrameView(packet.bytes)
    let fate = faults.decide(frame)
    arrival &+= fate.extra
    if fate.isLost || predicate?(frame) == true { return lose(packet, fate.reason, at: arrival) }
    if !fate.mayOvertake {
      arrival = max(arrival, lastArrival)
      lastArrival = arrival
    }
    arrival &+= fate.heldBack
    if fate.isDamaged, packet.flipBit(chance: fate.chance, pool: pool) {
      counters.damaged &+= 1
      recorder?.comment(packet.metadata.tag, "damaged: a bit flipped on the way")
    }
    if let length = fate.truncatedTo, packet.count > length {
      packet.truncate(to: max(14, length))
      counters.damaged &+= 1
      recorder?.comment(packet.metadata.tag, "cut to \(max(14, length)) bytes on the way")
    }
    if fate.isDuplicated, var twin = packet.duplicate(from: pool) {
      counters.duplicated &+= 1
      if let recorder { twin.metadata.tag = recorder.duplicated(packet.metadata.tag) }
      let overtakes = fate.mayOvertake || fate.heldBack > 0
      travel(packet, arrival: arrival, mayOvertake: overtakes)
      return travel(twin, arrival: arrival, mayOvertake: overtakes)
    }
    travel(packet, arrival: arrival, mayOvertake: fate.mayOvertake || fate.heldBack > 0)
  }

  private func travel(_ packet: consuming Packet, arrival: Int64, mayOvertake: Bool) {
    packet.metadata.time = Instant(nanoseconds: arrival)
    recorder?.arrives(packet.metadata.tag, at: arrival)
    guard mayOvertake else { return travelling.append(packet) }
    var place = overtaking.count
    while place > 0, overtaking[place - 1].metadata.time.nanoseconds <= arrival { place -= 1 }
    overtaking.insert(packet, at: place)
  }

  // MARK: Receiving

  /// When the next frame may be at the line's end; it may turn out to be later.
  var nextOffLine: Instant? {
    guard !isHeld else { return nil }
    var earliest = Int64.max
    if let first = travelling.firstMetadata?.time.nanoseconds { earliest = first }
    if !overtaking.isEmpty {
      earliest = min(earliest, overtaking[overtaking.count - 1].metadata.time.nanoseconds)
    }
    if !waiting.isEmpty, earliest == Int64.max || faults.mayOvertake, lineFree < Int64.max {
      earliest = min(earliest, lineFree &+ delay)
    }
    guard earliest < Int64.max else { return nil }
    return Instant(nanoseconds: earliest)
  }

  /// Hands over the next frame that is at the line's end by `now`.
  func popOffLine(at now: Instant) -> Packet? {
    guard !isHeld else { return nil }
    let time = now.nanoseconds
    serve(until: time)
    let first = travelling.firstMetadata?.time.nanoseconds ?? .max
    let other = overtaking.isEmpty ? Int64.max : overtaking[overtaking.count - 1].metadata.time.nanoseconds
    guard min(first, other) <= time else { return nil }
    counters.delivered &+= 1
    if first > other { return handOver(overtaking.removeLast()) }
    guard let packet = travelling.popFirst() else { return nil }
    return handOver(packet)
  }

  private func handOver(_ packet: consuming Packet) -> Packet {
    if releasedAt > packet.metadata.time.nanoseconds { recorder?.arrives(packet.metadata.tag, at: releasedAt) }
    return packet
  }

  /// Called by the receiving end when it has taken what was there.
  func settle() { announced = nextArrival?.nanoseconds ?? .max }

  private func announce() {
    guard let next = nextArrival?.nanoseconds, next < announced else { return }
    announced = next
    wake?()
  }

  // MARK: From outside

  /// What is in a lane at a moment.
  struct Contents {
    var isUp: Bool
    var waitingFrames: Int
    var waitingBytes: Int
    var travelingFrames: Int
  }

  func contents(at now: Instant) -> Contents {
    serve(until: now.nanoseconds)
    return Contents(
      isUp: isUp && faults.isUp(at: now.nanoseconds), waitingFrames: waiting.count, waitingBytes: waiting.byteCount,
      travelingFrames: travelling.count + overtaking.count)
  }

  func setUp(_ isUp: Bool, at now: Instant) {
    serve(until: now.nanoseconds)
    self.isUp = isUp
  }

  func setHeld(_ isHeld: Bool, at now: Instant) {
    serve(until: now.nanoseconds)
    self.isHeld = isHeld
    announced = .max
    if !isHeld { releasedAt = now.nanoseconds }
    announce()
    if isHeld { wake?() }
  }

  /// Sets the rate from now on; what is on the line stays there as long as it would have.
  func setRate(_ rate: UInt64?, at now: Instant) {
    serve(until: now.nanoseconds)
    self.rate = rate
    lineFreeRemainder = 0
    announced = .max
    announce()
  }

  /// Other faults from now on, with random numbers of their own.
  func setFaults(_ direction: LinkDirection, seed: UInt64, name: String, at now: Instant) {
    serve(until: now.nanoseconds)
    self.direction = direction
    rate = direction.rate
    delay = max(0, direction.delay.inNanoseconds)
    faults = LaneFaults(direction, seed: seed, name: name)
    discipline = QueueDiscipline(direction.queue, seed: seed, name: name)
    announced = .max
    announce()
  }

  /// What waits in the memory of a sender that is gone.
  func loseWaiting(_ reason: String, at now: Instant) {
    serve(until: now.nanoseconds)
    while let packet = waiting.popFirst() { lose(packet, reason, at: now.nanoseconds) }
  }

  /// What reached a machine that is gone.
  func loseArrived(_ reason: String, by now: Instant) {
    while let packet = popArrived(at: now) {
      counters.delivered &-= 1
      loseArrived(packet, reason)
    }
  }

  private func loseArrived(_ packet: consuming Packet, _ reason: String) {
    let time = packet.metadata.time.nanoseconds
    lose(packet, reason, at: time)
  }

  /// What reached a machine and is kept from it.
  func refuse(_ packet: consuming Packet, _ reason: String, at now: Instant) {
    counters.delivered &-= 1
    lose(packet, reason, at: now.nanoseconds)
  }
}
