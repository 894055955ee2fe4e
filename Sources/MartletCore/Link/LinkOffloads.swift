/// What a link does so that the host need not.
public struct LinkOffloads: OptionSet, Sendable, BitwiseCopyable {
  public let rawValue: UInt8
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Fills in the transport checksum of outgoing packets (``Packet/ChecksumState/partial``).
  @inlinable public static var transmitChecksum: LinkOffloads { LinkOffloads(rawValue: 1) }
  /// Splits outgoing TCP packets with a segment size, over IPv4 and over IPv6.
  @inlinable public static var segmentTCPv4: LinkOffloads { LinkOffloads(rawValue: 2) }
  @inlinable public static var segmentTCPv6: LinkOffloads { LinkOffloads(rawValue: 4) }
}
