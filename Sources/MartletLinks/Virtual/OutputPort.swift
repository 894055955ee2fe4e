import MartletCore

/// A router's output port: a line of some rate and the queue in front of it, first in, first out, the newest dropped
/// when it is full (drop-tail).
///
/// Every direction of a ``VirtualWire`` has one. Wires that are given the same one compete for it: a bottleneck that
/// paths of different lengths share. A port belongs to one loop and may be used by its thread alone.
public final class OutputPort {
  /// A frame that still waits for the line or is on it.
  private struct Departure: BitwiseCopyable {
    /// When its last bit is on the line, rounded up.
    var at: Int64
    var byteCount: Int
  }

  /// What a port has done.
  public struct Counters: Equatable, Sendable {
    /// Frames, and bytes of line, that the port took.
    public var sentFrames: UInt64 = 0
    public var sentBytes: UInt64 = 0
    /// Frames dropped because the queue was full.
    public var drops: UInt64 = 0
    /// The most bytes that waited for the line or were on it, at any time.
    public var maximumQueuedBytes = 0
  }

  /// Bits per second, at least 1; nil for a port that takes no time and never has a queue.
  public let bitsPerSecond: UInt64?
  /// The most frames that wait for the line or are on it.
  public let maximumFrames: Int
  /// The most bytes, as they count on the line, that wait for it or are on it.
  public let maximumBytes: Int
  /// What the port has done so far.
  public private(set) var counters = Counters()

  private var departures: [Departure] = []
  private var departed = 0
  private var queuedBytes = 0
  /// When the line is free again: whole nanoseconds, and a remainder in units of 1/rate ns, so that a long train of frames
  /// takes exactly as long as its bits.
  private var lineFree: Int64 = 0
  private var lineFreeRemainder: UInt64 = 0

  /// Makes a port.
  ///
  /// - Parameters:
  ///   - bitsPerSecond: The line's rate, at least 1; nil for one on which sending takes no time.
  ///   - maximumBytes: The bound of the queue in bytes, the frame on the line included; as the wire's
  ///     ``VirtualWire/Framing`` counts them.
  ///   - maximumFrames: Its bound in frames.
  public init(bitsPerSecond: UInt64?, maximumBytes: Int = .max, maximumFrames: Int = .max) {
    precondition(bitsPerSecond ?? 1 > 0, "a line that never sends a bit")
    self.bitsPerSecond = bitsPerSecond
    self.maximumBytes = maximumBytes
    self.maximumFrames = maximumFrames
  }

  /// Puts `byteCount` bytes on the line behind what waits, and returns when the last bit is on it; nil if the queue is full.
  func occupyLine(_ byteCount: Int, at now: Instant) -> Instant? {
    guard let rate = bitsPerSecond else {
      counters.sentFrames += 1
      counters.sentBytes += UInt64(byteCount)
      return now
    }
    forgetDeparted(at: now)
    guard departures.count - departed < maximumFrames, byteCount <= maximumBytes,
      queuedBytes <= maximumBytes - byteCount
    else {
      counters.drops += 1
      return nil
    }
    if lineFree < now.nanoseconds {
      lineFree = now.nanoseconds
      lineFreeRemainder = 0
    }
    // The bits of one packet are below 2^24, so that this stays below 2^64 for every rate below 10^18.
    let (whole, rest) = (UInt64(byteCount) * 8_000_000_000 + lineFreeRemainder).quotientAndRemainder(dividingBy: rate)
    lineFree = (Instant(nanoseconds: lineFree) + Int64(clamping: whole)).nanoseconds
    lineFreeRemainder = rest
    let departure = Instant(nanoseconds: lineFree) + (rest > 0 ? 1 : 0)
    departures.append(Departure(at: departure.nanoseconds, byteCount: byteCount))
    queuedBytes += byteCount
    counters.sentFrames += 1
    counters.sentBytes += UInt64(byteCount)
    counters.maximumQueuedBytes = max(counters.maximumQueuedBytes, queuedBytes)
    return departure
  }

  private func forgetDeparted(at now: Instant) {
    while departed < departures.count, departures[departed].at <= now.nanoseconds {
      queuedBytes -= departures[departed].byteCount
      departed += 1
    }
    if departed == departures.count {
      departures.removeAll(keepingCapacity: true)
      departed = 0
    } else if departed >= 64, departed * 2 >= departures.count {
      departures.removeSubrange(..<departed)
      departed = 0
    }
  }
}
