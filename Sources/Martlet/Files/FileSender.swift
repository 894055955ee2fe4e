internal import MartletCore

/// Sends a part of a file over a connection, as much at a time as the send buffer has room for.
///
/// Made and used on the loop's thread alone: `while try sender.advance() == .blocked { wait until the socket is writable }`. The
/// descriptor stays the caller's, and open until then. Nobody else may write to the connection in between.
///
/// By reference the file's pages, mapped, are themselves in the send queue until they are acknowledged, and a file can
/// change under them. So that a peer never takes bytes of two states for a whole: the last ``tailByteCount`` bytes are read into
/// memory of the loop, and the last ``sealByteCount`` of these stay back until every page that was in the queue is
/// acknowledged and the file still is what it was at the beginning. Until it is acknowledged a page may have to be read
/// again, so that to wait until it was sent once would not do; and the bytes before the last ones keep the connection busy
/// while the acknowledgements come in. If the file changed, the connection is reset and the peer knows that it has not all.
/// Frames with pages that a file lost do not go out; of the page in which a cut file ends now, the system may give zeros until
/// the cut is noticed, in an answer that is never completed.
@safe
public final class FileSender {
  /// What ``advance()`` came to.
  public enum Progress: Sendable {
    /// The send buffer is full, or the last bytes wait for acknowledgements; the socket becomes writable when it is worth another
    /// try.
    case blocked
    /// All is in the send buffer, and nothing refers to the file any more.
    case finished
  }

  /// Up to this size a file is read in one piece: cheaper than a mapping.
  public static let smallByteCount = 64 << 10
  /// How many bytes at the end are copied.
  static let tailByteCount = 128 << 10
  /// How many of them are held back.
  static let sealByteCount = 16 << 10
  /// The largest slice, and how many bytes go out between two looks at the file.
  static let largestSlice = 256 << 10
  /// Less room than this is not worth a slice.
  static let smallestSlice = 16 << 10
  /// How often the file is looked at while nothing moves: frames with pages that are gone do not go out, and then nobody
  /// acknowledges them.
  static let idleTime = Nanoseconds.milliseconds(500)

  private let core: SocketCore
  private let descriptor: CInt
  private let identity: FileIdentity
  /// How the bytes get into the send queue.
  public let way: FileWay
  /// The next byte of the file.
  private var position: Int64
  private let end: Int64
  /// Up to here pages go by reference; behind it bytes are copied.
  private var mappedEnd: Int64
  /// From here on bytes are held back until all others are safe.
  private let sealStart: Int64
  private let tally = TransferTally()
  private var window: FileWindow?
  private var lease: FileLease?
  private var region: Region?
  private var buffer: UnsafeMutableRawBufferPointer?
  /// Bytes put into the queue behind the last page.
  private var behindPages = 0
  private var sinceCheck = 0
  private var timer: LoopTimer?
  private var failure: FileTransferError?
  /// Told when the file is found changed while nobody called.
  package var failed: ((FileTransferError) -> Void)?

  /// - Parameters:
  ///   - descriptor: An open file.
  ///   - offset: Where the part begins, in bytes.
  ///   - count: How many bytes it has; nil for all up to the end.
  ///   - identity: What the file has to be, for a caller that told the peer something about it; nil for what it is now.
  ///   - way: How the bytes get into the send queue.
  ///   - socket: The connection.
  /// - Throws: ``FileTransferError/changed`` if the file is not the one of `identity`, ``FileTransferError/outOfRange``,
  ///   ``FileTransferError/notAFile``, ``FileTransferError/system(errno:)``. The connection is as it was.
  public convenience init(
    _ descriptor: CInt, offset: Int64 = 0, count: Int64? = nil, identity: FileIdentity? = nil,
    way: FileWay = .byReference, to socket: TCPSocket
  ) throws(FileTransferError) {
    try self.init(descriptor, offset: offset, count: count, identity: identity, way: way, to: socket.core)
  }

  package init(
    _ descriptor: CInt, offset: Int64, count: Int64?, identity: FileIdentity?, way: FileWay, to core: SocketCore
  ) throws(FileTransferError) {
    self.core = core
    precondition(core.loop.isCurrent, "a file sender belongs to the loop's thread")
    self.descriptor = descriptor
    self.way = way
    unsafe buffer = nil
    let now = try FileIdentity(descriptor: descriptor)
    guard identity == nil || identity == now else { throw .changed }
    self.identity = now
    let count = count ?? now.byteCount - offset
    guard offset >= 0, count >= 0, count <= now.byteCount, offset <= now.byteCount - count else { throw .outOfRange }
    position = offset
    end = offset + count
    tally.statistics.systemCalls = 1
    if count <= Int64(Self.smallByteCount) {
      mappedEnd = offset
      sealStart = offset
    } else {
      sealStart = end - Int64(Self.sealByteCount)
      mappedEnd = way == .byReference ? max(offset, end - Int64(Self.tailByteCount)) : offset
    }
    now.outliveTick()
    try check()
  }

