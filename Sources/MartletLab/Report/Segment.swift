import MartletWire

/// What a frame's TCP header says.
struct Segment {
  var header: TCPHeader
  var payload: Int
  var options: TCPOptions?

  /// Nil if `bytes` are not a frame with a TCP header over IPv4 or IPv6, or a later fragment of one.
  init?(_ bytes: [UInt8]) {
    let frame = unsafe bytes.span.bytes
    guard let ethernet = try? EthernetHeader(parsing: frame) else { return nil }
    let packet = frame.extracting(ethernet.byteCount..<frame.byteCount)
    let start: Int
    let end: Int
    switch ethernet.type {
    case .ipv4:
      guard let header = try? IPv4Header(parsing: packet), header.protocol == .tcp, header.fragmentOffset == 0 else {
        return nil
      }
      start = Int(header.headerByteCount)
      end = Int(header.totalLength)
    case .ipv6:
      guard let header = try? IPv6Header(parsing: packet),
        let chain = try? IPv6ExtensionHeaders(of: header, in: packet), chain.problem == nil,
        chain.upperProtocol == .tcp
      else { return nil }
      start = chain.upperOffset
      end = IPv6Header.byteCount + Int(header.payloadLength)
    default: return nil
    }
    guard start <= end, end <= packet.byteCount else { return nil }
    let segment = packet.extracting(start..<end)
    guard let header = try? TCPHeader(parsing: segment) else { return nil }
    self.header = header
    payload = segment.byteCount - Int(header.headerByteCount)
    options = try? TCPOptions(of: header, in: segment)
  }

  /// What the segment takes of the sequence space.
  var sequenceCount: Int {
    payload + (header.flags.contains(.syn) ? 1 : 0) + (header.flags.contains(.fin) ? 1 : 0)
  }
}
