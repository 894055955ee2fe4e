internal import NIOCore
internal import Synchronization

/// What can wait in a ``WriteQueue``.
protocol PendingMessage {
  var readableBytes: Int { get }
  mutating func moveReaderIndex(forwardBy count: Int)
}

extension IOData: PendingMessage {}

/// What was written to a channel and not yet taken by its socket, in order. On the loop's thread, but for
/// ``isWritable``.
final class WriteQueue<Message: PendingMessage> {
  struct Entry {
    var message: Message
    var promise: EventLoopPromise<Void>?
  }

  private var entries = CircularBuffer<Entry>(initialCapacity: 8)
  /// How many entries were flushed.
  private(set) var flushedCount = 0
  /// The bytes of all entries.
  private(set) var byteCount = 0
  private let writable = Atomic<Bool>(true)
  private var mark = ChannelOptions.Types.WriteBufferWaterMark(low: 32 * 1024, high: 64 * 1024)

  var isEmpty: Bool { entries.isEmpty }
  var isWritable: Bool { writable.load(ordering: .relaxed) }

  var waterMark: ChannelOptions.Types.WriteBufferWaterMark {
    get { mark }
    set { mark = newValue }
  }

  /// Adds one write; true when the channel became unwritable by it.
  func append(_ message: Message, _ promise: EventLoopPromise<Void>?) -> Bool {
    byteCount += message.readableBytes
    entries.append(Entry(message: message, promise: promise))
    guard byteCount > mark.high, isWritable else { return false }
    writable.store(false, ordering: .relaxed)
    return true
  }

  func flush() { flushedCount = entries.count }

  var first: Message { entries[entries.startIndex].message }

  /// Takes out the first entry.
  func removeFirst() -> Entry {
    let entry = entries.removeFirst()
    byteCount -= entry.message.readableBytes
    flushedCount -= 1
    return entry
  }

  /// The first `count` bytes of the first entry are done; its promise, when that was the rest.
  func advance(_ count: Int) -> (isDone: Bool, promise: EventLoopPromise<Void>?) {
    let index = entries.startIndex
    guard entries[index].message.readableBytes > count else { return (true, removeFirst().promise) }
    entries[index].message.moveReaderIndex(forwardBy: count)
    byteCount -= count
    return (false, nil)
  }

  /// Whether enough was done that the channel is writable again; true once.
  func becameWritable() -> Bool {
    guard byteCount < mark.low, !isWritable else { return false }
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
