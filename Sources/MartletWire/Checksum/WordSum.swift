/// The one's complement sum of 16-bit words, in memory order: the inner loop of ``InternetChecksum``.
///
/// RFC 1071 section 2: the sum may be taken over wider words and in either byte order, as long as carries come back in
/// at the bottom. So the loop adds 64-bit lanes: `low` gathers whole lanes modulo 2⁶⁴, `high` their upper halves, which
/// is enough to recover the sum of the lower halves, at three vector instructions for sixteen bytes.
public enum WordSum {
  @usableFromInline typealias Lanes = SIMD8<UInt64>

  /// The sum of the `count` bytes from `start` on, folded to 16 bits, in memory order; an odd last byte is padded with
  /// a zero byte behind it.
  ///
  /// `start` may have any alignment; the bytes must be readable.
  @unsafe @inlinable
  public static func of(_ start: UnsafeRawPointer, count: Int) -> UInt16 {
    fold(unsafe partial(start, count: count))
  }

  /// The sum as ``of(_:count:)`` gives it, before its last carries are brought back in: below 2³³.
  @unsafe @inlinable @inline(__always)
  public static func partial(_ start: UnsafeRawPointer, count: Int) -> UInt64 {
    // Headers are short: they are not worth the vectors' set-up and the call.
    if count < 8 || count > 96 { return UInt64(unsafe ofAnySize(start, count: count)) }
    var sum: UInt64 = 0
    var offset = 0
    if count >= 32 {
      // Two sums, so that no addition waits for the carry of the one before.
      var other: UInt64 = 0
      repeat {
        unsafe addWord(start, offset, to: &sum)
        unsafe addWord(start, offset &+ 8, to: &other)
        unsafe addWord(start, offset &+ 16, to: &sum)
        unsafe addWord(start, offset &+ 24, to: &other)
        offset &+= 32
      } while offset &+ 32 <= count
      let (both, carry) = sum.addingReportingOverflow(other)
      sum = both &+ (carry ? 1 : 0)
    }
    while offset &+ 8 <= count {
      unsafe addWord(start, offset, to: &sum)
      offset &+= 8
    }
    if offset < count {
      // The last eight bytes, without those that were added already.
      let last = UInt64(littleEndian: unsafe start.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self))
      let (next, carry) = sum.addingReportingOverflow((last &>> UInt64(64 &- 8 &* (count &- offset))).littleEndian)
      sum = next &+ (carry ? 1 : 0)
    }
    return (sum & 0xffff_ffff) &+ sum &>> 32
  }

  /// Copies `count` bytes from `start` to `destination` and returns their sum, as ``partial(_:count:)`` does.
  ///
  /// The two areas must not overlap.
  @unsafe @inlinable @inline(__always)
  public static func partialCopying(
    from start: UnsafeRawPointer, to destination: UnsafeMutableRawPointer, count: Int
  ) -> UInt64 {
    if count < 8 || count > 96 {
      return UInt64(unsafe copying(from: start, to: destination, count: count))
    }
    var sum: UInt64 = 0
    var offset = 0
    if count >= 32 {
      var other: UInt64 = 0
      repeat {
        unsafe copyWord(start, destination, offset, addingTo: &sum)
        unsafe copyWord(start, destination, offset &+ 8, addingTo: &other)
        unsafe copyWord(start, destination, offset &+ 16, addingTo: &sum)
        unsafe copyWord(start, destination, offset &+ 24, addingTo: &other)
        offset &+= 32
      } while offset &+ 32 <= count
      let (both, carry) = sum.addingReportingOverflow(other)
      sum = both &+ (carry ? 1 : 0)
    }
    while offset &+ 8 <= count {
      unsafe copyWord(start, destination, offset, addingTo: &sum)
      offset &+= 8
    }
    if offset < count {
      let word = unsafe start.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
      unsafe destination.storeBytes(of: word, toByteOffset: count &- 8, as: UInt64.self)
      // Without those that were added already.
      let last = UInt64(littleEndian: word) &>> UInt64(64 &- 8 &* (count &- offset))
      let (next, carry) = sum.addingReportingOverflow(last.littleEndian)
      sum = next &+ (carry ? 1 : 0)
    }
    return (sum & 0xffff_ffff) &+ sum &>> 32
  }

  @unsafe @inlinable @inline(__always)
  static func copyWord(
    _ start: UnsafeRawPointer, _ destination: UnsafeMutableRawPointer, _ offset: Int, addingTo sum: inout UInt64
  ) {
    let word = unsafe start.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    unsafe destination.storeBytes(of: word, toByteOffset: offset, as: UInt64.self)
    let (next, carry) = sum.addingReportingOverflow(word)
    sum = next &+ (carry ? 1 : 0)
  }

  /// Adds eight bytes and the carry, which comes back in at the bottom.
  @unsafe @inlinable @inline(__always)
  package static func addWord(_ start: UnsafeRawPointer, _ offset: Int, to sum: inout UInt64) {
    add(unsafe start.loadUnaligned(fromByteOffset: offset, as: UInt64.self), to: &sum)
  }

  /// Adds a word and the carry.
  @inlinable @inline(__always)
  package static func add(_ word: UInt64, to sum: inout UInt64) {
    let (next, carry) = sum.addingReportingOverflow(word)
    sum = next &+ (carry ? 1 : 0)
  }

  @unsafe @usableFromInline
  static func ofAnySize(_ start: UnsafeRawPointer, count: Int) -> UInt16 {
    var low: UInt64 = 0
    var high: UInt64 = 0
    var offset = 0
    if count >= 64 {
      var lows = Lanes(repeating: 0)
      var highs = Lanes(repeating: 0)
      while offset &+ 64 <= count {
        let lanes = unsafe start.loadUnaligned(fromByteOffset: offset, as: Lanes.self)
        lows &+= lanes
        highs &+= lanes &>> 32
        offset &+= 64
      }
      low = lows.wrappedSum()
      high = highs.wrappedSum()
    }
    while offset &+ 8 <= count {
      let lane = unsafe start.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      low &+= lane
      high &+= lane &>> 32
      offset &+= 8
    }
    let tail = unsafe tail(start + offset, count: count &- offset)
    low &+= tail
    high &+= tail &>> 32
    return fold(low: low, high: high)
  }

  /// Copies `count` bytes from `start` to `destination` and returns their sum, as ``of(_:count:)`` does.
  ///
  /// The two areas must not overlap.
  @unsafe
  public static func copying(
    from start: UnsafeRawPointer, to destination: UnsafeMutableRawPointer, count: Int
  ) -> UInt16 {
    var low: UInt64 = 0
    var high: UInt64 = 0
    var offset = 0
    if count >= 64 {
      var lows = Lanes(repeating: 0)
      var highs = Lanes(repeating: 0)
      while offset &+ 64 <= count {
        let lanes = unsafe start.loadUnaligned(fromByteOffset: offset, as: Lanes.self)
        unsafe destination.storeBytes(of: lanes, toByteOffset: offset, as: Lanes.self)
        lows &+= lanes
        highs &+= lanes &>> 32
        offset &+= 64
      }
      low = lows.wrappedSum()
      high = highs.wrappedSum()
    }
    while offset &+ 8 <= count {
      let lane = unsafe start.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      unsafe destination.storeBytes(of: lane, toByteOffset: offset, as: UInt64.self)
      low &+= lane
      high &+= lane &>> 32
      offset &+= 8
    }
    let tail = unsafe tail(start + offset, count: count &- offset)
    var rest = tail.littleEndian
    while offset < count {
      unsafe destination.storeBytes(of: UInt8(truncatingIfNeeded: rest), toByteOffset: offset, as: UInt8.self)
      rest &>>= 8
      offset &+= 1
    }
    low &+= tail
    high &+= tail &>> 32
    return fold(low: low, high: high)
  }

  /// The last `count` bytes, fewer than eight, as the lane they would be with zero bytes behind them.
  @unsafe @inline(__always)
  static func tail(_ start: UnsafeRawPointer, count: Int) -> UInt64 {
    var lane: UInt64 = 0
    var shift: UInt64 = 0
    var offset = 0
    if count & 4 != 0 {
      lane = UInt64(UInt32(littleEndian: unsafe start.loadUnaligned(as: UInt32.self)))
      shift = 32
      offset = 4
    }
    if count & 2 != 0 {
      let word = UInt16(littleEndian: unsafe start.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
      lane |= UInt64(word) &<< shift
      shift &+= 16
      offset &+= 2
    }
    if count & 1 != 0 {
      lane |= UInt64(unsafe start.load(fromByteOffset: offset, as: UInt8.self)) &<< shift
    }
    return UInt64(littleEndian: lane)
  }

  /// The 16-bit sum of what the loops gathered. `high` is exact: 2³² lanes would have to pass for it to overflow.
  @inlinable @inline(__always)
  static func fold(low: UInt64, high: UInt64) -> UInt16 {
    let lowerHalves = low &- high &<< 32
    return fold((lowerHalves & 0xffff_ffff) &+ (lowerHalves &>> 32) &+ (high & 0xffff_ffff) &+ (high &>> 32))
  }

  /// Both halves of `word` together, for who adds up words that are at hand.
  @inlinable @inline(__always)
  package static func halves(_ word: UInt64) -> UInt64 { word &>> 32 &+ word & 0xffff_ffff }

  /// `sum` with its carries brought back in until 16 bits remain.
  @inlinable @inline(__always)
  public static func fold(_ sum: UInt64) -> UInt16 {
    // A number and itself with its halves exchanged: the upper half of what they make has both halves' sum, and the carry
    // from below.
    let words = UInt32(truncatingIfNeeded: (sum &+ (sum &<< 32 | sum &>> 32)) &>> 32)
    return UInt16(truncatingIfNeeded: (words &+ (words &<< 16 | words &>> 16)) &>> 16)
  }
}
