import MartletCore

// What lies between a line's end and the node that looks at what it receives.

extension Lane {
  /// When the receiving node may look at the next frame; it may turn out to be later.
  var nextArrival: Instant? {
    guard let intake else { return nextOffLine }
    guard let looked = intake.next else { return nextOffLine }
    return Instant(nanoseconds: min(looked, nextOffLine?.nanoseconds ?? .max))
  }

  /// Hands over the next frame that the receiving node looks at by `now`.
  func popArrived(at now: Instant) -> Packet? {
    guard let intake else { return popOffLine(at: now) }
    while let packet = popOffLine(at: now) { take(packet, intake, at: now) }
    return intake.pop(at: now.nanoseconds)
  }

  private func take(_ packet: consuming Packet, _ intake: Intake, at now: Instant) {
    // What came while the node stood still finds the ring as it is now.
    guard intake.waiting(at: now.nanoseconds) < intake.processor.ring else {
      intake.countDrop()
      return refuse(packet, inside: "receive ring full", at: now)
    }
    intake.take(packet, at: now.nanoseconds)
  }

  /// What has arrived and the node has not looked at is gone with the node's memory.
  func emptyIntake(_ reason: String, at now: Instant) {
    while let packet = intake?.popFirst() { refuse(packet, inside: reason, at: now) }
    settle()
  }

  /// What reached the node and was dropped there.
  private func refuse(_ packet: consuming Packet, inside reason: String, at now: Instant) {
    counters.delivered &-= 1
    counters.lost &+= 1
    recorder?.droppedInside(packet.metadata.tag, reason, at: now.nanoseconds)
  }
}
