/// One option of a neighbor discovery message (RFC 4861 section 4.6). Offsets count from the start of the options.
public enum NDPOption: Equatable, Sendable, BitwiseCopyable {
  case sourceLinkLayerAddress(MACAddress)
  case targetLinkLayerAddress(MACAddress)
  case prefixInformation(PrefixInformation)
  /// As much as fits of the packet that caused the redirect, `byteCount` bytes from `offset` on.
  case redirectedHeader(offset: Int, byteCount: Int)
  case mtu(UInt32)
  /// Six random bytes (RFC 3971 section 5.3.2, RFC 7527).
  case nonce(UInt64)
  case routeInformation(RouteInformation)
  /// `count` addresses of DNS servers from `offset` on, good for `lifetime` seconds (RFC 8106 section 5.1).
  case recursiveDNSServers(lifetime: UInt32, offset: Int, count: Int)
  /// Names in the encoding of DNS, with zero padding, `byteCount` bytes from `offset` on, good for `lifetime` seconds
  /// (RFC 8106 section 5.2).
  case dnsSearchList(lifetime: UInt32, offset: Int, byteCount: Int)
  /// An option of another type, or of a known one with a length that is not its own; to be ignored.
  case unknown(type: UInt8, offset: Int, byteCount: Int)

  /// A prefix that is on the link, or from which addresses may be made (RFC 4861 section 4.6.2).
  public struct PrefixInformation: Equatable, Sendable, BitwiseCopyable {
    /// How many leading bits of ``prefix`` count, 0...128.
    public var prefixLength: UInt8
    public var isOnLink: Bool
    /// Whether hosts may configure addresses of the prefix by themselves (RFC 4862).
    public var isAutonomous: Bool
    /// How long the prefix is on the link, in seconds; 0xffff_ffff is forever.
    public var validLifetime: UInt32
    /// How long addresses of it are preferred, in seconds; 0xffff_ffff is forever.
    public var preferredLifetime: UInt32
    /// The prefix; the bits behind ``prefixLength`` mean nothing.
    public var prefix: IPv6Address

    @inlinable
    public init(
      prefix: IPv6Address, prefixLength: UInt8, isOnLink: Bool, isAutonomous: Bool, validLifetime: UInt32,
      preferredLifetime: UInt32
    ) {
      self.prefix = prefix
      self.prefixLength = prefixLength
      self.isOnLink = isOnLink
      self.isAutonomous = isAutonomous
      self.validLifetime = validLifetime
      self.preferredLifetime = preferredLifetime
    }
  }

  /// A route by way of the sender (RFC 4191 section 2.3).
  public struct RouteInformation: Equatable, Sendable, BitwiseCopyable {
    /// How many leading bits of ``prefix`` count, 0...128.
    public var prefixLength: UInt8
    public var preference: RouterPreference
    /// How long the route is good, in seconds; 0xffff_ffff is forever.
    public var lifetime: UInt32
    public var prefix: IPv6Address

    @inlinable
    public init(prefix: IPv6Address, prefixLength: UInt8, preference: RouterPreference, lifetime: UInt32) {
      self.prefix = prefix
      self.prefixLength = prefixLength
      self.preference = preference
      self.lifetime = lifetime
    }
  }

  enum Number {
    static let sourceLinkLayerAddress: UInt8 = 1
    static let targetLinkLayerAddress: UInt8 = 2
    static let prefixInformation: UInt8 = 3
    static let redirectedHeader: UInt8 = 4
    static let mtu: UInt8 = 5
    static let nonce: UInt8 = 14
    static let routeInformation: UInt8 = 24
    static let recursiveDNSServers: UInt8 = 25
    static let dnsSearchList: UInt8 = 31
  }
}

extension NDPOption {
  /// The size of the option on the wire, in bytes: a multiple of 8.
  public var byteCount: Int {
    switch self {
    case .sourceLinkLayerAddress, .targetLinkLayerAddress, .mtu, .nonce: 8
    case .prefixInformation: 32
    case .routeInformation(let route): route.prefixLength == 0 ? 8 : route.prefixLength <= 64 ? 16 : 24
    case .redirectedHeader(_, let count), .dnsSearchList(_, _, let count): (8 + count + 7) & ~7
    case .recursiveDNSServers(_, _, let count): 8 + 16 * count
    case .unknown(_, _, let count): (2 + count + 7) & ~7
    }
  }

  /// Writes the option over ``byteCount`` bytes of `bytes` from `start` on. Of an option that refers to bytes
  /// elsewhere (redirected header, DNS servers and search list, unknown) only the fixed part is written: the bytes, and
  /// zeros up to ``byteCount``, are the caller's to write.
  public func write(to bytes: inout MutableRawSpan, at start: Int) {
    let units = UInt8(truncatingIfNeeded: byteCount / 8)
    func head(_ number: UInt8, _ rest: UInt16 = 0) -> UInt32 {
      UInt32(number) << 24 | UInt32(units) << 16 | UInt32(rest)
    }
    switch self {
    case .sourceLinkLayerAddress(let address):
      bytes.store(bigEndian: head(Number.sourceLinkLayerAddress), at: start)
      bytes.store(address, at: start + 2)
    case .targetLinkLayerAddress(let address):
      bytes.store(bigEndian: head(Number.targetLinkLayerAddress), at: start)
      bytes.store(address, at: start + 2)
    case .prefixInformation(let info):
      let flags: UInt16 = (info.isOnLink ? 0x80 : 0) | (info.isAutonomous ? 0x40 : 0)
      bytes.store(bigEndian: head(Number.prefixInformation, UInt16(info.prefixLength) << 8 | flags), at: start)
      bytes.store(bigEndian: info.validLifetime, at: start + 4)
      bytes.store(bigEndian: info.preferredLifetime, at: start + 8)
      bytes.store(bigEndian: 0 as UInt32, at: start + 12)
      bytes.store(info.prefix, at: start + 16)
    case .redirectedHeader:
      bytes.store(bigEndian: head(Number.redirectedHeader), at: start)
      bytes.store(bigEndian: 0 as UInt32, at: start + 4)
    case .mtu(let mtu):
      bytes.store(bigEndian: head(Number.mtu), at: start)
      bytes.store(bigEndian: mtu, at: start + 4)
    case .nonce(let nonce):
      bytes.store(bigEndian: UInt64(head(Number.nonce)) << 32 | nonce & 0xffff_ffff_ffff, at: start)
    case .routeInformation(let route):
      let rest = UInt16(route.prefixLength) << 8 | UInt16(route.preference.flags)
      bytes.store(bigEndian: head(Number.routeInformation, rest), at: start)
      bytes.store(bigEndian: route.lifetime, at: start + 4)
      if route.prefixLength > 0 { bytes.store(bigEndian: route.prefix.high, at: start + 8) }
      if route.prefixLength > 64 { bytes.store(bigEndian: route.prefix.low, at: start + 16) }
    case .recursiveDNSServers(let lifetime, _, _):
      bytes.store(bigEndian: head(Number.recursiveDNSServers), at: start)
      bytes.store(bigEndian: lifetime, at: start + 4)
    case .dnsSearchList(let lifetime, _, _):
      bytes.store(bigEndian: head(Number.dnsSearchList), at: start)
      bytes.store(bigEndian: lifetime, at: start + 4)
    case .unknown(let type, _, _):
      bytes.store(bigEndian: UInt16(type) << 8 | UInt16(units), at: start)
    }
  }
}
