/// Why a packet went no further. Every drop of the stack has one of these names and counts under it.
public enum Drop {
  /// The reasons, by layer.
  public enum Reason: UInt8, CaseIterable, Sendable, BitwiseCopyable {
    // Link
    case frameTruncated, frameNotForUs, frameUnknownType, frameVLANUnknown, transmitQueueFull
    // ARP and neighbours
    case arpMalformed, arpNotForUs, arpSpoofed, neighborTableFull, neighborQueueFull, neighborUnresolved
    case neighborDiscoveryInvalid
    // IP
    case ipTruncated, ipVersion, ipHeaderMalformed, ipHeaderChecksum, ipOptionMalformed, ipSourceRouted
    case ipSourceInvalid, ipSourceSpoofed, ipLoopbackFromWire, ipNotForUs, ipBroadcastMismatch
    case ipUnknownProtocol, ipExtensionMalformed, ipExtensionUnknown, ipRoutingHeader, ipNoRoute, ipNoSource, ipTooBig
    // Forwarding
    case forwardSource, forwardDestination, forwardBroadcast, forwardReversePath, forwardHopLimit
    // Fragments
    case fragmentMalformed, fragmentTiny, fragmentOverlap, fragmentTooBig, fragmentTableFull, fragmentTimeout
    case fragmentDuplicate
    // ICMP
    case icmpTruncated, icmpChecksum, icmpUnknownType, icmpErrorUnmatched, icmpRateLimited, icmpBroadcastEcho
    case icmpSourceQuench, icmpRedirectInvalid
    // UDP
    case udpTruncated, udpLength, udpChecksum, udpNoChecksum, udpPortZero, udpNoSocket, udpReceiveBufferFull
    // TCP
    case tcpTruncated, tcpChecksum, tcpOptionMalformed, tcpPortZero, tcpNotUnicast, tcpNoSocket
    case tcpBacklogFull, tcpBadAcknowledgment, tcpOutsideWindow, tcpOldTimestamp, tcpNoAcknowledgment
    case tcpSynOnSynchronized, tcpResetIgnored, tcpReceiveBufferFull, tcpReassemblyFull, tcpAfterClose, tcpDuplicate
    // Memory
    case poolExhausted, payloadGone
  }

  /// How often each reason came up.
  public struct Counters: Sendable, Equatable {
    private var counts: [UInt64]

    /// How often `reason` came up.
    public subscript(reason: Reason) -> UInt64 { counts[Int(reason.rawValue)] }

    /// All drops together.
    public var total: UInt64 { counts.reduce(0, +) }

    init(_ ledger: borrowing Ledger) { counts = Reason.allCases.map { ledger.counts[Int($0.rawValue)] } }
  }

  /// Where a host counts.
  struct Ledger: ~Copyable {
    fileprivate let counts = FixedArray(repeating: UInt64(0), count: Reason.allCases.count)

    /// Counts one more.
    @inline(__always)
    func count(_ reason: Reason) { counts[Int(reason.rawValue)] &+= 1 }
  }
}
