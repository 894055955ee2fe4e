import MartletCore

/// One direction of a link at work: a queue, a line, the way, and what goes wrong there. Used by its loop's thread alone.
final class Lane {
  /// Who the lane is in the recording.
  let link: Int
  let end: Int
  /// Tells the receiving end that a frame comes earlier than it was told.
  var wake: (() -> Void)?
  /// Not checked for overlapping accesses, which costs more than all else: no call of it leads back here, as whoever has to be
  /// woken is woken afterwards.
  @safe @exclusivity(unchecked) private var line: LaneState

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

  init(_ direction: LinkDirection, link: Int, end: Int, seed: UInt64, name: String, pool: borrowing PacketPool) {
    self.link = link
    self.end = end
    line = LaneState(direction, link: link, end: end, seed: seed, name: name, pool: pool)
  }

  var direction: LinkDirection { line.direction }
  var mtu: Int { line.direction.mtu }
  var isHeld: Bool { line.isHeld }
  var counters: Counters {
    get { line.counters }
    set { line.counters = newValue }
  }
  var recorder: Recorder? {
    get { line.recorder }
    set { line.recorder = newValue }
  }
  /// Where frames wait in the receiving node; nil if it looks at them at once.
  var intake: Intake? {
    get { line.intake }
    set { line.intake = newValue }
  }
  /// A frame for which this says so is lost.
  var predicate: ((FrameView) -> Bool)? {
    get { line.predicate }
    set { line.predicate = newValue }
  }

  // MARK: Sending and receiving

  @inline(__always)
  func send(_ packet: consuming Packet, at now: Instant) {
    if line.send(packet, at: now.nanoseconds) { wake?() }
  }

  /// When the receiving node may look at the next frame; it may turn out to be later.
  var nextArrival: Instant? { line.nextArrival }

  /// Hands over the next frame that the receiving node looks at by `now`.
  @inline(__always)
  func popArrived(at now: Instant) -> Packet? { line.popArrived(at: now) }

  /// Called by the receiving end when it has taken what was there.
  func settle() { line.settle() }

  /// What reached a machine and is kept from it.
  func refuse(_ packet: consuming Packet, _ reason: String, at now: Instant) { line.refuse(packet, reason, at: now) }

  /// What has arrived and the node has not looked at is gone with the node's memory.
  func emptyIntake(_ reason: String, at now: Instant) { line.emptyIntake(reason, at: now) }

  // MARK: From outside

  /// What is in a lane at a moment.
  struct Contents {
    var isUp: Bool
    var waitingFrames: Int
    var waitingBytes: Int
    var travelingFrames: Int
  }

  func contents(at now: Instant) -> Contents { line.contents(at: now) }

  func setUp(_ isUp: Bool, at now: Instant) { line.setUp(isUp, at: now) }

  func setHeld(_ isHeld: Bool, at now: Instant) {
    if line.setHeld(isHeld, at: now) { wake?() }
  }

  /// Sets the rate from now on; what is on the line stays there as long as it would have.
  func setRate(_ rate: UInt64?, at now: Instant) {
    if line.setRate(rate, at: now) { wake?() }
  }

  /// Other faults from now on, with random numbers of their own.
  func setFaults(_ direction: LinkDirection, seed: UInt64, name: String, at now: Instant) {
    if line.setFaults(direction, seed: seed, name: name, at: now) { wake?() }
  }

  /// What waits in the memory of a sender that is gone.
  func loseWaiting(_ reason: String, at now: Instant) { line.loseWaiting(reason, at: now) }

  /// What reached a machine that is gone.
  func loseArrived(_ reason: String, by now: Instant) { line.loseArrived(reason, by: now) }
}
