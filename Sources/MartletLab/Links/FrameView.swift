public import MartletWire

/// The few things that patterns, partitions and recordings ask of a frame, found in one pass over its headers.
public struct FrameView: Sendable, Equatable {
  /// What the Ethernet header says is in the frame.
  public var type = EtherType(value: 0)
  /// Of the IP packet, or of the sender of an ARP message.
  public var source: IPAddress?
  /// Likewise, whom it is for.
  public var destination: IPAddress?
  /// Of the IP packet; nil for ARP.
  public var `protocol`: IPProtocol?
  /// Whether the packet is part of a larger one, the first part included.
  public var isFragment = false
  /// 0 if there are none, as in a later fragment.
  public var sourcePort: UInt16 = 0
  /// Likewise, 0 if there are none.
  public var destinationPort: UInt16 = 0
  /// Of TCP; empty for all else, as the two numbers are 0.
  public var flags: TCPFlags = []
  /// SEG.SEQ, as it stands in the header.
  public var sequenceNumber: UInt32 = 0
  /// SEG.ACK, as it stands in the header.
  public var acknowledgmentNumber: UInt32 = 0
  /// The bytes behind the transport header.
  public var payloadByteCount = 0
  /// Where the payload begins in the frame.
  public var payloadOffset = 0
  /// Of an IPv4 packet.
  public var identification: UInt16 = 0
  /// In bytes.
  public var fragmentOffset = 0

  /// Looks at the frame that `bytes` begins with.
  public init(_ bytes: RawSpan) {
    guard bytes.byteCount >= EthernetHeader.untaggedByteCount else { return }
    type = EtherType(value: bytes.bigEndian(at: 12))
    let start = EthernetHeader.untaggedByteCount
    switch type {
    case .ipv4: readIPv4(bytes, start)
    case .ipv6: readIPv6(bytes, start)
    case .arp:
      guard bytes.byteCount >= start + 28 else { return }
      source = IPAddress(reading: bytes, at: start + 14, version: .v4)
      destination = IPAddress(reading: bytes, at: start + 24, version: .v4)
    default: return
    }
  }

  private mutating func readIPv4(_ bytes: RawSpan, _ start: Int) {
    guard bytes.byteCount >= start + IPv4Header.minimumByteCount else { return }
    let header = Int(bytes.bigEndian(at: start, as: UInt8.self) & 0x0f) * 4
    let total = Int(bytes.bigEndian(at: start + 2, as: UInt16.self))
    identification = bytes.bigEndian(at: start + 4)
    let place: UInt16 = bytes.bigEndian(at: start + 6)
    isFragment = place & 0x3fff != 0
    fragmentOffset = Int(place & 0x1fff) * 8
    `protocol` = IPProtocol(value: bytes.bigEndian(at: start + 9))
    source = IPAddress(reading: bytes, at: start + 12, version: .v4)
    destination = IPAddress(reading: bytes, at: start + 16, version: .v4)
    if fragmentOffset == 0 { readTransport(bytes, start + header, end: start + total) }
  }

  private mutating func readIPv6(_ bytes: RawSpan, _ start: Int) {
    guard bytes.byteCount >= start + IPv6Header.byteCount else { return }
    let length = Int(bytes.bigEndian(at: start + 4, as: UInt16.self))
    var next = IPProtocol(value: bytes.bigEndian(at: start + 6))
    source = IPAddress(reading: bytes, at: start + 8, version: .v6)
    destination = IPAddress(reading: bytes, at: start + 24, version: .v6)
    var offset = start + IPv6Header.byteCount
    if next == .fragment, bytes.byteCount >= offset + 8 {
      next = IPProtocol(value: bytes.bigEndian(at: offset))
      fragmentOffset = Int(bytes.bigEndian(at: offset + 2, as: UInt16.self) & 0xfff8)
      isFragment = true
      offset += 8
    }
    `protocol` = next
    if fragmentOffset == 0 { readTransport(bytes, offset, end: start + IPv6Header.byteCount + length) }
  }

  private mutating func readTransport(_ bytes: RawSpan, _ start: Int, end: Int) {
    switch `protocol` {
    case IPProtocol.udp:
      guard bytes.byteCount >= start + 8 else { return }
      payloadOffset = start + 8
    case IPProtocol.tcp:
      guard bytes.byteCount >= start + TCPHeader.minimumByteCount else { return }
      sequenceNumber = bytes.bigEndian(at: start + 4)
      acknowledgmentNumber = bytes.bigEndian(at: start + 8)
      let word: UInt16 = bytes.bigEndian(at: start + 12)
      flags = TCPFlags(rawValue: word & 0x1ff)
      payloadOffset = start + Int(word >> 12) * 4
    default:
      payloadOffset = start
      payloadByteCount = max(0, end - start)
      return
    }
    sourcePort = bytes.bigEndian(at: start)
    destinationPort = bytes.bigEndian(at: start + 2)
    payloadByteCount = max(0, end - payloadOffset)
  }
}

extension FramePattern {
  /// Whether `frame` is one of those that are meant.
  func matches(_ frame: FrameView) -> Bool {
    let isOfKind =
      switch kind {
      case .any: true
      case .arp: frame.type == .arp
      case .ip: frame.protocol != nil
      case .icmp: frame.protocol == IPProtocol.icmpv4 || frame.protocol == IPProtocol.icmpv6
      case .udp: frame.protocol == IPProtocol.udp
      case .tcp: frame.protocol == IPProtocol.tcp
      case .tcpData: frame.protocol == IPProtocol.tcp && frame.payloadByteCount > 0
      case .tcpAcknowledgment:
        frame.protocol == IPProtocol.tcp && frame.payloadByteCount == 0
          && frame.flags.isDisjoint(with: [.syn, .fin, .rst])
      case .tcpSYN: frame.flags.contains(.syn)
      case .tcpFIN: frame.flags.contains(.fin)
      case .fragment: frame.isFragment
      }
    return isOfKind && (source == nil || source == frame.source)
      && (destination == nil || destination == frame.destination)
      && (sourcePort == nil || sourcePort == frame.sourcePort)
      && (destinationPort == nil || destinationPort == frame.destinationPort)
  }
}
