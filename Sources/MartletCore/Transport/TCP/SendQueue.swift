internal import MartletWire

/// The bytes that a program wrote and the peer has not acknowledged: slices of regions in a ring.
///
/// Bytes are named by their distance from the oldest one. They stay where they are until they are removed; a segment
/// takes them by reference. A few bytes, which segments copy anyway, need no region: they lie in the ring's own memory, in
/// place of slices.
@safe
package struct SendQueue: ~Copyable {
  private var entries: UnsafeMutablePointer<Slice>?
  private var capacity: UInt32 = 0
  /// The first slice; while there are bytes and no slices, the first byte.
  private var head: UInt32 = 0
  private var entryCount: UInt32 = 0
  /// How many bytes wait.
  package private(set) var byteCount = 0
  /// Room behind the last slice, in a region that only this queue fills; 0 if there is none.
  private var tailRoom: UInt32 = 0
  /// Where the last look-up ended, so that the next segment does not search from the beginning.
  private var cursorEntry: UInt32 = 0
  private var cursorOffset = 0

  package init() { unsafe entries = nil }

  deinit {
    guard let entries = unsafe entries else { return }
    for index in 0..<entryCount {
      unsafe (entries + Int((head &+ index) & (capacity &- 1))).deinitialize(count: 1)
    }
    unsafe entries.deallocate()
  }

  package var isEmpty: Bool { byteCount == 0 }

  /// How many bytes may lie in the ring's memory, which is always larger by a word: whoever reads words may read on.
  static var smallBound: Int { 4 * MemoryLayout<Slice>.stride - 8 }

  /// Whether all bytes lie in the ring's memory.
  @inline(__always)
  private var isSmall: Bool { entryCount == 0 && byteCount > 0 }

  @inline(__always)
  private var smallBytes: UnsafeMutableRawPointer {
    unsafe UnsafeMutableRawPointer(entries.unsafelyUnwrapped) + Int(head)
  }

  /// Moves bytes that lie in the ring's memory to a region that has room for `count` more if there is such a region, and says
  /// whether there was memory for it.
  @inline(never)
  private mutating func leaveSmall(for count: Int, from pool: borrowing PacketPool) -> Bool {
    let large = byteCount &+ count > PacketPool.smallRegionByteCount
    guard let region = pool.allocateRegion(large: large) ?? pool.allocateRegion(large: !large) else { return false }
    let run = byteCount
    unsafe region.bytes.copyMemory(from: smallBytes, byteCount: run)
    tailRoom = UInt32(truncatingIfNeeded: region.byteCount &- run)
    head = 0
    byteCount = 0
    push(Slice(region, offset: 0, count: run))
    return true
  }

  @inline(__always)
  private func entry(_ index: UInt32) -> UnsafeMutablePointer<Slice> {
    unsafe entries.unsafelyUnwrapped + Int((head &+ index) & (capacity &- 1))
  }

  private mutating func grow() {
    let larger = max(4, capacity * 2)
    let memory = UnsafeMutablePointer<Slice>.allocate(capacity: Int(larger))
    for index in 0..<entryCount { unsafe (memory + Int(index)).initialize(to: entry(index).move()) }
    unsafe entries?.deallocate()
    unsafe entries = memory
    capacity = larger
    head = 0
  }

  @inline(__always)
  private mutating func push(_ slice: consuming Slice) {
    if entryCount == capacity { grow() }
    byteCount &+= slice.count
    unsafe entry(entryCount).initialize(to: slice)
    entryCount &+= 1
  }

  /// Puts `slice` at the end by reference, unless `pool` has no memory for what stands before it; says whether it did.
  package mutating func append(_ slice: consuming Slice, from pool: borrowing PacketPool) -> Bool {
    if slice.count == 0 { return true }
    if isSmall, !leaveSmall(for: 0, from: pool) { return false }
    tailRoom = 0
    push(slice)
    return true
  }

  /// Copies `bytes` to the end, as many as the pool has memory for, and returns how many.
  ///
  /// A first small write takes a small region, so that an idle connection holds little; what follows takes large ones.
  @inline(__always)
  package mutating func append(copying bytes: RawSpan, from pool: borrowing PacketPool) -> Int {
    let count = bytes.byteCount
    let end = Int(head) &+ byteCount
    guard entryCount == 0, end &+ count <= Self.smallBound, capacity > 0 else {
      return appendLarge(copying: bytes, from: pool)
    }
    unsafe bytes.withUnsafeBytes { source in
      guard let start = source.baseAddress else { return }
      let place = unsafe UnsafeMutableRawPointer(entries.unsafelyUnwrapped) + end
      unsafe place.copyFew(from: start, byteCount: count)
    }
    byteCount &+= count
    return count
  }

  /// Copies the first `count` of `bytes` to the end, as ``append(copying:from:)`` does.
  @inline(never)
  mutating func append(copyingFirst count: Int, of bytes: RawSpan, from pool: borrowing PacketPool) -> Int {
    count == 0 ? 0 : append(copying: bytes.extracting(0..<count), from: pool)
  }

  @inline(never)
  private mutating func appendLarge(copying bytes: RawSpan, from pool: borrowing PacketPool) -> Int {
    if capacity == 0 {
      grow()
      if bytes.byteCount <= Self.smallBound { return append(copying: bytes, from: pool) }
    }
    if isSmall, !leaveSmall(for: bytes.byteCount, from: pool) { return 0 }
    return unsafe bytes.withUnsafeBytes { source in
      guard let start = source.baseAddress else { return 0 }
      var taken = 0
      while taken < source.count {
        if tailRoom == 0 {
          let large = source.count &- taken > PacketPool.smallRegionByteCount || byteCount > 0
          guard let region = pool.allocateRegion(large: large) ?? pool.allocateRegion(large: !large) else { break }
          let run = min(source.count &- taken, region.byteCount)
          unsafe region.bytes.copyMemory(from: start + taken, byteCount: run)
          tailRoom = UInt32(truncatingIfNeeded: region.byteCount &- run)
          push(Slice(region, offset: 0, count: run))
          taken &+= run
        } else {
          let last = unsafe entry(entryCount &- 1)
          let run = min(source.count &- taken, Int(tailRoom))
          unsafe (last.pointee.pointer + last.pointee.count).copyMemory(from: start + taken, byteCount: run)
          // The slice grows over bytes that nobody referred to yet.
          let offset = unsafe last.pointee.offset
          let count = unsafe last.pointee.count
          let region = unsafe last.pointee.region.share()
          unsafe last.deinitialize(count: 1)
          unsafe last.initialize(to: Slice(region, offset: offset, count: count &+ run))
          tailRoom &-= UInt32(truncatingIfNeeded: run)
          byteCount &+= run
          taken &+= run
        }
      }
      return taken
    }
  }

  /// Lets go of the `count` oldest bytes.
  package mutating func removeFirst(_ count: Int) {
    precondition(count >= 0 && count <= byteCount, "more bytes than the send queue has")
    byteCount &-= count
    if entryCount == 0 {
      head = byteCount == 0 ? 0 : head &+ UInt32(truncatingIfNeeded: count)
      return
    }
    if byteCount == 0, entryCount == 1 {
      unsafe entry(0).deinitialize(count: 1)
      entryCount = 0
      head = 0
      cursorEntry = 0
      cursorOffset = 0
      tailRoom = 0
      return
    }
    var left = count
    while left > 0 {
      let first = unsafe entry(0)
      let size = unsafe first.pointee.count
      if size > left {
        let rest = unsafe first.pointee.share(from: left)
        unsafe first.deinitialize(count: 1)
        unsafe first.initialize(to: rest)
        break
      }
      left &-= size
      unsafe first.deinitialize(count: 1)
      head = (head &+ 1) & (capacity &- 1)
      entryCount &-= 1
      if cursorEntry > 0 { cursorEntry &-= 1 } else { cursorOffset = 0 }
    }
    cursorOffset = max(0, cursorOffset &- count)
    if cursorOffset == 0 { cursorEntry = 0 }
    if byteCount == 0 {
      tailRoom = 0
      head = 0
    }
  }

  /// Lets go of everything.
  package mutating func removeAll() {
    if byteCount > 0 { removeFirst(byteCount) }
    guard let old = unsafe entries else { return }
    unsafe old.deallocate()
    unsafe entries = nil
    capacity = 0
    head = 0
  }

  /// Appends the `count` bytes from `offset` to `packet` by reference and returns how many found a place in it.
  package mutating func share(from offset: Int, count: Int, into packet: inout Packet) -> Int {
    precondition(offset >= 0 && count >= 0 && offset &+ count <= byteCount, "past the end of the send queue")
    if isSmall {
      // Nobody asks for a reference to so few; without slices before it there is always room for a copy.
      guard packet.sliceCount == 0, packet.tailRoom >= count else { return 0 }
      copy(from: offset, count: count, into: &packet)
      return count
    }
    var index: UInt32 = 0
    var position = 0
    if offset >= cursorOffset {
      index = cursorEntry
      position = cursorOffset
    }
    var done = 0
    while done < count {
      let slice = unsafe entry(index)
      let size = unsafe slice.pointee.count
      if position &+ size <= offset &+ done {
        position &+= size
        index &+= 1
        continue
      }
      let skip = offset &+ done &- position
      let run = min(count &- done, size &- skip)
      guard packet.append(unsafe slice.pointee.share(from: skip, count: run)) else { break }
      done &+= run
      if skip &+ run == size && index &+ 1 < entryCount {
        position &+= size
        index &+= 1
      }
    }
    cursorEntry = index
    cursorOffset = position
    return done
  }

  /// Copies the last `count` bytes, at least one, to `target` and returns their sum as ``WordSum/partial(_:count:)`` gives it.
  /// Up to seven bytes behind them are written over.
  @unsafe @inline(__always)
  func copyLast(_ count: Int, to target: UnsafeMutableRawPointer) -> UInt64 {
    if entryCount == 0 {
      let source = unsafe smallBytes + (byteCount &- count)
      if count <= 8 {
        let word = unsafe UInt64(littleEndian: source.loadUnaligned(as: UInt64.self))
        let excess = UInt64(64 &- 8 &* count)
        let kept = ((word &<< excess) &>> excess).littleEndian
        unsafe target.storeBytes(of: kept, as: UInt64.self)
        return (kept & 0xffff_ffff) &+ kept &>> 32
      }
      return unsafe WordSum.partialCopying(from: source, to: target, count: count)
    }
    return unsafe copyLastOfSlices(count, to: target)
  }

  @unsafe @inline(never)
  private func copyLastOfSlices(_ count: Int, to target: UnsafeMutableRawPointer) -> UInt64 {
    var left = count
    var index = entryCount
    while left > 0 {
      index &-= 1
      let slice = unsafe entry(index)
      let run = unsafe min(left, slice.pointee.count)
      left &-= run
      unsafe (target + left).copyMemory(
        from: slice.pointee.pointer + (slice.pointee.count &- run), byteCount: run)
    }
    return unsafe WordSum.partial(target, count: count)
  }

  /// Copies the `count` bytes from `offset` to the end of `packet`'s linear part.
  package mutating func copy(from offset: Int, count: Int, into packet: inout Packet) {
    precondition(offset >= 0 && count >= 0 && offset &+ count <= byteCount, "past the end of the send queue")
    let start = packet.linearCount
    packet.extend(count)
    if isSmall {
      unsafe (packet.pointer + start).copyMemory(from: smallBytes + offset, byteCount: count)
      return
    }
    var index: UInt32 = 0
    var position = 0
    if offset >= cursorOffset {
      index = cursorEntry
      position = cursorOffset
    }
    var done = 0
    while done < count {
      let slice = unsafe entry(index)
      let size = unsafe slice.pointee.count
      if position &+ size > offset &+ done {
        let skip = offset &+ done &- position
        let run = min(count &- done, size &- skip)
        unsafe (packet.pointer + start + done).copyMemory(from: slice.pointee.pointer + skip, byteCount: run)
        done &+= run
        if done == count { break }
      }
      position &+= size
      index &+= 1
    }
    cursorEntry = index
    cursorOffset = position
  }
}
