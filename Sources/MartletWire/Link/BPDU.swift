/// What bridges tell each other to agree on a spanning tree: a bridge protocol data unit, behind the LLC header that it
/// travels in (IEEE 802.1D-1998 section 9.3, IEEE 802.2).
///
///      0      1      2      3             5      6      7
///     +------+------+------+-------------+------+------+
///     | 0x42 | 0x42 | 0x03 | protocol (0)|vers.0| type |  flags, root, cost, bridge, port, times
///     +------+------+------+-------------+------+------+
public enum BPDU: Equatable, Sendable, BitwiseCopyable {
  /// What the sender takes for the root, and how far away it is.
  case configuration(Configuration)
  /// Somewhere below a port changed its state: addresses that were learnt may no longer hold.
  case topologyChange

  /// The group of all bridges, to which these go: 01:80:c2:00:00:00.
  @inlinable public static var group: MACAddress { MACAddress(value: 0x0180_c200_0000) }

  /// The body of a configuration (section 9.3.1).
  ///
  ///      7     8            16     20           28    30    32    34    36    38  (bytes, LLC header included)
  ///     +-----+------------+------+------------+-----+-----+-----+-----+-----+
  ///     |flags|    root    | cost |   bridge   |port | age | max |hello|delay|
  ///     +-----+------------+------+------------+-----+-----+-----+-----+-----+
  public struct Configuration: Equatable, Sendable, BitwiseCopyable {
    /// The root is telling all that addresses may no longer hold.
    public var isTopologyChange: Bool
    /// The sender has heard of a change below the port that this goes to.
    public var acknowledgesTopologyChange: Bool
    public var root: BridgeID
    /// What the way from the sender to the root costs.
    public var rootPathCost: UInt32
    /// The sender.
    public var bridge: BridgeID
    /// The port it sends from: its priority in the first byte, its number in the second.
    public var port: UInt16
    /// How old the root's word is, in units of 1/256 s, as are all times here.
    public var messageAge: UInt16
    /// At which age it no longer counts.
    public var maximumAge: UInt16
    /// How often the root speaks.
    public var helloTime: UInt16
    /// How long a port listens, and how long it learns, before it forwards.
    public var forwardDelay: UInt16

    @inlinable
    public init(
      isTopologyChange: Bool = false, acknowledgesTopologyChange: Bool = false, root: BridgeID, rootPathCost: UInt32,
      bridge: BridgeID, port: UInt16, messageAge: UInt16, maximumAge: UInt16, helloTime: UInt16, forwardDelay: UInt16
    ) {
      self.isTopologyChange = isTopologyChange
      self.acknowledgesTopologyChange = acknowledgesTopologyChange
      self.root = root
      self.rootPathCost = rootPathCost
      self.bridge = bridge
      self.port = port
      self.messageAge = messageAge
      self.maximumAge = maximumAge
      self.helloTime = helloTime
      self.forwardDelay = forwardDelay
    }
  }

  /// The size on the wire, LLC header included, in bytes.
  @inlinable public var byteCount: Int {
    switch self {
    case .configuration: 38
    case .topologyChange: 7
    }
  }
}

extension BPDU {
  @usableFromInline enum Offset {
    @usableFromInline static let serviceAccessPoints = 0
    @usableFromInline static let control = 2
    @usableFromInline static let protocolIdentifier = 3
    @usableFromInline static let version = 5
    @usableFromInline static let type = 6
    @usableFromInline static let flags = 7
    @usableFromInline static let root = 8
    @usableFromInline static let rootPathCost = 16
    @usableFromInline static let bridge = 20
    @usableFromInline static let port = 28
    @usableFromInline static let messageAge = 30
    @usableFromInline static let maximumAge = 32
    @usableFromInline static let helloTime = 34
    @usableFromInline static let forwardDelay = 36
  }

  /// Reads what stands in front of `bytes`, which begin with the LLC header and may run on (link padding).
  ///
  /// - Throws: ``WireError/truncated`` if `bytes` ends before the format does, ``WireError/malformed(field:)`` if it is for
  ///   another protocol than the spanning tree, of another type than the two, or says that it is as old as it may become
  ///   (section 9.3.4).
  @inlinable
  public init(parsing bytes: RawSpan) throws(WireError) {
    guard bytes.byteCount >= 7 else { throw .truncated }
    guard bytes.bigEndian(at: Offset.serviceAccessPoints, as: UInt16.self) == 0x4242 else {
      throw .malformed(field: "service access point")
    }
    guard bytes.bigEndian(at: Offset.control, as: UInt8.self) == 0x03 else { throw .malformed(field: "control") }
    guard bytes.bigEndian(at: Offset.protocolIdentifier, as: UInt16.self) == 0 else {
      throw .malformed(field: "protocol identifier")
    }
    let type: UInt8 = bytes.bigEndian(at: Offset.type)
    if type == 0x80 {
      self = .topologyChange
      return
    }
    guard type == 0 else { throw .malformed(field: "BPDU type") }
    guard bytes.byteCount >= 38 else { throw .truncated }
    let flags: UInt8 = bytes.bigEndian(at: Offset.flags)
    let message = Configuration(
      isTopologyChange: flags & 0x01 != 0, acknowledgesTopologyChange: flags & 0x80 != 0,
      root: BridgeID(reading: bytes, at: Offset.root), rootPathCost: bytes.bigEndian(at: Offset.rootPathCost),
      bridge: BridgeID(reading: bytes, at: Offset.bridge), port: bytes.bigEndian(at: Offset.port),
      messageAge: bytes.bigEndian(at: Offset.messageAge), maximumAge: bytes.bigEndian(at: Offset.maximumAge),
      helloTime: bytes.bigEndian(at: Offset.helloTime), forwardDelay: bytes.bigEndian(at: Offset.forwardDelay))
    guard message.messageAge < message.maximumAge else { throw .malformed(field: "message age") }
    self = .configuration(message)
  }

  /// Writes LLC header and unit over the first ``byteCount`` bytes of `bytes`.
  @inlinable
  public func write(to bytes: inout MutableRawSpan) {
    bytes.store(bigEndian: 0x4242 as UInt16, at: Offset.serviceAccessPoints)
    bytes.store(bigEndian: 0x03 as UInt8, at: Offset.control)
    bytes.store(bigEndian: 0 as UInt16, at: Offset.protocolIdentifier)
    bytes.store(bigEndian: 0 as UInt8, at: Offset.version)
    guard case .configuration(let message) = self else {
      bytes.store(bigEndian: 0x80 as UInt8, at: Offset.type)
      return
    }
    let flags: UInt8 = (message.isTopologyChange ? 0x01 : 0) | (message.acknowledgesTopologyChange ? 0x80 : 0)
    bytes.store(bigEndian: 0 as UInt8, at: Offset.type)
    bytes.store(bigEndian: flags, at: Offset.flags)
    message.root.write(to: &bytes, at: Offset.root)
    bytes.store(bigEndian: message.rootPathCost, at: Offset.rootPathCost)
    message.bridge.write(to: &bytes, at: Offset.bridge)
    bytes.store(bigEndian: message.port, at: Offset.port)
    bytes.store(bigEndian: message.messageAge, at: Offset.messageAge)
    bytes.store(bigEndian: message.maximumAge, at: Offset.maximumAge)
    bytes.store(bigEndian: message.helloTime, at: Offset.helloTime)
    bytes.store(bigEndian: message.forwardDelay, at: Offset.forwardDelay)
  }
}
