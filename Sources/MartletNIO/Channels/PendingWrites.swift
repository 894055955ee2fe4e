internal import NIOCore
internal import Synchronization

/// What was written to a stream channel and not yet taken by the connection, in order. On the loop's thread, but for
/// ``isWritable``.
final class PendingWrites {
  struct Entry {
    var data: IOData
    var promise: EventLoopPromise<Void>?
  }

  private var entries = CircularBuffer<Entry>(initialCapacity: 8)
  /// How many entries were flushed.
  private(set) var flushedCount = 0
  /// The bytes of all entries.
  private(set) var byteCount = 0
  var waterMark = ChannelOptions.Types.WriteBufferWaterMark(low: 32 * 1024, high: 64 * 1024)
  private let writable = Atomic<Bool>(true)

  var isEmpty: Bool { entries.isEmpty }
  var isWritable: Bool { writable.load(ordering: .relaxed) }

  /// Adds one write; true when the channel became unwritable by it.
  func append(_ data: IOData, _ promise: EventLoopPromise<Void>?) -> Bool {
    byteCount += data.readableBytes
    entries.append(Entry(data: data, promise: promise))
    guard byteCount > waterMark.high, isWritable else { return false }
    writable.store(false, ordering: .relaxed)
    return true
  }

  func flush() { flushedCount = entries.count }

  var first: IOData { entries[entries.startIndex].data }

  /// The first `count` bytes of the first entry are done; its promise, when that was the rest.
  func advance(_ count: Int) -> (isDone: Bool, promise: EventLoopPromise<Void>?) {
    byteCount -= count
    let index = entries.startIndex
    let left = entries[index].data.readableBytes - count
    guard left > 0 else {
      flushedCount -= 1
      return (true, entries.removeFirst().promise)
    }
    switch entries[index].data {
    case .byteBuffer(var buffer):
      buffer.moveReaderIndex(forwardBy: count)
      entries[index].data = .byteBuffer(buffer)
    case .fileRegion(var region):
      region.moveReaderIndex(forwardBy: count)
      entries[index].data = .fileRegion(region)
    }
    return (false, nil)
  }

  /// Whether enough was done that the channel is writable again; true once.
  func becameWritable() -> Bool {
    guard byteCount < waterMark.low, !isWritable else { return false }
    writable.store(true, ordering: .relaxed)
    return true
  }

  /// Takes everything out, for an end; the channel is not writable any more.
  func removeAll() -> CircularBuffer<Entry> {
    let all = entries
    entries = CircularBuffer()
    flushedCount = 0
    byteCount = 0
    writable.store(false, ordering: .relaxed)
    return all
  }
}
