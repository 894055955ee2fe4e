/// A connection's numbers at one moment, for people, tables and tests.
///
/// Counts are of this connection's whole life, and hold after the last byte was acknowledged. Bytes are those of the
/// stream: no headers.
public struct TCPInfo: Sendable {
  /// The state of the connection (RFC 9293 section 3.3.2).
  public var state: TCPState
  /// Why the sender sends nothing right now.
  public var waiting: TCPWaitReason

  // MARK: Congestion control

  /// The algorithm that decides how much may be in flight.
  public var congestionControl: TCPCongestionControl
  /// What it is doing, or what is being repaired.
  public var congestionPhase: TCPCongestionPhase
  /// The congestion window, in bytes (RFC 5681 section 3.1); 0 once the last byte was acknowledged.
  public var congestionWindow: Int
  /// The slow start threshold, in bytes (RFC 5681 section 3.1): as large as can be if it was never set, 0 once the last byte
  /// was acknowledged.
  public var slowStartThreshold: Int
  /// BBR's picture of the path; nil for the others.
  public var pathModel: TCPPathModel?
  /// How fast segments go out, in bytes per second; nil if only the windows hold them back.
  public var pacingRate: Int?
  /// How fast the network delivered of late, in bytes per second; nil before there is a measurement.
  public var deliveryRate: Int?
  /// Whether the program, not the network, sets the pace, so that ``deliveryRate`` says little about the path.
  public var isApplicationLimited: Bool

  // MARK: Times

  /// SRTT (RFC 6298 section 2); nil before there is a sample.
  public var smoothedRoundTrip: Duration?
  /// RTTVAR (RFC 6298 section 2); nil before there is a sample.
  public var roundTripVariation: Duration?
  /// The shortest round-trip time that was measured, nil before there is one.
  public var minimumRoundTrip: Duration?
  /// The retransmission timeout, backed off (RFC 6298).
  public var retransmissionTimeout: Duration

  // MARK: What is under way

  /// Bytes thought to be in the network (RFC 6675's pipe): sent, neither acknowledged nor reported as held nor lost.
  public var bytesInFlight: Int
  /// Bytes sent and not yet acknowledged, SND.NXT - SND.UNA: a SYN and a FIN count one.
  public var unacknowledgedByteCount: Int
  /// Bytes delivered to the peer: acknowledged, or reported as held by SACK.
  public var deliveredByteCount: Int
  /// Segments sent again, SYN and FIN included.
  public var retransmittedSegments: Int
  /// Bytes sent again; a FIN counts one.
  public var retransmittedByteCount: Int
  /// Bytes that ever counted as lost, some of which may have been only late.
  public var lostByteCount: Int
  /// How often the retransmission timer ran out.
  public var timeouts: Int
  /// Tail-loss probes sent (RFC 8985 section 7).
  public var tailLossProbes: Int
  /// Recoveries and timeouts that turned out to be needless and were undone (RFC 3522, RFC 3708, RFC 5682).
  public var undoneRecoveries: Int
  /// Whether a loss is being repaired.
  public var isRecovering: Bool
  /// Whether segments of this connection overtook others on their way (RFC 8985 section 6.2).
  public var hasSeenReordering: Bool

  // MARK: Buffers and windows, in bytes

  /// Bytes in the send queue, sent or not.
  public var sendQueueByteCount: Int
  /// Bytes in order that the program has not read yet.
  public var receiveQueueByteCount: Int
  /// Bytes that wait for others before them.
  public var outOfOrderByteCount: Int
  /// The most bytes that the send queue takes now.
  public var sendBufferByteCount: Int
  /// How far ``sendBufferByteCount`` may grow by itself.
  public var maximumSendBufferByteCount: Int
  /// The most bytes that the receive queue takes now.
  public var receiveBufferByteCount: Int
  /// How far ``receiveBufferByteCount`` may grow by itself.
  public var maximumReceiveBufferByteCount: Int
  /// SND.WND: the peer's window, scaled, in bytes (RFC 9293 section 3.3.1).
  public var sendWindow: Int
  /// What is left of the window last offered to the peer, in bytes (RFC 9293 section 3.3.1, RCV.WND).
  public var receiveWindow: Int
  /// The payload of a full segment, in bytes.
  public var segmentSize: Int
  /// The largest IP packet that the path is thought to take, in bytes (RFC 1191, RFC 8201, RFC 8899).
  public var pathMTU: Int

