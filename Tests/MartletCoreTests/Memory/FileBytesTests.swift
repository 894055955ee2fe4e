import AllocationCounter
import MartletCore
import MartletWire
import Testing

/// Memory that plays a mapped file.
@safe
private final class PretendedFile {
  let memory: UnsafeMutableRawBufferPointer
  private let sums: UnsafeMutablePointer<UInt16>
  let fault: UnsafeMutablePointer<UInt32>
  let file: UnsafeMutablePointer<FileBytes>

  init(_ bytes: [UInt8]) {
    unsafe memory = .allocate(byteCount: bytes.count, alignment: 4_096)
    unsafe memory.copyBytes(from: bytes)
    unsafe sums = .allocate(capacity: FileBytes.sumCount(for: bytes.count) + 1)
    unsafe sums.initialize(repeating: 0, count: FileBytes.sumCount(for: bytes.count) + 1)
    unsafe fault = .allocate(capacity: 1)
    unsafe fault.initialize(to: 0)
    unsafe file = .allocate(capacity: 1)
    unsafe file.initialize(to: FileBytes(sums: sums, fault: fault))
  }

  deinit {
    unsafe memory.deallocate()
    unsafe sums.deallocate()
    unsafe fault.deallocate()
    unsafe file.deallocate()
  }

  /// Valid as long as the file.
  func region() -> Region {
    unsafe Region(bytes: memory.baseAddress.unsafelyUnwrapped, byteCount: memory.count, file: file, context: nil) {
      _, _, _ in
    }
  }
}

/// There was no memory.
private struct Missing: Error {}

@Suite("Bytes that lie in a file")
struct FileBytesTests {
  /// A UDP packet whose checksum is still to be completed over `slice`.
  private func packet(_ slice: consuming Slice, odd: Bool, from pool: borrowing PacketPool) throws -> Packet {
    guard var packet = pool.allocate() else { throw Missing() }
    unsafe packet.append(copying: [UInt8](repeating: 0, count: odd ? 9 : 8).span.bytes)
    guard packet.append(slice) else { throw Missing() }
    packet.metadata.checksum = .partial
    packet.metadata.checksumOffset = 6
    return packet
  }

  private func checksum(_ bytes: [UInt8], odd: Bool) -> Int {
    var sum = InternetChecksum()
    unsafe sum.add(([UInt8](repeating: 0, count: odd ? 9 : 8) + bytes).span.bytes)
    return Int(sum.udpValue)
  }

  @Test(
    "The checksum with known sums is that of the bytes, wherever a slice begins and ends", arguments: [false, true])
  func sumsAgree(odd: Bool) throws {
    let bytes = (0..<4_000).map { UInt8(truncatingIfNeeded: $0 &* $0 &>> 3 &+ $0) }
    let file = PretendedFile(bytes)
    let pool = PacketPool()
    for offset in [0, 1, 64, 127, 128, 129, 1_000, 1_447] {
      for count in [1, 2, 127, 128, 129, 255, 256, 300, 1_448, 2_001] {
        // Once with what must be read, once with what is known.
        for _ in 0..<2 {
          var packet = try packet(Slice(file.region(), offset: offset, count: count), odd: odd, from: pool)
          #expect(Segmentation.completeChecksum(&packet) == true)
          #expect(
            packet.allBytes.word(at: 6) == checksum(Array(bytes[offset..<offset + count]), odd: odd),
            "\(count) bytes from \(offset)")
        }
      }
    }
  }

  @Test("Blocks that were summed once are not read again, and the ends of a slice are")
  func readsOnce() throws {
    let file = PretendedFile([UInt8](repeating: 0x5a, count: 64 << 10))
    let pool = PacketPool()
    func send() throws {
      for start in stride(from: 0, to: (64 << 10) - 1_448, by: 1_448) {
        var packet = try packet(Slice(file.region(), offset: start, count: 1_448), odd: false, from: pool)
        Segmentation.completeChecksum(&packet)
      }
    }
    try send()
    let (first, known) = unsafe (file.file.pointee.summedByteCount, file.file.pointee.knownByteCount)
    try send()
    let second = unsafe file.file.pointee.summedByteCount - first
    let total = UInt64(45 * 1_448)
    #expect(first == total)
    #expect(known == 0)
    #expect(second < total / 8)
    unsafe #expect(file.file.pointee.knownByteCount == total - second)
  }

  @Test("A block of zeros is known too")
  func zeros() throws {
    let file = PretendedFile([UInt8](repeating: 0, count: 1_024))
    let pool = PacketPool()
    for _ in 0..<3 {
      var packet = try packet(Slice(file.region(), offset: 0, count: 1_024), odd: false, from: pool)
      Segmentation.completeChecksum(&packet)
      #expect(packet.allBytes.word(at: 6) == 0xffff)
    }
    unsafe #expect(file.file.pointee.summedByteCount == 1_024)
  }

  @Test("A packet that a device takes keeps its bytes when the file changes")
  func detaches() throws {
    let file = PretendedFile((0..<6_000).map { UInt8(truncatingIfNeeded: $0) })
    let pool = PacketPool()
    do {
      guard var packet = pool.allocate() else { throw Missing() }
      unsafe packet.append(copying: ([1, 2, 3] as [UInt8]).span.bytes)
      packet.append(Slice(file.region(), offset: 10, count: 4_000))
      #expect(packet.liesInFile == true)
      #expect(packet.detachFromFiles() == true)
      #expect(packet.liesInFile == false)
      unsafe file.memory.initializeMemory(as: UInt8.self, repeating: 0)
      #expect(packet.allBytes == [1, 2, 3] + (10..<4_010).map { UInt8(truncatingIfNeeded: $0) })
    }
    #expect(pool.isWhole == true)
  }

  @Test("A packet with a page that is gone does not leave")
  func faulty() throws {
    let file = PretendedFile([UInt8](repeating: 1, count: 4_096))
    let pool = PacketPool()
    do {
      guard var packet = pool.allocate() else { throw Missing() }
      packet.append(Slice(file.region(), offset: 0, count: 4_096))
      #expect(packet.isFaulty == false)
      unsafe file.fault.pointee = 1
      #expect(packet.isFaulty == true)
      #expect(packet.detachFromFiles() == false)
    }
    #expect(pool.isWhole == true)
  }

  @Test("Segments of a file are cut and summed without asking the system for memory")
  func allocatesNothing() throws {
    let file = PretendedFile((0..<65_000).map { UInt8(truncatingIfNeeded: $0 &* 7) })
    let pool = PacketPool()
    let region = file.region()
    var sum = 0
    func send() throws {
      guard var packet = pool.allocate() else { throw Missing() }
      packet.extend(8)
      packet.append(Slice(region.share(), offset: 100, count: 1_448))
      packet.metadata.checksum = .partial
      packet.metadata.checksumOffset = 6
      Segmentation.completeChecksum(&packet)
      guard packet.detachFromFiles() else { throw Missing() }
      sum += packet.count
    }
    for _ in 0..<100 { try send() }
    let before = allocation_counter_value()
    for _ in 0..<100 { try send() }
    let after = allocation_counter_value()
    #expect(after == before)
    #expect(sum == 200 * 1_456)
  }
}
