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
  private var line = LineClock()

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
    let departure = line.occupy(byteCount, from: now.nanoseconds, rate: rate)
    departures.append(Departure(at: departure, byteCount: byteCount))
    queuedBytes += byteCount
    counters.sentFrames += 1
    counters.sentBytes += UInt64(byteCount)
    counters.maximumQueuedBytes = max(counters.maximumQueuedBytes, queuedBytes)
    return Instant(nanoseconds: departure)
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
