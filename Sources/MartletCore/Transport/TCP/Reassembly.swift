import BasicContainers
package import MartletWire

/// Pieces of a stream with gaps before them: runs of packets, sorted, with a gap before each.
///
/// Most connections never have any, so that all of it stands behind one pointer.
@safe
package struct Reassembly: ~Copyable {
  /// Bytes without a gap.
  struct Run: ~Copyable {
    var start: SequenceNumber
    var packets: PacketQueue
    var end: SequenceNumber { start + packets.byteCount }
    var block: SACKBlock { SACKBlock(left: start, right: end) }
  }

  struct Storage: ~Copyable {
    var runs = UniqueArray<Run>()
    var byteCount = 0
    var packetCount = 0
    /// The runs held, the most lately changed first (RFC 2018 section 4).
    var blocks = SACKBlocks()
    /// Bytes that came again, to be reported once (RFC 2883 section 4).
    var duplicate: SACKBlock?
  }

  private var storage: UnsafeMutablePointer<Storage>?

  package init() { unsafe storage = nil }

  deinit {
    guard let storage = unsafe storage else { return }
    unsafe storage.deinitialize(count: 1)
    unsafe storage.deallocate()
  }

  @inline(never)
  private mutating func make() -> UnsafeMutablePointer<Storage> {
    let made = UnsafeMutablePointer<Storage>.allocate(capacity: 1)
    unsafe made.initialize(to: Storage())
    unsafe storage = made
    return unsafe made
  }

  /// Whether nothing waits.
  @inline(__always)
  package var isEmpty: Bool {
    guard let storage = unsafe storage else { return true }
    return unsafe storage.pointee.runs.isEmpty
  }

  /// Whether an acknowledgement has anything to report beside its number.
  @inline(__always)
  package var hasReports: Bool {
    guard let storage = unsafe storage else { return false }
    return unsafe !storage.pointee.blocks.isEmpty || storage.pointee.duplicate != nil
  }

  /// The bytes that wait.
  package var byteCount: Int {
    guard let storage = unsafe storage else { return 0 }
    return unsafe storage.pointee.byteCount
  }

  /// How many runs there are.
  package var runCount: Int {
    guard let storage = unsafe storage else { return 0 }
    return unsafe storage.pointee.runs.count
  }

  /// The memory of what waits, in bytes, at most: whole blocks, and all payload as if it lay in slices.
  package var memory: Int {
    guard let storage = unsafe storage else { return 0 }
    return unsafe storage.pointee.packetCount &* Packet.blockByteCount &+ storage.pointee.byteCount
  }

  /// The runs of bytes held, the most lately changed first (RFC 2018 section 4).
  package var blocks: SACKBlocks {
    guard let storage = unsafe storage else { return SACKBlocks() }
    return unsafe storage.pointee.blocks
  }

  /// What the SACK option says: what came again (RFC 2883 section 4), then ``blocks``.
  package var reports: SACKBlocks {
    guard let storage = unsafe storage else { return SACKBlocks() }
    guard let duplicate = unsafe storage.pointee.duplicate else { return unsafe storage.pointee.blocks }
    var all = SACKBlocks()
    all.append(duplicate)
    let held = unsafe storage.pointee.blocks
    for index in 0..<held.count { all.append(held[index]) }
    return all
  }

  /// The `count` bytes from `sequence` came again.
  mutating func noteDuplicate(_ sequence: SequenceNumber, count: Int) {
    guard count > 0 else { return }
    let storage = unsafe storage ?? make()
    // One segment, one report: what came again of it before counts for more than what comes behind.
    let block = SACKBlock(left: sequence, right: sequence + count)
    if let old = unsafe storage.pointee.duplicate, old.right == block.left {
      unsafe storage.pointee.duplicate = SACKBlock(left: old.left, right: block.right)
    } else {
      unsafe storage.pointee.duplicate = block
    }
  }

  /// An acknowledgement told the peer.
  @inline(__always)
  mutating func noteReported() {
    guard let storage = unsafe storage else { return }
    unsafe storage.pointee.duplicate = nil
  }

  /// Puts `packet` where it belongs, less the bytes that are there already, and returns whether it brought anything
  /// new.
  mutating func insert(_ packet: consuming Packet, at sequence: SequenceNumber) -> Bool {
    let storage = unsafe storage ?? make()
    var start = sequence
    // Most segments come last.
    var place = unsafe storage.pointee.runs.count
    while unsafe place > 0 && storage.pointee.runs[place - 1].start > start { place -= 1 }

    if place > 0 {
      let overlap = unsafe storage.pointee.runs[place - 1].end - start
      if overlap > 0 { noteDuplicate(start, count: min(overlap, packet.count)) }
      if overlap >= packet.count {
        unsafe storage.pointee.note(place - 1)
        return false
      }
      if overlap > 0 {
        packet.removeFirst(overlap)
        start += overlap
      }
    }
    var end = start + packet.count
    while unsafe place < storage.pointee.runs.count && storage.pointee.runs[place].end <= end {
      let run = unsafe storage.pointee.remove(at: place)
      noteDuplicate(run.start, count: run.packets.byteCount)
    }
    if unsafe place < storage.pointee.runs.count {
      let next = unsafe storage.pointee.runs[place].start
      if next < end {
        noteDuplicate(next, count: end - next)
        packet.truncate(to: next - start)
        end = next
      }
    }
    guard packet.count > 0 else {
      if unsafe place < storage.pointee.runs.count { unsafe storage.pointee.note(place) }
      return false
    }
    unsafe storage.pointee.put(packet, at: place, start: start, end: end)
    return true
  }

  /// Takes the first run if it goes on at `next` or before, less what lies before `next`. A run with nothing after
  /// `next` goes.
  mutating func popFirst(before next: SequenceNumber) -> PacketQueue? {
    guard let storage = unsafe storage else { return nil }
    while unsafe !storage.pointee.runs.isEmpty && storage.pointee.runs[0].start <= next {
      var run = unsafe storage.pointee.remove(at: 0)
      var old = next - run.start
      if old == 0 { return run.packets }
      noteDuplicate(run.start, count: min(old, run.packets.byteCount))
      while var packet = run.packets.popFirst() {
        if packet.count > old {
          packet.removeFirst(old)
          var rest = PacketQueue()
          rest.append(packet)
          rest.append(contentsOf: &run.packets)
          return rest
        }
        old -= packet.count
      }
    }
    return nil
  }

  /// What lies before `next` is no longer reported.
  mutating func forget(before next: SequenceNumber) {
    guard let storage = unsafe storage, unsafe !storage.pointee.blocks.isEmpty else { return }
    let old = unsafe storage.pointee.blocks
    var kept = SACKBlocks()
    for index in 0..<old.count where old[index].right > next { kept.append(old[index]) }
    unsafe storage.pointee.blocks = kept
  }
}

