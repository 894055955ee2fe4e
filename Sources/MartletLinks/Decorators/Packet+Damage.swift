package import MartletCore

extension Packet {
  /// Flips a bit of an IP packet behind its link header, `chance` saying which; bytes that others share are copied first.
  ///
  /// Returns whether it did: not in a frame that is no IP packet, nor when there is no memory for the copy.
  package mutating func flipBit(chance: UInt64, pool: borrowing PacketPool) -> Bool {
    guard EthernetFrame.version(of: bytes) != nil else { return false }
    let header = EthernetFrame.headerByteCount(of: bytes)
    // Else a device would compute the checksum over the wrong bit and make it right.
    guard count > header, Segmentation.completeChecksum(&self) else { return false }
    let bit = chance.multipliedFullWidth(by: UInt64(count - header) * 8).high
    let index = header + Int(bit / 8)
    if index >= linearCount, !makePayloadPrivate(pool: pool) { return false }
    unsafe forEachRun(from: index, count: 1) { byte, _ in
      // The linear part is the packet's own, and so is the payload by now.
      unsafe UnsafeMutableRawPointer(mutating: byte).assumingMemoryBound(to: UInt8.self).pointee ^= 1 << UInt8(bit % 8)
    }
    metadata.checksum = .unknown
    return true
  }

  private mutating func makePayloadPrivate(pool: borrowing PacketPool) -> Bool {
    let linear = linearCount
    let byteCount = count - linear
    guard byteCount <= PacketPool.largeRegionByteCount,
      let region = pool.allocateRegion(large: byteCount > PacketPool.smallRegionByteCount)
    else { return false }
    unsafe copyBytes(from: linear, count: byteCount, to: region.bytes)
    truncate(to: linear)
    return append(Slice(region, offset: 0, count: byteCount))
  }
}
