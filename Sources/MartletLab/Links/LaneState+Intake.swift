import MartletCore

// What lies between a line's end and the node that looks at what it receives.

extension LaneState {
  /// When the receiving node may look at the next frame; it may turn out to be later.
  @inline(__always)
  var nextArrival: Instant? {
    guard let intake else { return nextOffLine }
    guard let looked = intake.next else { return nextOffLine }
    return Instant(nanoseconds: min(looked, nextOffLine?.nanoseconds ?? .max))
  }

  /// Hands over the next frame that the receiving node looks at by `now`.
  @inline(__always)
  mutating func popArrived(at now: Instant) -> Packet? {
    guard let intake else { return popOffLine(at: now) }
    return popLooked(intake, at: now)
  }

  private mutating func popLooked(_ intake: Intake, at now: Instant) -> Packet? {
    while let packet = popOffLine(at: now) { take(packet, intake, at: now) }
    return intake.pop(at: now.nanoseconds)
  }

  private mutating func take(_ packet: consuming Packet, _ intake: Intake, at now: Instant) {
    // What came while the node stood still finds the ring as it is now.
    guard intake.waiting(at: now.nanoseconds) < intake.processor.ring else {
      intake.countDrop()
      let rest = intake.processor.busyUntil &- now.nanoseconds
      if rest > 0 {
        recorder?.comment(packet.metadata.tag, "the processor is busy for another \(Duration.nanoseconds(rest).words)")
      }
      return refuse(packet, inside: "receive ring full", at: now)
    }
    intake.take(packet, at: now.nanoseconds)
  }

  /// What has arrived and the node has not looked at is gone with the node's memory.
  mutating func emptyIntake(_ reason: String, at now: Instant) {
    while let packet = intake?.popFirst() { refuse(packet, inside: reason, at: now) }
    settle()
  }

  /// What reached the node and was dropped there.
  private mutating func refuse(_ packet: consuming Packet, inside reason: String, at now: Instant) {
    counters.delivered &-= 1
    counters.lost &+= 1
    recorder?.droppedInside(packet.metadata.tag, reason, at: now.nanoseconds)
  }
}
