/// The options of a TCP segment as one value without storage of its own elsewhere (RFC 9293 section 3.2, RFC 7323,
/// RFC 2018, RFC 5482, RFC 7413).
///
///      kind 0: end      kind 1: no operation      any other: kind, length, length - 2 bytes
public struct TCPOptions: Equatable, Sendable, BitwiseCopyable {
  /// The space for options in a header, in bytes.
  public static let maximumByteCount = 40

  /// The maximum segment size that the sender accepts, in bytes (RFC 9293 section 3.7.1).
  public var maximumSegmentSize: UInt16?
  /// The shift of the sender's window as it stands on the wire, perhaps above the permitted 14 (RFC 7323 section 2).
  public var windowScale: UInt8?
  /// Whether the sender understands ``sackBlocks`` (RFC 2018 section 2).
  public var isSACKPermitted: Bool
  /// The timestamps (RFC 7323 section 3).
  public var timestamps: TCPTimestamps?
  /// What the receiver holds above the acknowledgment number (RFC 2018 section 3).
  public var sackBlocks: SACKBlocks
  /// How long the sender means to wait for an acknowledgment (RFC 5482 section 3).
  public var userTimeout: TCPUserTimeout?
  /// A Fast Open cookie, or the wish for one (RFC 7413 section 4.1.1).
  public var fastOpenCookie: TCPFastOpenCookie?
  /// How many options were of an unknown kind, or of a known kind with a length that the kind does not have. They are
  /// passed over (RFC 9293 section 3.2, MUST-6).
  public var unknownCount: UInt8

  @inlinable
  public init(
    maximumSegmentSize: UInt16? = nil, windowScale: UInt8? = nil, isSACKPermitted: Bool = false,
    timestamps: TCPTimestamps? = nil, sackBlocks: SACKBlocks = SACKBlocks(), userTimeout: TCPUserTimeout? = nil
  ) {
    self.maximumSegmentSize = maximumSegmentSize
    self.windowScale = windowScale
    self.isSACKPermitted = isSACKPermitted
    self.timestamps = timestamps
    self.sackBlocks = sackBlocks
    self.userTimeout = userTimeout
    fastOpenCookie = nil
    unknownCount = 0
  }
}

/// The two numbers of the timestamps option (RFC 7323 section 3.2).
public struct TCPTimestamps: Hashable, Sendable, BitwiseCopyable {
  /// The sender's clock.
  public var value: UInt32
  /// The receiver's clock as the sender saw it last.
  public var echoReply: UInt32

  @inlinable
  public init(value: UInt32, echoReply: UInt32) {
    self.value = value
    self.echoReply = echoReply
  }
}

/// The user timeout option (RFC 5482 section 3).
public struct TCPUserTimeout: Hashable, Sendable, BitwiseCopyable {
  /// The field on the wire: a bit for the granularity above fifteen bits of time.
  public var field: UInt16

  @inlinable public init(field: UInt16) { self.field = field }

  /// A timeout of `seconds`, in whole minutes (rounded up) once it is above 32,767 seconds; at most 32,767 minutes.
  @inlinable
  public init(seconds: Int) {
    field =
      seconds <= 0x7fff
      ? UInt16(truncatingIfNeeded: max(seconds, 0))
      : 0x8000 | UInt16(truncatingIfNeeded: min((seconds &- 1) / 60 &+ 1, 0x7fff))
  }

  /// The timeout, in seconds.
  @inlinable public var seconds: Int { Int(field & 0x7fff) * (field & 0x8000 == 0 ? 1 : 60) }
}

/// A Fast Open cookie (RFC 7413 section 4.1.1), stored in place.
public struct TCPFastOpenCookie: Hashable, Sendable, BitwiseCopyable {
  /// The size of the cookie, in bytes: 4 to 16 and even, or 0, which asks for one.
  public let byteCount: UInt8
  /// The first eight bytes and the others, each in the upper bits.
  @usableFromInline let high: UInt64
  @usableFromInline let low: UInt64

  /// The wish for a cookie.
  @inlinable public static var request: TCPFastOpenCookie { TCPFastOpenCookie(byteCount: 0, high: 0, low: 0) }

  @usableFromInline init(byteCount: UInt8, high: UInt64, low: UInt64) {
    self.byteCount = byteCount
    self.high = high
    self.low = low
  }

