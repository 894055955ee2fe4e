/// A message of neighbor discovery without its options (RFC 4861 section 4).
///
///      0               8               16             24             31
///     +---------------+---------------+-------------------------------+
///     |     type      |   code (0)    |           checksum            |
///     +---------------+---------------+-------------------------------+
///     |                     flags, hop limit, lifetime                |
///     +---------------------------------------------------------------+
///     |      times (router advertisement), target, destination …      |
///     +---------------------------------------------------------------+
///     |                           options …                           |
///     +---------------------------------------------------------------+
public enum NeighborDiscoveryMessage: Equatable, Sendable, BitwiseCopyable {
  case routerSolicitation
  case routerAdvertisement(RouterAdvertisement)
  case neighborSolicitation(target: IPv6Address)
  case neighborAdvertisement(NeighborAdvertisement)
  /// `target` is the better first hop to `destination`; the same if the destination is a neighbor.
  case redirect(target: IPv6Address, destination: IPv6Address)

  /// The body of a router advertisement (RFC 4861 section 4.2).
  public struct RouterAdvertisement: Equatable, Sendable, BitwiseCopyable {
    /// The hop limit to send with; 0 leaves it open.
    public var currentHopLimit: UInt8
    /// The byte of flags: ``isManaged``, ``hasOtherConfiguration``, ``preference``.
    public var flags: UInt8
    /// How long the sender is a default router, in seconds; 0 says that it is none.
    public var routerLifetime: UInt16
    /// How long a neighbor is reachable after a confirmation, in milliseconds; 0 leaves it open.
    public var reachableTime: UInt32
    /// The time between two solicitations, in milliseconds; 0 leaves it open.
    public var retransmissionTimer: UInt32

    /// Whether addresses are available by DHCPv6.
    @inlinable public var isManaged: Bool { flags & 0x80 != 0 }
    /// Whether other configuration is available by DHCPv6.
    @inlinable public var hasOtherConfiguration: Bool { flags & 0x40 != 0 }
    /// How much the sender wants to be the default router.
    @inlinable public var preference: RouterPreference { RouterPreference(flags: flags) }

    @inlinable
    public init(
      currentHopLimit: UInt8 = 0, flags: UInt8 = 0, routerLifetime: UInt16 = 0, reachableTime: UInt32 = 0,
      retransmissionTimer: UInt32 = 0
    ) {
      self.currentHopLimit = currentHopLimit
      self.flags = flags
      self.routerLifetime = routerLifetime
      self.reachableTime = reachableTime
      self.retransmissionTimer = retransmissionTimer
    }
  }

  /// The body of a neighbor advertisement (RFC 4861 section 4.4).
  public struct NeighborAdvertisement: Equatable, Sendable, BitwiseCopyable {
    public var isRouter: Bool
    public var isSolicited: Bool
    public var isOverride: Bool
    public var target: IPv6Address

    @inlinable
    public init(isRouter: Bool, isSolicited: Bool, isOverride: Bool, target: IPv6Address) {
      self.isRouter = isRouter
      self.isSolicited = isSolicited
      self.isOverride = isOverride
      self.target = target
    }
  }

  /// The type of this message.
  @inlinable public var type: ICMPv6Type {
    switch self {
    case .routerSolicitation: .routerSolicitation
    case .routerAdvertisement: .routerAdvertisement
    case .neighborSolicitation: .neighborSolicitation
    case .neighborAdvertisement: .neighborAdvertisement
    case .redirect: .redirect
    }
  }

  /// The size of the message in front of its options, in bytes.
  @inlinable public var byteCount: Int {
    switch self {
    case .routerSolicitation: 8
    case .routerAdvertisement: 16
    case .neighborSolicitation, .neighborAdvertisement: 24
    case .redirect: 40
    }
  }
}

/// How much a router wants to be used (RFC 4191 section 2.1).
public enum RouterPreference: Int8, Sendable, BitwiseCopyable {
  case low = -1
  case medium = 0
  case high = 1

  /// The preference in bits 4 and 3 of a byte of flags; the reserved value reads as medium.
  @inlinable
  init(flags: UInt8) {
    self =
      switch flags >> 3 & 3 {
      case 1: .high
      case 3: .low
      default: .medium
      }
  }

  /// The preference in bits 4 and 3 of a byte of flags.
  @inlinable
  public var flags: UInt8 {
    switch self {
    case .low: 3 << 3
    case .medium: 0
    case .high: 1 << 3
    }
  }
}

extension NeighborDiscoveryMessage {
  enum Offset {
    static let type = 0
    static let code = 1
    static let checksum = 2
    static let flags = 4
    static let advertisedFlags = 5
    static let routerLifetime = 6
    static let target = 8
    static let reachableTime = 8
    static let retransmissionTimer = 12
    static let destination = 24
  }

