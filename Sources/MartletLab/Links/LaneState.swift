import BasicContainers
import MartletCore
import MartletLinks
import MartletWire

/// What one direction of a link is at a time: a value, so that its variables are reached without the checks that a class makes
/// at each access. ``Lane`` owns one.
///
/// The queue is served when somebody looks, at the times that are then past, in order: a frame costs no event of its own for
/// being put on the line.
struct LaneState: ~Copyable {
  // Used for every frame, and therefore together in front.
  private var waiting = PacketQueue()
  /// On their way, in the order in which they arrive.
  private var travelling = PacketQueue()
  private var line = LineClock()
  private var rate: UInt64?
  private var delay: Int64
  /// What the receiver was last told.
  private var announced = Int64.max
  /// Where frames wait in the receiving node; nil if it looks at them at once.
  var intake: Intake?
  private var maximumByteCount: Int
  private(set) var isHeld = false
  private var isUp = true
  /// Whether anything may happen to a frame on the way, and whether the line changes with time.
  private var isFaulty = false
  private var isScheduled = false
  private var mayOvertake: Bool
  private var isPlain: Bool
  private let anchor = Anchor()
  var recorder: Recorder?
  var counters = Lane.Counters()

  // Used now and then.
  let link: Int
  let end: Int
  let pool: PacketPool
  private(set) var direction: LinkDirection
  /// A frame for which this says so is lost.
  var predicate: ((FrameView) -> Bool)? {
    didSet { isFaulty = faults.isPresent || predicate != nil }
  }
  /// As ``travelling`` for those that may overtake: the next one is the last here.
  private var overtaking = UniqueArray<Packet>()
  private var lastArrival: Int64 = 0
  private var rateChange = 0
  private var faults: LaneFaults
  private var discipline: QueueDiscipline
  private var releasedAt: Int64 = 0

  init(_ direction: LinkDirection, link: Int, end: Int, seed: UInt64, name: String, pool: borrowing PacketPool) {
    self.direction = direction
    self.link = link
    self.end = end
    self.pool = pool.share()
    rate = direction.rate
    delay = max(0, direction.delay.inNanoseconds)
    maximumByteCount = direction.mtu &+ EthernetHeader.untaggedByteCount
    faults = LaneFaults(direction, seed: seed, name: name)
    discipline = QueueDiscipline(direction.queue, seed: seed, name: name)
    isFaulty = faults.isPresent
    isScheduled = faults.hasOutages || !direction.rateChanges.isEmpty
    mayOvertake = faults.mayOvertake
    isPlain = discipline.isPlain
  }

  // MARK: Sending

