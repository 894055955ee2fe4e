extension Host {
  /// Every bound and default of a host, by name.
  public struct Configuration: Sendable {
    /// Addresses, routes and neighbours.
    public var neighbors = Neighbors()
    /// The Internet layer.
    public var internet = Internet()
    /// What the host does with packets that are for others. Default: nothing.
    public var forwarding = Forwarding()
    /// Whether programs may open sockets; else each attempt throws ``SocketError/offersNoSockets``. A router offers none.
    /// Default true.
    public var offersSockets = true
    /// Datagram sockets.
    public var datagrams = Datagrams()
    /// TCP.
    public var tcp = TCP()

    public init() {}

    /// The neighbour cache (RFC 4861 section 10, used for ARP alike).
    public struct Neighbors: Sendable {
      /// The most entries. Default 1,024.
      public var maximumEntries = 1_024
      /// The most packets that wait for one address; 64 hold the fragments of the largest datagram. Default 64.
      public var maximumWaitingPackets = 64
      /// REACHABLE_TIME: how long a confirmation holds, before it is spread by a random factor of 0.5 to 1.5.
      public var reachableTime = Duration.seconds(30)
      /// RETRANS_TIMER: between solicitations or ARP requests.
      public var retransmitTime = Duration.seconds(1)
      /// DELAY_FIRST_PROBE_TIME.
      public var delayFirstProbe = Duration.seconds(5)
      /// MAX_MULTICAST_SOLICIT.
      public var maximumMulticastSolicitations = 3
      /// MAX_UNICAST_SOLICIT.
      public var maximumUnicastSolicitations = 3
      /// After how long an unused STALE entry is forgotten.
      public var staleTime = Duration.seconds(600)
      public init() {}
    }

    /// IPv4, IPv6 and ICMP.
    public struct Internet: Sendable {
      /// The TTL or hop limit of packets (RFC 1122 section 3.2.1.7). Default 64.
      public var timeToLive: UInt8 = 64
      /// The most datagrams under reassembly. Default 64.
      public var maximumReassemblies = 64
      /// The most bytes held in reassembly. Default 4 MiB.
      public var maximumReassemblyBytes = 4 << 20
      /// The most fragments of one datagram. Default 128.
      public var maximumFragments = 128
      /// How long fragments wait for the rest (RFC 8200 section 4.5; RFC 1122 section 3.3.2). Default 60 s.
      public var reassemblyTime = Duration.seconds(60)
      /// The most extension headers of one packet. Default 8.
      public var maximumExtensionHeaders = 8
      /// ICMP errors per second (RFC 4443 section 2.4 (f)). Default 1,000.
      public var icmpErrorsPerSecond = 1_000
      /// ICMP errors in one burst. Default 50.
      public var icmpErrorBurst = 50
      /// The most packets that wait in an interface's transmit queue. Default 4,096.
      public var maximumTransmitQueue = 4_096
      /// The most routes. Default 65,536.
      public var maximumRoutes = 65_536
      /// The most destinations whose path MTU is remembered. Default 1,024.
      public var maximumPathMTUEntries = 1_024
      /// After how long such a path MTU is forgotten, so that larger packets are tried again; never below 5 min (RFC 1191
      /// section 6.3, RFC 8201 section 4). Default 10 min.
      public var pathMTULifetime = Duration.seconds(600)
      /// The most destinations for which routers' redirects are remembered (RFC 1122 section 3.2.2.2, RFC 4861 section 8.3);
      /// the oldest makes room; 0 ignores redirects, which a host that forwards does anyway. Default 64.
      public var maximumRedirects = 64
      public init() {}
    }

    /// UDP and ICMP echo sockets.
    public struct Datagrams: Sendable {
      /// The most sockets. Default 65,536.
      public var maximumSockets = 65_536
      /// The most bytes that wait in one socket, memory of small packets counted whole. Default 1 MiB.
      public var receiveBufferByteCount = 1 << 20
      public init() {}
    }

    /// TCP.
    public struct TCP: Sendable {
      /// The most connections, TIME-WAIT included. Default 262,144.
      public var maximumConnections = 262_144
      /// The most listeners. Default 4,096.
      public var maximumListeners = 4_096
      /// The receive buffer that a connection begins with, in bytes. Default 1 MiB.
      public var receiveBufferByteCount = 1 << 20
      /// How far the receive buffer grows, in bytes (at most 1 GiB, in steps of 16 KiB), while the program reads all that
      /// comes and more comes in a round trip; it does not grow if this is no more than ``receiveBufferByteCount``, or when
      /// the program chose ``TCPSocketOptions/receiveBufferByteCount``. The window's scale (RFC 7323 section 2.3) is made
      /// for it. Default 8 MiB.
      public var maximumReceiveBufferByteCount = 8 << 20
      /// The send buffer that a connection begins with, in bytes. Default 1 MiB.
      public var sendBufferByteCount = 1 << 20
      /// How far the send buffer grows, in bytes (at most 1 GiB, in steps of 16 KiB), while the congestion window is what
      /// holds the program back: to twice that window. It does not grow if this is no more than ``sendBufferByteCount``, or
      /// when the program chose ``TCPSocketOptions/sendBufferByteCount``. Default 8 MiB.
      public var maximumSendBufferByteCount = 8 << 20
      /// The most out-of-order runs of bytes, each with a gap before it, that one connection keeps. Default 1,024.
      public var maximumReassemblyPieces = 1_024
      /// Half-open connections per listener before SYN cookies take over. Default 256.
      public var synQueue = 256
      /// The longest accept backlog a listener may ask for. Default 4,096.
      public var maximumBacklog = 4_096
      /// Whether SYN cookies are used when a listener's SYN queue is full (RFC 4987). Default true.
      public var synCookies = true
      /// The smallest RTO (RFC 6298 says 1 s; Linux and everybody 200 ms). Default 200 ms.
      public var minimumRetransmissionTimeout = Duration.milliseconds(200)
      /// The RTO before there is a sample (RFC 6298 (2.1)). Default 1 s.
      public var initialRetransmissionTimeout = Duration.seconds(1)
      /// The largest RTO (RFC 6298 (2.5)). Default 120 s.
      public var maximumRetransmissionTimeout = Duration.seconds(120)
      /// R2 of RFC 9293 section 3.8.3 for data: give up after this long without an acknowledgement. Default 15 min.
      public var userTimeout = Duration.seconds(900)
      /// R2 for SYN, at least three minutes (MUST-23). Default 180 s.
      public var connectTimeout = Duration.seconds(180)
      /// How long an acknowledgement may wait, below 500 ms (MUST-40). Default 40 ms.
      public var delayedAcknowledgment = Duration.milliseconds(40)
      /// Maximum segment lifetime; TIME-WAIT lasts two. Default 30 s (TIME-WAIT one minute, as Linux has it).
      public var maximumSegmentLifetime = Duration.seconds(30)
      /// How long FIN-WAIT-2 may last once the program has closed. Default 60 s.
      public var finWait2Timeout = Duration.seconds(60)
      /// Keep-alive, when a program asks for it (RFC 9293 section 3.8.4). Default 2 h, 75 s, 9 probes.
      public var keepAliveIdle = Duration.seconds(7_200)
      public var keepAliveInterval = Duration.seconds(75)
      public var keepAliveProbes = 9
      /// How a connection decides how much to have in flight. Default CUBIC.
      public var congestionControl = TCPCongestionControl.cubic
      /// Initial window in segments (RFC 6928). Default 10.
      public var initialWindowSegments = 10
      /// Whether senders spread a window over the round trip, in place of bursts. Default true.
      public var pacing = true
      /// Whether senders probe for the loss of the last segments of a flight (RFC 8985 section 7). Default true.
      public var tailLossProbes = true
      /// Challenge acknowledgements per second, for the whole host (RFC 5961 section 7). Default 1,000.
      public var challengeAcknowledgmentsPerSecond = 1_000
      /// Whether to offer timestamps (RFC 7323), SACK (RFC 2018) and window scaling. Default true.
      public var timestamps = true
      public var selectiveAcknowledgments = true
      public var windowScaling = true
      /// When a connection finds out by itself what its path carries (RFC 4821, RFC 8899), with larger segments of its data
      /// as probes. Default ``PathProbing/onBlackHole``.
      public var packetizationLayerPathMTUDiscovery = PathProbing.onBlackHole
      /// After how many timeouts in a row without an ICMP message full packets are thought to vanish in a black hole (RFC
      /// 2923 section 2.1), 1 to 255. Default 3.
      public var blackHoleTimeouts = 3
      /// BASE_PLPMTU for IPv4, in bytes with the IP header, at least 552: what packets fall to in a black hole (RFC 8899
      /// section 5.1.2). IPv6 falls to 1,280. Default 1,200.
      public var basePathMTU = 1_200
      /// PMTU_RAISE_TIMER: after how many whole seconds, at most 65,535, sizes that were lost are probed again (RFC 8899
      /// section 5.1.1). Default 10 min.
      public var pathMTURaiseTime = Duration.seconds(600)

      /// How many servers' Fast Open cookies are kept (RFC 7413 section 4.1.3): the one used longest ago goes. Default 256.
      public var maximumFastOpenCookies = 256
      /// Whether routers may mark segments instead of dropping them. Default ``CongestionNotification/passive``.
      public var ecn = CongestionNotification.passive
      public init() {}

      /// When a connection probes its path.
      public enum PathProbing: UInt8, Hashable, Sendable, BitwiseCopyable {
        /// Never: routers have to say what is too big (RFC 1191, RFC 8201).
        case off
        /// When full segments vanish, and when an estimate has aged.
        case onBlackHole
        /// From the base size on.
        case always
      }

      /// Who asks for explicit congestion notification (RFC 3168 section 6.1.1).
      public enum CongestionNotification: Sendable {
        /// Nobody, and a peer that asks is told no.
        case off
        /// The peer; this host says yes.
        case passive
        /// Either; a SYN that has to be sent again asks no more.
        case on
      }
    }
  }
}
