internal import MartletCore

extension WorldDescription {
  /// How fast a node works on what it receives: one frame after the other, so that frames wait while it is busy.
  public struct Processor: Sendable, Hashable {
    /// For every frame.
    public var perFrame: Duration
    /// For every byte of it, to the picosecond.
    public var perByte: Duration

    public init(perFrame: Duration = .zero, perByte: Duration = .zero) {
      self.perFrame = perFrame
      self.perByte = perByte
    }
  }
}

/// The processor of a node at work.
final class NodeProcessor {
  /// Nanoseconds that every frame waits beside, however many there are.
  var latency: Int64 = 0
  private(set) var perFrame: Int64 = 0
  /// Picoseconds.
  private var perByte: Int64 = 0
  /// How many frames each interface keeps for it, at most.
  var ring = Int.max
  /// Until when it is at work on what it has.
  private(set) var busyUntil: Int64 = 0
  /// Since when it stands still.
  private(set) var pausedAt: Int64?

  /// Whether it is as if it were not there.
  var isIdeal: Bool { latency == 0 && perFrame == 0 && perByte == 0 && ring == .max }

  func set(_ processor: WorldDescription.Processor) {
    perFrame = max(0, processor.perFrame.inNanoseconds)
    let (seconds, attoseconds) = processor.perByte.components
    perByte = max(0, min(seconds, 1_000) &* 1_000_000_000_000 &+ attoseconds / 1_000_000)
  }

  /// When it has worked on a frame of `count` bytes that comes at `time`.
  func take(_ count: Int, at time: Int64) -> Int64 {
    guard perFrame > 0 || perByte > 0 else { return max(time, busyUntil) }
    let start = max(time, busyUntil)
    let (work, overflow) = Int64(count).multipliedReportingOverflow(by: perByte)
    let (end, isPast) = start.addingReportingOverflow(perFrame &+ (overflow ? .max / 2 : work / 1_000))
    busyUntil = isPast ? .max : end
    return busyUntil
  }

  func pause(at time: Int64) { if pausedAt == nil { pausedAt = time } }

  /// Goes on; the result is how much later everything is that was to be done, after when.
  func resume(at time: Int64) -> (after: Int64, by: Int64)? {
    guard let since = pausedAt else { return nil }
    pausedAt = nil
    if busyUntil > since { busyUntil &+= time - since }
    return (since, time - since)
  }

  /// Forgets what it has: the machine lost its memory.
  func reset() {
    busyUntil = 0
    pausedAt = nil
  }
}
