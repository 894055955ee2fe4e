/// The numbers of the pcapng capture file format (draft-ietf-opsawg-pcapng).
///
///     +---------------+---------------+----------------+---------------------------+
///     |  block type   | total length  | body, options  | total length once more    |
///     +---------------+---------------+----------------+---------------------------+
///       32 bits         32 bits         padded to 32     32 bits
enum PcapngFormat {
  /// Read with the wrong byte order it is another number, which is how a reader knows the order.
  static let byteOrderMagic: UInt32 = 0x1a2b_3c4d
  static let majorVersion: UInt16 = 1
  /// What a section header says whose writer does not know how long the section will be.
  static let unknownSectionLength = UInt64.max
  /// Type and the two lengths.
  static let smallestBlock = 12

  enum Block {
    static let sectionHeader: UInt32 = 0x0a0d_0d0a
    static let interfaceDescription: UInt32 = 1
    static let simplePacket: UInt32 = 3
    static let enhancedPacket: UInt32 = 6
  }

  enum Option {
    static let end: UInt16 = 0
    static let comment: UInt16 = 1

    static let sectionHardware: UInt16 = 2
    static let sectionOS: UInt16 = 3
    static let sectionApplication: UInt16 = 4

    static let interfaceName: UInt16 = 2
    static let interfaceDescription: UInt16 = 3
    static let interfaceMACAddress: UInt16 = 6
    static let interfaceSpeed: UInt16 = 8
    static let interfaceTimestampResolution: UInt16 = 9
    static let interfaceTimestampOffset: UInt16 = 14

    static let packetFlags: UInt16 = 2
    static let packetDropCount: UInt16 = 4
    static let packetID: UInt16 = 5
    static let packetQueue: UInt16 = 6
  }

  static func padded(_ count: Int) -> Int { (count + 3) & ~3 }
}

/// What the first byte of a captured packet belongs to (the LINKTYPE registry of tcpdump.org).
public struct CaptureLinkType: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
  public let rawValue: UInt16

  public init(rawValue: UInt16) { self.rawValue = rawValue }

  /// An Ethernet frame without its check sequence.
  public static let ethernet = CaptureLinkType(rawValue: 1)
  /// An IPv4 or IPv6 packet with no link header; its first four bits tell the version.
  public static let rawIP = CaptureLinkType(rawValue: 101)
}

/// A section of a capture file: what wrote it, and where (section 4.1 of the draft).
public struct PcapngSection: Hashable, Sendable {
  public var hardware: String?
  public var operatingSystem: String?
  public var application: String?
  public var comments: [String]

  public init(
    hardware: String? = nil, operatingSystem: String? = nil, application: String? = nil, comments: [String] = []
  ) {
    self.hardware = hardware
    self.operatingSystem = operatingSystem
    self.application = application
    self.comments = comments
  }
}

/// An interface on which packets were captured (section 4.2 of the draft).
public struct PcapngInterface: Hashable, Sendable {
  /// As its host calls it: `eth0`.
  public var name: String?
  public var description: String?
  public var linkType: CaptureLinkType
  /// The most bytes that are kept of a packet; 0 stands for all of them.
  public var snapLength: UInt32
  public var macAddress: MACAddress?
  /// Bits per second.
  public var speed: UInt64?
  /// The unit in which the file has the times of packets. ``PcapngWriter`` always writes nanoseconds.
  public internal(set) var timestampResolution: PcapngTimestampResolution = .nanoseconds
  /// Seconds that are to be added to the times in the file. ``PcapngReader`` has done so in what it returns, and
  /// ``PcapngWriter`` writes times without an offset.
  public internal(set) var timestampOffset: Int64 = 0
  public var comments: [String]

  public init(
    name: String? = nil, description: String? = nil, linkType: CaptureLinkType = .ethernet, snapLength: UInt32 = 0,
    macAddress: MACAddress? = nil, speed: UInt64? = nil, comments: [String] = []
  ) {
    self.name = name
    self.description = description
    self.linkType = linkType
    self.snapLength = snapLength
    self.macAddress = macAddress
    self.speed = speed
    self.comments = comments
  }
}

/// The unit of the times of an interface's packets (`if_tsresol`, section 4.2 of the draft).
public enum PcapngTimestampResolution: Hashable, Sendable, BitwiseCopyable {
  /// 10 to the power of minus this many seconds, 0 to 127.
  case decimal(UInt8)
  /// 2 to the power of minus this many seconds, 0 to 127.
  case binary(UInt8)

