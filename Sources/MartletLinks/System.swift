#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// What the system calls error `number`.
func systemMessage(_ number: CInt) -> String {
  guard let text = unsafe strerror(number) else { return "error \(number)" }
  return "\(unsafe String(cString: text)) (errno \(number))"
}

/// Nanoseconds since the beginning of 1970, UTC.
func wallClockNanoseconds() -> UInt64 {
  var time = timespec()
  unsafe clock_gettime(CLOCK_REALTIME, &time)
  return UInt64(clamping: time.tv_sec) * 1_000_000_000 + UInt64(clamping: time.tv_nsec)
}
