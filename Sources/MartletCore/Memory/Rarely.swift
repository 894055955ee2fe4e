/// A value that most of its owners never have: it costs them a pointer.
@safe
struct Rarely<Value: BitwiseCopyable>: ~Copyable {
  private var pointer: UnsafeMutablePointer<Value>?

  init() { unsafe pointer = nil }

  deinit { unsafe pointer?.deallocate() }

  @inline(__always)
  var isEmpty: Bool { unsafe pointer == nil }

  /// The value; memory for it is asked of the system when it is first set, and given back when it is set to nil.
  @inline(__always)
  var value: Value? {
    get {
      guard let pointer = unsafe pointer else { return nil }
      return unsafe pointer.pointee
    }
    set { set(newValue) }
  }

  @inline(never)
  private mutating func set(_ value: Value?) {
    guard let value else {
      unsafe pointer?.deallocate()
      unsafe pointer = nil
      return
    }
    let target = unsafe pointer ?? .allocate(capacity: 1)
    unsafe target.initialize(to: value)
    unsafe pointer = target
  }
}
