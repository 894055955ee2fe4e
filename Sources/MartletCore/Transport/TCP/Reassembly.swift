import BasicContainers
package import MartletWire

/// Pieces of a stream with gaps before them: sorted, without overlap, each a packet.
package struct Reassembly: ~Copyable {
  struct Piece: ~Copyable {
    var start: SequenceNumber
    var packet: Packet
    var end: SequenceNumber { start + packet.count }
  }

  private var pieces = UniqueArray<Piece>()
  /// The bytes that wait.
  package private(set) var byteCount = 0
  /// Their memory, whole blocks counted.
  package private(set) var memory = 0
  /// The runs of bytes held, the most lately changed first (RFC 2018 section 4).
  package private(set) var blocks = SACKBlocks()

  package init() {}

  package var isEmpty: Bool { pieces.isEmpty }
  package var pieceCount: Int { pieces.count }

  /// Puts `packet` where it belongs, less the bytes that are there already, and returns whether it brought anything
  /// new.
  mutating func insert(_ packet: consuming Packet, at sequence: SequenceNumber) -> Bool {
    var start = sequence
    // Most pieces come last.
    var place = pieces.count
    while place > 0, pieces[place - 1].start > start { place -= 1 }

    if place > 0 {
      let overlap = pieces[place - 1].end - start
      if overlap >= packet.count {
        note(around: place - 1)
        return false
      }
      if overlap > 0 {
        packet.removeFirst(overlap)
        start += overlap
      }
    }
    var end = start + packet.count
    while place < pieces.count, pieces[place].end <= end { _ = remove(at: place) }
    if place < pieces.count, pieces[place].start < end {
      packet.truncate(to: pieces[place].start - start)
      end = pieces[place].start
    }
    guard packet.count > 0 else {
      if place < pieces.count { note(around: place) }
      return false
    }
    byteCount += packet.count
    if place > 0, pieces[place - 1].end == start, packet.count <= ReceiveQueue.copyBound,
      pieces[place - 1].packet.append(copying: packet)
    {
      note(around: place - 1)
      return true
    }
    memory += packet.memoryByteCount
    pieces.insert(Piece(start: start, packet: packet), at: place)
    note(around: place)
    return true
  }

  private mutating func remove(at place: Int) -> Packet {
    let piece = pieces.remove(at: place)
    byteCount -= piece.packet.count
    memory -= piece.packet.memoryByteCount
    return piece.packet
  }

  /// Takes the first piece if it goes on at `next` or before, less what lies before `next`. Pieces with nothing after `next` go.
  mutating func popFirst(before next: SequenceNumber) -> Packet? {
    while !pieces.isEmpty, pieces[0].start <= next {
      let old = next - pieces[0].start
      var packet = remove(at: 0)
      if old < packet.count {
        packet.removeFirst(old)
        return packet
      }
    }
    return nil
  }

  /// The run that piece `place` is part of goes to the front of ``blocks``.
  private mutating func note(around place: Int) {
    var first = place
    while first > 0, pieces[first - 1].end == pieces[first].start { first -= 1 }
    var last = place
    while last + 1 < pieces.count, pieces[last].end == pieces[last + 1].start { last += 1 }
    let run = SACKBlock(left: pieces[first].start, right: pieces[last].end)
    var newer = SACKBlocks()
    newer.append(run)
    for index in 0..<blocks.count where !(blocks[index].left >= run.left && blocks[index].right <= run.right) {
      newer.append(blocks[index])
    }
    blocks = newer
  }

  /// What lies before `next` is no longer reported.
  mutating func forget(before next: SequenceNumber) {
    guard !blocks.isEmpty else { return }
    var kept = SACKBlocks()
    for index in 0..<blocks.count where blocks[index].right > next { kept.append(blocks[index]) }
    blocks = kept
  }
}
