/// A queue of packets, linked through their blocks: no memory of its own, whatever its length.
@safe
public struct PacketQueue: ~Copyable {
  @usableFromInline var first: UnsafeMutablePointer<PacketBlock>?
  @usableFromInline var last: UnsafeMutablePointer<PacketBlock>?
  /// How many packets wait.
  public private(set) var count = 0
  /// How many bytes they have together.
  public private(set) var byteCount = 0

  /// An empty queue.
  public init() {
    unsafe first = nil
    unsafe last = nil
  }

  deinit {
    var next = unsafe first
    while let block = unsafe next {
      unsafe next = block.pointee.next
      _ = unsafe Packet(adopting: block)
    }
  }

  /// Whether no packet waits.
  public var isEmpty: Bool { count == 0 }

  /// Puts `packet` at the end.
  @inline(__always)
  public mutating func append(_ packet: consuming Packet) {
    count &+= 1
    byteCount &+= packet.count
    let block = unsafe packet.relinquish()
    unsafe block.pointee.next = nil
    if let last = unsafe last { unsafe last.pointee.next = block } else { unsafe first = block }
    unsafe last = block
  }

  /// Takes the packet in front.
  @inline(__always)
  public mutating func popFirst() -> Packet? {
    guard let block = unsafe first else { return nil }
    unsafe first = block.pointee.next
    if unsafe first == nil { unsafe last = nil }
    let packet = unsafe Packet(adopting: block)
    count &-= 1
    byteCount &-= packet.count
    return packet
  }

  /// Moves all of `other` to the end.
  package mutating func append(contentsOf other: inout PacketQueue) {
    guard let block = unsafe other.first else { return }
    if let last = unsafe last { unsafe last.pointee.next = block } else { unsafe first = block }
    unsafe last = other.last
    count &+= other.count
    byteCount &+= other.byteCount
    unsafe other.first = nil
    unsafe other.last = nil
    other.count = 0
    other.byteCount = 0
  }

  /// Lets go of every packet.
  package mutating func removeAll() { self = PacketQueue() }
}

extension Packet {
  @inlinable init(adopting block: UnsafeMutablePointer<PacketBlock>) { unsafe self.block = block }

  /// Hands the block to somebody who takes care of it from now on.
  @inlinable consuming func relinquish() -> UnsafeMutablePointer<PacketBlock> {
    let block = unsafe block
    discard self
    return unsafe block
  }
}

// MARK: - A queue as a stream of bytes

extension PacketQueue {
  /// Copies the first bytes to `destination`, at most `capacity`, takes them out and returns how many there were.
  @unsafe @inline(__always)
  package mutating func removeFirstBytes(into destination: UnsafeMutableRawPointer, capacity: Int) -> Int {
    // Mostly one packet waits, and there is room for all of it.
    if count == 1, byteCount <= capacity, let block = unsafe first, unsafe block.pointee.sliceCount == 0 {
      let packet = unsafe Packet(adopting: block)
      let run = byteCount
      unsafe first = nil
      unsafe last = nil
      count = 0
      byteCount = 0
      unsafe destination.copyFew(from: packet.pointer, byteCount: run)
      return run
    }
    return unsafe removeManyBytes(into: destination, capacity: capacity)
  }

  @unsafe @inline(never)
  private mutating func removeManyBytes(into destination: UnsafeMutableRawPointer, capacity: Int) -> Int {
    var target = unsafe destination
    return unsafe removeFirstRuns(upTo: capacity) { bytes, count in
      unsafe target.copyMemory(from: bytes, byteCount: count)
      unsafe target += count
    }
  }

  /// Hands the first bytes to `body`, run by run where they lie, at most `maximum`, takes them out and returns how many there
  /// were.
  package mutating func removeFirstBytes(upTo maximum: Int, _ body: (RawSpan) -> Void) -> Int {
    unsafe removeFirstRuns(upTo: maximum) { bytes, count in
      // Valid as long as the packet, which outlives the call.
      body(unsafe RawSpan(_unsafeStart: bytes, byteCount: count))
    }
  }

  @unsafe @inline(__always)
  private mutating func removeFirstRuns(upTo maximum: Int, _ body: (UnsafeRawPointer, Int) -> Void) -> Int {
    var done = 0
    while done < maximum, let block = unsafe first {
      var packet = unsafe Packet(adopting: block)
      let run = min(packet.count, maximum &- done)
      unsafe packet.forEachRun(from: 0, count: run, body)
      done &+= run
      byteCount &-= run
      if run == packet.count {
        unsafe first = block.pointee.next
        if unsafe first == nil { unsafe last = nil }
        count &-= 1
      } else {
        packet.removeFirst(run)
        _ = unsafe packet.relinquish()
      }
    }
    return done
  }

  /// Copies the bytes of `packet` behind those of the last packet, if that one has no slices and room enough.
  package mutating func appendToLast(copying packet: borrowing Packet) -> Bool {
    guard let block = unsafe last else { return false }
    var tail = unsafe Packet(adopting: block)
    let fits = tail.append(copying: packet)
    if fits { byteCount &+= packet.count }
    _ = unsafe tail.relinquish()
    return fits
  }
}

extension Packet {
  /// Copies the bytes of `other` behind these, if there are no slices yet and room enough.
  package mutating func append(copying other: borrowing Packet) -> Bool {
    let run = other.count
    guard sliceCount == 0, tailRoom >= run else { return false }
    let old = linearCount
    extend(run)
    unsafe other.copyBytes(from: 0, count: run, to: pointer + old)
    return true
  }
}

extension UnsafeMutableRawPointer {
  /// Copies `byteCount` bytes from `source`, without a call if they are few. The two areas must not overlap.
  @unsafe @inline(__always)
  func copyFew(from source: UnsafeRawPointer, byteCount: Int) {
    if byteCount > 16 || byteCount == 0 { return unsafe copyMemory(from: source, byteCount: byteCount) }
    // The first and the last word, which may overlap.
    if byteCount >= 8 {
      let last = unsafe source.loadUnaligned(fromByteOffset: byteCount &- 8, as: UInt64.self)
      unsafe storeBytes(of: source.loadUnaligned(as: UInt64.self), as: UInt64.self)
      return unsafe storeBytes(of: last, toByteOffset: byteCount &- 8, as: UInt64.self)
    }
    if byteCount >= 4 {
      let last = unsafe source.loadUnaligned(fromByteOffset: byteCount &- 4, as: UInt32.self)
      unsafe storeBytes(of: source.loadUnaligned(as: UInt32.self), as: UInt32.self)
      return unsafe storeBytes(of: last, toByteOffset: byteCount &- 4, as: UInt32.self)
    }
    let last = unsafe source.load(fromByteOffset: byteCount &- 1, as: UInt8.self)
    if byteCount >= 2 { unsafe storeBytes(of: source.loadUnaligned(as: UInt16.self), as: UInt16.self) }
    unsafe storeBytes(of: last, toByteOffset: byteCount &- 1, as: UInt8.self)
  }
}
