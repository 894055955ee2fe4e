#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A file without a name, open for reading and writing.
final class TemporaryFile: Sendable {
  let descriptor: CInt

  /// A file with `bytes`.
  init(_ bytes: [UInt8]) {
    var template = Array("/tmp/martlet-test-XXXXXX".utf8CString)
    descriptor = unsafe template.withUnsafeMutableBufferPointer { unsafe mkstemp($0.baseAddress.unsafelyUnwrapped) }
    precondition(descriptor >= 0, "no temporary file")
    unsafe template.withUnsafeBufferPointer { _ = unsafe unlink($0.baseAddress.unsafelyUnwrapped) }
    overwrite(bytes, at: 0)
  }

  deinit { close(descriptor) }

  func overwrite(_ bytes: [UInt8], at offset: Int) {
    var done = 0
    while done < bytes.count {
      let written = unsafe bytes.withUnsafeBytes {
        unsafe pwrite(descriptor, $0.baseAddress.unsafelyUnwrapped + done, $0.count - done, off_t(offset + done))
      }
      precondition(written > 0, "the disk is full")
      done += written
    }
  }

  func truncate(to count: Int) { precondition(ftruncate(descriptor, off_t(count)) == 0, "not to be truncated") }

  /// Bytes that show where they come from.
  static func pattern(_ count: Int, seed: Int = 0) -> [UInt8] {
    // No period below 16 MiB: a piece in the wrong place does not pass.
    let block = (0..<4_096).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 &>> 8 &* 7 &+ seed) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + block.count)
    for index in 0...count / block.count {
      bytes += block
      let place = index * block.count
      bytes[place] = UInt8(truncatingIfNeeded: index)
      bytes[place + 1] = UInt8(truncatingIfNeeded: index &>> 8)
    }
    bytes.removeSubrange(count...)
    return bytes
  }
}
