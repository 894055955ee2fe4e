/// A place in a ``Slab`` together with the generation of who lives there.
@usableFromInline
package struct SlabKey: Hashable, Sendable, BitwiseCopyable {
  package var index: UInt32
  package var generation: UInt32

  package init(index: UInt32, generation: UInt32) {
    self.index = index
    self.generation = generation
  }
}

/// Noncopyable values that stay where they are, found by a key that a later tenant of the same place does not answer to.
///
/// Memory comes in chunks that never move, so growing costs no copies.
@safe
package struct Slab<Element: ~Copyable>: ~Copyable {
  @unsafe private struct Slot: ~Copyable {
    var generation: UInt32
    var nextFree: UInt32
    var element: Element?
  }

  private static var chunkCount: Int { 64 }
  private static var none: UInt32 { .max }

  private var chunks: [UnsafeMutablePointer<Slot>]
  private var freeHead: UInt32
  /// How many live in the slab.
  package private(set) var count: Int
  /// How many may live in it.
  package let capacity: Int

  package init(capacity: Int) {
    unsafe chunks = []
    freeHead = Self.none
    count = 0
    self.capacity = capacity
  }

  deinit {
    for unsafe chunk in unsafe chunks {
      unsafe chunk.deinitialize(count: Self.chunkCount)
      unsafe chunk.deallocate()
    }
  }

  @inline(__always)
  private func slot(_ index: UInt32) -> UnsafeMutablePointer<Slot> {
    unsafe chunks[Int(index) / Self.chunkCount] + Int(index) % Self.chunkCount
  }

  /// Gives `element` a place, or nothing and the element is gone when the slab is full.
  package mutating func insert(_ element: consuming Element) -> SlabKey? {
    guard count < capacity else { return nil }
    if freeHead == Self.none { grow() }
    let index = freeHead
    let slot = unsafe slot(index)
    unsafe freeHead = slot.pointee.nextFree
    unsafe slot.pointee.element = consume element
    count += 1
    return unsafe SlabKey(index: index, generation: slot.pointee.generation)
  }

  private mutating func grow() {
    let base = unsafe UInt32(chunks.count * Self.chunkCount)
    let chunk = UnsafeMutablePointer<Slot>.allocate(capacity: Self.chunkCount)
    for offset in 0..<Self.chunkCount {
      let next = offset + 1 < Self.chunkCount ? base + UInt32(offset) + 1 : freeHead
      unsafe (chunk + offset).initialize(to: Slot(generation: 1, nextFree: next, element: nil))
    }
    unsafe chunks.append(chunk)
    freeHead = base
  }

  /// Takes the element out; its key answers no more.
  @discardableResult
  package mutating func remove(_ key: SlabKey) -> Element? {
    guard contains(key) else { return nil }
    let slot = unsafe slot(key.index)
    let element = unsafe slot.pointee.element.take()
    unsafe slot.pointee.generation &+= 1
    unsafe slot.pointee.nextFree = freeHead
    freeHead = key.index
    count -= 1
    return element
  }

  /// Whether `key`'s element is still there.
  package func contains(_ key: SlabKey) -> Bool {
    guard unsafe Int(key.index) < chunks.count * Self.chunkCount else { return false }
    let slot = unsafe slot(key.index)
    return unsafe slot.pointee.generation == key.generation && slot.pointee.element != nil
  }

  /// Whether somebody lives at `index`.
  package func isOccupied(_ index: UInt32) -> Bool {
    guard unsafe Int(index) < chunks.count * Self.chunkCount else { return false }
    return unsafe slot(index).pointee.element != nil
  }

  /// The key of whoever lives at `index`, if anybody does.
  package func key(at index: UInt32) -> SlabKey? { isOccupied(index) ? tenant(at: index) : nil }

  /// The key of whoever lives at `index`; asking for an empty place is the caller's bug and traps.
  package func tenant(at index: UInt32) -> SlabKey {
    precondition(isOccupied(index), "nobody lives there")
    return unsafe SlabKey(index: index, generation: slot(index).pointee.generation)
  }

  /// The first place that was never used: keys' indices lie below it.
  package var indexBound: UInt32 { unsafe UInt32(chunks.count * Self.chunkCount) }

  /// The element at `index`; asking for an empty place is the caller's bug and traps.
  package subscript(index: UInt32) -> Element {
    @inline(__always) _read {
      let slot = unsafe slot(index)
      yield unsafe slot.pointee.element!
    }
    @inline(__always) _modify {
      let slot = unsafe slot(index)
      yield unsafe &slot.pointee.element!
    }
  }
}
