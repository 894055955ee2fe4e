import BasicContainers
package import MartletWire

/// What the peer holds of the bytes in flight, and which of the others are lost (RFC 6675 section 4).
///
/// Everything below `lostEdge` that is not held counts as lost; everything lost below `resentEdge` was sent again.
package struct LossDetection: ~Copyable {
  /// The runs that the peer reported, sorted, with gaps between them.
  private var held = UniqueArray<SACKBlock>()
  /// The bytes in ``held``.
  package private(set) var heldByteCount = 0
  private var lostEdge: SequenceNumber
  private var resentEdge: SequenceNumber

  /// The most runs that are kept; what more the peer reports is sent again if need be.
  private static var maximumRuns: Int { 256 }
  /// DupThresh.
  static var threshold: Int { 3 }

  package init(from sequence: SequenceNumber) {
    lostEdge = sequence
    resentEdge = sequence
  }

  /// Whether nothing is held or lost, so that all in flight is in flight.
  @inline(__always)
  package func isClear(from unacknowledged: SequenceNumber) -> Bool {
    heldByteCount == 0 && lostEdge <= unacknowledged
  }

  // MARK: Reports

  /// Takes the blocks of a SACK option and returns how many bytes are newly held.
  package mutating func update(
    _ blocks: borrowing SACKBlocks, unacknowledged: SequenceNumber, next: SequenceNumber
  ) -> Int {
    let before = heldByteCount
    for index in 0..<blocks.count {
      let block = blocks[index]
      // A block that lies (partly) outside what is in flight is old, a duplicate's report (RFC 2883), or a lie.
      guard block.left < block.right, block.left > unacknowledged, block.right <= next else { continue }
      insert(block)
    }
    return heldByteCount - before
  }

  private mutating func insert(_ block: SACKBlock) {
    var place = held.count
    while place > 0, held[place - 1].left > block.left { place -= 1 }
    // `place` is the first run that begins after the block does.
    var merged = block
    if place > 0, held[place - 1].right >= block.left {
      place -= 1
      merged.left = held[place].left
      merged.right = SequenceNumber.later(held[place].right, block.right)
      if merged == held[place] { return }
      heldByteCount -= held[place].right - held[place].left
      held[place] = merged
    } else {
      if held.count >= Self.maximumRuns { return }
      held.insert(merged, at: place)
    }
    while place + 1 < held.count, held[place + 1].left <= held[place].right {
      let run = held.remove(at: place + 1)
      heldByteCount -= run.right - run.left
      held[place].right = SequenceNumber.later(held[place].right, run.right)
    }
    heldByteCount += held[place].right - held[place].left
  }

  /// The peer acknowledged everything before `unacknowledged`.
  @inline(__always)
  package mutating func advance(to unacknowledged: SequenceNumber) {
    if heldByteCount > 0 { removeHeld(before: unacknowledged) }
    if lostEdge < unacknowledged { lostEdge = unacknowledged }
    if resentEdge < unacknowledged { resentEdge = unacknowledged }
  }

  private mutating func removeHeld(before unacknowledged: SequenceNumber) {
    while !held.isEmpty, held[0].left < unacknowledged {
      if held[0].right <= unacknowledged {
        let run = held.remove(at: 0)
        heldByteCount -= run.right - run.left
      } else {
        heldByteCount -= unacknowledged - held[0].left
        held[0].left = unacknowledged
      }
    }
  }

  // MARK: Loss

  /// Marks as lost what has enough held above it (RFC 6675 IsLost) and returns whether anything is lost.
  package mutating func markLost(unacknowledged: SequenceNumber, segmentSize: Int) -> Bool {
    var bytes = 0
    var runs = 0
    var place = held.count
    while place > 0 {
      place -= 1
      bytes += held[place].right - held[place].left
      runs += 1
      if runs >= Self.threshold || bytes > (Self.threshold - 1) * segmentSize {
        lostEdge = SequenceNumber.later(lostEdge, held[place].left)
        break
      }
    }
    return lostEdge > unacknowledged
  }

  /// Marks the `count` bytes from `sequence` as lost and not sent again: the first segment in flight.
  package mutating func markLost(from sequence: SequenceNumber, count: Int) {
    lostEdge = SequenceNumber.later(lostEdge, sequence + count)
  }

  /// Marks everything in flight that is not held as lost, to be sent once more (RFC 6298 (5.4), RFC 5681 section 3.1).
  package mutating func markAllLost(unacknowledged: SequenceNumber, next: SequenceNumber) {
    lostEdge = next
    resentEdge = unacknowledged
  }

  /// Forgets what the peer reported: it may have let go of it (RFC 2018 section 8).
  package mutating func forgetHeld() {
    held.removeAll()
    heldByteCount = 0
  }

  /// Nothing counts as lost any more: the recovery is over.
  package mutating func clearLost(unacknowledged: SequenceNumber) {
    lostEdge = unacknowledged
    resentEdge = unacknowledged
  }

  // MARK: Questions

  private func heldBytes(from start: SequenceNumber, to end: SequenceNumber) -> Int {
    var sum = 0
    var place = 0
    while place < held.count, held[place].left < end {
      let left = SequenceNumber.later(held[place].left, start)
      let right = SequenceNumber.earlier(held[place].right, end)
      if left < right { sum += right - left }
      place += 1
    }
    return sum
  }

  /// The bytes thought to be in the network (RFC 6675 SetPipe).
  package func pipe(unacknowledged: SequenceNumber, next: SequenceNumber) -> Int {
    if isClear(from: unacknowledged) { return next - unacknowledged }
    let edge = SequenceNumber.later(unacknowledged, lostEdge)
    var sum = next - edge
    if heldByteCount > 0 { sum -= heldBytes(from: edge, to: next) }
    if resentEdge > unacknowledged {
      sum += resentEdge - unacknowledged
      if heldByteCount > 0 { sum -= heldBytes(from: unacknowledged, to: resentEdge) }
    }
    return max(0, sum)
  }

  /// The next bytes that are lost and not sent again (RFC 6675 NextSeg (1)).
  package func nextLost(unacknowledged: SequenceNumber) -> (start: SequenceNumber, count: Int)? {
    var start = SequenceNumber.later(unacknowledged, resentEdge)
    guard start < lostEdge else { return nil }
    var place = 0
    while place < held.count, held[place].right <= start { place += 1 }
    while place < held.count, held[place].left <= start {
      start = held[place].right
      place += 1
    }
    guard start < lostEdge else { return nil }
    let end = place < held.count ? SequenceNumber.earlier(held[place].left, lostEdge) : lostEdge
    return (start, end - start)
  }

  /// Everything lost before `edge` was sent again.
  package mutating func noteResent(upTo edge: SequenceNumber) {
    resentEdge = SequenceNumber.later(resentEdge, edge)
  }
}
