import MartletCore
import MartletWire

/// Who is let into a queue, and who out of it.
struct QueueDiscipline {
  enum Verdict {
    case take
    /// Marked, or dropped if it cannot be marked.
    case mark
    case drop(String)
  }

  let queue: LinkDirection.Queue
  /// Whether a frame that finds the line free passes without a question.
  let isPlain: Bool
  private var random: RandomStream
  // RED
  private var average = 0.0
  private var sinceDrop = -1
  private var idleSince: Int64?
  // CoDel (RFC 8289 section 5)
  private var firstAbove: Int64 = 0
  private var dropNext: Int64 = 0
  private var dropCount = 0
  private var lastDropCount = 0
  private var isDropping = false

  init(_ queue: LinkDirection.Queue, seed: UInt64, name: String) {
    self.queue = queue
    isPlain = queue.discipline == .dropTail
    random = RandomStream(seed: seed, forkedFor: "link:\(name).queue")
  }

  var dropName: String {
    switch queue.discipline {
    case .dropTail: "queue full"
    case .red: "dropped early (RED)"
    case .coDel: "waited too long (CoDel)"
    }
  }

  private var markOrDrop: Verdict { queue.marks ? .mark : .drop(dropName) }

  mutating func admit(
    _ packet: borrowing Packet, waitingFrames: Int, waitingBytes: Int, at now: Int64
  ) -> Verdict {
    guard waitingFrames < queue.maximumFrames, packet.count <= queue.maximumBytes &- waitingBytes else {
      return .drop("queue full")
    }
    guard case .red(let minimum, let maximum, let probability) = queue.discipline else { return .take }
    // An exponential average with weight 1/512 of the queue in bytes; an idle queue forgets a step each 100 µs.
    if waitingFrames == 0, let idle = idleSince {
      for _ in 0..<min(4_096, (now - idle) / 100_000) { average -= average / 512 }
    }
    average += (Double(waitingBytes) - average) / 512
    idleSince = waitingFrames == 0 ? now : nil
    if average < Double(minimum) {
      sinceDrop = -1
      return .take
    }
    if average >= Double(maximum) {
      sinceDrop = 0
      return markOrDrop
    }
    sinceDrop += 1
    let base = probability * (average - Double(minimum)) / Double(max(1, maximum - minimum))
    let spread = 1 - Double(sinceDrop) * base
    guard spread <= 0 || random.happens(base / spread) else { return .take }
    sinceDrop = 0
    return markOrDrop
  }

  /// The frame in front waited for `waited`; `left` bytes wait behind it.
  mutating func dequeue(waited: Int64, left: Int, at now: Int64) -> Verdict {
    guard case .coDel(let target, let interval) = queue.discipline else { return .take }
    let isLong = isLongAbove(
      target.inNanoseconds, interval.inNanoseconds, waited: waited, left: left, at: now)
    if isDropping {
      guard isLong else {
        isDropping = false
        return .take
      }
      guard now >= dropNext else { return .take }
      dropCount += 1
      dropNext = Self.next(after: dropNext, interval.inNanoseconds, dropCount)
      return markOrDrop
    }
    guard isLong else { return .take }
    isDropping = true
    // Soon after the last time it goes on where it stopped.
    let since = dropCount - lastDropCount
    dropCount = since > 1 && now - dropNext < 16 * interval.inNanoseconds ? since : 1
    lastDropCount = dropCount
    dropNext = Self.next(after: now, interval.inNanoseconds, dropCount)
    return markOrDrop
  }

  private mutating func isLongAbove(
    _ target: Int64, _ interval: Int64, waited: Int64, left: Int, at now: Int64
  ) -> Bool {
    if waited < target || left <= 1_514 {
      firstAbove = 0
      return false
    }
    if firstAbove == 0 {
      firstAbove = now + interval
      return false
    }
    return now >= firstAbove
  }

  private static func next(after time: Int64, _ interval: Int64, _ count: Int) -> Int64 {
    time + Int64(Double(interval) / Double(count).squareRoot())
  }
}

/// Sets the mark of congestion in an IP packet that allows it (RFC 3168 section 5), and says whether it did.
func markCongestion(_ packet: inout Packet) -> Bool {
  guard packet.linearCount >= 34 else { return false }
  switch EtherType(value: packet.bytes.bigEndian(at: 12)) {
  case .ipv4:
    let old: UInt16 = packet.bytes.bigEndian(at: 14)
    guard old & 3 != 0 else { return false }
    let sum: UInt16 = packet.bytes.bigEndian(at: 24)
    // RFC 1624: HC' = ~(~HC + ~m + m').
    var total = UInt32(~sum) + UInt32(~old) + UInt32(old | 3)
    total = (total & 0xffff) + (total >> 16)
    total = (total & 0xffff) + (total >> 16)
    var bytes = packet.mutableBytes
    bytes.store(bigEndian: old | 3, at: 14)
    bytes.store(bigEndian: ~UInt16(truncatingIfNeeded: total), at: 24)
    return true
  case .ipv6:
    let word: UInt16 = packet.bytes.bigEndian(at: 14)
    guard word & 0x30 != 0 else { return false }
    var bytes = packet.mutableBytes
    bytes.store(bigEndian: word | 0x30, at: 14)
    return true
  default: return false
  }
}