  /// A cookie of eight bytes.
  @inlinable public init(_ value: UInt64) { self.init(byteCount: 8, high: value, low: 0) }

  /// The cookie that fills `bytes`.
  ///
  /// - Throws: ``WireError/malformed(field:)`` if its size is none that a cookie has.
  public init(parsing bytes: RawSpan) throws(WireError) {
    guard bytes.byteCount == 0 || (4...16).contains(bytes.byteCount), bytes.byteCount.isMultiple(of: 2) else {
      throw .malformed(field: "Fast Open cookie")
    }
    var words: (UInt64, UInt64) = (0, 0)
    for index in 0..<bytes.byteCount {
      let byte = UInt64(bytes.bigEndian(at: index, as: UInt8.self)) << UInt64(56 - 8 * (index & 7))
      if index < 8 { words.0 |= byte } else { words.1 |= byte }
    }
    self.init(byteCount: UInt8(truncatingIfNeeded: bytes.byteCount), high: words.0, low: words.1)
  }

  /// The byte at `index`, below ``byteCount``.
  @inlinable
  public subscript(index: Int) -> UInt8 {
    precondition(index < byteCount, "past the end of the cookie")
    return UInt8(truncatingIfNeeded: (index < 8 ? high : low) >> UInt64(56 - 8 * (index & 7)))
  }

  /// What the option takes, its padding included, in bytes.
  @inlinable var paddedByteCount: Int { (Int(byteCount) + 5) & ~3 }
}

extension TCPOptions {
  /// The numbers of the option kinds (IANA "TCP Option Kind Numbers").
  @usableFromInline enum Kind {
    @inlinable static var end: UInt8 { 0 }
    @inlinable static var noOperation: UInt8 { 1 }
    @inlinable static var maximumSegmentSize: UInt8 { 2 }
    @inlinable static var windowScale: UInt8 { 3 }
    @inlinable static var sackPermitted: UInt8 { 4 }
    @inlinable static var sack: UInt8 { 5 }
    @inlinable static var timestamps: UInt8 { 8 }
    @inlinable static var userTimeout: UInt8 { 28 }
    @inlinable static var fastOpen: UInt8 { 34 }
    /// No operation, no operation, timestamps, ten: how nearly every segment of an open connection begins its options.
    @inlinable static var alignedTimestamps: UInt32 { TCPOptions.alignedTimestamps }
    /// How nearly every SYN's options begin and go on: MSS, four; SACK permitted, two, timestamps, ten; behind their
    /// numbers, no operation, window scale, three.
    @inlinable static var headOfMaximumSegmentSize: UInt16 { 0x0204 }
    @inlinable static var sackPermittedAndTimestamps: UInt32 { 0x0402_080a }
    @inlinable static var alignedWindowScale: UInt32 { 0x01_0303 }
  }

  /// Reads the options of the header in front of `segment`, which ``TCPHeader/init(parsing:)`` accepted.
  ///
  /// - Throws: ``WireError/malformed(field:)`` as ``init(parsing:)`` does.
  @inlinable @inline(__always)
  public init(of header: TCPHeader, in segment: RawSpan) throws(WireError) {
    if header.headerByteCount == 32 && segment.bigEndian(at: 20) == Kind.alignedTimestamps {
      self.init(timestamps: TCPTimestamps(value: segment.bigEndian(at: 24), echoReply: segment.bigEndian(at: 28)))
    } else if header.headerByteCount == TCPHeader.minimumByteCount {
      self.init()
    } else if header.headerByteCount == 40,
      let plain = Self.plainSYN(segment.bigEndian(at: 20), segment.bigEndian(at: 24), segment.bigEndian(at: 32))
    {
      // What nearly every SYN has, as Linux and ``write(to:at:)`` lay it out.
      self = plain
    } else {
      try self.init(parsing: segment.extracting(20..<Int(header.headerByteCount)))
    }
  }

  /// The first word of timestamps behind two no-operations, as RFC 7323 appendix A sets them.
  @inlinable package static var alignedTimestamps: UInt32 { 0x0101_080a }

  /// The options that nearly every segment of an open connection has: none, or timestamps alone.
  public struct Plain: Sendable, BitwiseCopyable {
    /// The timestamps, if there are any.
    public let timestamps: TCPTimestamps?

