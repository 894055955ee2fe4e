internal import MartletWire

/// A datagram that was received, where it lies: nothing of it is copied.
public struct DatagramPacket: ~Copyable {
  /// The payload; one that came in pieces, or in more than a packet's block, has slices behind its linear part.
  public let payload: Packet

  init(_ payload: consuming Packet) { self.payload = payload }

  /// What is known of the datagram beside its payload.
  public var information: ReceivedDatagram { payload.record }

  /// The payload, to be kept or sent on.
  public consuming func takePayload() -> Packet { payload }
}

extension Packet {
  /// Leaves the payload of a datagram that waited in a socket; what is known of it stays in front, for ``record``.
  @inline(__always)
  mutating func stripRecord() {
    if unsafe block.pointee.headerByteCount == 0 { removeFirst(MemoryLayout<ReceivedDatagram>.size) }
  }

  /// What is known of a datagram after ``stripRecord()``, from the record or the headers in front of it.
  @inline(__always)
  var record: ReceivedDatagram {
    let headerByteCount = unsafe Int(block.pointee.headerByteCount)
    guard headerByteCount != 0 else {
      precondition(frontRoom >= MemoryLayout<ReceivedDatagram>.size, "no record in front of the payload")
      return unsafe (pointer - MemoryLayout<ReceivedDatagram>.size).loadUnaligned(as: ReceivedDatagram.self)
    }
    let size = UDPHeader.byteCount + IPv4Header.minimumByteCount
    precondition(frontRoom >= size, "no headers in front of the payload")
    let headers = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(pointer - size), byteCount: size)
    return ReceivedDatagram(
      byteCount: count, isTruncated: false,
      source: SocketAddress(IPAddress(IPv4Address(value: headers.bigEndian(at: 12))), port: headers.bigEndian(at: 20)),
      destination: SocketAddress(
        IPAddress(IPv4Address(value: headers.bigEndian(at: 16))), port: headers.bigEndian(at: 22)),
      interface: metadata.interface, hopLimit: headers.bigEndian(at: 8), trafficClass: headers.bigEndian(at: 1),
      time: metadata.time)
  }
}
