internal import CMartletLinux
internal import MartletCore

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// A part of a file in memory: the page cache, mapped, and the sums of its blocks as far as they are known.
///
/// Belongs to one loop. It goes when the loop's ``FileCache`` and the last slice have let go of it.
@safe
final class FileWindow {
  /// How much of a file is mapped at a time, in bytes; windows begin at multiples of it.
  static let byteCount = 2 << 20

  /// Where in the file the window begins.
  let start: Int64
  let byteCount: Int
  let bytes: UnsafeMutableRawPointer
  private let fault: UnsafePointer<UInt32>
  private let sums: UnsafeMutablePointer<UInt16>
  /// When the window was last asked for, in look-ups of its cache.
  var lastUse: UInt64 = 0

  /// Maps window `index` of the file that `descriptor` has; nil if the system refuses.
  init?(index: Int64, of identity: FileIdentity, descriptor: CInt) {
    start = index * Int64(Self.byteCount)
    byteCount = Int(min(Int64(Self.byteCount), identity.byteCount - start))
    guard byteCount > 0, let offset = off_t(exactly: start) else { return nil }
    let mapped = unsafe mmap(nil, byteCount, PROT_READ, MAP_SHARED, descriptor, offset)
    guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else { return nil }
    guard let fault = unsafe martlet_mapping_guard(mapped, byteCount) else {
      unsafe munmap(mapped, byteCount)
      return nil
    }
    unsafe bytes = unsafe mapped
    unsafe self.fault = unsafe fault
    let sumCount = unsafe FileBytes.sumCount(for: byteCount)
    unsafe sums = .allocate(capacity: max(1, sumCount))
    unsafe sums.initialize(repeating: 0, count: max(1, sumCount))
  }

  deinit {
    unsafe sums.deallocate()
    // No longer guarded when somebody else's memory may be there.
    unsafe martlet_mapping_unguard(fault)
    unsafe munmap(bytes, byteCount)
  }

  /// Whether a page was touched that the file no longer has.
  var isFaulty: Bool { unsafe makeFileBytes().isFaulty }

  /// What the core has to know of the bytes.
  @unsafe func makeFileBytes() -> FileBytes { unsafe FileBytes(sums: sums, fault: fault) }

  /// Asks for the pages from disk, without waiting for them.
  func readAhead() {
    #if canImport(Darwin)
      _ = unsafe madvise(bytes, byteCount, MADV_WILLNEED)
    #else
      _ = unsafe madvise(bytes, byteCount, CInt(MADV_WILLNEED))
    #endif
  }
}

/// One transfer's hold of a window: what its slices refer to.
@safe
final class FileLease {
  let window: FileWindow
  private let tally: TransferTally
  private let file: UnsafeMutablePointer<FileBytes>

  init(_ window: FileWindow, tally: TransferTally) {
    self.window = window
    self.tally = tally
    unsafe file = .allocate(capacity: 1)
    unsafe file.initialize(to: window.makeFileBytes())
  }

  deinit {
    addChecksums(to: &tally.statistics)
    unsafe file.deinitialize(count: 1)
    unsafe file.deallocate()
  }

  /// A region over the window, which keeps it.
  func region() -> Region {
    unsafe Region(
      bytes: window.bytes, byteCount: window.byteCount, file: file, context: Unmanaged.passRetained(self).toOpaque()
    ) { _, _, context in
      if let context = unsafe context { unsafe Unmanaged<FileLease>.fromOpaque(context).release() }
    }
  }

  func addChecksums(to statistics: inout TransferStatistics) {
    statistics.checksumBytesComputed &+= unsafe file.pointee.summedByteCount
    statistics.checksumBytesCached &+= unsafe file.pointee.knownByteCount
  }
}

/// Where a transfer counts, for itself and for leases that outlive it.
final class TransferTally {
  var statistics = TransferStatistics()
}
