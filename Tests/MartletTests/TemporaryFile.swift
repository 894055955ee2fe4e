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
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 &>> 8 &* 7 &+ $0 &>> 16 &* 13 &+ seed) }
  }
}
