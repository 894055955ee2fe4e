import MartletWire

/// A frame's headers, and what it carries.
struct FrameHeaders {
  var ethernet: EthernetHeader
  var arp: ARPPacket?
  var ipv4: IPv4Header?
  var ipv6: IPv6Header?
  var tcp: TCPHeader?
  var udp: UDPHeader?
  /// How many bytes the header of the transport has, and its name; none for what is neither TCP, UDP nor ICMP.
  var transport: (name: String, byteCount: Int)?
  var payload: [UInt8] = []

  /// Nil if `bytes` are no Ethernet frame.
  init?(_ bytes: [UInt8]) {
    let frame = unsafe bytes.span.bytes
    guard let ethernet = try? EthernetHeader(parsing: frame) else { return nil }
    self.ethernet = ethernet
    let packet = frame.extracting(ethernet.byteCount..<frame.byteCount)
    var number: IPProtocol
    var start: Int
    let end: Int
    switch ethernet.type {
    case .arp:
      arp = try? ARPPacket(parsing: packet)
      return
    case .ipv4:
      guard let header = try? IPv4Header(parsing: packet), header.fragmentOffset == 0 else { return }
      ipv4 = header
      (number, start, end) = (header.protocol, Int(header.headerByteCount), Int(header.totalLength))
    case .ipv6:
      guard let header = try? IPv6Header(parsing: packet),
        let chain = try? IPv6ExtensionHeaders(of: header, in: packet), chain.problem == nil
      else { return }
      ipv6 = header
      (number, start) = (chain.upperProtocol, chain.upperOffset)
      end = IPv6Header.byteCount + Int(header.payloadLength)
    default: return
    }
    guard start <= end, end <= packet.byteCount else { return }
    let segment = packet.extracting(start..<end)
    switch number {
    case .tcp:
      guard let header = try? TCPHeader(parsing: segment) else { return }
      tcp = header
      transport = ("TCP", Int(header.headerByteCount))
    case .udp:
      guard segment.byteCount >= UDPHeader.byteCount else { return }
      udp = try? UDPHeader(parsing: segment)
      transport = ("UDP", UDPHeader.byteCount)
    case .icmpv4, .icmpv6:
      guard segment.byteCount >= 8 else { return }
      transport = (number == .icmpv4 ? "ICMP" : "ICMPv6", 8)
    default: return
    }
    start += transport?.byteCount ?? 0
    let first = ethernet.byteCount + start
    payload = Array(bytes[min(bytes.count, first)..<min(bytes.count, ethernet.byteCount + end)])
  }

  var source: IPAddress? { ipv4.map { IPAddress($0.source) } ?? ipv6.map { IPAddress($0.source) } }
  var destination: IPAddress? { ipv4.map { IPAddress($0.destination) } ?? ipv6.map { IPAddress($0.destination) } }
}

/// Numbers as a story tells them.
enum StoryText {
  static func hexadecimal(_ value: UInt16) -> String {
    let digits = String(value, radix: 16)
    return "0x" + String(repeating: "0", count: 4 - digits.count) + digits
  }

  static func bytes(_ count: Int) -> String { count == 1 ? "1 byte" : "\(count) bytes" }

  /// A moment in milliseconds, to the microsecond: "40.123 ms".
  static func moment(_ nanoseconds: Int64) -> String { decimal(Double(nanoseconds) / 1e6, 3) + " ms" }

  /// "6.56 µs", with no more digits than there are.
  static func span(_ nanoseconds: Int64) -> String {
    let value = Double(nanoseconds)
    let (size, unit) = value >= 1e9 ? (1e9, "s") : value >= 1e6 ? (1e6, "ms") : value >= 1e3 ? (1e3, "µs") : (1, "ns")
    var text = decimal(value / size, 3)
    while text.hasSuffix("0") { text.removeLast() }
    if text.hasSuffix(".") { text.removeLast() }
    return "\(text) \(unit)"
  }

  static func rate(_ rate: UInt64) -> String {
    let value = Double(rate)
    let (size, unit) =
      value >= 1e9 ? (1e9, "Gbit/s") : value >= 1e6 ? (1e6, "Mbit/s") : value >= 1e3 ? (1e3, "kbit/s") : (1, "bit/s")
    var text = decimal(value / size, 3)
    while text.hasSuffix("0") { text.removeLast() }
    if text.hasSuffix(".") { text.removeLast() }
    return "\(text) \(unit)"
  }

  /// What is text, in quotation marks; nil for what is none, or is long.
  static func quoted(_ bytes: [UInt8]) -> String? {
    guard !bytes.isEmpty, bytes.count <= 60, bytes.allSatisfy({ (0x20...0x7e).contains($0) || $0 == 0x0a }) else {
      return nil
    }
    return "\"" + String(decoding: bytes, as: UTF8.self).replacing("\n", with: "\\n") + "\""
  }
}
