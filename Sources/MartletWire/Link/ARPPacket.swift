/// A packet of the Address Resolution Protocol for IPv4 over Ethernet (RFC 826).
///
///      0               8               16             24             31
///     +-------------------------------+-------------------------------+
///     |      hardware space (1)       |    protocol space (0x0800)    |
///     +---------------+---------------+-------------------------------+
///     | hardware   (6)| protocol   (4)|            opcode             |
///     +---------------+---------------+-------------------------------+
///     |                    sender hardware address                    |
///     +                               +-------------------------------+
///     |                               |    sender protocol address    |
///     +-------------------------------+-------------------------------+
///     |               |                                               |
///     +-------------------------------+    target hardware address    +
///     |                                                               |
///     +---------------------------------------------------------------+
///     |                    target protocol address                    |
///     +---------------------------------------------------------------+
public struct ARPPacket: Equatable, Sendable, BitwiseCopyable {
  /// The size of the packet on the wire, in bytes.
  public static let byteCount = 28

  /// What the sender wants.
  public enum Operation: UInt16, Sendable, BitwiseCopyable {
    case request = 1
    case reply = 2
  }

  public var operation: Operation
  public var senderHardwareAddress: MACAddress
  /// The sender's address; 0.0.0.0 in a probe (RFC 5227 section 1.1).
  public var senderProtocolAddress: IPv4Address
  /// The target's Ethernet address; of no meaning in a request.
  public var targetHardwareAddress: MACAddress
  public var targetProtocolAddress: IPv4Address

  @inlinable
  public init(
    operation: Operation,
    senderHardwareAddress: MACAddress, senderProtocolAddress: IPv4Address,
    targetHardwareAddress: MACAddress, targetProtocolAddress: IPv4Address
  ) {
    self.operation = operation
    self.senderHardwareAddress = senderHardwareAddress
    self.senderProtocolAddress = senderProtocolAddress
    self.targetHardwareAddress = targetHardwareAddress
    self.targetProtocolAddress = targetProtocolAddress
  }
}

extension ARPPacket {
  @usableFromInline enum Offset {
    @usableFromInline static let hardwareSpace = 0
    @usableFromInline static let protocolSpace = 2
    @usableFromInline static let hardwareLength = 4
    @usableFromInline static let protocolLength = 5
    @usableFromInline static let operation = 6
    @usableFromInline static let senderHardwareAddress = 8
    @usableFromInline static let senderProtocolAddress = 14
    @usableFromInline static let targetHardwareAddress = 18
    @usableFromInline static let targetProtocolAddress = 24
  }

  /// Reads the packet in front of `bytes`, which may run on past it (link padding).
  ///
  /// - Throws: ``WireError/truncated`` if `bytes` ends before the packet, ``WireError/malformed(field:)`` if it is not
  ///   about IPv4 over Ethernet or neither a request nor a reply.
  @inlinable
  public init(parsing bytes: RawSpan) throws(WireError) {
    guard bytes.byteCount >= Self.byteCount else { throw .truncated }
    guard bytes.bigEndian(at: Offset.hardwareSpace, as: UInt16.self) == 1 else {
      throw .malformed(field: "hardware address space")
    }
    guard bytes.bigEndian(at: Offset.protocolSpace, as: UInt16.self) == EtherType.ipv4.value else {
      throw .malformed(field: "protocol address space")
    }
    guard bytes.bigEndian(at: Offset.hardwareLength, as: UInt8.self) == 6 else {
      throw .malformed(field: "hardware address length")
    }
    guard bytes.bigEndian(at: Offset.protocolLength, as: UInt8.self) == 4 else {
      throw .malformed(field: "protocol address length")
    }
    guard let operation = Operation(rawValue: bytes.bigEndian(at: Offset.operation)) else {
      throw .malformed(field: "opcode")
    }
    self.operation = operation
    senderHardwareAddress = bytes.macAddress(at: Offset.senderHardwareAddress)
    senderProtocolAddress = bytes.ipv4Address(at: Offset.senderProtocolAddress)
    targetHardwareAddress = bytes.macAddress(at: Offset.targetHardwareAddress)
    targetProtocolAddress = bytes.ipv4Address(at: Offset.targetProtocolAddress)
  }

  /// Writes the packet over the first ``byteCount`` bytes of `bytes`.
  @inlinable
  public func write(to bytes: inout MutableRawSpan) {
    bytes.store(bigEndian: 1 as UInt16, at: Offset.hardwareSpace)
    bytes.store(bigEndian: EtherType.ipv4.value, at: Offset.protocolSpace)
    bytes.store(bigEndian: 6 as UInt8, at: Offset.hardwareLength)
    bytes.store(bigEndian: 4 as UInt8, at: Offset.protocolLength)
    bytes.store(bigEndian: operation.rawValue, at: Offset.operation)
    bytes.store(senderHardwareAddress, at: Offset.senderHardwareAddress)
    bytes.store(senderProtocolAddress, at: Offset.senderProtocolAddress)
    bytes.store(targetHardwareAddress, at: Offset.targetHardwareAddress)
    bytes.store(targetProtocolAddress, at: Offset.targetProtocolAddress)
  }
}
