import MartletCore

/// Air that stations share by carrier sense with collision avoidance: the distributed coordination function of IEEE 802.11
/// (IEEE 802.11-2016 section 10.3), with the OFDM physical layer's times unless told otherwise.
///
/// Frames stay Ethernet's; on the air each is 22 bytes longer (header, LLC and check sequence in place of Ethernet's header).
/// What is for one station it acknowledges. Signals take no time to arrive.
public struct WirelessCell: Sendable, Equatable {
  /// Bits per second of frames, at least 1. Default 54 Mbit/s.
  public var rate: UInt64 = 54_000_000
  /// Bits per second of acknowledgements and of requests and clearances to send. Default 24 Mbit/s.
  public var controlRate: UInt64 = 24_000_000
  /// What goes before every frame, whatever its rate. Default 20 µs.
  public var preamble = Duration.microseconds(20)
  /// What stations count down by. Default 9 µs.
  public var slot = Duration.microseconds(9)
  /// How long the air is silent before an answer (SIFS). Default 16 µs.
  public var shortSpace = Duration.microseconds(16)
  /// The number of slots is drawn from 0 to this at first, and from twice as many after each attempt that fails. Default 15.
  public var minimumContentionWindow = 15
  /// Up to this. Default 1,023.
  public var maximumContentionWindow = 1_023
  /// After how many attempts a frame is given up, at least 1. Default 7.
  public var retryLimit = 7
  /// Frames of more bytes than this are asked leave for (RTS and CTS) if they are for one station; nil, the default, for none.
  public var requestThreshold: Int?
  /// Sets of stations by name, of which none hears another.
  public var hidden: [[String]] = []

  public init(
    rate: UInt64 = 54_000_000, controlRate: UInt64 = 24_000_000, requestThreshold: Int? = nil, hidden: [[String]] = []
  ) {
    self.rate = rate
    self.controlRate = controlRate
    self.requestThreshold = requestThreshold
    self.hidden = hidden
  }

  static let addedByteCount = 22
  static let acknowledgmentByteCount = 14
  static let requestByteCount = 20
  static let clearanceByteCount = 14

  /// How long frames wait for silence (DIFS).
  var longSpace: Int64 { shortSpace.inNanoseconds + 2 * slot.inNanoseconds }
  /// How long they wait after something that was not understood (EIFS): its answer may be under way.
  var extendedSpace: Int64 { shortSpace.inNanoseconds + acknowledgmentTime + longSpace }
  /// When the answer to a frame should have begun.
  var answerTime: Int64 { shortSpace.inNanoseconds + slot.inNanoseconds + preamble.inNanoseconds }

  private func time(_ byteCount: Int, at rate: UInt64) -> Int64 {
    let (whole, rest) = (UInt64(byteCount) * 8_000_000_000).quotientAndRemainder(dividingBy: max(1, rate))
    return preamble.inNanoseconds + Int64(whole) + (rest > 0 ? 1 : 0)
  }

  func time(ofFrame byteCount: Int) -> Int64 { time(byteCount + Self.addedByteCount, at: rate) }
  var acknowledgmentTime: Int64 { time(Self.acknowledgmentByteCount, at: controlRate) }
  var requestTime: Int64 { time(Self.requestByteCount, at: controlRate) }
  var clearanceTime: Int64 { time(Self.clearanceByteCount, at: controlRate) }
}
