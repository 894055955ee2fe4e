import MartletCore

/// One direction of an ``ImpairedLink``.
struct ImpairedLane: ~Copyable {
  let impairment: ImpairedLink.Impairment
  var counters = ImpairedLink.Counters()
  private let pool: PacketPool
  /// Frames in their order, and frames held back; each queue sorted by due time, which stands in the packets' metadata.
  private var inOrder = PacketQueue()
  private var heldBack = PacketQueue()
  /// The last due time in `inOrder`, which jitter does not go behind.
  private var lastDue = Instant.zero
  private var loss, duplication, corruption, position, reordering, jitter: RandomStream

  init(_ impairment: ImpairedLink.Impairment, seed: UInt64, name: String, pool: borrowing PacketPool) {
    self.impairment = impairment
    self.pool = pool.share()
    loss = RandomStream(seed: seed, forkedFor: name + ".loss")
    duplication = RandomStream(seed: seed, forkedFor: name + ".duplication")
    corruption = RandomStream(seed: seed, forkedFor: name + ".corruption")
    position = RandomStream(seed: seed, forkedFor: name + ".position")
    reordering = RandomStream(seed: seed, forkedFor: name + ".reordering")
    jitter = RandomStream(seed: seed, forkedFor: name + ".jitter")
  }

  /// When the next frame is due.
  var nextDue: Instant? {
    guard let first = inOrder.firstMetadata?.time else { return heldBack.firstMetadata?.time }
    guard let second = heldBack.firstMetadata?.time else { return first }
    return min(first, second)
  }

  /// Takes `packet`, in segments if it stands for several.
  mutating func take(_ packet: consuming Packet, at now: Instant) {
    guard packet.metadata.segmentSize > 0 else { return takeFrame(packet, at: now) }
    var segments = PacketQueue()
    let header = EthernetFrame.headerByteCount(of: packet.bytes)
    if Segmentation.segment(packet, linkHeaderByteCount: header, pool: pool, into: &segments) != nil {
      counters.refused += 1
    }
    while let segment = segments.popFirst() { takeFrame(segment, at: now) }
  }

  private mutating func takeFrame(_ packet: consuming Packet, at now: Instant) {
    counters.frames += 1
    // Every stream draws for every frame, whatever the others say.
    let isLost = loss.happens(impairment.loss)
    let isDuplicated = duplication.happens(impairment.duplication)
    let isCorrupted = corruption.happens(impairment.corruption)
    let isHeldBack = reordering.happens(impairment.reordering)
    let spread = max(0, impairment.jitter.inNanoseconds)
    let extra = Int64(jitter.next().multipliedFullWidth(by: UInt64(spread) + 1).high)
    if isLost {
      counters.lost += 1
      return
    }
    guard inOrder.count + heldBack.count < impairment.maximumWaitingFrames else {
      counters.refused += 1
      return
    }
    var due = now + max(0, impairment.delay.inNanoseconds) + extra
    due = max(due, lastDue)
    lastDue = due
    if isHeldBack {
      counters.reordered += 1
      due = due + max(1, impairment.reorderingDelay.inNanoseconds)
    }
    packet.metadata.time = due
    let twin = isDuplicated ? packet.duplicate(from: pool) : nil
    if isCorrupted, packet.flipBit(chance: position.next(), pool: pool) { counters.corrupted += 1 }
    if isHeldBack { heldBack.append(packet) } else { inOrder.append(packet) }
    guard isDuplicated else { return }
    guard let twin else {
      counters.refused += 1
      return
    }
    counters.duplicated += 1
    if isHeldBack { heldBack.append(twin) } else { inOrder.append(twin) }
  }

  /// The next frame that is due by `now`.
  mutating func popDue(at now: Instant) -> Packet? {
    guard let due = nextDue, due <= now else { return nil }
    counters.passed += 1
    // Of two that are due together, the one held back was there first.
    return heldBack.firstMetadata?.time == due ? heldBack.popFirst() : inOrder.popFirst()
  }
}
