/// The head of an ICMP message (RFC 792): all of it but the checksum and the data or datagram that follows.
///
///      0               8               16             24             31
///     +---------------+---------------+-------------------------------+
///     |     type      |     code      |           checksum            |
///     +---------------+---------------+-------------------------------+
///     |                what the type says (4 bytes)                   |
///     +---------------------------------------------------------------+
public enum ICMPv4Message: Equatable, Sendable, BitwiseCopyable {
  case echoReply(identifier: UInt16, sequenceNumber: UInt16)
  /// `nextHopMTU` is 0 unless `code` is ``UnreachableCode/fragmentationNeeded`` and the router knows RFC 1191.
  case destinationUnreachable(code: UnreachableCode, nextHopMTU: UInt16)
  case sourceQuench
  case redirect(code: RedirectCode, gateway: IPv4Address)
  case echoRequest(identifier: UInt16, sequenceNumber: UInt16)
  case timeExceeded(code: TimeExceededCode)
  /// `pointer` is the byte at fault of the datagram that follows, if `code` is 0.
  case parameterProblem(code: UInt8, pointer: UInt8)
  case timestampRequest(Timestamps)
  case timestampReply(Timestamps)
  /// A type, or a redirect's or time-exceeded's code, that is not known here; `rest` is the second word.
  case unknown(type: UInt8, code: UInt8, rest: UInt32)

  /// Why a destination cannot be reached (RFC 792, RFC 1122 section 3.2.2.1, RFC 1812 section 5.2.7.1).
  public struct UnreachableCode: Hashable, Sendable, BitwiseCopyable {
    public var value: UInt8

    @inlinable public init(value: UInt8) { self.value = value }

    @inlinable public static var network: Self { Self(value: 0) }
    @inlinable public static var host: Self { Self(value: 1) }
    @inlinable public static var `protocol`: Self { Self(value: 2) }
    @inlinable public static var port: Self { Self(value: 3) }
    /// The datagram is too large for the next hop and must not be fragmented (RFC 1191 section 4).
    @inlinable public static var fragmentationNeeded: Self { Self(value: 4) }
    @inlinable public static var sourceRouteFailed: Self { Self(value: 5) }
    @inlinable public static var networkUnknown: Self { Self(value: 6) }
    @inlinable public static var hostUnknown: Self { Self(value: 7) }
    @inlinable public static var sourceHostIsolated: Self { Self(value: 8) }
    @inlinable public static var networkProhibited: Self { Self(value: 9) }
    @inlinable public static var hostProhibited: Self { Self(value: 10) }
    @inlinable public static var networkForTypeOfService: Self { Self(value: 11) }
    @inlinable public static var hostForTypeOfService: Self { Self(value: 12) }
    @inlinable public static var communicationProhibited: Self { Self(value: 13) }
    @inlinable public static var hostPrecedenceViolation: Self { Self(value: 14) }
    @inlinable public static var precedenceCutoff: Self { Self(value: 15) }
  }

  /// Whose traffic a redirect is about.
  public enum RedirectCode: UInt8, Sendable, BitwiseCopyable {
    case network = 0
    case host = 1
    case networkAndTypeOfService = 2
    case hostAndTypeOfService = 3
  }

  public enum TimeExceededCode: UInt8, Sendable, BitwiseCopyable {
    /// The time to live ran out on the way.
    case inTransit = 0
    /// Not all fragments came in time.
    case duringReassembly = 1
  }

  /// The body of a timestamp message; the times count milliseconds since midnight UT.
  public struct Timestamps: Equatable, Sendable, BitwiseCopyable {
    public var identifier: UInt16
    public var sequenceNumber: UInt16
    public var originate: UInt32
    public var receive: UInt32
    public var transmit: UInt32

    @inlinable
    public init(identifier: UInt16, sequenceNumber: UInt16, originate: UInt32, receive: UInt32, transmit: UInt32) {
      self.identifier = identifier
      self.sequenceNumber = sequenceNumber
      self.originate = originate
      self.receive = receive
      self.transmit = transmit
    }
  }

  /// The size of the head of every message but the timestamps, in bytes.
  public static let minimumByteCount = 8

  /// The size of this head, in bytes; data, or the datagram that an error is about, begins here.
  @inlinable public var byteCount: Int {
    switch self {
    case .timestampRequest, .timestampReply: 20
    default: Self.minimumByteCount
    }
  }