  // MARK: What was agreed

  /// Whether segments carry timestamps (RFC 7323 section 3).
  public var usesTimestamps: Bool
  /// Whether both ends report what they hold out of order (SACK, RFC 2018).
  public var usesSelectiveAcknowledgments: Bool
  /// Whether routers may mark what this end sends (RFC 3168).
  public var usesCongestionNotification: Bool
  /// The shift of the windows that the peer offers, 0 to 14 (RFC 7323 section 2, Snd.Wind.Shift).
  public var sendWindowScale: Int
  /// The shift of the windows offered to the peer, 0 to 14 (RFC 7323 section 2, Rcv.Wind.Shift).
  public var receiveWindowScale: Int
}

/// Why a TCP sender sends nothing at the moment.
public enum TCPWaitReason: UInt8, Hashable, Sendable, BitwiseCopyable, CaseIterable {
  /// All that was written was sent, and nothing is under repair.
  case nothingToSend
  /// The connection is not established yet.
  case handshake
  /// The peer's window is closed: probes ask whether it opens (RFC 9293 section 3.8.6.1).
  case closedWindow
  /// What the peer's window allows was sent (SND.UNA + SND.WND).
  case receiveWindow
  /// The peer's window takes less than is worth a segment (silly window avoidance, RFC 9293 section 3.8.6.2.1).
  case smallWindow
  /// What the congestion window allows is in flight.
  case congestionWindow
  /// The next segment's time has not come.
  case pacing
  /// Less than a full segment waits for the acknowledgement of another (Nagle, RFC 9293 section 3.7.4).
  case nagle
  /// Less than a full segment waits because the program corked the connection.
  case cork
  /// A probe of the path's MTU goes first, and there is no room for it yet (RFC 4821).
  case pathProbe
  /// What was lost goes first, or is under repair after a timeout.
  case retransmission
  /// Nothing: more goes out with the host's next turn.
  case turn
}

/// What a congestion control is doing.
public enum TCPCongestionPhase: UInt8, Hashable, Sendable, BitwiseCopyable, CaseIterable {
  /// The window grows by what is acknowledged (RFC 5681 section 3.1).
  case slowStart
  /// It does so at a quarter of the pace, because the round-trip time rose (HyStart++, RFC 9406).
  case conservativeSlowStart
  /// The window grows slowly, or along CUBIC's curve.
  case avoidance
  /// A loss that acknowledgements showed is being repaired.
  case recovery
  /// The retransmission timer ran out, and what was lost goes out again.
  case timeout
  // BBR's modes, whatever is being repaired.
  /// The rate doubles each round trip until the bandwidth stops to grow.
  case startup
  /// The queue that startup made drains.
  case drain
  /// A little slower than the path, so that others find room and a queue drains.
  case probeBandwidthDown
  /// As fast as the path, with some room left to others.
  case probeBandwidthCruise
  /// The path is filled without a queue before more is tried.
  case probeBandwidthRefill
  /// Faster than the path, to find out whether there is more bandwidth.
  case probeBandwidthUp
  /// Hardly anything in flight, to measure the shortest round-trip time anew.
  case probeRoundTrip
}

/// What BBR knows of a path.
public struct TCPPathModel: Hashable, Sendable {
  /// The bandwidth in bytes per second.
  public var bandwidth: Int
  /// The shortest round-trip time of late, nil before there is one.
  public var minimumRoundTrip: Duration?
}
