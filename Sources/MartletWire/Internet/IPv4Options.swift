/// The options of an IPv4 header, one after the other (RFC 791 section 3.1, RFC 2113).
///
///      7   6   5 4         0
///     +---+-----+-----------+---------+---------+----------
///     | C |class|  number   | length  | pointer | data …
///     +---+-----+-----------+---------+---------+----------
///
/// Types 0 (end of list) and 1 (no operation) are one byte long and passed over.
public struct IPv4Options: ~Escapable {
  @usableFromInline let bytes: RawSpan
  @usableFromInline var next: Int
  /// Where the option that ``nextOption()`` read, or stumbled over, begins, in bytes from the start of the options.
  public private(set) var offset: Int

  /// Reads the options that fill `bytes`: the header from byte 20 on.
  @_lifetime(copy bytes)
  public init(parsing bytes: RawSpan) {
    self.bytes = bytes
    next = 0
    offset = 0
  }

  /// The next option, or nil at the end of the list.
  ///
  /// - Throws: ``WireError/malformed(field:)`` if the option's length or pointer is none that it can have; then
  ///   ``offset`` tells which byte of the header a parameter problem is about, and no more can be read.
  @_lifetime(self: copy self)
  public mutating func nextOption() throws(WireError) -> IPv4Option? {
    while next < bytes.byteCount {
      offset = next
      let type: UInt8 = bytes.bigEndian(at: offset)
      if type == IPv4Option.Number.endOfList { break }
      if type == IPv4Option.Number.noOperation {
        next += 1
        continue
      }
      guard offset + 2 <= bytes.byteCount else { throw fail("option length") }
      let length = Int(bytes.bigEndian(at: offset + 1, as: UInt8.self))
      guard length >= 2, offset + length <= bytes.byteCount else { throw fail("option length") }
      next = bytes.byteCount
      let option = try read(type: type, length: length)
      next = offset + length
      return option
    }
    next = bytes.byteCount
    return nil
  }

  private func read(type: UInt8, length: Int) throws(WireError) -> IPv4Option {
    switch type {
    case IPv4Option.Number.recordRoute: .recordRoute(try route(length: length))
    case IPv4Option.Number.looseSourceRoute: .looseSourceRoute(try route(length: length))
    case IPv4Option.Number.strictSourceRoute: .strictSourceRoute(try route(length: length))
    case IPv4Option.Number.timestamp: .timestamp(try timestamp(length: length))
    case IPv4Option.Number.routerAlert:
      if length == 4 {
        .routerAlert(bytes.bigEndian(at: offset + 2))
      } else {
        throw .malformed(field: "option length")
      }
    default: .unknown(type: type, length: UInt8(truncatingIfNeeded: length))
    }
  }

  private func route(length: Int) throws(WireError) -> IPv4Option.Route {
    guard length >= 3 else { throw .malformed(field: "option length") }
    let pointer: UInt8 = bytes.bigEndian(at: offset + 2)
    // The pointer counts from 1 and starts behind itself; a full option has it past the end.
    guard pointer >= 4, Int(pointer) > length || Int(pointer) + 3 <= length else {
      throw .malformed(field: "option pointer")
    }
    return IPv4Option.Route(length: UInt8(truncatingIfNeeded: length), pointer: pointer)
  }

  private func timestamp(length: Int) throws(WireError) -> IPv4Option.Timestamp {
    guard length >= 4 else { throw .malformed(field: "option length") }
    let pointer: UInt8 = bytes.bigEndian(at: offset + 2)
    guard pointer >= 5 else { throw .malformed(field: "option pointer") }
    let overflowAndFlag: UInt8 = bytes.bigEndian(at: offset + 3)
    return IPv4Option.Timestamp(
      length: UInt8(truncatingIfNeeded: length), pointer: pointer, overflow: overflowAndFlag >> 4,
      flag: overflowAndFlag & 15)
  }

  @_lifetime(self: copy self)
  private mutating func fail(_ field: StaticString) -> WireError {
    next = bytes.byteCount
    return .malformed(field: field)
  }
}

/// One option of an IPv4 header.
public enum IPv4Option: Equatable, Sendable {
  /// Record route (RFC 791): gateways write where they are.
  case recordRoute(Route)
  /// Loose source and record route (RFC 791).
  case looseSourceRoute(Route)
  /// Strict source and record route (RFC 791).
  case strictSourceRoute(Route)
  /// Internet timestamp (RFC 791).
  case timestamp(Timestamp)
  /// Router alert (RFC 2113).
  case routerAlert(UInt16)
  case unknown(type: UInt8, length: UInt8)

  /// A list of addresses with a pointer to the next one to read or write.
  public struct Route: Equatable, Sendable {
    /// The whole option, in bytes.
    public var length: UInt8
    /// The next address, counted from 1 at the start of the option; past ``length`` when the list is used up.
    public var pointer: UInt8

    /// Whether no address is left.
    public var isFull: Bool { pointer > length }

    public init(length: UInt8, pointer: UInt8) {
      self.length = length
      self.pointer = pointer
    }
  }

  /// A list of times, or of addresses and times.
  public struct Timestamp: Equatable, Sendable {
    /// The whole option, in bytes.
    public var length: UInt8
    /// The next time, counted from 1 at the start of the option; past ``length`` when the list is used up.
    public var pointer: UInt8
    /// How many hosts found no room, 0...15.
    public var overflow: UInt8
    /// 0: times; 1: addresses and times; 3: times of the addresses that the sender wrote.
    public var flag: UInt8

    public init(length: UInt8, pointer: UInt8, overflow: UInt8, flag: UInt8) {
      self.length = length
      self.pointer = pointer
      self.overflow = overflow
      self.flag = flag
    }
  }

  enum Number {
    static let endOfList: UInt8 = 0
    static let noOperation: UInt8 = 1
    static let recordRoute: UInt8 = 7
    static let timestamp: UInt8 = 68
    static let looseSourceRoute: UInt8 = 131
    static let strictSourceRoute: UInt8 = 137
    static let routerAlert: UInt8 = 148
  }

  /// Whether `type` is copied into every fragment (RFC 791 section 3.1).
  public static func isCopied(type: UInt8) -> Bool { type & 0x80 != 0 }
}
