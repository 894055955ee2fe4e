import MartletCore
import MartletWire

extension PacketPool {
  /// A packet with `linear` bytes in front and each of `slices` in a region of its own.
  func make(_ linear: [UInt8], slices: [[UInt8]] = []) throws -> Packet {
    guard var packet = allocate() else { throw Exhausted() }
    packet.append(copying: linear.rawBytes)
    for bytes in slices {
      guard let region = allocateRegion(large: bytes.count > PacketPool.smallRegionByteCount) else {
        throw Exhausted()
      }
      for (offset, byte) in bytes.enumerated() {
        unsafe region.bytes.storeBytes(of: byte, toByteOffset: offset, as: UInt8.self)
      }
      guard packet.append(Slice(region, offset: 0, count: bytes.count)) else { throw Exhausted() }
    }
    return packet
  }

  struct Exhausted: Error {}

  /// Whether everything the pool gave out came back.
  var isWhole: Bool {
    let use = statistics
    return use.blocksInUse == 0 && use.smallRegionsInUse == 0 && use.largeRegionsInUse == 0
  }
}

extension PacketQueue {
  /// Takes out all packets, as bytes.
  mutating func drain() -> [[UInt8]] {
    var all: [[UInt8]] = []
    while let packet = popFirst() { all.append(packet.allBytes) }
    return all
  }
}

/// `count` bytes that are not all alike.
func pattern(_ count: Int, seed: Int = 0) -> [UInt8] {
  (0..<count).map { UInt8(truncatingIfNeeded: ($0 + seed) * 7 + $0 >> 8) }
}

extension [UInt8] {
  /// The 16-bit number at `offset`.
  func word(at offset: Int) -> Int { Int(self[offset]) << 8 | Int(self[offset + 1]) }

  /// The Internet checksum of all the bytes.
  var internetChecksum: UInt16 { InternetChecksum.of(rawBytes) }
}

/// An IPv4 header in front of `payload`.
func ipv4(
  _ payload: [UInt8], id: UInt16 = 1, flags: IPv4Header.Flags = [], offset: Int = 0, protocol: IPProtocol = .udp,
  options: [UInt8] = [], tos: UInt8 = 0, source: IPv4Address = "192.0.2.1", destination: IPv4Address = "192.0.2.2"
) -> [UInt8] {
  let header = IPv4Header(
    headerByteCount: UInt8(20 + options.count), trafficClass: TrafficClass(value: tos),
    totalLength: UInt16(20 + options.count + payload.count), identification: id, flags: flags,
    fragmentOffset: UInt16(offset), timeToLive: 64, protocol: `protocol`, source: source, destination: destination)
  var bytes = [UInt8](repeating: 0, count: 20)
  var span = bytes.mutableSpan
  var raw = unsafe span.mutableBytes
  header.write(to: &raw)
  bytes += options
  let checksum = bytes.internetChecksum
  bytes[10] = UInt8(checksum >> 8)
  bytes[11] = UInt8(checksum & 0xff)
  return bytes + payload
}

/// An IPv6 header in front of `payload`.
func ipv6(
  _ payload: [UInt8], next: IPProtocol, tos: UInt8 = 0, source: IPv6Address = "2001:db8::1",
  destination: IPv6Address = "2001:db8::2"
) -> [UInt8] {
  let header = IPv6Header(
    trafficClass: TrafficClass(value: tos), payloadLength: UInt16(payload.count), nextHeader: next, hopLimit: 64,
    source: source, destination: destination)
  var bytes = [UInt8](repeating: 0, count: 40)
  var span = bytes.mutableSpan
  var raw = unsafe span.mutableBytes
  header.write(to: &raw)
  return bytes + payload
}

/// An IPv6 fragment.
func ipv6Fragment(
  _ payload: [UInt8], id: UInt32 = 1, offset: Int, more: Bool, next: IPProtocol = .udp
) -> [UInt8] {
  let field = offset | (more ? 1 : 0)
  var header: [UInt8] = [next.value, 0, UInt8(field >> 8), UInt8(field & 0xff)]
  for shift in [24, 16, 8, 0] { header.append(UInt8(truncatingIfNeeded: id >> UInt32(shift))) }
  return ipv6(header + payload, next: .fragment)
}

/// A TCP header with the given options and no checksum.
func tcp(_ flags: TCPFlags, sequence: UInt32, options: [UInt8] = []) -> [UInt8] {
  let header = TCPHeader(
    sourcePort: 1000, destinationPort: 80, sequenceNumber: SequenceNumber(sequence),
    acknowledgmentNumber: SequenceNumber(77), headerByteCount: UInt8(20 + options.count), flags: flags, window: 512)
  var bytes = [UInt8](repeating: 0, count: 20)
  var span = bytes.mutableSpan
  var raw = unsafe span.mutableBytes
  header.write(to: &raw)
  return bytes + options
}

/// Whether the transport checksum of the IP packet `bytes` is right.
func hasValidTransportChecksum(_ bytes: [UInt8]) -> Bool {
  var sum = InternetChecksum()
  let start: Int
  if bytes[0] >> 4 == 4 {
    start = Int(bytes[0] & 15) * 4
    sum.addPseudoHeader(
      source: bytes.rawBytes.ipv4Address(at: 12), destination: bytes.rawBytes.ipv4Address(at: 16),
      protocol: IPProtocol(value: bytes[9]), length: bytes.count - start)
  } else {
    start = 40
    sum.addPseudoHeader(
      source: bytes.rawBytes.ipv6Address(at: 8), destination: bytes.rawBytes.ipv6Address(at: 24),
      protocol: IPProtocol(value: bytes[6]), length: bytes.count - start)
  }
  let segment = Array(bytes[start...])
  sum.add(segment.rawBytes)
  return sum.isValid
}

extension [UInt8] {
  var rawBytes: RawSpan {
    @_lifetime(borrow self) get { unsafe span.bytes }
  }
}

extension ArraySlice<UInt8> {
  var rawBytes: RawSpan {
    @_lifetime(borrow self) get { unsafe span.bytes }
  }
}
