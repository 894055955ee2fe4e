/// A connection's numbers at one moment, for a table of sockets.
public struct TCPInfo: Sendable {
  public var state: TCPState
  /// The congestion window and the slow start threshold, in bytes (RFC 5681).
  public var congestionWindow: Int
  public var slowStartThreshold: Int
  /// The smoothed round-trip time and its variation (RFC 6298), nil before there is a sample.
  public var smoothedRoundTrip: Duration?
  public var roundTripVariation: Duration?
  /// The retransmission timeout.
  public var retransmissionTimeout: Duration
  /// Bytes sent and not yet acknowledged.
  public var bytesInFlight: Int
  /// Bytes in the send queue, sent or not, and bytes the program has not read yet.
  public var sendQueueByteCount: Int
  public var receiveQueueByteCount: Int
  /// Bytes that wait for others before them.
  public var outOfOrderByteCount: Int
  /// The peer's window and the window last offered to it, in bytes.
  public var sendWindow: Int
  public var receiveWindow: Int
  /// The payload of a full segment, in bytes.
  public var segmentSize: Int
  /// The largest IP packet that the path is thought to take, in bytes (RFC 1191, RFC 8201, RFC 8899).
  public var pathMTU: Int
  /// Segments sent again, and how often the retransmission timer ran out.
  public var retransmittedSegments: Int
  public var timeouts: Int
  /// Whether a loss is being repaired.
  public var isRecovering: Bool
  public var usesTimestamps: Bool
  public var usesSelectiveAcknowledgments: Bool
  /// Whether routers may mark what this end sends (RFC 3168).
  public var usesCongestionNotification: Bool
  public var sendWindowScale: Int
  public var receiveWindowScale: Int
}
