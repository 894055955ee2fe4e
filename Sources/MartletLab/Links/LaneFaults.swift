import MartletCore

/// What goes wrong on one direction of a link, as its random streams have it.
struct LaneFaults {
  let direction: LinkDirection
  /// Whether anything may go wrong at all.
  let isPresent: Bool
  /// Whether a frame may arrive before one that was sent earlier.
  let mayOvertake: Bool
  private var loss, duplication, corruption, position, truncation, reordering, jitter: RandomStream
  private var isBad = false
  private var frames = 0
  private var matches: [Int]
  private let outages: [(start: Int64, end: Int64)]

  /// What becomes of a frame.
  struct Fate {
    var isLost = false
    var reason = "loss"
    var isDuplicated = false
    var isDamaged = false
    /// Which bit.
    var chance: UInt64 = 0
    var truncatedTo: Int?
    /// Nanoseconds of jitter.
    var extra: Int64 = 0
    /// Nanoseconds that it alone is later.
    var heldBack: Int64 = 0
    var mayOvertake = false
  }

  init(_ direction: LinkDirection, seed: UInt64, name: String) {
    self.direction = direction
    func stream(_ kind: String) -> RandomStream { RandomStream(seed: seed, forkedFor: "link:\(name).\(kind)") }
    loss = stream("loss")
    duplication = stream("duplication")
    corruption = stream("corruption")
    position = stream("position")
    truncation = stream("truncation")
    reordering = stream("reordering")
    jitter = stream("jitter")
    matches = direction.script.map { _ in 0 }
    let scriptDelays = direction.script.contains { if case .delay = $0.action { true } else { false } }
    mayOvertake = direction.reordering != nil || scriptDelays || direction.jitter?.keepsOrder == false
    isPresent =
      mayOvertake || direction.loss != .none || direction.duplication > 0 || direction.corruption != nil
      || direction.truncation != nil || direction.jitter != nil || !direction.script.isEmpty
    outages = direction.outages.map { ($0.start.inNanoseconds, $0.end?.inNanoseconds ?? .max) }
  }

  var hasOutages: Bool { !outages.isEmpty }

  func isUp(at time: Int64) -> Bool { !outages.contains { $0.start <= time && time < $0.end } }

  mutating func decide(_ frame: FrameView) -> Fate {
    var fate = Fate()
    frames += 1
    fate.isLost = isLost()
    // Every stream draws for every frame, whatever the others say.
    if direction.duplication > 0 { fate.isDuplicated = duplication.happens(direction.duplication) }
    if let corruption = direction.corruption, self.corruption.happens(corruption.probability) {
      fate.chance = position.next()
      if corruption.isDetected {
        if !fate.isLost { fate.reason = "damaged: check sequence" }
        fate.isLost = true
      } else {
        fate.isDamaged = true
      }
    }
    if let truncation = direction.truncation, self.truncation.happens(truncation.probability) {
      fate.truncatedTo = truncation.byteCount
    }
    if let jitter = direction.jitter {
      fate.extra = draw(jitter)
      fate.mayOvertake = !jitter.keepsOrder
    }
    if let reordering = direction.reordering, self.reordering.happens(reordering.probability) {
      fate.heldBack = max(1, reordering.delay.inNanoseconds)
    }
    for index in direction.script.indices where direction.script[index].frames.matches(frame) {
      matches[index] += 1
      guard direction.script[index].numbers.contains(matches[index]) else { continue }
      switch direction.script[index].action {
      case .lose:
        fate.isLost = true
        fate.reason = "loss by script"
      case .duplicate: fate.isDuplicated = true
      case .corrupt:
        fate.isDamaged = true
        fate.chance = position.next()
      case .delay(let delay): fate.heldBack += max(1, delay.inNanoseconds)
      }
    }
    return fate
  }

  private mutating func isLost() -> Bool {
    switch direction.loss {
    case .none: return false
    case .random(let probability): return loss.happens(probability)
    case .every(let count): return count > 0 && frames % count == 0
    case .gilbertElliott(let toBad, let toGood, let inGood, let inBad):
      // Both draws in both states, so that the states' lengths are what the probabilities say.
      isBad = loss.happens(isBad ? toGood : toBad) ? !isBad : isBad
      return loss.happens(isBad ? inBad : inGood)
    }
  }

  private mutating func draw(_ jitter: LinkDirection.Jitter) -> Int64 {
    let spread = Double(max(0, jitter.spread.inNanoseconds))
    switch jitter.distribution {
    case .uniform: return Int64(self.jitter.unit() * spread)
    case .normal:
      // The mean of twelve: close to a bell, with exact arithmetic and within bounds.
      var sum = 0.0
      for _ in 0..<12 { sum += self.jitter.unit() }
      return Int64(sum / 12 * spread)
    case .longTailed:
      let value = self.jitter.unit()
      let square = value * value
      return Int64(square * square * square * spread)
    }
  }
}
