/// The type-of-service byte of IPv4 and the traffic class of IPv6 (RFC 2474, RFC 3168).
///
///      7                   2 1      0
///     +---------------------+--------+
///     |        DSCP         |  ECN   |
///     +---------------------+--------+
public struct TrafficClass: Hashable, Sendable, BitwiseCopyable {
  /// The byte on the wire.
  public var value: UInt8

  @inlinable public init(value: UInt8) { self.value = value }

  /// The byte made of its two fields; bits of `dscp` above 63 are ignored.
  @inlinable
  public init(dscp: UInt8 = 0, ecn: ECN = .notCapable) {
    value = dscp << 2 | ecn.rawValue
  }

  /// Best effort, without congestion notification.
  @inlinable public static var bestEffort: TrafficClass { TrafficClass(value: 0) }

  /// The differentiated services code point, 0...63 (RFC 2474).
  @inlinable public var dscp: UInt8 {
    get { value >> 2 }
    set { value = newValue << 2 | value & 3 }
  }

  /// The congestion notification field (RFC 3168 section 5).
  @inlinable public var ecn: ECN {
    get { ECN(rawValue: value & 3) ?? .notCapable }
    set { value = value & 0xfc | newValue.rawValue }
  }
}

/// The congestion notification field of an IP header (RFC 3168 section 5).
public enum ECN: UInt8, Sendable, BitwiseCopyable {
  /// Not-ECT: the transport does not understand marks.
  case notCapable = 0
  /// ECT(1): capable, and a low-latency sender (RFC 9331).
  case capable1 = 1
  /// ECT(0): capable.
  case capable0 = 2
  /// CE: a router on the way met congestion.
  case congestionExperienced = 3
}
