/// The options of a neighbor discovery message, one after the other (RFC 4861 section 4.6).
///
///      0               8               16
///     +---------------+---------------+------------------------------
///     |     type      |    length     |  8 × length bytes in all …
///     +---------------+---------------+------------------------------
public struct NDPOptions: ~Escapable {
  /// The options' bytes, to which the offsets of ``NDPOption`` refer.
  public let bytes: RawSpan
  var next: Int

  /// Reads the options that fill `bytes`: the message from ``NeighborDiscoveryMessage/byteCount`` on.
  @_lifetime(copy bytes)
  public init(parsing bytes: RawSpan) {
    self.bytes = bytes
    next = 0
  }

  /// The next option, or nil at the end.
  ///
  /// - Throws: ``WireError/malformed(field:)`` if the option's length is 0 or runs past the end, after which no more can
  ///   be read; ``NeighborDiscoveryMessage/init(parsing:)`` has refused such messages already.
  @_lifetime(self: copy self)
  public mutating func nextOption() throws(WireError) -> NDPOption? {
    let start = next
    guard start < bytes.byteCount else { return nil }
    next = bytes.byteCount
    let length = try Self.length(of: bytes, at: start)
    next = start + length
    return read(type: bytes.bigEndian(at: start), at: start, length: length)
  }

  static func checkLengths(_ bytes: RawSpan) throws(WireError) {
    var offset = 0
    while offset < bytes.byteCount { offset += try length(of: bytes, at: offset) }
  }

  private static func length(of bytes: RawSpan, at start: Int) throws(WireError) -> Int {
    guard start + 2 <= bytes.byteCount else { throw .malformed(field: "option length") }
    let length = 8 * Int(bytes.bigEndian(at: start + 1, as: UInt8.self))
    guard length > 0, start + length <= bytes.byteCount else { throw .malformed(field: "option length") }
    return length
  }

  private func read(type: UInt8, at start: Int, length: Int) -> NDPOption {
    switch (type, length) {
    case (NDPOption.Number.sourceLinkLayerAddress, 8):
      .sourceLinkLayerAddress(bytes.macAddress(at: start + 2))
    case (NDPOption.Number.targetLinkLayerAddress, 8):
      .targetLinkLayerAddress(bytes.macAddress(at: start + 2))
    case (NDPOption.Number.prefixInformation, 32):
      prefixInformation(at: start)
    case (NDPOption.Number.redirectedHeader, _):
      .redirectedHeader(offset: start + 8, byteCount: length - 8)
    case (NDPOption.Number.mtu, 8):
      .mtu(bytes.bigEndian(at: start + 4))
    case (NDPOption.Number.nonce, 8):
      .nonce(bytes.bigEndian(at: start, as: UInt64.self) & 0xffff_ffff_ffff)
    case (NDPOption.Number.routeInformation, 8...24):
      routeInformation(at: start, length: length)
    case (NDPOption.Number.recursiveDNSServers, 24...) where length % 16 == 8:
      .recursiveDNSServers(
        lifetime: bytes.bigEndian(at: start + 4), offset: start + 8, count: (length - 8) / 16)
    case (NDPOption.Number.dnsSearchList, 16...):
      .dnsSearchList(lifetime: bytes.bigEndian(at: start + 4), offset: start + 8, byteCount: length - 8)
    default:
      .unknown(type: type, offset: start + 2, byteCount: length - 2)
    }
  }

  private func prefixInformation(at start: Int) -> NDPOption {
    let prefixLength: UInt8 = bytes.bigEndian(at: start + 2)
    let flags: UInt8 = bytes.bigEndian(at: start + 3)
    guard prefixLength <= 128 else {
      return .unknown(type: NDPOption.Number.prefixInformation, offset: start + 2, byteCount: 30)
    }
    return .prefixInformation(
      NDPOption.PrefixInformation(
        prefix: bytes.ipv6Address(at: start + 16), prefixLength: prefixLength, isOnLink: flags & 0x80 != 0,
        isAutonomous: flags & 0x40 != 0, validLifetime: bytes.bigEndian(at: start + 4),
        preferredLifetime: bytes.bigEndian(at: start + 8)))
  }

  private func routeInformation(at start: Int, length: Int) -> NDPOption {
    let prefixLength: UInt8 = bytes.bigEndian(at: start + 2)
    // RFC 4191 section 2.3: the prefix comes in none, one or two halves, enough for its length.
    // A preference with the reserved value makes the option one to ignore.
    let flags: UInt8 = bytes.bigEndian(at: start + 3)
    guard Int(prefixLength) <= (length - 8) * 8, flags & 0x18 != 0x10 else {
      return .unknown(type: NDPOption.Number.routeInformation, offset: start + 2, byteCount: length - 2)
    }
    let high: UInt64 = length > 8 ? bytes.bigEndian(at: start + 8) : 0
    let low: UInt64 = length > 16 ? bytes.bigEndian(at: start + 16) : 0
    return .routeInformation(
      NDPOption.RouteInformation(
        prefix: IPv6Address(high: high, low: low), prefixLength: prefixLength,
        preference: RouterPreference(flags: flags),
        lifetime: bytes.bigEndian(at: start + 4)))
  }
}
