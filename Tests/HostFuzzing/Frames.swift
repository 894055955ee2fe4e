public import MartletWire

/// Frames of a test's own making, right in every field unless the test says otherwise.
///
/// Each layer is a value whose properties are the header's fields. A length or checksum that is nil is filled in as it
/// should be; one that is set stands on the wire as it is.
public enum Frames {
  /// An Ethernet frame.
  public static func ethernet(
    to destination: MACAddress, from source: MACAddress, type: UInt16, _ payload: [UInt8]
  ) -> [UInt8] {
    bytes(of: destination) + bytes(of: source) + bytes(type) + payload
  }

  /// The body of an ARP message.
  public static func arp(
    operation: UInt16, senderMAC: MACAddress, sender: IPv4Address, targetMAC: MACAddress = .zero, target: IPv4Address
  ) -> [UInt8] {
    [0, 1, 8, 0, 6, 4] + bytes(operation) + bytes(of: senderMAC) + bytes(of: IPAddress(sender)) + bytes(of: targetMAC)
      + bytes(of: IPAddress(target))
  }

  public static func bytes(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(truncatingIfNeeded: value)] }

  public static func bytes(_ value: UInt32) -> [UInt8] {
    bytes(UInt16(value >> 16)) + bytes(UInt16(truncatingIfNeeded: value))
  }

  public static func bytes(of address: MACAddress) -> [UInt8] {
    (0..<6).map { UInt8(truncatingIfNeeded: address.value >> (40 - 8 * UInt64($0))) }
  }

  /// The 4 or 16 bytes of an address.
  public static func bytes(of address: IPAddress) -> [UInt8] {
    if let v4 = address.v4 { return bytes(v4.value) }
    return bytes(of: address.v6)
  }

  /// The 16 bytes of an address, IPv4-mapped ones too.
  public static func bytes(of address: IPv6Address) -> [UInt8] {
    [address.high, address.low].flatMap { word in
      (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * UInt64($0))) }
    }
  }

  /// The Internet checksum of `bytes` behind a pseudo-header, if addresses are given.
  public static func checksum(
    _ bytes: [UInt8], protocol: UInt8 = 0, from source: IPAddress? = nil, to destination: IPAddress? = nil
  ) -> UInt16 {
    // Two bytes at a time, as RFC 1071 has it, and not with the code that is under test.
    var sum: UInt32 = 0
    func add(_ part: [UInt8]) {
      for index in stride(from: 0, to: part.count, by: 2) {
        sum += UInt32(part[index]) << 8 | (index + 1 < part.count ? UInt32(part[index + 1]) : 0)
        sum = (sum & 0xffff) + sum >> 16
      }
    }
    if let source, let destination {
      add(Self.bytes(of: source) + Self.bytes(of: destination))
      add(Self.bytes(UInt32(bytes.count)) + [0, `protocol`])
    }
    add(bytes)
    return ~UInt16((sum & 0xffff) + sum >> 16)
  }
}

// MARK: - Internet

/// An IPv4 packet.
public struct IPv4Frame: Sendable {
  public var source: IPv4Address
  public var destination: IPv4Address
  public var `protocol`: UInt8
  public var payload: [UInt8]
  public var version: UInt8 = 4
  /// In words; nil for what header and options take.
  public var headerWords: UInt8?
  public var trafficClass: UInt8 = 0
  public var totalLength: UInt16?
  public var identification: UInt16 = 0x1234
  /// Don't-fragment, more-fragments and the offset in units of eight bytes.
  public var fragmentField: UInt16 = 0
  public var timeToLive: UInt8 = 64
  public var checksum: UInt16?
  /// Padded to words by whoever makes them.
  public var options: [UInt8] = []

  public init(from source: IPv4Address, to destination: IPv4Address, protocol: UInt8, _ payload: [UInt8]) {
    self.source = source
    self.destination = destination
    self.protocol = `protocol`
    self.payload = payload
  }

  public var bytes: [UInt8] {
    let size = 20 + options.count
    var header = [version << 4 | (headerWords ?? UInt8(size / 4)), trafficClass]
    header += Frames.bytes(totalLength ?? UInt16(truncatingIfNeeded: size + payload.count))
    header += Frames.bytes(identification) + Frames.bytes(fragmentField) + [timeToLive, `protocol`, 0, 0]
    header += Frames.bytes(of: IPAddress(source)) + Frames.bytes(of: IPAddress(destination)) + options
    // A header whose length is a lie is summed as far as it says.
    let summed = min(Int(headerWords ?? UInt8(size / 4)) * 4, size + payload.count)
    let sum = checksum ?? Frames.checksum(Array((header + payload).prefix(summed)))
    header.replaceSubrange(10..<12, with: Frames.bytes(sum))
    return header + payload
  }
}

/// An IPv6 packet.
public struct IPv6Frame: Sendable {
  public var source: IPv6Address
  public var destination: IPv6Address
  /// The protocol of ``payload``.
  public var `protocol`: UInt8
  public var payload: [UInt8]
  public var version: UInt8 = 6
  public var payloadLength: UInt16?
  public var hopLimit: UInt8 = 64
  /// Extension headers by number, each without its next-header byte.
  public var extensions: [(number: UInt8, body: [UInt8])] = []

