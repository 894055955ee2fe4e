#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

extension Platform {
  /// Reads at most `count` bytes of a file, wherever its descriptor stands, and returns how many, or a negative errno.
  static func read(_ descriptor: CInt, at offset: Int64, into target: UnsafeMutableRawPointer, count: Int) -> Int {
    guard let offset = off_t(exactly: offset) else { return -Int(EOVERFLOW) }
    while true {
      let got = unsafe pread(descriptor, target, count, offset)
      if got >= 0 { return got }
      if errno != EINTR { return -Int(errno) }
    }
  }

  /// Asks for a part of a file from disk, without waiting for it.
  static func readAhead(_ descriptor: CInt, from offset: Int64, count: Int) {
    #if !canImport(Darwin)
      guard let offset = off_t(exactly: offset) else { return }
      _ = posix_fadvise(descriptor, offset, off_t(count), CInt(POSIX_FADV_WILLNEED))
    #endif
  }
}