  deinit {
    unsafe buffer?.deallocate()
    if let timer { core.loop.timers.remove(timer) }
  }

  /// What the transfer took so far.
  public var statistics: TransferStatistics {
    var all = tally.statistics
    lease?.addChecksums(to: &all)
    return all
  }

  /// How many bytes are not in the send buffer yet.
  public var remaining: Int64 { end - position }

  /// Puts as much into the send buffer as it has room for.
  ///
  /// - Throws: Why the file will not be sent to its end; the connection is reset then.
  public func advance() throws(FileTransferError) -> Progress {
    if let failure { throw failure }
    precondition(core.loop.isCurrent, "a file sender belongs to the loop's thread")
    do throws(FileTransferError) {
      let progress = try put()
      if progress == .finished { finish() } else { watch() }
      return progress
    } catch {
      fail(error)
      throw error
    }
  }

  private func put() throws(FileTransferError) -> Progress {
    while position < end {
      let room = try look(notifying: false)
      let isSeal = position == sealStart
      if isSeal, room.queued > behindPages, hasPages { return try block() }
      let left = (isSeal ? end : position < mappedEnd ? mappedEnd : sealStart) - position
      let wanted = min(left, Int64(isSeal ? Self.smallByteCount : Self.smallestSlice))
      // An empty buffer takes everything, however small it is.
      guard Int64(room.room) >= wanted || room.queued == 0 else { return try block() }
      let fits = isSeal ? left : min(left, Int64(max(room.room, Self.smallestSlice)))
      if position < mappedEnd {
        try putPages(upTo: Int(min(fits, Int64(Self.largestSlice))))
      } else {
        try putCopy(Int(min(fits, Int64(PacketPool.largeRegionByteCount))), isLast: isSeal)
      }
    }
    return .finished
  }

  private func look(notifying: Bool) throws(FileTransferError) -> (room: Int, queued: Int) {
    guard !core.state.isClosed else { throw .socket(core.loop.isStopping ? .cancelled : .notASocket) }
    do throws(SocketError) {
      return try core.box.host.sendBuffer(of: core.id, notifying: notifying)
    } catch { throw .socket(error) }
  }

  private func block() throws(FileTransferError) -> Progress {
    _ = try look(notifying: true)
    return .blocked
  }

  private var hasPages: Bool { region != nil }

  // MARK: By reference

  private func putPages(upTo count: Int) throws(FileTransferError) {
    guard let window = try window(at: position) else {
      // What cannot be mapped is read.
      mappedEnd = position
      return
    }
    if region == nil || lease?.window !== window {
      let lease = FileLease(window, tally: tally)
      region = lease.region()
      self.lease = lease
    }
    if sinceCheck >= Self.largestSlice { try check() }
    let offset = Int(position - window.start)
    let run = min(count, window.byteCount - offset)
    guard let slice = shareRegion(offset: offset, count: run) else { return }
    try write(slice)
    position += Int64(run)
    sinceCheck += run
    behindPages = 0
    tally.statistics.bytesSent &+= UInt64(run)
  }

  private func shareRegion(offset: Int, count: Int) -> Slice? {
    switch region {
    case .some(let region): Slice(region.share(), offset: offset, count: count)
    case nil: nil
    }
  }

  /// The window with byte `offset` of the file; the first to ask for it has it and the next read from the disk.
  private func window(at offset: Int64) throws(FileTransferError) -> FileWindow? {
    let index = offset / Int64(FileWindow.byteCount)
    if let window, window.start == index * Int64(FileWindow.byteCount) {
      guard !window.isFaulty else { throw .changed }
      return window
    }
    try check()
    guard let (found, isNew) = core.loop.files.window(index, of: identity, descriptor: descriptor, on: core.loop)
    else { return nil }
    if isNew {
      tally.statistics.systemCalls &+= 2
      found.readAhead()
      if end > found.start + Int64(found.byteCount) {
        Platform.readAhead(descriptor, from: found.start + Int64(found.byteCount), count: FileWindow.byteCount)
        tally.statistics.systemCalls &+= 1
      }
    }
    window = found
    return found
  }

  // MARK: By copy

