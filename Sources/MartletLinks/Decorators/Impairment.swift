extension ImpairedLink {
  /// What happens to the frames of one direction. Probabilities are between 0 and 1.
  ///
  /// Each fault draws from a random stream of its own, once a frame, so that changing one moves no other.
  public struct Impairment: Equatable, Sendable {
    /// The probability that a frame is lost.
    public var loss = 0.0
    /// The probability that a frame arrives twice, the second right behind the first.
    public var duplication = 0.0
    /// The probability that one bit of an IP packet is flipped, behind the link header. Other frames (ARP) are spared: they
    /// have no checksum, and on a cable the check sequence protects them.
    public var corruption = 0.0
    /// The probability that a frame is held back for ``reorderingDelay`` while others pass.
    public var reordering = 0.0
    /// How much later a held-back frame is. Default 5 ms.
    public var reorderingDelay = Duration.milliseconds(5)
    /// How much later every frame is. Default 0.
    public var delay = Duration.zero
    /// The most that a frame is later beyond ``delay``, evenly distributed. It never changes the order. Default 0.
    public var jitter = Duration.zero
    /// The most frames that wait. Default 65,536; the next one is dropped.
    public var maximumWaitingFrames = 65_536

    public init() {}

    /// Loss and reordering, the usual weather.
    public init(loss: Double, reordering: Double = 0, duplication: Double = 0, corruption: Double = 0) {
      self.loss = loss
      self.reordering = reordering
      self.duplication = duplication
      self.corruption = corruption
    }
  }

  /// What has happened to the frames of one direction.
  public struct Counters: Equatable, Sendable {
    /// Frames that came in, segments counted one by one.
    public var frames: UInt64 = 0
    public var lost: UInt64 = 0
    public var duplicated: UInt64 = 0
    public var corrupted: UInt64 = 0
    public var reordered: UInt64 = 0
    /// Frames handed on, duplicates included.
    public var passed: UInt64 = 0
    /// Frames dropped because ``Impairment/maximumWaitingFrames`` was reached or the pool had no memory for a copy.
    public var refused: UInt64 = 0
  }
}
