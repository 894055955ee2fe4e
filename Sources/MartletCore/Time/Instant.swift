/// A point in a loop's time: nanoseconds since the loop began. The core never reads a clock; it is told.
public struct Instant: Hashable, Comparable, Sendable, BitwiseCopyable {
  /// Nanoseconds since the loop began.
  public var nanoseconds: Int64

  @inlinable public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  /// The instant the loop began.
  @inlinable public static var zero: Instant { Instant(nanoseconds: 0) }
  /// Later than anything that will happen.
  @inlinable public static var distantFuture: Instant { Instant(nanoseconds: .max) }

  @inlinable public static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }

  /// This instant moved by `span` nanoseconds, stopping at ``distantFuture``.
  @inlinable package static func + (instant: Instant, span: Nanoseconds) -> Instant {
    let (sum, overflow) = instant.nanoseconds.addingReportingOverflow(span)
    return Instant(nanoseconds: overflow ? .max : sum)
  }

  /// The nanoseconds from `earlier` to `later`.
  @inlinable package static func - (later: Instant, earlier: Instant) -> Nanoseconds {
    later.nanoseconds &- earlier.nanoseconds
  }
}

extension Instant: InstantProtocol {
  @inlinable public func advanced(by duration: Duration) -> Instant { self + duration.inNanoseconds }
  @inlinable public func duration(to other: Instant) -> Duration { .nanoseconds(other.nanoseconds - nanoseconds) }
}

/// A span of time in nanoseconds, the unit of every timer inside the core.
@usableFromInline package typealias Nanoseconds = Int64

extension Nanoseconds {
  @inlinable package static func seconds(_ count: Int64) -> Nanoseconds { count &* 1_000_000_000 }
  @inlinable package static func milliseconds(_ count: Int64) -> Nanoseconds { count &* 1_000_000 }
  @inlinable package static func microseconds(_ count: Int64) -> Nanoseconds { count &* 1_000 }
}

extension Duration {
  /// Whole nanoseconds, stopping at the ends of `Int64` (292 years).
  @inlinable package var inNanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    if overflow { return seconds < 0 ? .min : .max }
    let (sum, past) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000)
    return past ? (seconds < 0 ? .min : .max) : sum
  }
}