  /// Takes `packet`, and says whether the receiving end has to be told that a frame comes earlier than it knows.
  mutating func send(_ packet: consuming Packet, at time: Int64) -> Bool {
    serve(until: time)
    counters.sent &+= 1
    counters.sentBytes &+= UInt64(packet.count)
    if let recorder { packet.metadata.tag = recorder.sent(packet, link: link, end: end, at: time) }
    guard isUp, !isScheduled || faults.isUp(at: time) else { return lose(packet, "link down", at: time) }
    guard packet.count <= maximumByteCount else { return lose(packet, "longer than the MTU", at: time) }
    guard packet.detachFromFiles() else { return lose(packet, "file gone", at: time) }
    packet.metadata.checksum = .unknown
    packet.metadata.time = Instant(nanoseconds: time)
    if waiting.isEmpty, rate == nil {
      line.set(to: time)
      leave(packet, started: time, ended: time)
    } else if waiting.isEmpty, line.free <= time, isPlain {
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
    return comesEarlier()
  }

  @discardableResult
  private mutating func drop(_ packet: consuming Packet, _ reason: String, at time: Int64) -> Bool {
    counters.queueDrops &+= 1
    return lose(packet, reason, at: time)
  }

  /// Nothing arrives, of which nobody has to be told.
  @discardableResult
  private mutating func lose(_ packet: consuming Packet, _ reason: String, at time: Int64) -> Bool {
    counters.lost &+= 1
    recorder?.lost(packet.metadata.tag, reason, at: time)
    return false
  }

  private func noteQueue(at time: Int64) {
    recorder?.queue(link: link, end: end, frames: waiting.count, bytes: waiting.byteCount, at: time)
  }

  // MARK: The line

  /// Puts on the line what goes there by `now`.
  @inline(__always)
  private mutating func serve(until now: Int64) {
    if !waiting.isEmpty, line.free <= now { serveWaiting(until: now) }
  }

  private mutating func serveWaiting(until now: Int64) {
    while line.free <= now, var packet = waiting.popFirst() {
      let start = max(line.free, packet.metadata.time.nanoseconds)
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
  private mutating func occupy(_ packet: consuming Packet, at start: Int64) {
    var start = start
    if isScheduled, let stopped = followRate(at: start) {
      guard stopped < Int64.max else {
        line.set(to: .max)
        lose(packet, "the line stands still", at: start)
        return
      }
      start = stopped
    }
    guard let rate, rate > 0 else {
      line.set(to: start)
      return leave(packet, started: start, ended: start)
    }
    let ended = line.occupy(packet.count, from: start, rate: rate)
    leave(packet, started: start, ended: ended)
  }

  /// Takes the rate that holds at `time`; when it is 0, the time at which it no longer is.
  private mutating func followRate(at time: Int64) -> Int64? {
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
      line.changeRate()
      rateChange += 1
    }
    if rate == 0 { return .max }
    return hasStopped ? time : nil
  }

  /// The last bit is on the line: the frame travels, unless something happens to it.
  @inline(__always)
  private mutating func leave(_ packet: consuming Packet, started: Int64, ended: Int64) {
    recorder?.departed(packet.metadata.tag, at: started)
    let arrival = ended &+ delay
    if isFaulty { return suffer(packet, arrival: arrival) }
    packet.metadata.time = Instant(nanoseconds: arrival)
    recorder?.arrives(packet.metadata.tag, at: arrival)
    travelling.append(packet)
  }

  /// What may happen to a frame on the way happens.
  private mutating func suffer(_ packet: consuming Packet, arrival: Int64) {
    var arrival = arrival
    let frame = FrameView(packet.bytes)
    let fate = faults.decide(frame)
    arrival &+= fate.extra
    if fate.isLost || predicate?(frame) == true {
      lose(packet, fate.reason, at: arrival)
      return
    }
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

  private mutating func travel(_ packet: consuming Packet, arrival: Int64, mayOvertake: Bool) {
    packet.metadata.time = Instant(nanoseconds: arrival)
    recorder?.arrives(packet.metadata.tag, at: arrival)
    guard mayOvertake else { return travelling.append(packet) }
    var place = overtaking.count
    while place > 0, overtaking[place - 1].metadata.time.nanoseconds <= arrival { place -= 1 }
    overtaking.insert(packet, at: place)
  }

  // MARK: Receiving

  /// When the next frame may be at the line's end; it may turn out to be later.
  @inline(__always)
  var nextOffLine: Instant? {
    guard !isHeld else { return nil }
    var earliest = Int64.max
    if let first = travelling.firstMetadata?.time.nanoseconds { earliest = first }
    if mayOvertake { earliest = min(earliest, firstOvertaking) }
    if !waiting.isEmpty, earliest == Int64.max || mayOvertake, line.free < Int64.max {
      earliest = min(earliest, line.free &+ delay)
    }
    guard earliest < Int64.max else { return nil }
    return Instant(nanoseconds: earliest)
  }

  private var firstOvertaking: Int64 {
    overtaking.isEmpty ? .max : overtaking[overtaking.count - 1].metadata.time.nanoseconds
  }

  /// Hands over the next frame that is at the line's end by `now`.
  mutating func popOffLine(at now: Instant) -> Packet? {
    guard !isHeld else { return nil }
    let time = now.nanoseconds
    serve(until: time)
    let first = travelling.firstMetadata?.time.nanoseconds ?? .max
    let other = mayOvertake ? firstOvertaking : .max
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

  /// Notes that the receiving end has taken what was there.
  mutating func settle() { announced = nextArrival?.nanoseconds ?? .max }

  private mutating func comesEarlier() -> Bool {
    guard let next = nextArrival?.nanoseconds, next < announced else { return false }
    announced = next
    return true
  }

  // MARK: From outside

  mutating func contents(at now: Instant) -> Lane.Contents {
    serve(until: now.nanoseconds)
    return Lane.Contents(
      isUp: isUp && faults.isUp(at: now.nanoseconds), waitingFrames: waiting.count, waitingBytes: waiting.byteCount,
      travelingFrames: travelling.count + overtaking.count)
  }

  mutating func setUp(_ isUp: Bool, at now: Instant) {
    serve(until: now.nanoseconds)
    self.isUp = isUp
  }

  /// The result is ``send(_:at:)``'s.
  mutating func setHeld(_ isHeld: Bool, at now: Instant) -> Bool {
    serve(until: now.nanoseconds)
    self.isHeld = isHeld
    announced = .max
    if !isHeld { releasedAt = now.nanoseconds }
    return comesEarlier() || isHeld
  }

  /// Sets the rate from now on; what is on the line stays there as long as it would have.
  mutating func setRate(_ rate: UInt64?, at now: Instant) -> Bool {
    serve(until: now.nanoseconds)
    self.rate = rate
    line.changeRate()
    announced = .max
    return comesEarlier()
  }

  /// Other faults from now on, with random numbers of their own.
  mutating func setFaults(_ direction: LinkDirection, seed: UInt64, name: String, at now: Instant) -> Bool {
    serve(until: now.nanoseconds)
    self.direction = direction
    rate = direction.rate
    delay = max(0, direction.delay.inNanoseconds)
    maximumByteCount = direction.mtu &+ EthernetHeader.untaggedByteCount
    faults = LaneFaults(direction, seed: seed, name: name)
    discipline = QueueDiscipline(direction.queue, seed: seed, name: name)
    isFaulty = faults.isPresent || predicate != nil
    isScheduled = faults.hasOutages || !direction.rateChanges.isEmpty
    // What overtook others so far is still on its way.
    mayOvertake = faults.mayOvertake || !overtaking.isEmpty
    isPlain = discipline.isPlain
    announced = .max
    return comesEarlier()
  }

  /// What waits in the memory of a sender that is gone.
  mutating func loseWaiting(_ reason: String, at now: Instant) {
    serve(until: now.nanoseconds)
    while let packet = waiting.popFirst() { lose(packet, reason, at: now.nanoseconds) }
  }

  /// What reached a machine that is gone.
  mutating func loseArrived(_ reason: String, by now: Instant) {
    while let packet = popOffLine(at: now) {
      counters.delivered &-= 1
      loseArrived(packet, reason)
    }
  }

  private mutating func loseArrived(_ packet: consuming Packet, _ reason: String) {
    let time = packet.metadata.time.nanoseconds
    lose(packet, reason, at: time)
  }

  /// What reached a machine and is kept from it.
  mutating func refuse(_ packet: consuming Packet, _ reason: String, at now: Instant) {
    counters.delivered &-= 1
    lose(packet, reason, at: now.nanoseconds)
  }
}
