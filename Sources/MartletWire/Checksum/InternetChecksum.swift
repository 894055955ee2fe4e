/// The Internet checksum under way (RFC 1071): add what it covers, then take ``value``.
///
/// Pieces may have odd lengths: the next piece goes on where the last one ended.
public struct InternetChecksum: Sendable, BitwiseCopyable {
  /// The words so far in memory order, carries not yet brought back in.
  @usableFromInline var sum: UInt64
  /// Whether an odd number of bytes came so far, so that the next byte is the second of its word.
  @usableFromInline var isOdd: Bool

  @inlinable
  public init() {
    sum = 0
    isOdd = false
  }

  /// Adds `bytes`.
  @inlinable @inline(__always)
  public mutating func add(_ bytes: RawSpan) {
    unsafe bytes.withUnsafeBytes { buffer in
      if let start = buffer.baseAddress { unsafe add(start, count: buffer.count) }
    }
  }

  /// Adds the `count` bytes from `start` on, which must be readable.
  @unsafe @inlinable @inline(__always)
  public mutating func add(_ start: UnsafeRawPointer, count: Int) {
    let words = unsafe WordSum.partial(start, count: count)
    // A turn by eight bits is a factor of 2⁸ modulo 2¹⁶ - 1.
    sum &+= isOdd ? words &<< 8 : words
    isOdd = isOdd != (count & 1 != 0)
  }

  /// Adds `count` bytes whose ``WordSum`` is `words`.
  @inlinable @inline(__always)
  public mutating func add(sum words: UInt16, count: Int) {
    sum &+= UInt64(isOdd ? words.byteSwapped : words)
    isOdd = isOdd != (count & 1 != 0)
  }

  /// Adds two bytes, most significant first.
  @inlinable @inline(__always)
  public mutating func add(_ value: UInt16) {
    sum &+= UInt64(isOdd ? value.bigEndian.byteSwapped : value.bigEndian)
  }

  /// Adds four bytes, most significant first.
  @inlinable @inline(__always)
  public mutating func add(_ value: UInt32) {
    let words = UInt64(value.bigEndian)
    // A swap inside each 16-bit word turns by eight bits, which is the same as a factor of 2⁸ modulo 2¹⁶ - 1.
    sum &+= isOdd ? words &<< 8 : words
  }

  /// Adds the four bytes of `address`.
  @inlinable @inline(__always)
  public mutating func add(_ address: IPv4Address) {
    add(address.value)
  }

  /// Adds the sixteen bytes of `address`.
  @inlinable @inline(__always)
  public mutating func add(_ address: IPv6Address) {
    add(UInt32(truncatingIfNeeded: address.high &>> 32))
    add(UInt32(truncatingIfNeeded: address.high))
    add(UInt32(truncatingIfNeeded: address.low &>> 32))
    add(UInt32(truncatingIfNeeded: address.low))
  }

  /// Adds the pseudo-header of UDP and TCP over IPv4 (RFC 768, RFC 9293 section 3.1); `length` counts the bytes of the
  /// transport's header and payload.
  @inlinable @inline(__always)
  public mutating func addPseudoHeader(
    source: IPv4Address, destination: IPv4Address, protocol: IPProtocol, length: Int
  ) {
    add(source)
    add(destination)
    add(UInt32(`protocol`.value) &<< 16 | UInt32(truncatingIfNeeded: length))
  }

  /// Adds the pseudo-header of upper-layer protocols over IPv6 (RFC 8200 section 8.1); `length` counts the bytes of the
  /// upper layer's header and payload.
  @inlinable @inline(__always)
  public mutating func addPseudoHeader(
    source: IPv6Address, destination: IPv6Address, protocol: IPProtocol, length: Int
  ) {
    add(source)
    add(destination)
    add(UInt32(truncatingIfNeeded: length))
    add(UInt32(`protocol`.value))
  }

  /// Adds the pseudo-header of the version that both addresses have.
  @inlinable @inline(__always)
  public mutating func addPseudoHeader(source: IPAddress, destination: IPAddress, protocol: IPProtocol, length: Int) {
    if let source = source.v4, let destination = destination.v4 {
      addPseudoHeader(source: source, destination: destination, protocol: `protocol`, length: length)
    } else {
      addPseudoHeader(source: source.v6, destination: destination.v6, protocol: `protocol`, length: length)
    }
  }

  /// The one's complement sum of all that was added, most significant byte first, not complemented: what a checksum
  /// field holds whose completion is left to a device.
  @inlinable @inline(__always)
  public var foldedSum: UInt16 { UInt16(bigEndian: WordSum.fold(sum)) }

  /// The checksum of all that was added, to be stored most significant byte first.
  @inlinable @inline(__always)
  public var value: UInt16 { ~foldedSum }

  /// ``value`` as UDP sends it: 0xffff in place of 0, which would say that there is none (RFC 768).
  @inlinable @inline(__always)
  public var udpValue: UInt16 { Self.udp(value) }

  /// Whether what was added, its checksum field included, is intact.
  @inlinable @inline(__always)
  public var isValid: Bool { WordSum.fold(sum) == 0xffff }

  /// `checksum` as UDP sends it: 0xffff in place of 0, which would say that there is none (RFC 768).
  @inlinable @inline(__always)
  public static func udp(_ checksum: UInt16) -> UInt16 { checksum == 0 ? 0xffff : checksum }
}

extension InternetChecksum {
  /// The checksum of `bytes` alone.
  @inlinable
  public static func of(_ bytes: RawSpan) -> UInt16 {
    var checksum = InternetChecksum()
    checksum.add(bytes)
    return checksum.value
  }

  /// Copies `source` over the front of `destination`, which must have room for it, and adds its bytes.
  @inlinable
  public mutating func copyAndSum(from source: RawSpan, to destination: inout MutableRawSpan) {
    precondition(destination.byteCount >= source.byteCount, "copy past the end of a span")
    let words = unsafe source.withUnsafeBytes { source -> UInt64 in
      guard let from = source.baseAddress else { return 0 }
      return unsafe destination.withUnsafeMutableBytes { destination -> UInt64 in
        guard let to = destination.baseAddress else { return 0 }
        return unsafe WordSum.partialCopying(from: from, to: to, count: source.count)
      }
    }
    // A turn by eight bits is a factor of 2⁸ modulo 2¹⁶ - 1.
    sum &+= isOdd ? words &<< 8 : words
    isOdd = isOdd != (source.byteCount & 1 != 0)
  }
}