  /// Whether this reports an error, so that none may be sent about it (RFC 1122 section 3.2.2).
  @inlinable public var isError: Bool {
    switch self {
    case .destinationUnreachable, .sourceQuench, .redirect, .timeExceeded, .parameterProblem: true
    case .unknown(let type, _, _): type == 5 || type == 11
    default: false
    }
  }
}

extension ICMPv4Message {
  @usableFromInline enum Offset {
    @usableFromInline static let type = 0
    @usableFromInline static let code = 1
    @usableFromInline static let checksum = 2
    @usableFromInline static let rest = 4
    @usableFromInline static let originate = 8
    @usableFromInline static let receive = 12
    @usableFromInline static let transmit = 16
  }

  /// Where the checksum stands, in bytes from the start of the message; it covers the whole message (RFC 792).
  @inlinable public static var checksumOffset: Int { Offset.checksum }

  /// Reads the head of the message that fills `bytes`. The checksum is not verified.
  ///
  /// - Throws: ``WireError/truncated`` if `bytes` ends before the head.
  @inlinable
  public init(parsing bytes: RawSpan) throws(WireError) {
    guard bytes.byteCount >= Self.minimumByteCount else { throw .truncated }
    let type: UInt8 = bytes.bigEndian(at: Offset.type)
    let code: UInt8 = bytes.bigEndian(at: Offset.code)
    let rest: UInt32 = bytes.bigEndian(at: Offset.rest)
    let upper = UInt16(truncatingIfNeeded: rest >> 16)
    let lower = UInt16(truncatingIfNeeded: rest)
    self = .unknown(type: type, code: code, rest: rest)
    switch type {
    case 0: self = .echoReply(identifier: upper, sequenceNumber: lower)
    case 3: self = .destinationUnreachable(code: UnreachableCode(value: code), nextHopMTU: code == 4 ? lower : 0)
    case 4: self = .sourceQuench
    case 5:
      if let code = RedirectCode(rawValue: code) {
        self = .redirect(code: code, gateway: IPv4Address(value: rest))
      }
    case 8: self = .echoRequest(identifier: upper, sequenceNumber: lower)
    case 11:
      if let code = TimeExceededCode(rawValue: code) { self = .timeExceeded(code: code) }
    case 12: self = .parameterProblem(code: code, pointer: UInt8(truncatingIfNeeded: rest >> 24))
    case 13, 14:
      guard bytes.byteCount >= 20 else { throw .truncated }
      let times = Timestamps(
        identifier: upper, sequenceNumber: lower, originate: bytes.bigEndian(at: Offset.originate),
        receive: bytes.bigEndian(at: Offset.receive), transmit: bytes.bigEndian(at: Offset.transmit))
      self = type == 13 ? .timestampRequest(times) : .timestampReply(times)
    default: break
    }
  }

  /// Writes the head over the first ``byteCount`` bytes of `bytes`, with a checksum of 0 to be filled in.
  @inlinable
  public func write(to bytes: inout MutableRawSpan) {
    precondition(bytes.byteCount >= byteCount, "no room for an ICMP message")
    var head: (type: UInt8, code: UInt8, rest: UInt32)
    switch self {
    case .echoReply(let identifier, let number): head = (0, 0, UInt32(identifier) << 16 | UInt32(number))
    case .destinationUnreachable(let code, let mtu): head = (3, code.value, UInt32(mtu))
    case .sourceQuench: head = (4, 0, 0)
    case .redirect(let code, let gateway): head = (5, code.rawValue, gateway.value)
    case .echoRequest(let identifier, let number): head = (8, 0, UInt32(identifier) << 16 | UInt32(number))
    case .timeExceeded(let code): head = (11, code.rawValue, 0)
    case .parameterProblem(let code, let pointer): head = (12, code, UInt32(pointer) << 24)
    case .timestampRequest(let times), .timestampReply(let times):
      head = (13, 0, UInt32(times.identifier) << 16 | UInt32(times.sequenceNumber))
      if case .timestampReply = self { head.type = 14 }
      bytes.store(bigEndian: times.originate, at: Offset.originate)
      bytes.store(bigEndian: times.receive, at: Offset.receive)
      bytes.store(bigEndian: times.transmit, at: Offset.transmit)
    case .unknown(let type, let code, let rest): head = (type, code, rest)
    }
    bytes.store(bigEndian: head.type, at: Offset.type)
    bytes.store(bigEndian: head.code, at: Offset.code)
    bytes.store(bigEndian: 0 as UInt16, at: Offset.checksum)
    bytes.store(bigEndian: head.rest, at: Offset.rest)
  }
}