  /// Reads the message that fills `bytes`, an ICMPv6 message, and checks what RFC 4861 sections 6.1, 7.1 and 8.1 say
  /// about its bytes. Hop limit, checksum and source address are the caller's to check.
  ///
  /// - Throws: ``WireError/truncated`` if `bytes` ends before the fixed part, ``WireError/malformed(field:)`` if the type
  ///   is another one, the code is not 0, a target or redirected destination is a multicast address, a redirect's target
  ///   is neither link-local nor the destination, or an option has length 0 or runs past the end.
  public init(parsing bytes: RawSpan) throws(WireError) {
    guard bytes.byteCount >= 8 else { throw .truncated }
    let type = ICMPv6Type(value: bytes.bigEndian(at: Offset.type))
    guard bytes.bigEndian(at: Offset.code, as: UInt8.self) == 0 else { throw .malformed(field: "code") }
    switch type {
    case .routerSolicitation:
      self = .routerSolicitation
    case .routerAdvertisement:
      guard bytes.byteCount >= 16 else { throw .truncated }
      self = .routerAdvertisement(
        RouterAdvertisement(
          currentHopLimit: bytes.bigEndian(at: Offset.flags), flags: bytes.bigEndian(at: Offset.advertisedFlags),
          routerLifetime: bytes.bigEndian(at: Offset.routerLifetime),
          reachableTime: bytes.bigEndian(at: Offset.reachableTime),
          retransmissionTimer: bytes.bigEndian(at: Offset.retransmissionTimer)))
    case .neighborSolicitation:
      self = .neighborSolicitation(target: try Self.target(in: bytes, byteCount: 24))
    case .neighborAdvertisement:
      let target = try Self.target(in: bytes, byteCount: 24)
      let flags: UInt8 = bytes.bigEndian(at: Offset.flags)
      self = .neighborAdvertisement(
        NeighborAdvertisement(
          isRouter: flags & 0x80 != 0, isSolicited: flags & 0x40 != 0, isOverride: flags & 0x20 != 0, target: target))
    case .redirect:
      let target = try Self.target(in: bytes, byteCount: 40)
      let destination = bytes.ipv6Address(at: Offset.destination)
      guard !Self.isMulticast(destination) else { throw .malformed(field: "destination address") }
      guard target == destination || target.high >> 54 == 0x3fa else { throw .malformed(field: "target address") }
      self = .redirect(target: target, destination: destination)
    default:
      throw .malformed(field: "type")
    }
    try NDPOptions.checkLengths(bytes.extracting(byteCount..<bytes.byteCount))
  }

  private static func target(in bytes: RawSpan, byteCount: Int) throws(WireError) -> IPv6Address {
    guard bytes.byteCount >= byteCount else { throw .truncated }
    let target = bytes.ipv6Address(at: Offset.target)
    guard !isMulticast(target) else { throw .malformed(field: "target address") }
    return target
  }

  private static func isMulticast(_ address: IPv6Address) -> Bool { address.high >> 56 == 0xff }

  /// Writes the message over the first ``byteCount`` bytes of `bytes`, with a checksum of 0 to be filled in.
  public func write(to bytes: inout MutableRawSpan) {
    precondition(bytes.byteCount >= byteCount, "no room for a neighbor discovery message")
    bytes.store(bigEndian: type.value, at: Offset.type)
    bytes.store(bigEndian: 0 as UInt8, at: Offset.code)
    bytes.store(bigEndian: 0 as UInt16, at: Offset.checksum)
    bytes.store(bigEndian: 0 as UInt32, at: Offset.flags)
    switch self {
    case .routerSolicitation:
      break
    case .routerAdvertisement(let body):
      bytes.store(bigEndian: body.currentHopLimit, at: Offset.flags)
      bytes.store(bigEndian: body.flags, at: Offset.advertisedFlags)
      bytes.store(bigEndian: body.routerLifetime, at: Offset.routerLifetime)
      bytes.store(bigEndian: body.reachableTime, at: Offset.reachableTime)
      bytes.store(bigEndian: body.retransmissionTimer, at: Offset.retransmissionTimer)
    case .neighborSolicitation(let target):
      bytes.store(target, at: Offset.target)
    case .neighborAdvertisement(let body):
      let flags: UInt8 = (body.isRouter ? 0x80 : 0) | (body.isSolicited ? 0x40 : 0) | (body.isOverride ? 0x20 : 0)
      bytes.store(bigEndian: flags, at: Offset.flags)
      bytes.store(body.target, at: Offset.target)
    case .redirect(let target, let destination):
      bytes.store(target, at: Offset.target)
      bytes.store(destination, at: Offset.destination)
    }
  }
}
