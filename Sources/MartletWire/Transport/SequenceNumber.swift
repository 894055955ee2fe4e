/// A position in a TCP connection's stream of bytes, modulo 2³² (RFC 9293 section 3.4).
///
/// The comparisons hold between numbers less than 2³¹ apart. They are not transitive over the whole circle, so the type
/// is not `Comparable`.
public struct SequenceNumber: Hashable, Sendable, BitwiseCopyable {
  /// The number on the wire.
  public var value: UInt32

  @inlinable public init(_ value: UInt32) { self.value = value }

  /// Whether `left` comes before `right`.
  @inlinable public static func < (left: Self, right: Self) -> Bool {
    Int32(truncatingIfNeeded: left.value &- right.value) < 0
  }

  /// Whether `left` comes after `right`.
  @inlinable public static func > (left: Self, right: Self) -> Bool { right < left }

  /// Whether `left` comes before `right` or is the same.
  @inlinable public static func <= (left: Self, right: Self) -> Bool {
    Int32(truncatingIfNeeded: left.value &- right.value) <= 0
  }

  /// Whether `left` comes after `right` or is the same.
  @inlinable public static func >= (left: Self, right: Self) -> Bool { right <= left }

  /// The number `count` bytes on; a negative `count` goes back.
  @inlinable public static func + (left: Self, count: Int) -> Self {
    Self(left.value &+ UInt32(truncatingIfNeeded: count))
  }

  /// The number `count` bytes back.
  @inlinable public static func - (left: Self, count: Int) -> Self {
    Self(left.value &- UInt32(truncatingIfNeeded: count))
  }

  @inlinable public static func += (left: inout Self, count: Int) { left = left + count }

  /// How many bytes `left` is past `right`: negative if it comes before; -2³¹..<2³¹.
  @inlinable public static func - (left: Self, right: Self) -> Int {
    Int(Int32(truncatingIfNeeded: left.value &- right.value))
  }

  /// How many bytes `other` is past this; -2³¹..<2³¹.
  @inlinable public func distance(to other: Self) -> Int { other - self }

  /// The number `count` bytes on.
  @inlinable public func advanced(by count: Int) -> Self { self + count }

  /// Whether this is one of the `count` numbers from `start` on; `count` may be up to 2³² - 1.
  @inlinable public func isWithin(_ count: UInt32, from start: Self) -> Bool { value &- start.value < count }

  /// The later of two.
  @inlinable public static func later(_ a: Self, _ b: Self) -> Self { a < b ? b : a }

  /// The earlier of two.
  @inlinable public static func earlier(_ a: Self, _ b: Self) -> Self { a < b ? a : b }
}
