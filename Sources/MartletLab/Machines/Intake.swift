import MartletCore

/// What a node's interface has received and its processor has not looked at: the ring of receive descriptors of a network
/// card. Used by its loop's thread alone.
final class Intake {
  let processor: NodeProcessor
  private var frames = PacketQueue()
  /// By frame: when the processor is done with it, after which it waits for no place.
  private var ends: [Int64] = []
  /// Where the first of `frames` is in `ends`, and the first of those that are still in the ring.
  private var first = 0
  private var firstInRing = 0
  private(set) var dropped: UInt64 = 0
  private(set) var mostWaiting = 0

  init(_ processor: NodeProcessor) { self.processor = processor }

  var isEmpty: Bool { frames.isEmpty }

  /// When the node looks at the next frame.
  var next: Int64? { first < ends.count ? ends[first] &+ processor.latency : nil }

  /// How many frames are in the ring at `time`.
  func waiting(at time: Int64) -> Int {
    // What stands still is done with nothing.
    let time = processor.pausedAt ?? time
    while firstInRing < ends.count, ends[firstInRing] <= time { firstInRing += 1 }
    return ends.count - firstInRing
  }

  /// Takes in `packet`, for which there is a place.
  func take(_ packet: consuming Packet, at time: Int64) {
    ends.append(processor.take(packet.count, at: time))
    frames.append(packet)
    mostWaiting = max(mostWaiting, waiting(at: time))
  }

  func countDrop() { dropped &+= 1 }

  /// The next frame that the node may look at by `time`.
  func pop(at time: Int64) -> Packet? {
    guard let next, next <= time else { return nil }
    first += 1
    firstInRing = max(first, firstInRing)
    if first == ends.count || first >= 1_024 {
      ends.removeFirst(first)
      firstInRing -= first
      first = 0
    }
    return frames.popFirst()
  }

  /// Takes out what is there, whenever it was to be looked at.
  func popFirst() -> Packet? {
    guard first < ends.count else { return nil }
    ends[first] = .min / 2
    return pop(at: .max)
  }

  /// What was to be done after `time` is done later.
  func delay(after time: Int64, by span: Int64) {
    for index in first..<ends.count where ends[index] > time { ends[index] &+= span }
  }
}