    /// Reads the options of the header in front of `segment`, which ``TCPHeader/init(parsing:)`` accepted; nil if there are
    /// others.
    @inlinable @inline(__always)
    public init?(of header: TCPHeader, in segment: RawSpan) {
      if header.headerByteCount == 32, segment.bigEndian(at: 20) == Kind.alignedTimestamps {
        timestamps = TCPTimestamps(value: segment.bigEndian(at: 24), echoReply: segment.bigEndian(at: 28))
      } else if header.headerByteCount == TCPHeader.minimumByteCount {
        timestamps = nil
      } else {
        return nil
      }
    }
  }

  /// Reads options that fill `bytes`. Of an option that comes twice, the last counts.
  ///
  /// - Throws: ``WireError/malformed(field:)`` if an option's length is below 2 or runs past the end
  ///   (RFC 9293 section 3.2, MUST-7).
  public init(parsing bytes: RawSpan) throws(WireError) {
    self.init()
    let end = bytes.byteCount
    var offset = 0
    while offset < end {
      let kind: UInt8 = bytes.bigEndian(at: offset)
      if kind == Kind.end { return }
      if kind == Kind.noOperation {
        offset += 1
        continue
      }
      guard offset + 2 <= end else { throw .malformed(field: "option length") }
      let length = Int(bytes.bigEndian(at: offset + 1, as: UInt8.self))
      guard length >= 2, offset + length <= end else { throw .malformed(field: "option length") }
      read(kind: kind, length: length, at: offset, in: bytes)
      offset += length
    }
  }

  private mutating func read(kind: UInt8, length: Int, at offset: Int, in bytes: RawSpan) {
    let body = offset + 2
    switch (kind, length) {
    case (Kind.maximumSegmentSize, 4):
      maximumSegmentSize = bytes.bigEndian(at: body)
    case (Kind.windowScale, 3):
      windowScale = bytes.bigEndian(at: body)
    case (Kind.sackPermitted, 2):
      isSACKPermitted = true
    case (Kind.timestamps, 10):
      timestamps = TCPTimestamps(value: bytes.bigEndian(at: body), echoReply: bytes.bigEndian(at: body + 4))
    case (Kind.sack, 10), (Kind.sack, 18), (Kind.sack, 26), (Kind.sack, 34):
      sackBlocks = SACKBlocks()
      for edge in stride(from: body, to: offset + length, by: 8) {
        sackBlocks.append(
          SACKBlock(
            left: SequenceNumber(bytes.bigEndian(at: edge)), right: SequenceNumber(bytes.bigEndian(at: edge + 4))))
      }
    case (Kind.userTimeout, 4):
      userTimeout = TCPUserTimeout(field: bytes.bigEndian(at: body))
    case (Kind.fastOpen, 2),
      (Kind.fastOpen, 6...18) where length.isMultiple(of: 2):
      fastOpenCookie = try? TCPFastOpenCookie(parsing: bytes.extracting(body..<offset + length))
    default:
      unknownCount &+= 1
    }
  }
}

extension TCPOptions {
  /// The size of what ``write(to:at:)`` writes, in bytes: a multiple of 4, at most 40.
  @inlinable
  public var encodedByteCount: Int {
    let blocks = writtenSACKBlockCount
    return fixedByteCount + (blocks == 0 ? 0 : 4 + 8 * blocks)
  }

  /// How many of ``sackBlocks`` fit beside the other options.
  @inlinable
  public var writtenSACKBlockCount: Int {
    sackBlocks.count == 0 ? 0 : max(0, min(sackBlocks.count, (Self.maximumByteCount - 4 - fixedByteCount) / 8))
  }

  @inlinable
  var fixedByteCount: Int {
    (maximumSegmentSize == nil ? 0 : 4) + (timestamps != nil ? 12 : isSACKPermitted ? 4 : 0)
      + (windowScale == nil ? 0 : 4) + (userTimeout == nil ? 0 : 4)
      + (fastOpenCookie?.paddedByteCount ?? 0)
  }