extension Reassembly.Storage {
  /// Puts `packet`, which touches no more than the ends of its neighbours, before run `place`.
  mutating func put(
    _ packet: consuming Packet, at place: Int, start: SequenceNumber, end: SequenceNumber
  ) {
    byteCount += packet.count
    let goesOn = place > 0 && runs[place - 1].end == start
    let leadsTo = place < runs.count && runs[place].start == end
    if goesOn {
      if packet.count > ReceiveQueue.copyBound || !runs[place - 1].packets.appendToLast(copying: packet) {
        packetCount += 1
        runs[place - 1].packets.append(packet)
      }
      if leadsTo {
        var next = runs.remove(at: place)
        runs[place - 1].packets.append(contentsOf: &next.packets)
      }
      note(place - 1)
      return
    }
    packetCount += 1
    var packets = PacketQueue()
    packets.append(packet)
    if leadsTo {
      packets.append(contentsOf: &runs[place].packets)
      runs[place].packets = packets
      runs[place].start = start
    } else {
      runs.insert(Reassembly.Run(start: start, packets: packets), at: place)
    }
    note(place)
  }

  mutating func remove(at place: Int) -> Reassembly.Run {
    let run = runs.remove(at: place)
    byteCount -= run.packets.byteCount
    packetCount -= run.packets.count
    return run
  }

  /// Run `place` goes to the front of ``blocks``.
  mutating func note(_ place: Int) {
    let run = runs[place].block
    var newer = SACKBlocks()
    newer.append(run)
    for index in 0..<blocks.count where !(blocks[index].left >= run.left && blocks[index].right <= run.right) {
      newer.append(blocks[index])
    }
    blocks = newer
  }
}
