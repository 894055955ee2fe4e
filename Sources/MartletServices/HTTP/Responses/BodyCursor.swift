import NIOCore

/// Walks over the content of an answer and takes as much of it as can be sent, checking that files stay what they are.
///
/// No byte is handed out that was read from a file after it changed: what is copied is checked after it was read; what goes
/// by reference is checked before, and the end of a file waits until all in front of it was taken, is read, and is
/// checked once more, so that an answer to a changed file is never complete.
struct BodyCursor {
  enum Chunk {
    case bytes(ByteBuffer)
    case region(FileRegion, OpenFile)
    /// Nothing until what went out before has been taken.
    case wait
    case end
    /// The file is not what it was: the answer cannot be finished.
    case changed
  }

  /// How much is taken at once, in bytes.
  struct Sizes {
    var chunk: Int
    var region: Int
    var tail: Int
  }

  private let pieces: [PlannedResponse.Piece]
  private let sizes: Sizes
  private let usesRegions: Bool
  /// Whether parts of files went out by reference, so that what follows has to wait for them.
  private var hasRegions = false
  private var index = 0
  private var offset: Int64 = 0
  /// Bytes of files that were copied.
  private(set) var copiedByteCount: Int64 = 0

  init(_ pieces: [PlannedResponse.Piece], sizes: Sizes, usesRegions: Bool) {
    self.pieces = pieces
    self.sizes = sizes
    self.usesRegions = usesRegions
  }

  /// - Parameter isSettled: Whether everything handed out before was taken by the connection.
  mutating func next(isSettled: Bool, allocator: ByteBufferAllocator) -> Chunk {
    while index < pieces.count {
      switch pieces[index] {
      case .bytes(let buffer):
        index += 1
        return .bytes(buffer)
      case .file(let file, let range):
        let remaining = range.upperBound - range.lowerBound - offset
        if remaining == 0 {
          index += 1
          offset = 0
          continue
        }
        return next(of: file, at: range.lowerBound + offset, remaining, isSettled, allocator)
      }
    }
    return .end
  }

  private mutating func next(
    of file: OpenFile, at position: Int64, _ remaining: Int64, _ isSettled: Bool, _ allocator: ByteBufferAllocator
  ) -> Chunk {
    // What fits into one chunk is read at once: cheaper than to look at the file again and again.
    let isSmall = offset == 0 && remaining <= Int64(sizes.chunk)
    if usesRegions, !isSmall, remaining > Int64(sizes.tail), let handle = file.handle {
      guard file.isUnchanged else { return .changed }
      hasRegions = true
      let count = min(Int64(sizes.region), remaining - Int64(sizes.tail))
      offset += count
      return .region(
        FileRegion(fileHandle: handle, readerIndex: Int(position), endIndex: Int(position + count)), file)
    }
    if hasRegions && !isSettled { return .wait }
    let count = min(hasRegions && !isSmall ? sizes.tail : sizes.chunk, Int(clamping: remaining))
    var buffer = allocator.buffer(capacity: count)
    guard file.read(count, at: position, into: &buffer), file.isUnchanged else { return .changed }
    offset += Int64(count)
    copiedByteCount += Int64(count)
    return .bytes(buffer)
  }
}
