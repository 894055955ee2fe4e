/// Why a packet went no further. Every drop of the stack has one of these names and counts under it.
public enum Drop {
  /// The reasons, by layer.
  public enum Reason: UInt8, CaseIterable, Sendable, BitwiseCopyable {
    // Link
    case frameTruncated, frameNotForUs, frameUnknownType, frameVLANUnknown, interfaceDown, transmitQueueFull
    // ARP and neighbours
    case arpMalformed, arpNotForUs, arpSpoofed, neighborTableFull, neighborQueueFull, neighborUnresolved
    case neighborDiscoveryInvalid
    // IP
    case ipTruncated, ipVersion, ipHeaderMalformed, ipHeaderChecksum, ipOptionMalformed, ipSourceRouted
    case ipSourceInvalid, ipSourceSpoofed, ipLoopbackFromWire, ipDestinationInvalid, ipNotForUs, ipBroadcastMismatch
    case ipUnknownProtocol, ipExtensionMalformed, ipExtensionUnknown, ipRoutingHeader, ipNoRoute, ipNoSource, ipTooBig
    // Fragments
    case fragmentMalformed, fragmentTiny, fragmentOverlap, fragmentTooBig, fragmentTableFull, fragmentTimeout
    case fragmentDuplicate
    // ICMP
    case icmpTruncated, icmpChecksum, icmpUnknownType, icmpErrorUnmatched, icmpRateLimited, icmpBroadcastEcho
    case icmpSourceQuench, icmpRedirectInvalid
    // UDP
    case udpTruncated, udpLength, udpChecksum, udpNoChecksum, udpPortZero, udpNoSocket, udpReceiveBufferFull
    // TCP
    case tcpTruncated, tcpChecksum, tcpOptionMalformed, tcpPortZero, tcpNotUnicast, tcpLand, tcpNoSocket
    case tcpBacklogFull, tcpBadAcknowledgment, tcpOutsideWindow, tcpOldTimestamp, tcpNoAcknowledgment
    case tcpSynOnSynchronized, tcpResetIgnored, tcpReceiveBufferFull, tcpReassemblyFull, tcpAfterClose, tcpDuplicate
    case tcpCookieInvalid
    // Memory
    case poolExhausted
  }

  /// How often each reason came up.
  public struct Counters: Sendable {
    private var counts: InlineArray<128, UInt64> = .init(repeating: 0)

    /// All zero.
    public init() {}

    /// How often `reason` came up.
    public subscript(reason: Reason) -> UInt64 { counts[Int(reason.rawValue)] }

    /// All drops together.
    public var total: UInt64 {
      var sum: UInt64 = 0
      for reason in Reason.allCases { sum += self[reason] }
      return sum
    }

    /// Counts one more.
    @inline(__always)
    package mutating func count(_ reason: Reason) { counts[Int(reason.rawValue)] &+= 1 }
  }
}
