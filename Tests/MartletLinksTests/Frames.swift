import MartletCore
import MartletWire

@testable import MartletLinks

/// An Ethernet frame of `byteCount` bytes whose payload repeats `fill`.
func frame(
  _ byteCount: Int, fill: UInt8 = 0x5a, type: EtherType = EtherType(value: 0x88b5), from pool: borrowing PacketPool
)
  -> Packet
{
  guard var packet = pool.allocate() else { preconditionFailure("the test's pool is too small") }
  packet.extend(byteCount)
  var bytes = packet.mutableBytes
  for index in 0..<byteCount { bytes.store(bigEndian: fill, at: index) }
  if byteCount >= EthernetHeader.untaggedByteCount {
    EthernetHeader(destination: "02:00:00:00:00:02", source: "02:00:00:00:00:01", type: type).write(to: &bytes)
  }
  return packet
}

/// All bytes of `packet`.
func bytes(of packet: borrowing Packet) -> [UInt8] {
  var copy = [UInt8](repeating: 0, count: packet.count)
  var elements = copy.mutableSpan
  // Bytes have no padding.
  var span = unsafe elements.mutableBytes
  let count = packet.copyBytes(into: &span)
  precondition(count == packet.count)
  return copy
}

/// A TCP segment over IPv4 in an Ethernet frame, its checksum left partial, its payload in a slice.
func tcpFrame(payload: Int, segmentSize: UInt16, from pool: borrowing PacketPool) -> Packet {
  guard var packet = pool.allocate(), let region = pool.allocateRegion(large: true) else {
    preconditionFailure("the test's pool is too small")
  }
  for index in 0..<payload {
    unsafe region.bytes.storeBytes(of: UInt8(truncatingIfNeeded: index &* 7), toByteOffset: index, as: UInt8.self)
  }
  packet.extend(14 + 20 + 20)
  var bytes = packet.mutableBytes
  EthernetHeader(destination: "02:00:00:00:00:02", source: "02:00:00:00:00:01", type: .ipv4).write(to: &bytes)
  var header = IPv4Header(
    totalLength: UInt16(40 + payload), identification: 100, flags: .dontFragment, timeToLive: 64, protocol: .tcp,
    source: "10.0.0.1", destination: "10.0.0.2")
  header.checksum = header.computedChecksum
  var network = bytes._mutatingExtracting(14..<54)
  header.write(to: &network)
  var pseudo = InternetChecksum()
  pseudo.addPseudoHeader(source: header.source, destination: header.destination, protocol: .tcp, length: 20 + payload)
  var transport = network._mutatingExtracting(20..<40)
  TCPHeader(
    sourcePort: 1000, destinationPort: 2000, sequenceNumber: SequenceNumber(5000),
    acknowledgmentNumber: SequenceNumber(1),
    flags: [.ack, .psh], window: 1000, checksum: pseudo.foldedSum
  ).write(to: &transport)
  packet.append(Slice(region, offset: 0, count: payload))
  packet.metadata.checksum = .partial
  packet.metadata.checksumStart = 34
  packet.metadata.checksumOffset = 16
  packet.metadata.segmentSize = segmentSize
  return packet
}

/// Whether the TCP checksum of an IPv4 frame without options is right.
func isTCPChecksumValid(_ frame: [UInt8]) -> Bool {
  // Bytes have no padding.
  let all = unsafe frame.span.bytes
  guard let header = try? IPv4Header(parsing: all.extracting(droppingFirst: 14)) else { return false }
  let length = header.payloadByteCount
  var sum = InternetChecksum()
  sum.addPseudoHeader(source: header.source, destination: header.destination, protocol: .tcp, length: length)
  sum.add(all.extracting(34..<34 + length))
  return sum.isValid && header.isChecksumValid(in: all.extracting(droppingFirst: 14))
}

extension Link {
  /// Everything that has arrived by `now`, copied.
  func receiveAll(at now: Instant) -> [[UInt8]] {
    var frames: [[UInt8]] = []
    while receive(at: now, limit: 64, into: { frames.append(bytes(of: $0)) }) > 0 {}
    return frames
  }
}

extension Instant {
  static func ns(_ nanoseconds: Int64) -> Instant { Instant(nanoseconds: nanoseconds) }
}
