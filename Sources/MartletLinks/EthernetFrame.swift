import MartletCore
import MartletWire

/// The few looks into a frame that links need.
enum EthernetFrame {
  static let headerByteCount = EthernetHeader.untaggedByteCount

  /// The size of the Ethernet header, its tag included.
  static func headerByteCount(of frame: RawSpan) -> Int {
    guard frame.byteCount >= EthernetHeader.untaggedByteCount else { return frame.byteCount }
    return frame.bigEndian(at: 12, as: UInt16.self) == EtherType.vlan.value
      ? min(EthernetHeader.taggedByteCount, frame.byteCount) : EthernetHeader.untaggedByteCount
  }

  /// 4 or 6, or nil for what is not IP.
  static func version(of frame: RawSpan) -> Int? {
    let header = headerByteCount(of: frame)
    guard header >= EthernetHeader.untaggedByteCount, frame.byteCount > header else { return nil }
    switch EtherType(value: frame.bigEndian(at: header - 2)) {
    case .ipv4: return 4
    case .ipv6: return 6
    default: return nil
    }
  }

  /// The bytes in front of the payload of a TCP packet whose ``Packet/Metadata-swift.struct/checksumStart`` is set, or nil if
  /// they do not lie in one piece.
  static func byteCountToPayload(of packet: borrowing Packet) -> Int? {
    let start = Int(packet.metadata.checksumStart)
    guard start > 0, start + TCPHeader.minimumByteCount <= packet.linearCount else { return nil }
    let offset: UInt8 = packet.bytes.bigEndian(at: start + 12)
    let count = start + Int(offset >> 4) * 4
    return count >= start + TCPHeader.minimumByteCount && count <= packet.linearCount ? count : nil
  }
}
