import MartletWire

/// What is known of a region's bytes when they lie in a mapped file: the sums of its blocks as far as somebody asked for
/// them, and whether a page was gone when it was touched.
///
/// The sum of a block is taken once, however often and to however many peers its bytes go (RFC 1071 section 2: sums of parts
/// are summed). What lies at a segment's ends and is no whole block is read each time.
@unsafe @usableFromInline
package struct FileBytes {
  /// The bytes of a block: two cache lines, a sixteenth of a segment at most.
  package static var blockByteCount: Int { 128 }

  /// The sum of each block, 0 for one that is not known. A sum of 0 is kept as 0xffff, which is the same number.
  let sums: UnsafeMutablePointer<UInt16>
  /// Not 0 when a page was touched that the file no longer has.
  let fault: UnsafePointer<UInt32>
  /// Bytes that were read for a checksum, and bytes whose sums were known.
  package private(set) var summedByteCount: UInt64 = 0
  package private(set) var knownByteCount: UInt64 = 0

  /// - Parameters:
  ///   - sums: A table of ``sumCount(for:)`` entries, zeros at first, which regions of the same bytes share.
  ///   - fault: Set by whoever finds that a page is gone.
  package init(sums: UnsafeMutablePointer<UInt16>, fault: UnsafePointer<UInt32>) {
    unsafe self.sums = unsafe sums
    unsafe self.fault = unsafe fault
  }

  /// How many sums a table for `byteCount` bytes has.
  package static func sumCount(for byteCount: Int) -> Int { unsafe byteCount / blockByteCount }

  /// Whether a page was gone when it was touched, so that what was read there is not the file's.
  ///
  /// Not inlined: a signal handler sets the flag in the middle of a copy, and the look must stay behind it.
  @inline(never)
  package var isFaulty: Bool { unsafe fault.pointee != 0 }

  /// Adds the `count` bytes at `offset` behind `bytes`, the region's first, to `sum`.
  @inline(never)
  mutating func add(
    _ bytes: UnsafeMutableRawPointer, offset: Int, count: Int, to sum: inout InternetChecksum
  ) {
    let size = unsafe FileBytes.blockByteCount
    let end = offset &+ count
    let first = (offset &+ size &- 1) / size
    let last = end / size
    guard first < last else {
      unsafe sum.add(UnsafeRawPointer(bytes + offset), count: count)
      unsafe summedByteCount &+= UInt64(count)
      return
    }
    let head = first &* size &- offset
    let tail = end &- last &* size
    var summed = head &+ tail
    if head > 0 { unsafe sum.add(UnsafeRawPointer(bytes + offset), count: head) }
    var whole: UInt64 = 0
    for index in first..<last {
      var block = unsafe sums[index]
      if block == 0 {
        block = unsafe WordSum.of(UnsafeRawPointer(bytes + index &* size), count: size)
        if block == 0 { block = 0xffff }
        unsafe sums[index] = block
        summed &+= size
      }
      whole &+= UInt64(block)
    }
    sum.add(sum: WordSum.fold(whole), count: (last &- first) &* size)
    if tail > 0 { unsafe sum.add(UnsafeRawPointer(bytes + last &* size), count: tail) }
    unsafe summedByteCount &+= UInt64(summed)
    unsafe knownByteCount &+= UInt64(count &- summed)
  }
}

extension InternetChecksum {
  /// Adds the `count` bytes from `offset` of a region, with what is known of their sums.
  @unsafe @inline(__always)
  mutating func add(_ region: UnsafeMutablePointer<Region.Header>, offset: Int, count: Int) {
    if let file = unsafe region.pointee.file {
      unsafe file.pointee.add(region.pointee.bytes, offset: offset, count: count, to: &self)
    } else {
      let words = unsafe WordSum.of(UnsafeRawPointer(region.pointee.bytes + offset), count: count)
      add(sum: words, count: count)
    }
  }
}

extension Packet {
  /// Whether slices lie in files, which others may change or cut while the packet waits.
  @inlinable public var liesInFile: Bool {
    for index in 0..<sliceCount where unsafe slices[index].region.pointee.file != nil { return true }
    return false
  }

  /// Whether a page of a file in the slices was gone when it was touched: what the packet carries is not the file's, and it
  /// must not go out.
  public var isFaulty: Bool {
    for index in 0..<sliceCount {
      if let file = unsafe slices[index].region.pointee.file, unsafe file.pointee.isFaulty { return true }
    }
    return false
  }

  /// Copies bytes that lie in files to memory of the packet's pool, as a device does when it takes a frame: from here on
  /// nobody can change them.
  ///
  /// Returns false when the pool has no memory or a page of a file is gone: the packet must not go out then.
  public mutating func detachFromFiles() -> Bool {
    guard liesInFile else { return true }
    let rest = count &- linearCount
    if rest <= tailRoom {
      // A segment fits behind its headers: no region for it.
      unsafe copyBytes(from: linearCount, count: rest, to: pointer + linearCount)
      guard !isFaulty else { return false }
      removeFirstOfSlices(rest)
      unsafe block.pointee.linearCount &+= UInt16(truncatingIfNeeded: rest)
      return true
    }
    let pool = unsafe PacketPool(retaining: block.pointee.pool)
    for index in 0..<sliceCount {
      let old = unsafe slices[index]
      guard let file = unsafe old.region.pointee.file else { continue }
      let count = unsafe Int(old.count)
      guard let region = pool.allocateRegion(large: count > PacketPool.smallRegionByteCount),
        count <= region.byteCount
      else { return false }
      let source = unsafe old.region.pointee.bytes + Int(old.offset)
      unsafe region.bytes.copyMemory(from: source, byteCount: count)
      guard unsafe !file.pointee.isFaulty else { return false }
      let header = unsafe region.header
      unsafe header.pointee.references &+= 1
      unsafe slices[index] = PacketBlock.StoredSlice(region: header, offset: 0, count: old.count)
      unsafe Region.drop(old.region)
    }
    return true
  }
}
