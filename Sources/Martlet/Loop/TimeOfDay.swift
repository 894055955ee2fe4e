internal import MartletCore

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

extension Loop {
  /// Midnight UTC of 1 January 2026, in nanoseconds since 1970: what the calendar of a virtual loop says when its time begins.
  public static let virtualEpoch: Int64 = 1_767_225_600_000_000_000
}

extension VirtualHost {
  /// What the host's calendar says, in nanoseconds since 1970 UTC: the system's time, or in virtual time
  /// ``Loop/virtualEpoch`` and the host's ``clock``; in a world perhaps wrong (``ClockFault``).
  public var timeOfDay: Int64 {
    if loop.isVirtual {
      let (now, offset) = clock.reading
      return Loop.virtualEpoch &+ now.nanoseconds &+ offset
    }
    var time = timespec()
    _ = unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
  }
}