  public init(from source: IPv6Address, to destination: IPv6Address, protocol: UInt8, _ payload: [UInt8]) {
    self.source = source
    self.destination = destination
    self.protocol = `protocol`
    self.payload = payload
  }

  public var bytes: [UInt8] {
    var chain: [UInt8] = []
    for index in extensions.indices {
      chain.append(index + 1 < extensions.count ? extensions[index + 1].number : `protocol`)
      chain += extensions[index].body
    }
    let first = extensions.first?.number ?? `protocol`
    var header = [version << 4, 0, 0, 0]
    header += Frames.bytes(payloadLength ?? UInt16(truncatingIfNeeded: chain.count + payload.count))
    header += [first, hopLimit] + Frames.bytes(of: source) + Frames.bytes(of: destination)
    return header + chain + payload
  }

  /// The body of an options header (hop-by-hop 0, destination 60) with `options`, padded to eight bytes.
  public static func optionsBody(_ options: [UInt8]) -> [UInt8] {
    let size = (options.count + 2 + 7) / 8 * 8
    var body = [UInt8(size / 8 - 1)] + options
    let padding = size - 1 - body.count
    if padding == 1 { body.append(0) }
    if padding > 1 { body += [1, UInt8(padding - 2)] + [UInt8](repeating: 0, count: padding - 2) }
    return body
  }

  /// The body of a fragment header (44); the offset in bytes.
  public static func fragmentBody(offset: Int, more: Bool, identification: UInt32) -> [UInt8] {
    [0] + Frames.bytes(UInt16(truncatingIfNeeded: offset) & 0xfff8 | (more ? 1 : 0)) + Frames.bytes(identification)
  }
}

// MARK: - Transport

/// A UDP datagram.
public struct UDPFrame: Sendable {
  public var sourcePort: UInt16
  public var destinationPort: UInt16
  public var payload: [UInt8]
  public var length: UInt16?
  public var checksum: UInt16?

  public init(from sourcePort: UInt16, to destinationPort: UInt16, _ payload: [UInt8] = Array("hello".utf8)) {
    self.sourcePort = sourcePort
    self.destinationPort = destinationPort
    self.payload = payload
  }

  public func bytes(from source: IPAddress, to destination: IPAddress) -> [UInt8] {
    var result = Frames.bytes(sourcePort) + Frames.bytes(destinationPort)
    result += Frames.bytes(length ?? UInt16(truncatingIfNeeded: 8 + payload.count)) + [0, 0] + payload
    let sum = Frames.checksum(result, protocol: 17, from: source, to: destination)
    result.replaceSubrange(6..<8, with: Frames.bytes(checksum ?? (sum == 0 ? 0xffff : sum)))
    return result
  }
}

/// A TCP segment.
public struct TCPFrame: Sendable {
  public static let fin: UInt8 = 1
  public static let syn: UInt8 = 2
  public static let rst: UInt8 = 4
  public static let psh: UInt8 = 8
  public static let ack: UInt8 = 16

  public var sourcePort: UInt16
  public var destinationPort: UInt16
  public var sequence: UInt32
  public var acknowledgment: UInt32 = 0
  public var flags: UInt8
  public var window: UInt16 = 65_535
  public var urgentPointer: UInt16 = 0
  /// In words; nil for what header and options take.
  public var headerWords: UInt8?
  public var checksum: UInt16?
  /// Padded to words by whoever makes them.
  public var options: [UInt8] = []
  public var payload: [UInt8] = []

  public init(from sourcePort: UInt16, to destinationPort: UInt16, flags: UInt8, sequence: UInt32 = 1_000) {
    self.sourcePort = sourcePort
    self.destinationPort = destinationPort
    self.flags = flags
    self.sequence = sequence
  }

  public func bytes(from source: IPAddress, to destination: IPAddress) -> [UInt8] {
    let words = headerWords ?? UInt8(5 + options.count / 4)
    var result = Frames.bytes(sourcePort) + Frames.bytes(destinationPort)
    result += Frames.bytes(sequence) + Frames.bytes(acknowledgment) + [words << 4, flags]
    result += Frames.bytes(window) + [0, 0] + Frames.bytes(urgentPointer) + options + payload
    let sum = Frames.checksum(result, protocol: 6, from: source, to: destination)
    result.replaceSubrange(16..<18, with: Frames.bytes(checksum ?? sum))
    return result
  }
}

/// An ICMP message of either version.
public struct ICMPFrame: Sendable {
  public var type: UInt8
  public var code: UInt8
  /// The second word: identifier and sequence number, a pointer, an MTU.
  public var word: UInt32
  public var payload: [UInt8]
  public var checksum: UInt16?

  public init(type: UInt8, code: UInt8 = 0, word: UInt32 = 0, _ payload: [UInt8] = []) {
    self.type = type
    self.code = code
    self.word = word
    self.payload = payload
  }

  public func bytes(from source: IPAddress, to destination: IPAddress) -> [UInt8] {
    var result = [type, code, 0, 0] + Frames.bytes(word) + payload
    let sum =
      source.isIPv4 ? Frames.checksum(result) : Frames.checksum(result, protocol: 58, from: source, to: destination)
    result.replaceSubrange(2..<4, with: Frames.bytes(checksum ?? sum))
    return result
  }
}
