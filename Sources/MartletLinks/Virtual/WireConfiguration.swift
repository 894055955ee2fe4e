public import MartletCore

extension VirtualWire {
  /// What a wire is made of. Both directions are alike and do not disturb each other.
  public struct Configuration: Sendable {
    /// Bits per second, at least 1; nil for a wire on which sending takes no time. Default nil.
    public var bitsPerSecond: UInt64?
    /// How long a bit travels. Default 0.
    public var delay = Duration.zero
    /// The largest IP packet, in bytes. Default 1,500.
    public var mtu = 1_500
    /// The most frames that wait for the line or are on it; the next one is dropped. Default 1,000.
    ///
    /// Without ``bitsPerSecond`` no frame waits. Frames that travel are bounded by their pool alone.
    public var queuedFrames = 1_000
    /// The most bytes, frames' overhead included, that wait for the line or are on it. Default no bound.
    public var queuedBytes = Int.max
    /// How many bytes of line a frame costs. Default ``Framing/frameAlone``.
    public var framing = Framing.frameAlone
    /// What the wire does for the sender, for free. Default nothing: the host computes checksums and splits segments.
    ///
    /// With offloads a packet crosses as it is. A checksum that is not filled in stays ``Packet/ChecksumState/partial``, which a
    /// receiver takes for verified, and one that is becomes ``Packet/ChecksumState/verified``; a packet with a segment size
    /// counts on the line as the frames it stands for.
    public var offloads: LinkOffloads = []
    /// Whether bytes that lie in files cross where they lie, as to a network card that reads memory by itself. Others may change
    /// them until the receiver has read them, for which nobody answers: for measurements.
    package var readsFilesInPlace = false

    public init() {}
  }

  /// How many bytes of line a frame costs.
  public enum Framing: Sendable {
    /// Its own, from the Ethernet header to the end of the payload: transmission delay is L/R, as textbooks have it.
    case frameAlone
    /// That of the packet in it, the Ethernet header left out: rates and queues in bytes of IP, as goodput is compared.
    case packetAlone
    /// As on a cable (IEEE 802.3): padded to 60 bytes, then check sequence, preamble and gap, 24 bytes together.
    case ethernet

    func lineBytes(_ frame: Int) -> Int {
      switch self {
      case .frameAlone: frame
      case .packetAlone: max(0, frame - EthernetFrame.headerByteCount)
      case .ethernet: max(frame, 60) + 24
      }
    }
  }

  /// What one direction of a wire has done.
  public struct Counters: Equatable, Sendable {
    /// Frames that an end took, those it dropped not included.
    public var sentFrames: UInt64 = 0
    public var sentBytes: UInt64 = 0
    /// Frames that the other end has handed over.
    public var deliveredFrames: UInt64 = 0
    public var deliveredBytes: UInt64 = 0
    /// Frames dropped because ``Configuration/queuedFrames`` or ``Configuration/queuedBytes`` was reached.
    public var queueDrops: UInt64 = 0
    /// Frames dropped because they carry more than ``Configuration/mtu``, or less than an Ethernet header.
    public var sizeDrops: UInt64 = 0
    /// Frames dropped because a file that their bytes lie in was cut, or because there was no memory to take these out of it.
    public var fileDrops: UInt64 = 0
    /// Frames dropped because the wire was cut.
    public var cutDrops: UInt64 = 0
  }
}
