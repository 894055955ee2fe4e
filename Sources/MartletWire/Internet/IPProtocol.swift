/// What an IP packet carries: the protocol field of IPv4 and the next-header field of IPv6 (IANA "Protocol Numbers").
public struct IPProtocol: Hashable, Sendable, BitwiseCopyable {
  public var value: UInt8

  @inlinable public init(value: UInt8) { self.value = value }

  /// IPv6 hop-by-hop options (RFC 8200 section 4.3).
  @inlinable public static var hopByHopOptions: IPProtocol { IPProtocol(value: 0) }
  @inlinable public static var icmpv4: IPProtocol { IPProtocol(value: 1) }
  @inlinable public static var igmp: IPProtocol { IPProtocol(value: 2) }
  @inlinable public static var tcp: IPProtocol { IPProtocol(value: 6) }
  @inlinable public static var udp: IPProtocol { IPProtocol(value: 17) }
  /// An IPv6 packet inside an IP packet (RFC 2473).
  @inlinable public static var ipv6: IPProtocol { IPProtocol(value: 41) }
  /// IPv6 routing header (RFC 8200 section 4.4).
  @inlinable public static var routing: IPProtocol { IPProtocol(value: 43) }
  /// IPv6 fragment header (RFC 8200 section 4.5).
  @inlinable public static var fragment: IPProtocol { IPProtocol(value: 44) }
  @inlinable public static var icmpv6: IPProtocol { IPProtocol(value: 58) }
  /// Nothing follows (RFC 8200 section 4.7).
  @inlinable public static var noNextHeader: IPProtocol { IPProtocol(value: 59) }
  /// IPv6 destination options (RFC 8200 section 4.6).
  @inlinable public static var destinationOptions: IPProtocol { IPProtocol(value: 60) }
}
