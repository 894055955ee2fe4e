/// What a link does so that the host need not.
public struct LinkOffloads: OptionSet, Sendable, BitwiseCopyable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Fills in the transport checksum of outgoing packets (``Packet/ChecksumState/partial``).
  public static let transmitChecksum = LinkOffloads(rawValue: 1)
  /// Splits outgoing TCP packets with a segment size, over IPv4 and over IPv6.
  public static let segmentTCPv4 = LinkOffloads(rawValue: 2)
  public static let segmentTCPv6 = LinkOffloads(rawValue: 4)
}
