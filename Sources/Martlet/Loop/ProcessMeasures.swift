#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// What this process has used of its machine: for measurements, nothing of which may reach what a seed determines.
package enum ProcessMeasures {
  /// The processor time of the calling thread, in nanoseconds.
  package static var threadNanoseconds: Int64 {
    var time = timespec()
    _ = unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
  }

  /// The memory of the process that is in use, in bytes; 0 where the system does not tell.
  package static var residentByteCount: Int {
    #if os(Linux)
      let descriptor = unsafe open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else { return 0 }
      defer { close(descriptor) }
      var text = [UInt8](repeating: 0, count: 128)
      // The kernel writes into the array and no more than its size.
      let count = unsafe read(descriptor, &text, text.count)
      let words = String(decoding: text.prefix(max(0, count)), as: UTF8.self).split(separator: " ")
      return words.count > 1 ? (Int(words[1]) ?? 0) * sysconf(Int32(_SC_PAGESIZE)) : 0
    #else
      return 0
    #endif
  }
}
