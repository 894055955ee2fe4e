/// A queue in a ring of memory that doubles when it is full and otherwise asks the system for nothing.
@safe
package struct Ring<Element: BitwiseCopyable>: ~Copyable {
  private var storage: UnsafeMutablePointer<Element>?
  private var mask: Int
  private var head: Int
  /// How many elements wait.
  package private(set) var count: Int

  package init() {
    unsafe storage = nil
    mask = -1
    head = 0
    count = 0
  }

  deinit { unsafe storage?.deallocate() }

  package var isEmpty: Bool { count == 0 }

  /// The element at `offset` from the front.
  package subscript(offset: Int) -> Element {
    @inline(__always) get {
      precondition(offset >= 0 && offset < count, "past the end of a ring")
      return unsafe storage.unsafelyUnwrapped[(head &+ offset) & mask]
    }
    @inline(__always) set {
      precondition(offset >= 0 && offset < count, "past the end of a ring")
      unsafe storage.unsafelyUnwrapped[(head &+ offset) & mask] = newValue
    }
  }

  @inline(__always)
  package mutating func append(_ element: Element) {
    if count > mask { grow() }
    unsafe storage.unsafelyUnwrapped[(head &+ count) & mask] = element
    count &+= 1
  }

  @inline(__always)
  package mutating func popFirst() -> Element? {
    guard count > 0 else { return nil }
    let element = unsafe storage.unsafelyUnwrapped[head]
    head = (head &+ 1) & mask
    count &-= 1
    return element
  }

  @inline(never)
  private mutating func grow() {
    let capacity = max(4, (mask + 1) * 2)
    let bigger = UnsafeMutablePointer<Element>.allocate(capacity: capacity)
    for offset in 0..<count { unsafe bigger[offset] = storage.unsafelyUnwrapped[(head &+ offset) & mask] }
    unsafe storage?.deallocate()
    unsafe storage = bigger
    mask = capacity - 1
    head = 0
  }
}