  public static let nanoseconds = PcapngTimestampResolution.decimal(9)
  /// What a file means that says nothing.
  public static let microseconds = PcapngTimestampResolution.decimal(6)

  init(byte: UInt8) { self = byte & 0x80 == 0 ? .decimal(byte) : .binary(byte & 0x7f) }

  var byte: UInt8 {
    switch self {
    case .decimal(let exponent): exponent & 0x7f
    case .binary(let exponent): exponent | 0x80
    }
  }

  /// `ticks` of this unit in nanoseconds, rounded down; nil if they are more than 64 bits hold.
  func nanoseconds(_ ticks: UInt64) -> UInt64? {
    switch self {
    case .decimal(let exponent):
      var value = ticks
      for _ in 0..<max(0, 9 - Int(exponent)) {
        let (product, overflowed) = value.multipliedReportingOverflow(by: 10)
        guard !overflowed else { return nil }
        value = product
      }
      for _ in 0..<max(0, Int(exponent) - 9) { value /= 10 }
      return value
    case .binary(let exponent):
      let product = ticks.multipliedFullWidth(by: 1_000_000_000)
      guard exponent < 64 else { return product.high >> UInt64(exponent - 64) }
      guard exponent > 0 else { return product.high == 0 ? product.low : nil }
      guard product.high >> UInt64(exponent) == 0 else { return nil }
      return product.high << UInt64(64 - exponent) | product.low >> UInt64(exponent)
    }
  }
}

/// What an interface knew about a packet (`epb_flags`, section 4.3.1 of the draft).
public struct PcapngPacketFlags: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
  public var rawValue: UInt32

  public init(rawValue: UInt32) { self.rawValue = rawValue }

  public init(_ direction: Direction, reception: Reception = .unspecified) {
    rawValue = direction.rawValue | reception.rawValue << 2
  }

  public enum Direction: UInt32, Sendable {
    case unknown = 0
    case inbound = 1
    case outbound = 2
  }

  /// Whom the frame was addressed to, as the receiving interface saw it.
  public enum Reception: UInt32, Sendable {
    case unspecified = 0
    case unicast = 1
    case multicast = 2
    case broadcast = 3
    /// Somebody else; the interface was listening to everything.
    case promiscuous = 4
  }

  /// Nil for the bits that the format leaves undefined.
  public var direction: Direction? { Direction(rawValue: rawValue & 3) }
  /// Nil for the bits that the format leaves undefined.
  public var reception: Reception? { Reception(rawValue: rawValue >> 2 & 7) }

  /// The checksum was left to the device and is not there yet.
  public var isChecksumNotReady: Bool {
    get { self[bit: 9] }
    set { self[bit: 9] = newValue }
  }
  /// The device has verified the checksum.
  public var isChecksumVerified: Bool {
    get { self[bit: 10] }
    set { self[bit: 10] = newValue }
  }
  /// The packet is several segments of TCP in one, to be split or already joined by the device.
  public var isSegmentationOffloaded: Bool {
    get { self[bit: 11] }
    set { self[bit: 11] = newValue }
  }
  /// The frame check sequence did not match.
  public var isCheckSequenceWrong: Bool {
    get { self[bit: 24] }
    set { self[bit: 24] = newValue }
  }

  private subscript(bit bit: UInt32) -> Bool {
    get { rawValue >> bit & 1 == 1 }
    set { rawValue = newValue ? rawValue | 1 << bit : rawValue & ~(1 << bit) }
  }
}

/// What a capture says about a packet beside its bytes (section 4.3 of the draft).
public struct PcapngPacketOptions: Hashable, Sendable {
  public var flags: PcapngPacketFlags?
  /// How many packets the capture lost on this interface between this packet and the one before.
  public var dropCount: UInt64?
  /// The same for captures of one packet on several interfaces.
  public var packetID: UInt64?
  /// The interface's queue that the packet came through.
  public var queue: UInt32?
  public var comments: [String]

  public init(
    flags: PcapngPacketFlags? = nil, dropCount: UInt64? = nil, packetID: UInt64? = nil, queue: UInt32? = nil,
    comments: [String] = []
  ) {
    self.flags = flags
    self.dropCount = dropCount
    self.packetID = packetID
    self.queue = queue
    self.comments = comments
  }
}
