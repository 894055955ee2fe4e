/// The head of an ICMPv6 message (RFC 4443): all of it but the checksum and the data or packet that follows. Messages of
/// neighbor discovery are read by ``NeighborDiscoveryMessage``.
///
///      0               8               16             24             31
///     +---------------+---------------+-------------------------------+
///     |     type      |     code      |           checksum            |
///     +---------------+---------------+-------------------------------+
///     |                what the type says (4 bytes)                   |
///     +---------------------------------------------------------------+
public enum ICMPv6Message: Equatable, Sendable, BitwiseCopyable {
  case destinationUnreachable(code: UnreachableCode)
  /// `mtu` is the next hop's, in bytes.
  case packetTooBig(mtu: UInt32)
  /// `code` is 0 if the hop limit ran out on the way, 1 if fragments did not come in time.
  case timeExceeded(code: UInt8)
  /// `pointer` is the byte at fault of the packet that follows. The codes are those of ``IPv6HeaderProblem/Code``.
  case parameterProblem(code: UInt8, pointer: UInt32)
  case echoRequest(identifier: UInt16, sequenceNumber: UInt16)
  case echoReply(identifier: UInt16, sequenceNumber: UInt16)
  /// Any other type; `rest` is the second word.
  case other(type: ICMPv6Type, code: UInt8, rest: UInt32)

  /// Why a destination cannot be reached (RFC 4443 section 3.1).
  public struct UnreachableCode: Hashable, Sendable, BitwiseCopyable {
    public var value: UInt8

    @inlinable public init(value: UInt8) { self.value = value }

    @inlinable public static var noRoute: Self { Self(value: 0) }
    @inlinable public static var prohibited: Self { Self(value: 1) }
    @inlinable public static var beyondScope: Self { Self(value: 2) }
    @inlinable public static var address: Self { Self(value: 3) }
    @inlinable public static var port: Self { Self(value: 4) }
    @inlinable public static var sourcePolicy: Self { Self(value: 5) }
    @inlinable public static var rejectRoute: Self { Self(value: 6) }
  }

  /// The size of the head on the wire, in bytes; data, or the packet that an error is about, begins here.
  public static let byteCount = 8

  /// Whether this reports an error, so that none may be sent about it (RFC 4443 section 2.4 (e)).
  @inlinable public var isError: Bool {
    switch self {
    case .destinationUnreachable, .packetTooBig, .timeExceeded, .parameterProblem: true
    case .echoRequest, .echoReply: false
    case .other(let type, _, _): type.isError
    }
  }
}

/// The type of an ICMPv6 message (IANA "ICMPv6 Parameters").
public struct ICMPv6Type: Hashable, Sendable, BitwiseCopyable {
  public var value: UInt8

  @inlinable public init(value: UInt8) { self.value = value }

  @inlinable public static var destinationUnreachable: ICMPv6Type { ICMPv6Type(value: 1) }
  @inlinable public static var packetTooBig: ICMPv6Type { ICMPv6Type(value: 2) }
  @inlinable public static var timeExceeded: ICMPv6Type { ICMPv6Type(value: 3) }
  @inlinable public static var parameterProblem: ICMPv6Type { ICMPv6Type(value: 4) }
  @inlinable public static var echoRequest: ICMPv6Type { ICMPv6Type(value: 128) }
  @inlinable public static var echoReply: ICMPv6Type { ICMPv6Type(value: 129) }
  @inlinable public static var multicastListenerQuery: ICMPv6Type { ICMPv6Type(value: 130) }
  @inlinable public static var multicastListenerReport: ICMPv6Type { ICMPv6Type(value: 131) }
  @inlinable public static var multicastListenerDone: ICMPv6Type { ICMPv6Type(value: 132) }
  @inlinable public static var routerSolicitation: ICMPv6Type { ICMPv6Type(value: 133) }
  @inlinable public static var routerAdvertisement: ICMPv6Type { ICMPv6Type(value: 134) }
  @inlinable public static var neighborSolicitation: ICMPv6Type { ICMPv6Type(value: 135) }
  @inlinable public static var neighborAdvertisement: ICMPv6Type { ICMPv6Type(value: 136) }
  @inlinable public static var redirect: ICMPv6Type { ICMPv6Type(value: 137) }
  @inlinable public static var multicastListenerReport2: ICMPv6Type { ICMPv6Type(value: 143) }

  /// Whether messages of this type report errors (RFC 4443 section 2.1).
  @inlinable public var isError: Bool { value < 128 }
  /// Whether ``NeighborDiscoveryMessage`` reads messages of this type.
  @inlinable public var isNeighborDiscovery: Bool { value >= 133 && value <= 137 }
}

extension ICMPv6Message {
  @usableFromInline enum Offset {
    @usableFromInline static let type = 0
    @usableFromInline static let code = 1
    @usableFromInline static let checksum = 2
    @usableFromInline static let rest = 4
  }

  /// Where the checksum stands, in bytes from the start of the message; it covers the pseudo-header and the whole
  /// message (RFC 4443 section 2.3).
  @inlinable public static var checksumOffset: Int { Offset.checksum }

  /// Reads the head of the message that fills `bytes`. The checksum is not verified.
  ///
  /// - Throws: ``WireError/truncated`` if `bytes` ends before the head.
  @inlinable
  public init(parsing bytes: RawSpan) throws(WireError) {
    guard bytes.byteCount >= Self.byteCount else { throw .truncated }
    let type = ICMPv6Type(value: bytes.bigEndian(at: Offset.type))
    let code: UInt8 = bytes.bigEndian(at: Offset.code)
    let rest: UInt32 = bytes.bigEndian(at: Offset.rest)
    let upper = UInt16(truncatingIfNeeded: rest >> 16)
    let lower = UInt16(truncatingIfNeeded: rest)
    switch type.value {
    case 1: self = .destinationUnreachable(code: UnreachableCode(value: code))
    case 2: self = .packetTooBig(mtu: rest)
    case 3: self = .timeExceeded(code: code)
    case 4: self = .parameterProblem(code: code, pointer: rest)
    case 128: self = .echoRequest(identifier: upper, sequenceNumber: lower)
    case 129: self = .echoReply(identifier: upper, sequenceNumber: lower)
    default: self = .other(type: type, code: code, rest: rest)
    }
  }

  /// Writes the head over the first ``byteCount`` bytes of `bytes`, with a checksum of 0 to be filled in.
  @inlinable
  public func write(to bytes: inout MutableRawSpan) {
    precondition(bytes.byteCount >= Self.byteCount, "no room for an ICMPv6 message")
    let head: (type: ICMPv6Type, code: UInt8, rest: UInt32) =
      switch self {
      case .destinationUnreachable(let code): (.destinationUnreachable, code.value, 0)
      case .packetTooBig(let mtu): (.packetTooBig, 0, mtu)
      case .timeExceeded(let code): (.timeExceeded, code, 0)
      case .parameterProblem(let code, let pointer): (.parameterProblem, code, pointer)
      case .echoRequest(let identifier, let number): (.echoRequest, 0, UInt32(identifier) << 16 | UInt32(number))
      case .echoReply(let identifier, let number): (.echoReply, 0, UInt32(identifier) << 16 | UInt32(number))
      case .other(let type, let code, let rest): (type, code, rest)
      }
    bytes.store(bigEndian: head.type.value, at: Offset.type)
    bytes.store(bigEndian: head.code, at: Offset.code)
    bytes.store(bigEndian: 0 as UInt16, at: Offset.checksum)
    bytes.store(bigEndian: head.rest, at: Offset.rest)
  }
}
