/// The bytes that a program wrote and the peer has not acknowledged: slices of regions in a ring.
///
/// Bytes are named by their distance from the oldest one. They stay where they are until they are removed; a segment
/// takes them by reference.
@safe
package struct SendQueue: ~Copyable {
  private var entries: UnsafeMutablePointer<Slice>?
  private var capacity: UInt32 = 0
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

  /// Puts `slice` at the end by reference.
  package mutating func append(_ slice: consuming Slice) {
    if slice.count == 0 { return }
    tailRoom = 0
    push(slice)
  }

  /// Copies `bytes` to the end, as many as the pool has memory for, and returns how many.
  ///
  /// A first small write takes a small region, so that an idle connection holds little; what follows takes large ones.
  package mutating func append(copying bytes: RawSpan, from pool: borrowing PacketPool) -> Int {
    unsafe bytes.withUnsafeBytes { source in
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
    if byteCount == 0 { tailRoom = 0 }
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

  /// Copies the last `count` bytes to the end of `packet`'s linear part.
  @inline(__always)
  mutating func copyLast(_ count: Int, into packet: inout Packet) {
    let last = unsafe entry(entryCount &- 1)
    if unsafe count > last.pointee.count { return copy(from: byteCount &- count, count: count, into: &packet) }
    let start = packet.linearCount
    packet.extend(count)
    let source = unsafe last.pointee.pointer + (last.pointee.count &- count)
    unsafe (packet.pointer + start).copyMemory(from: source, byteCount: count)
  }

  /// Copies the `count` bytes from `offset` to the end of `packet`'s linear part.
  package mutating func copy(from offset: Int, count: Int, into packet: inout Packet) {
    precondition(offset >= 0 && count >= 0 && offset &+ count <= byteCount, "past the end of the send queue")
    let start = packet.linearCount
    packet.extend(count)
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