  /// Writes the options over ``encodedByteCount`` bytes of `bytes` from `offset` on, in the order in which Linux sends
  /// them, so that every number stands at its natural alignment.
  @inlinable @inline(__always)
  public func write(to bytes: inout MutableRawSpan, at offset: Int) {
    var offset = offset
    func head(_ kind: UInt8, _ length: UInt8) -> UInt32 {
      UInt32(Kind.noOperation) << 24 | UInt32(Kind.noOperation) << 16 | UInt32(kind) << 8 | UInt32(length)
    }
    if let maximumSegmentSize {
      bytes.store(
        bigEndian: UInt32(Kind.maximumSegmentSize) << 24 | 4 << 16 | UInt32(maximumSegmentSize), at: offset)
      offset += 4
    }
    if let timestamps {
      let sackPermitted = UInt32(Kind.sackPermitted) << 24 | 2 << 16 | UInt32(Kind.timestamps) << 8 | 10
      bytes.store(bigEndian: isSACKPermitted ? sackPermitted : Kind.alignedTimestamps, at: offset)
      bytes.store(bigEndian: timestamps.value, at: offset + 4)
      bytes.store(bigEndian: timestamps.echoReply, at: offset + 8)
      offset += 12
    } else if isSACKPermitted {
      bytes.store(bigEndian: head(Kind.sackPermitted, 2), at: offset)
      offset += 4
    }
    if let windowScale {
      bytes.store(
        bigEndian: UInt32(Kind.noOperation) << 24 | UInt32(Kind.windowScale) << 16 | 3 << 8 | UInt32(windowScale),
        at: offset)
      offset += 4
    }
    if let userTimeout {
      bytes.store(bigEndian: UInt32(Kind.userTimeout) << 24 | 4 << 16 | UInt32(userTimeout.field), at: offset)
      offset += 4
    }
    if let fastOpenCookie { writeFastOpen(fastOpenCookie, to: &bytes, at: &offset) }
    let blocks = writtenSACKBlockCount
    if blocks > 0 {
      bytes.store(bigEndian: head(Kind.sack, UInt8(truncatingIfNeeded: 2 + 8 * blocks)), at: offset)
      offset += 4
      for index in 0..<blocks {
        bytes.store(bigEndian: sackBlocks[index].left.value, at: offset)
        bytes.store(bigEndian: sackBlocks[index].right.value, at: offset + 4)
        offset += 8
      }
    }
  }

  /// The options that nearly every SYN has, as ``write(to:at:)`` writes them: four bytes and twice eight, the most significant
  /// first.
  @inlinable @inline(__always)
  package static func plainSYN(
    maximumSegmentSize: UInt16, windowScale: UInt8, value: UInt64, echoReply: UInt64
  ) -> (UInt64, UInt64, UInt64) {
    (
      UInt64(Kind.headOfMaximumSegmentSize) << 16 | UInt64(maximumSegmentSize),
      UInt64(Kind.sackPermittedAndTimestamps) << 32 | value,
      echoReply << 32 | UInt64(Kind.alignedWindowScale << 8 | UInt32(windowScale))
    )
  }

  /// The options of a SYN from the words of ``plainSYN(maximumSegmentSize:windowScale:value:echoReply:)``; nil if they are others.
  @inlinable @inline(__always)
  package static func plainSYN(_ first: UInt32, _ second: UInt64, _ third: UInt64) -> TCPOptions? {
    guard first >> 16 == Kind.headOfMaximumSegmentSize, second >> 32 == Kind.sackPermittedAndTimestamps,
      third >> 8 & 0xff_ffff == Kind.alignedWindowScale
    else { return nil }
    return TCPOptions(
      maximumSegmentSize: UInt16(truncatingIfNeeded: first), windowScale: UInt8(truncatingIfNeeded: third),
      isSACKPermitted: true,
      timestamps: TCPTimestamps(
        value: UInt32(truncatingIfNeeded: second), echoReply: UInt32(truncatingIfNeeded: third >> 32)))
  }

  @usableFromInline
  func writeFastOpen(_ cookie: TCPFastOpenCookie, to bytes: inout MutableRawSpan, at offset: inout Int) {
    // Padding in front, as every other option has it.
    for _ in 0..<cookie.paddedByteCount - 2 - Int(cookie.byteCount) {
      bytes.store(bigEndian: Kind.noOperation, at: offset)
      offset += 1
    }
    bytes.store(bigEndian: Kind.fastOpen, at: offset)
    bytes.store(bigEndian: cookie.byteCount + 2, at: offset + 1)
    offset += 2
    for index in 0..<Int(cookie.byteCount) { bytes.store(bigEndian: cookie[index], at: offset + index) }
    offset += Int(cookie.byteCount)
  }
}
