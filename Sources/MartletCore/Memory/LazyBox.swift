/// A value on the heap that is there only when it is needed; it stays where it is until it is dropped.
@safe
struct LazyBox<Value: ~Copyable>: ~Copyable {
  private var pointer: UnsafeMutablePointer<Value>?

  /// Nothing yet.
  init() { unsafe pointer = nil }

  deinit {
    guard let pointer = unsafe pointer else { return }
    unsafe pointer.deinitialize(count: 1)
    unsafe pointer.deallocate()
  }

  @inline(__always)
  var isPresent: Bool { unsafe pointer != nil }

  /// The value, which has to be there.
  @inline(__always)
  var value: Value {
    unsafeAddress { unsafe UnsafePointer(pointer.unsafelyUnwrapped) }
    unsafeMutableAddress { unsafe pointer.unsafelyUnwrapped }
  }

  /// Where the value stands, which has to be there, for who looks at it many times.
  @unsafe @inline(__always)
  var address: UnsafeMutablePointer<Value> { unsafe pointer.unsafelyUnwrapped }

  /// Puts `value` in the place of what was there.
  mutating func put(_ value: consuming Value) {
    drop()
    let place = UnsafeMutablePointer<Value>.allocate(capacity: 1)
    unsafe place.initialize(to: value)
    unsafe pointer = place
  }

  /// Ends the value, if there is one.
  mutating func drop() {
    guard let old = unsafe pointer else { return }
    unsafe old.deinitialize(count: 1)
    unsafe old.deallocate()
    unsafe pointer = nil
  }
}
