public import MartletWire

/// What an interface of a host is made from.
public struct InterfaceConfiguration: Sendable {
  /// Its name, as captures and tables show it.
  public var name: String
  /// Its Ethernet address.
  public var macAddress: MACAddress
  /// The largest IP packet it carries, in bytes; at least 68, and 1,280 for IPv6 to work (RFC 8200 section 5).
  public var mtu: Int
  /// What its link does so that the host need not.
  public var offloads: LinkOffloads
  /// Whether what comes in by it for others is forwarded, if the host forwards at all
  /// (``Host/Configuration-swift.struct/forwarding``). Default true.
  public var forwards = true

  /// An interface of `mtu` bytes, 1,500 unless told.
  public init(name: String, macAddress: MACAddress, mtu: Int = 1_500, offloads: LinkOffloads = []) {
    self.name = name
    self.macAddress = macAddress
    self.mtu = min(max(mtu, 68), 65_535)
    self.offloads = offloads
  }
}

/// Packets and bytes an interface has carried.
public struct InterfaceCounters: Sendable, Equatable, BitwiseCopyable {
  public var receivedPackets: UInt64 = 0
  public var receivedBytes: UInt64 = 0
  public var sentPackets: UInt64 = 0
  public var sentBytes: UInt64 = 0
}

/// One attachment of a host to a link.
struct Interface: ~Copyable {
  let name: String
  let macAddress: MACAddress
  let mtu: Int
  let offloads: LinkOffloads
  /// Frames that wait for the link to fetch them.
  var transmitQueue = PacketQueue()
  var counters = InterfaceCounters()
  var forwards: Bool
  /// The identification of the next IPv4 datagram that may be fragmented.
  var nextIdentification: UInt16 = 0

  init(_ configuration: InterfaceConfiguration) {
    name = configuration.name
    macAddress = configuration.macAddress
    mtu = configuration.mtu
    offloads = configuration.offloads
    forwards = configuration.forwards
  }

  /// Lets `packet` wait for the link; hands it back if `limit` others wait.
  @inline(__always)
  mutating func enqueue(_ packet: consuming Packet, limit: Int) -> Packet? {
    guard transmitQueue.count < limit else { return packet }
    transmitQueue.append(packet)
    return nil
  }
}
