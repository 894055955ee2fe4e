import MartletWire

/// One end of a TCP connection (RFC 9293) as a value: segments, calls and the time come in, and what has to go out is
/// decided in ``transmit(from:at:into:limit:)``, from the state. It knows nothing of hosts, IP or clocks.
///
/// The names of the RFC: SND.UNA is `sendUnacknowledged`, SND.NXT `sendNext`, SND.WND `sendWindow`, SND.WL1 and SND.WL2
/// `sendWindowSequence` and `sendWindowAcknowledgment`, ISS `initialSend`; RCV.NXT is `receiveNext`, RCV.UP `urgentMark`,
/// IRS `initialReceive`; RCV.NXT + RCV.WND is `receiveEdge`, the right edge last advertised.
///
/// Members that do not change it are inlined throughout: the compiler copies the whole value for a call that borrows it.
package struct TCPConnection: ~Copyable {
  /// What has to go out beside data.
  struct Owed: OptionSet, BitwiseCopyable {
    let rawValue: UInt8
    /// The SYN, with an ACK in SYN-RECEIVED.
    static let syn = Owed(rawValue: 1)
    /// An acknowledgement, now.
    static let acknowledgment = Owed(rawValue: 2)
    /// A challenge acknowledgement (RFC 5961), which the host may refuse.
    static let challenge = Owed(rawValue: 4)
    /// The connection's end.
    static let reset = Owed(rawValue: 8)
    /// An answer to an unacceptable ACK before the connection is synchronized, from `resetSequence`.
    static let resetAnswer = Owed(rawValue: 16)
    static let keepAliveProbe = Owed(rawValue: 32)
    /// One byte into a closed window, or what a small one takes.
    static let windowProbe = Owed(rawValue: 64)
    /// A tail-loss probe (RFC 8985 section 7.3).
    static let lossProbe = Owed(rawValue: 128)

    // As literals these would be arrays in a build without optimization.
    /// What goes out before all else.
    static let control = Owed(rawValue: 1 | 8 | 16)
    /// What any segment with an ACK settles.
    static let anyAcknowledgment = Owed(rawValue: 2 | 4)
    /// What a segment without text settles that goes out by the short way.
    static let bare = Owed(rawValue: 1 | 2)
  }

  struct Flags: OptionSet, BitwiseCopyable {
    let rawValue: UInt32
    /// The peer opened; RFC 9293 MUST-11.
    static let isPassive = Flags(rawValue: 1)
    /// The program let go of its end.
    static let isReleased = Flags(rawValue: 1 << 1)
    /// A FIN follows the send queue.
    static let finQueued = Flags(rawValue: 1 << 2)
    /// ... and went out at least once.
    static let finSent = Flags(rawValue: 1 << 3)
    /// The peer's FIN is in order and counted in `receiveNext`.
    static let finReceived = Flags(rawValue: 1 << 4)
    /// The peer's FIN stands at `finSequence`, behind bytes that are missing.
    static let finPending = Flags(rawValue: 1 << 5)
    static let timestamps = Flags(rawValue: 1 << 6)
    static let selective = Flags(rawValue: 1 << 7)
    static let noDelay = Flags(rawValue: 1 << 8)
    static let keepAlive = Flags(rawValue: 1 << 9)
    static let corked = Flags(rawValue: 1 << 10)
    /// The SYN is being timed: it went out once, at `progressAt`.
    static let isTiming = Flags(rawValue: 1 << 11)
    /// A write did not take everything.
    static let wantsWritable = Flags(rawValue: 1 << 12)
    /// There may be something for `transmit` to do beside what is owed.
    static let wantsOutput = Flags(rawValue: 1 << 13)
    /// Urgent data goes out up to `sendUrgent`, or comes in up to `urgentMark`.
    static let sendsUrgent = Flags(rawValue: 1 << 14)
    static let receivesUrgent = Flags(rawValue: 1 << 15)
    /// What this end offers in its SYN.
    static let offersScale = Flags(rawValue: 1 << 16)
    static let offersTimestamps = Flags(rawValue: 1 << 17)
    static let offersSelective = Flags(rawValue: 1 << 18)
    /// The SYN had to be sent again.
    static let synLost = Flags(rawValue: 1 << 20)
    /// The program was told of trouble (R1) with the data in flight.
    static let toldOfTrouble = Flags(rawValue: 1 << 21)
    /// What the host's configuration asks of senders.
    static let paces = Flags(rawValue: 1 << 22)
    static let probesTail = Flags(rawValue: 1 << 23)
    /// What a tail-loss probe needs.
    static let probing = Flags(rawValue: 1 << 7 | 1 << 23)
    /// Nothing of this connection may take a short way; see ``Host/takesShortWays``.
    static let avoidsShortWays = Flags(rawValue: 1 << 24)
    /// What keeps a segment that comes off the short way and off the shortest, an acknowledgement off its own, and a segment
    /// that goes out.
    static let needsCare = Flags(rawValue: 1 << 1 | 1 << 5 | 1 << 15 | 1 << 24)
    static let needsLongWay = Flags(
      rawValue: 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 11 | 1 << 12 | 1 << 15 | 1 << 24)
    static let needsLongAcknowledgment = Flags(rawValue: 1 << 3 | 1 << 24)
    static let shapesSending = Flags(rawValue: 1 << 2 | 1 << 10 | 1 << 14)
    /// What makes a segment without text more than it seems.
    static let expectsMore = Flags(rawValue: 1 << 5 | 1 << 15 | 1 << 24)
    /// What nearly every SYN offers, and what its answer then repeats.
    static let offersAll = Flags(rawValue: 1 << 16 | 1 << 17 | 1 << 18)
    static let agreesOnAll = Flags(rawValue: 1 << 6 | 1 << 7 | 1 << 16)
  }

  private let anchor = Anchor()
  /// The connection's addresses and ports.
  package let flow: Flow
  package internal(set) var state: TCPState
  var owed: Owed = []
  var flags: Flags = []
  var changes: SocketEvent.Changes = []
  var marks: Marks = []
  /// Whether ``isQuiet`` was found true, and no long way was taken since.
  var isCalm = false
  var limits: TCPLimits
  var timers = TCPTimers()

  // Send sequence space.
  let initialSend: SequenceNumber
  var sendUnacknowledged: SequenceNumber
  var sendNext: SequenceNumber
  /// The end of all that ever was sent; beyond `sendNext` only after a probe of a closed window was taken back.
  var sendMaximum: SequenceNumber
  var sendWindowSequence: SequenceNumber
  var sendWindowAcknowledgment: SequenceNumber
  var sendWindow: UInt32 = 0
  var largestSendWindow: UInt32 = 0
  /// The first byte of the send queue.
  var queueStart: SequenceNumber
  /// The end of what was in flight when congestion marks last reduced the window.
  var reducedEnd: SequenceNumber
  /// Where urgent data ends.
  var sendUrgent: SequenceNumber
  /// The end of the last segment that was not full (RFC 9293 section 3.7.4: Nagle, as Minshall refined it).
  var smallSegmentEnd: SequenceNumber

  // Receive sequence space.
  var initialReceive: SequenceNumber
  var receiveNext: SequenceNumber
  var receiveEdge: SequenceNumber
  /// Last.ACK.sent (RFC 7323 section 4.3).
  var lastAcknowledged: SequenceNumber
  var finSequence: SequenceNumber
  var urgentMark: SequenceNumber
  /// The sequence number of an owed ``Owed/resetAnswer``.
  var resetSequence: SequenceNumber
  /// What the receive buffer's growth is measured from: the timestamp of an acknowledgement, and the first byte that was
  /// not read then.
  var growthMark: UInt32 = 0
  var growthStart: SequenceNumber
  /// Bytes received since the last acknowledgement.
  var unacknowledgedBytes: UInt32 = 0

  // Timestamps (RFC 7323).
  let timestampOffset: UInt32
  var recentTimestamp: UInt32 = 0
  var recentTimestampAt: Instant

  // Segment sizes, in bytes.
  /// What the link takes: its MTU less the IP header.
  var linkSegmentSize: UInt16
  /// What the path takes.
  var probing: PathProbing
  /// What the peer takes, TCP's options included.
  var peerSegmentSize: UInt16
  /// The payload of a full segment with the options that every segment has.
  var segmentSize: UInt16
  /// The largest payload that came in one segment.
  var receiveSegmentSize: UInt16 = 536
  var sendScale: UInt8 = 0
  var receiveScale: UInt8 = 0

  /// The largest payload of one packet that the link or the host splits into segments, in bytes (at most 65,435); no
  /// packet has more than one segment if it is below two of them.
  package var maximumSuperSegment: UInt16 = 0

  // Counters.
  var keepAliveProbesSent: UInt8 = 0
  /// How often the retransmission timer ran out for the data in flight.
  var timeouts: UInt8 = 0
  let initialWindowSegments: UInt8
  var totalRetransmitted: UInt32 = 0
  var totalTimeouts: UInt32 = 0

  // Times.
  /// When the peer was last heard, data was last sent, and SND.UNA last advanced (or the first byte in flight was sent).
  var heardAt: Instant
  var sentAt: Instant
  var progressAt: Instant

  var estimator: RoundTripEstimator
  /// There while there is data to send.
  var sender = LazyBox<Sender>()
  var sendQueue = SendQueue()
  var receiveQueue = ReceiveQueue()

  /// What few connections need.
  var rarities = Rarely<TCPRarities>()
  /// There while somebody records what happens.
  var trace = LazyBox<TCPTraceRing>()

  /// Why the connection failed.
  package var error: SocketError?

  /// What every opening has in common.
  init(
    flow: Flow, state: TCPState, options: TCPSocketOptions, configuration: borrowing Host.Configuration.TCP,
    initialSequence: SequenceNumber, timestampOffset: UInt32, maximumSegmentSize: Int, limits hostLimits: TCPLimits?,
    now: Instant
  ) {
    self.flow = flow
    self.state = state
    var limits: TCPLimits
    if let hostLimits { limits = hostLimits } else { limits = TCPLimits(configuration) }
    limits.apply(options)
    self.limits = limits
    initialSend = initialSequence
    sendUnacknowledged = initialSequence
    sendNext = initialSequence
    sendMaximum = initialSequence
    sendWindowSequence = initialSequence
    sendWindowAcknowledgment = initialSequence
    queueStart = initialSequence + 1
    reducedEnd = initialSequence
    sendUrgent = initialSequence
    smallSegmentEnd = initialSequence
    let zero = SequenceNumber(0)
    initialReceive = zero
    receiveNext = zero
    receiveEdge = zero
    lastAcknowledged = zero
    finSequence = zero
    urgentMark = zero
    growthStart = zero
    resetSequence = zero
    self.timestampOffset = timestampOffset
    recentTimestampAt = now
    linkSegmentSize = UInt16(clamping: max(maximumSegmentSize, 68))
    probing = PathProbing(
      policy: configuration.packetizationLayerPathMTUDiscovery,
      ceiling: Int(linkSegmentSize) + Self.networkHeaderByteCount(to: flow.remoteAddress),
      timeoutLimit: configuration.blackHoleTimeouts)
    // Without an option from the peer: 536 over IPv4, 1220 over IPv6 (RFC 9293 section 3.7.1, MUST-15).
    peerSegmentSize = flow.remoteAddress.isIPv4 ? 536 : 1_220
    segmentSize = 536
    initialWindowSegments = UInt8(clamping: configuration.initialWindowSegments)
    heardAt = now
    sentAt = now
    progressAt = now
    estimator = RoundTripEstimator(limits)
    error = nil
    if configuration.pacing { flags.insert(.paces) }
    if configuration.tailLossProbes { flags.insert(.probesTail) }
    if options.advertisedUserTimeout != nil { advertise(options) }
    if options.noDelay { flags.insert(.noDelay) }
    if options.keepAlive { flags.insert(.keepAlive) }
    switch configuration.ecn {
    case .off: break
    case .passive: marks = .accepts
    case .on: marks = [.offers, .accepts]
    }
    if configuration.timestamps { flags.insert(.offersTimestamps) }
    if configuration.selectiveAcknowledgments { flags.insert(.offersSelective) }
    if configuration.windowScaling {
      flags.insert(.offersScale)
      receiveScale = Self.windowScale(for: limits)
    }
  }

  /// The smallest shift with which the largest receive buffer can be offered (RFC 7323 section 2.3).
  static func windowScale(for limits: TCPLimits) -> UInt8 {
    UInt8(clamping: min(14, max(0, Int.bitWidth - 16 - limits.largestReceiveBuffer.leadingZeroBitCount)))
  }
}
