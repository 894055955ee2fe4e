/// A cable that stations share by carrier sense with collision detection (CSMA/CD, IEEE 802.3 clause 4).
///
/// A station sends when it has heard nothing for 96 bit times. Who hears another while sending jams for 32 bit times and
/// waits a random number of slots of 512 bit times, out of twice as many after each attempt. Signals run 1 m in 5 ns.
public struct EthernetBus: Sendable, Equatable {
  /// Bits per second, at least 1. Default 10 Mbit/s.
  public var rate: UInt64
  /// After how many collisions in a row a frame is given up, at least 1. Default 16.
  public var attemptLimit: Int

  public init(rate: UInt64 = 10_000_000, attemptLimit: Int = 16) {
    self.rate = rate
    self.attemptLimit = attemptLimit
  }

  static let nanosecondsPerMeter: Int64 = 5
  static let interframeGapBits = 96
  static let slotBits = 512
  static let jamBits = 32
  /// Preamble and start of the frame.
  static let preambleBits = 64
  /// After so many attempts the range of slots does not grow any more.
  static let backoffLimit = 10

  /// The nanoseconds of `bits`, rounded up.
  func time(bits: Int) -> Int64 {
    let (whole, rest) = (UInt64(bits) * 1_000_000_000).quotientAndRemainder(dividingBy: max(1, rate))
    return Int64(whole) + (rest > 0 ? 1 : 0)
  }

  /// How long a frame is on the cable: preamble, frame of 60 bytes at least, check sequence.
  func time(ofFrame byteCount: Int) -> Int64 { time(bits: Self.preambleBits + (max(60, byteCount) + 4) * 8) }
}
