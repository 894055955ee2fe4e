public import MartletWire

extension Host.Configuration {
  /// What a host does with packets that are for others: nothing, or what a router does (RFC 1812, RFC 8200).
  public struct Forwarding: Hashable, Sendable {
    /// Whether IPv4 packets are forwarded. Default false.
    public var ipv4 = false
    /// Whether IPv6 packets are forwarded, which makes the host a router to its neighbours (RFC 4861 section 6.2.2). Default
    /// false.
    public var ipv6 = false
    /// Whether a packet is only forwarded if one to its source would leave by the interface that it came in by: strict
    /// reverse path forwarding (RFC 3704 section 2.2). Default false.
    public var checksReversePath = false
    /// Whether hosts are told of a better first hop on their own link (RFC 1812 section 5.2.7.2, RFC 4861 section 8.2).
    /// Default true.
    public var sendsRedirects = true
    /// Redirects per second, of all kinds together; they count among the ICMP errors too. Default 100.
    public var redirectsPerSecond = 100
    /// Redirects in one burst. Default 10.
    public var redirectBurst = 10

    public init() {}

    /// A host that forwards nothing.
    @inlinable public static var off: Self { Self() }

    /// A router for IPv4 and IPv6.
    @inlinable public static var router: Self {
      var forwarding = Self()
      forwarding.ipv4 = true
      forwarding.ipv6 = true
      return forwarding
    }

    /// Whether anything is forwarded.
    @inlinable public var isOn: Bool { ipv4 || ipv6 }

    /// Whether packets of `version` are forwarded.
    @inlinable
    public func includes(_ version: IPVersion) -> Bool { version == .v4 ? ipv4 : ipv6 }
  }
}

/// What became of packets that a host forwards; those that went no further count among its ``Host/drops``.
public struct ForwardingCounters: Equatable, Sendable, BitwiseCopyable {
  /// Packets sent on, each counted once, however many fragments or segments it left in.
  public var forwardedPackets: UInt64 = 0
  /// Their bytes, IP headers included.
  public var forwardedBytes: UInt64 = 0
  /// IPv4 packets that were too large for the next link and left in fragments (RFC 791 section 2.3).
  public var fragmentedPackets: UInt64 = 0
  /// ICMP errors sent about packets that could not be forwarded.
  public var sentErrors: UInt64 = 0
  /// Redirects sent.
  public var sentRedirects: UInt64 = 0

  init() {}
}
