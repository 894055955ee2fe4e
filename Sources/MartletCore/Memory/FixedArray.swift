/// A fixed number of plain values in memory of their own, so that whoever holds them stays small: an `InlineArray` of any
/// size is copied whole where the compiler touches its owner.
@safe
struct FixedArray<Element: BitwiseCopyable>: ~Copyable {
  private let storage: UnsafeMutablePointer<Element>
  let count: Int

  init(repeating element: Element, count: Int) {
    unsafe storage = .allocate(capacity: count)
    unsafe storage.initialize(repeating: element, count: count)
    self.count = count
  }

  deinit { unsafe storage.deallocate() }

  /// Where the element at `index` stands, for who looks at it many times.
  @unsafe @inline(__always)
  func pointer(at index: Int) -> UnsafeMutablePointer<Element> {
    precondition(index >= 0 && index < count, "past the end of a fixed array")
    return unsafe storage + index
  }

  subscript(index: Int) -> Element {
    // Addressors, so that one field of a large element is read without the rest.
    @inline(__always) unsafeAddress {
      precondition(index >= 0 && index < count, "past the end of a fixed array")
      return unsafe UnsafePointer(storage + index)
    }
    @inline(__always) nonmutating unsafeMutableAddress {
      precondition(index >= 0 && index < count, "past the end of a fixed array")
      return unsafe storage + index
    }
  }
}
