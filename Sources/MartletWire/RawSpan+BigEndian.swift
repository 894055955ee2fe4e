/// Network byte order over spans: how every format in this module reads and writes its fields.
extension RawSpan {
  /// The integer whose bytes stand at `offset`, most significant first. Out of bounds is the caller's bug and traps.
  @inlinable @inline(__always)
  public func bigEndian<T: FixedWidthInteger & BitwiseCopyable>(at offset: Int, as type: T.Type = T.self) -> T {
    T(bigEndian: unsafeLoadUnaligned(checking: offset, as: T.self))
  }

  @inlinable @inline(__always)
  func unsafeLoadUnaligned<T: BitwiseCopyable>(checking offset: Int, as type: T.Type) -> T {
    precondition(offset >= 0 && offset &+ MemoryLayout<T>.size <= byteCount, "read past the end of a span")
    return unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: T.self)
  }
}

extension MutableRawSpan {
  /// Stores `value` at `offset`, most significant byte first. Out of bounds is the caller's bug and traps.
  @inlinable @inline(__always)
  @_lifetime(self: copy self)
  public mutating func store<T: FixedWidthInteger & BitwiseCopyable>(bigEndian value: T, at offset: Int) {
    precondition(offset >= 0 && offset &+ MemoryLayout<T>.size <= byteCount, "write past the end of a span")
    unsafe storeBytes(of: value.bigEndian, toUncheckedByteOffset: offset, as: T.self)
  }
}
