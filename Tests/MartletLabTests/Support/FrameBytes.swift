import MartletWire

/// Frames byte by byte, with checksums that are right.
enum FrameBytes {
  static func ethernet(from source: String, to destination: String, type: UInt16, _ payload: [UInt8]) -> [UInt8] {
    mac(destination) + mac(source) + words(type) + payload
  }

  static func mac(_ text: String) -> [UInt8] {
    text.split(separator: ":").compactMap { UInt8($0, radix: 16) }
  }

  static func words(_ values: UInt16...) -> [UInt8] { values.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] } }

  static func long(_ value: UInt32) -> [UInt8] {
    words(UInt16(value >> 16), UInt16(truncatingIfNeeded: value))
  }

  static func ipv4(
    from source: IPv4Address, to destination: IPv4Address, protocol number: IPProtocol, timeToLive: UInt8,
    identification: UInt16, _ payload: [UInt8]
  ) -> [UInt8] {
    var header = words(0x4500, UInt16(20 + payload.count), identification, 0x4000)
    header += [timeToLive, number.value, 0, 0] + long(source.value) + long(destination.value)
    let checksum = unsafe InternetChecksum.of(header.span.bytes)
    header.replaceSubrange(10..<12, with: words(checksum))
    return header + payload
  }

  static func tcp(
    from source: (IPv4Address, UInt16), to destination: (IPv4Address, UInt16), sequence: UInt32,
    acknowledgment: UInt32?, flags: TCPFlags, window: UInt16, options: [UInt8] = [], _ payload: [UInt8] = []
  ) -> [UInt8] {
    var flags = flags
    if acknowledgment != nil { flags.insert(.ack) }
    let offset = UInt16((20 + options.count) / 4) << 12
    var segment = words(source.1, destination.1) + long(sequence) + long(acknowledgment ?? 0)
    segment += words(offset | flags.rawValue, window, 0, 0) + options + payload
    var sum = InternetChecksum()
    sum.addPseudoHeader(source: source.0, destination: destination.0, protocol: .tcp, length: segment.count)
    unsafe sum.add(segment.span.bytes)
    segment.replaceSubrange(16..<18, with: words(sum.value))
    return segment
  }

  static func arp(
    isReply: Bool, sender: (String, IPv4Address), target: (String, IPv4Address), to destination: String
  ) -> [UInt8] {
    var packet = words(1, 0x0800, 0x0604, isReply ? 2 : 1)
    packet += mac(sender.0) + long(sender.1.value) + mac(target.0) + long(target.1.value)
    packet += [UInt8](repeating: 0, count: 18)
    return ethernet(from: sender.0, to: destination, type: 0x0806, packet)
  }
}
