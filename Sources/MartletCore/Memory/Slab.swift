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
  /// What is known of a place; odd generations are those of tenants.
  @unsafe struct Place {
    var generation: UInt32
    var nextFree: UInt32
  }

  private static var chunkCount: Int { 64 }
  private static var none: UInt32 { .max }

  // A place and its element stand side by side, so that who asks for one has the other at hand.
  private static var alignment: Int { unsafe max(MemoryLayout<Place>.alignment, MemoryLayout<Element>.alignment) }
  private static var elementOffset: Int { unsafe max(MemoryLayout<Place>.size, MemoryLayout<Element>.alignment) }
  private static var slotByteCount: Int {
    (elementOffset &+ MemoryLayout<Element>.size &+ alignment &- 1) & ~(alignment &- 1)
  }

  private var chunks: UnsafeMutablePointer<UnsafeMutableRawPointer>
  private var chunkCapacity: Int
  private var chunksInUse = 0
  private var freeHead = UInt32.max
  /// How many live in the slab.
  package private(set) var count = 0
  /// How many may live in it.
  package let capacity: Int

  package init(capacity: Int) {
    chunkCapacity = 4
    unsafe chunks = .allocate(capacity: 4)
    self.capacity = capacity
  }

  deinit {
    for index in 0..<indexBound where isOccupied(index) { unsafe element(index).deinitialize(count: 1) }
    for index in 0..<chunksInUse {
      unsafe chunks[index].deallocate()
    }
    unsafe chunks.deallocate()
  }

  @inline(__always)
  private func slot(_ index: UInt32) -> UnsafeMutableRawPointer {
    let index = UInt(index)
    let chunk = unsafe chunks[Int(index / UInt(Self.chunkCount))]
    return unsafe chunk + Int(index % UInt(Self.chunkCount)) &* Self.slotByteCount
  }

  @inline(__always)
  private func place(_ index: UInt32) -> UnsafeMutablePointer<Place> {
    unsafe slot(index).assumingMemoryBound(to: Place.self)
  }

  @inline(__always)
  private func element(_ index: UInt32) -> UnsafeMutablePointer<Element> {
    unsafe (slot(index) + Self.elementOffset).assumingMemoryBound(to: Element.self)
  }

  /// Gives `element` a place, or nothing and the element is gone when the slab is full.
  @inline(__always)
  package mutating func insert(_ element: consuming Element) -> SlabKey? {
    guard let place = unsafe nextPlace() else { return nil }
    unsafe place.initialize(to: element)
    return takeNextPlace()
  }

  /// Where the next element will stand; nil when the slab is full. For who makes a large one where it is to stay, and then
  /// calls ``takeNextPlace()``.
  @unsafe @inline(__always)
  mutating func nextPlace() -> UnsafeMutablePointer<Element>? {
    guard count < capacity else { return nil }
    if freeHead == Self.none { grow() }
    return unsafe element(freeHead)
  }

  /// Takes note of the element that was made at ``nextPlace()``.
  @inline(__always)
  mutating func takeNextPlace() -> SlabKey {
    let index = freeHead
    let place = unsafe place(index)
    unsafe freeHead = place.pointee.nextFree
    unsafe place.pointee.generation &+= 1
    count += 1
    return unsafe SlabKey(index: index, generation: place.pointee.generation)
  }

  private mutating func grow() {
    if chunksInUse == chunkCapacity {
      let bigger = UnsafeMutablePointer<UnsafeMutableRawPointer>.allocate(capacity: chunkCapacity * 2)
      unsafe bigger.moveInitialize(from: chunks, count: chunksInUse)
      unsafe chunks.deallocate()
      unsafe chunks = bigger
      chunkCapacity *= 2
    }
    let base = UInt32(chunksInUse * Self.chunkCount)
    let chunk = UnsafeMutableRawPointer.allocate(
      byteCount: Self.slotByteCount * Self.chunkCount, alignment: Self.alignment)
    unsafe (chunks + chunksInUse).initialize(to: chunk)
    chunksInUse += 1
    for offset in 0..<UInt32(Self.chunkCount) {
      let next = offset + 1 < UInt32(Self.chunkCount) ? base + offset + 1 : freeHead
      unsafe place(base + offset).initialize(to: Place(generation: 0, nextFree: next))
    }
    freeHead = base
  }

  /// Takes the element out; its key answers no more.
  @discardableResult
  package mutating func remove(_ key: SlabKey) -> Element? {
    guard contains(key) else { return nil }
    let place = unsafe place(key.index)
    unsafe place.pointee.generation &+= 1
    unsafe place.pointee.nextFree = freeHead
    freeHead = key.index
    count -= 1
    return unsafe element(key.index).move()
  }

  /// Ends the element where it stands; its key answers no more. Taking a large one out would copy it.
  package mutating func discard(_ key: SlabKey) {
    guard contains(key) else { return }
    let place = unsafe place(key.index)
    unsafe place.pointee.generation &+= 1
    unsafe place.pointee.nextFree = freeHead
    freeHead = key.index
    count -= 1
    unsafe element(key.index).deinitialize(count: 1)
  }

  /// Whether `key`'s element is still there.
  @inline(__always)
  package func contains(_ key: SlabKey) -> Bool {
    guard key.index < indexBound else { return false }
    return unsafe place(key.index).pointee.generation == key.generation
  }

  /// Whether somebody lives at `index`.
  @inline(__always)
  package func isOccupied(_ index: UInt32) -> Bool {
    guard index < indexBound else { return false }
    return unsafe place(index).pointee.generation & 1 == 1
  }

  /// The key of whoever lives at `index`, if anybody does.
  package func key(at index: UInt32) -> SlabKey? { isOccupied(index) ? tenant(at: index) : nil }

  /// The key of whoever lives at `index`; asking for an empty place is the caller's bug and traps.
  @inline(__always)
  package func tenant(at index: UInt32) -> SlabKey {
    precondition(isOccupied(index), "nobody lives there")
    return unsafe SlabKey(index: index, generation: place(index).pointee.generation)
  }

  /// The first place that was never used: keys' indices lie below it.
  @inline(__always)
  package var indexBound: UInt32 { UInt32(truncatingIfNeeded: chunksInUse &* Self.chunkCount) }

  /// Where the element at `index` stands until it is taken out; asking for an empty place is the caller's bug and traps.
  /// For who looks at one element many times: each use of the subscript finds its place anew.
  @unsafe @inline(__always)
  func pointer(at index: UInt32) -> UnsafeMutablePointer<Element> {
    precondition(isOccupied(index), "nobody lives there")
    return unsafe element(index)
  }

  /// Where the element of `key` stands until it is taken out; nil if it was.
  @unsafe @inline(__always)
  func pointer(of key: SlabKey) -> UnsafeMutablePointer<Element>? {
    guard key.index < indexBound else { return nil }
    let slot = unsafe slot(key.index)
    guard unsafe slot.assumingMemoryBound(to: Place.self).pointee.generation == key.generation else { return nil }
    return unsafe (slot + Self.elementOffset).assumingMemoryBound(to: Element.self)
  }

  /// The element at `index`; asking for an empty place is the caller's bug and traps.
  package subscript(index: UInt32) -> Element {
    // Addressors, since a coroutine costs a call and a frame at each use.
    @inline(__always) unsafeAddress {
      precondition(isOccupied(index), "nobody lives there")
      return unsafe UnsafePointer(element(index))
    }
    @inline(__always) unsafeMutableAddress {
      precondition(isOccupied(index), "nobody lives there")
      return unsafe element(index)
    }
  }
}
