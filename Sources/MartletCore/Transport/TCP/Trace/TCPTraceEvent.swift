/// One thing that happened to a TCP sender, and what it was left with.
///
/// Sequence numbers are relative to the initial send sequence number and do not wrap: the SYN is byte 0, the first byte of
/// data is byte 1. They count from the first event on, should a trace begin after the first 4 GiB.
public struct TCPTraceEvent: Hashable, Sendable, BitwiseCopyable {
  /// When it happened.
  public var time: Instant
  /// What happened.
  public var kind: Kind

  // What held right after it.

  /// SND.UNA: the first byte that was not acknowledged (RFC 9293 section 3.3.1).
  public var unacknowledged: Int
  /// SND.UNA + SND.WND: the first byte that the peer's window does not take.
  public var windowEdge: Int
  /// The congestion window, in bytes (RFC 5681); 0 before there is anything to send.
  public var congestionWindow: UInt32
  /// The slow start threshold, in bytes (RFC 5681); 0 before there is anything to send.
  public var slowStartThreshold: UInt32
  /// The bytes thought to be in the network (RFC 6675 section 4, pipe); 0 before there is anything to send.
  public var bytesInFlight: UInt32
  /// The pace, in bytes per second; 0 if segments are not paced.
  public var pacingRate: UInt64

  /// What happened.
  public enum Kind: Hashable, Sendable, BitwiseCopyable {
    /// Bytes went out: one segment, or several in one packet that is split later.
    case sent(Bytes, SendReason)
    /// The peer acknowledged everything before `number`, and with it `delivered` bytes of which it had not spoken before.
    case acknowledged(Int, delivered: Int, roundTrip: RoundTrip)
    /// The peer reported bytes as held (SACK, RFC 2018), some of them for the first time.
    case held(Bytes)
    /// The peer reported bytes as received twice (DSACK, RFC 2883).
    case duplicate(Bytes)
    /// Bytes count as lost.
    case lost(Bytes, LossCause)
    /// The peer's window is now so many bytes.
    case window(Int)
    /// The window was reduced for a loss that acknowledgements showed.
    case recoveryBegan
    /// Everything that was in flight when it began has arrived.
    case recoveryEnded
    /// The retransmission timer ran out, for the so manieth time in a row.
    case timedOut(Int)
    /// Nothing had been lost: windows are what they were.
    case undone(UndoReason)
    /// A router's mark was echoed, and the window reduced (RFC 3168).
    case congestionMarked
    /// A tail-loss probe repaired a loss by itself, and the window was reduced (RFC 8985 section 7.4).
    case probeRepaired
    /// Growth goes another way: out of slow start, HyStart++'s conservative one, a mode of BBR's.
    case phase(TCPCongestionPhase)
  }

  /// A range of the stream.
  public struct Bytes: Hashable, Sendable, BitwiseCopyable {
    /// The first byte.
    public var start: Int
    /// The one behind the last byte.
    public var end: Int

    /// The bytes from `start` up to, and without, `end`.
    public init(_ start: Int, _ end: Int) {
      self.start = start
      self.end = end
    }

    /// How many bytes there are.
    public var count: Int { end - start }
  }

  /// A sample of the round-trip time, if there was one.
  public struct RoundTrip: Hashable, Sendable, BitwiseCopyable {
    /// In nanoseconds; negative if there was none.
    var nanoseconds: Int64

    /// Nil if the acknowledgement was of what had been sent more than once, or of nothing new.
    public var duration: Duration? { nanoseconds < 0 ? nil : .nanoseconds(nanoseconds) }
  }

  /// Why something went out.
  public enum SendReason: UInt8, Hashable, Sendable, BitwiseCopyable, CaseIterable {
    /// It was new.
    case new
    /// Something sent later was delivered (RACK, RFC 8985).
    case reordering
    /// Three duplicate acknowledgements (RFC 5681 section 3.2).
    case duplicates
    /// An acknowledgement of a part of what was in flight stopped before it (RFC 6582 section 3.2).
    case partialAcknowledgment
    /// The retransmission timer ran out.
    case timeout
    /// It is too big for the path, and goes out again in smaller segments.
    case pathMTU
    /// To make the peer speak (RFC 8985 section 7), new or again.
    case tailLossProbe
    /// To find out whether the path takes larger segments (RFC 4821).
    case pathProbe
    /// To find out whether the peer's window is open (RFC 9293 section 3.8.6.1).
    case windowProbe
  }

  /// What showed a loss.
  public enum LossCause: UInt8, Hashable, Sendable, BitwiseCopyable, CaseIterable {
    /// Something sent later was delivered (RACK, RFC 8985 section 6.2).
    case reordering
    /// Three duplicate acknowledgements (RFC 5681 section 3.2).
    case duplicates
    /// An acknowledgement stopped before it (RFC 6582 section 3.2).
    case partialAcknowledgment
    /// The retransmission timer ran out.
    case timeout
    /// The path takes only smaller segments (RFC 1191, RFC 8201).
    case pathMTU

    var sendReason: SendReason {
      switch self {
      case .reordering: .reordering
      case .duplicates: .duplicates
      case .partialAcknowledgment: .partialAcknowledgment
      case .timeout: .timeout
      case .pathMTU: .pathMTU
      }
    }
  }

  /// What showed that nothing had been lost.
  public enum UndoReason: UInt8, Hashable, Sendable, BitwiseCopyable, CaseIterable {
    /// All that was sent again was reported as a duplicate (RFC 3708).
    case duplicates
    /// The echoed timestamp is that of the first transmission (RFC 3522).
    case timestamp
    /// What followed a timeout acknowledged what was not sent again (F-RTO, RFC 5682).
    case forwardTimeout
  }
}

/// What was recorded of a connection since the last time it was asked.
public struct TCPTrace: Sendable {
  /// In the order in which they happened.
  public var events: [TCPTraceEvent]
  /// How many earlier ones were overwritten because there was no more room.
  public var overwrittenCount: Int
}
