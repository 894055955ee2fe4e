import MartletWire

extension [UInt8] {
  /// The bytes that `hex` spells; white space is passed over.
  init(hex: String) {
    let digits = hex.compactMap(\.hexDigitValue)
    precondition(digits.count.isMultiple(of: 2))
    self = stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }

  /// What `read` makes of the bytes.
  func parse<Value>(_ read: (RawSpan) throws(WireError) -> Value) throws(WireError) -> Value {
    try read(unsafe span.bytes)
  }

  /// The lengths of the prefixes, up to `count` bytes, that `read` does not refuse as truncated.
  func acceptedPrefixes<Value>(below count: Int, _ read: (RawSpan) throws(WireError) -> Value) -> [Int] {
    (0..<count).filter { length in
      do throws(WireError) {
        _ = try [UInt8](prefix(length)).parse(read)
        return true
      } catch {
        return error != .truncated
      }
    }
  }

  /// The bytes with those from `offset` on replaced.
  func replacing(at offset: Int, with bytes: UInt8...) -> [UInt8] {
    var copy = self
    copy.replaceSubrange(offset..<offset + bytes.count, with: bytes)
    return copy
  }
}

/// What `write` leaves in a buffer of `count` bytes that were all 0xa5.
func written(_ count: Int, _ write: (inout MutableRawSpan) -> Void) -> [UInt8] {
  var buffer = [UInt8](repeating: 0xa5, count: count)
  var span = buffer.mutableSpan
  var bytes = unsafe span.mutableBytes
  write(&bytes)
  return buffer
}