  private func putCopy(_ count: Int, isLast: Bool) throws(FileTransferError) {
    switch isLast ? .mappedCopy : way {
    case .readAndWrite:
      let span = try unsafe readIntoBuffer(count)
      var taken = 0
      do throws(SocketError) {
        taken = try unsafe core.box.host.write(span.bytes, to: core.id, at: core.now)
      } catch { throw .socket(error) }
      core.loop.touch(core.box)
      guard taken > 0 else { throw .socket(.noResources) }
      position += Int64(taken)
      tally.statistics.bytesSent &+= UInt64(taken)
      tally.statistics.bytesCopied &+= UInt64(taken)
      behindPages += taken
    case .mappedCopy, .byReference:
      guard let region = core.loop.pool.allocateRegion(large: true) else { throw .socket(.noResources) }
      let run = min(count, region.byteCount)
      if isLast || way == .byReference {
        try unsafe read(run, at: position, into: region.bytes)
      } else {
        try unsafe copyPages(run, into: region.bytes)
      }
      // The last bytes were read: what was sent before them and they themselves are of one state if the file still is in it.
      if isLast { try check() }
      try write(Slice(region, offset: 0, count: run))
      position += Int64(run)
      tally.statistics.bytesSent &+= UInt64(run)
      behindPages += run
    }
  }

  private func copyPages(_ count: Int, into target: UnsafeMutableRawPointer) throws(FileTransferError) {
    var done = 0
    while done < count {
      let start = position + Int64(done)
      guard let window = try window(at: start) else {
        return try unsafe read(count - done, at: start, into: target + done)
      }
      let offset = Int(start - window.start)
      let run = min(count - done, window.byteCount - offset)
      guard run > 0 else { throw .changed }
      unsafe (target + done).copyMemory(from: window.bytes + offset, byteCount: run)
      guard !window.isFaulty else { throw .changed }
      done += run
    }
    tally.statistics.bytesCopied &+= UInt64(count)
  }

  private func read(
    _ count: Int, at offset: Int64, into target: UnsafeMutableRawPointer
  ) throws(FileTransferError) {
    var done = 0
    while done < count {
      let got = unsafe Platform.read(descriptor, at: offset + Int64(done), into: target + done, count: count - done)
      tally.statistics.systemCalls &+= 1
      guard got > 0 else { throw got == 0 ? .changed : .system(errno: CInt(-got)) }
      done += got
    }
    tally.statistics.bytesCopied &+= UInt64(count)
  }

  private func readIntoBuffer(_ count: Int) throws(FileTransferError) -> UnsafeMutableRawBufferPointer {
    let buffer: UnsafeMutableRawBufferPointer
    if let known = unsafe self.buffer {
      unsafe buffer = unsafe known
    } else {
      unsafe buffer = .allocate(byteCount: PacketPool.largeRegionByteCount, alignment: 64)
      unsafe self.buffer = unsafe buffer
    }
    let part = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(count, buffer.count)])
    guard let start = part.baseAddress else { throw .outOfRange }
    try unsafe read(part.count, at: position, into: start)
    return unsafe part
  }

  private func write(_ slice: consuming Slice) throws(FileTransferError) {
    var isTaken = false
    do throws(SocketError) {
      isTaken = try core.box.host.write(slice, to: core.id, at: core.now)
    } catch { throw .socket(error) }
    core.loop.touch(core.box)
    guard isTaken else { throw .socket(.noResources) }
  }

  // MARK: The file, and the end

  /// Makes sure that the file is what it was.
  private func check() throws(FileTransferError) {
    sinceCheck = 0
    tally.statistics.systemCalls &+= 1
    guard try FileIdentity(descriptor: descriptor) == identity, window?.isFaulty != true else { throw .changed }
  }

  /// Looks at the file now and then while nothing moves.
  private func watch() {
    if let timer { core.loop.timers.remove(timer) }
    timer = core.loop.setTimer(at: core.loop.now + Self.idleTime) { [weak self] in
      guard let self else { return }
      timer = nil
      do throws(FileTransferError) {
        try check()
        watch()
      } catch {
        fail(error)
        failed?(error)
      }
    }
  }

  /// Why the file is not sent to its end, if it is not.
  public var error: FileTransferError? { failure }

  private func finish() {
    if let timer { core.loop.timers.remove(timer) }
    timer = nil
    region = nil
    lease = nil
    window = nil
  }

  /// Nothing more goes out: the peer must not take what it has for the whole.
  private func fail(_ error: FileTransferError) {
    failure = error
    finish()
    if error == .changed { core.loop.files.forget(identity) }
    core.abort()
  }

  /// Gives up: the rest is not sent, and the connection is reset.
  public func cancel() { cancel(.cancelled) }

  func cancel(_ error: SocketError) {
    guard failure == nil, position < end else { return }
    fail(.socket(error))
  }

}
