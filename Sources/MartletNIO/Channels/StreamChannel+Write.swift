internal import Martlet
internal import MartletCore
internal import NIOCore

extension StreamChannel {
  /// Buffers of at least so many bytes are sent from where they lie; smaller ones are cheaper to copy.
  static let referenceByteCount = 16 * 1024

  func append(_ data: NIOAny, _ promise: EventLoopPromise<Void>?) {
    guard isOpen else { promise?.fail(ChannelError.ioOnClosedChannel); return }
    guard !isOutputShut else { promise?.fail(ChannelError.outputClosed); return }
    if writes.append(unwrapData(data, as: IOData.self), promise) {
      pipeline.syncOperations.fireChannelWritabilityChanged()
    }
  }

  /// Hands the connection what was flushed, as far as it has room.
  func flushNow() {
    guard !isFlushing, life == .active else { return }
    isFlushing = true
    defer { isFlushing = false }
    repeat {
      let hasRoom = sendFlushed()
      guard life == .active else { return }
      // Whoever hears of room may flush more at once; that waits for this loop.
      if writes.becameWritable() { pipeline.syncOperations.fireChannelWritabilityChanged() }
      if !hasRoom { break }
    } while writes.flushedCount > 0 && life == .active
    guard life == .active else { return }
    if writes.isEmpty, outputClosing != nil { shutOutput() }
  }

  /// False if the connection had no room for all that was flushed; it tells when there is some.
  private func sendFlushed() -> Bool {
    while writes.flushedCount > 0, life == .active, let socket {
      let count: Int
      do {
        switch writes.first {
        case .byteBuffer(let buffer): count = try Self.send(buffer, to: socket)
        case .fileRegion(let region): count = try FileRegionWriter.send(region, to: socket)
        }
      } catch {
        writeFailed(error)
        return false
      }
      let (isDone, promise) = writes.advance(count)
      promise?.succeed(())
      if !isDone, count == 0 { return false }
    }
    return true
  }

  private func writeFailed(_ error: any Error) {
    // What the peer had sent before is still read.
    if !isInputShut {
      readPending = true
      readNow()
    }
    close0(error: error, mode: .all, promise: nil)
  }

  private static func send(_ buffer: ByteBuffer, to socket: SocketCore) throws -> Int {
    do throws(SocketError) {
      if buffer.readableBytes >= referenceByteCount {
        let count = min(buffer.readableBytes, socket.sendRoom)
        if count >= referenceByteCount {
          return try socket.writeNow(Slice(sharing: buffer, count: count)) ? count : 0
        }
      }
      return try copy(buffer, to: socket)
    } catch {
      throw IOError(error, in: "write")
    }
  }

  private static func copy(_ buffer: ByteBuffer, to socket: SocketCore) throws(SocketError) -> Int {
    guard buffer.readableBytes > 0 else { return 0 }
    var failure: SocketError?
    let count = unsafe buffer.withUnsafeReadableBytes { bytes in
      do throws(SocketError) { return try socket.writeNow(unsafe RawSpan(_unsafeBytes: bytes)) } catch {
        failure = error
        return 0
      }
    }
    if let failure { throw failure }
    return count
  }
}

extension Slice {
  /// The first `count` readable bytes of `buffer` where they lie: the buffer's storage is kept, and so never written to,
  /// until the peer has acknowledged them.
  fileprivate init(sharing buffer: ByteBuffer, count: Int) {
    final class Owner {
      let buffer: ByteBuffer
      init(_ buffer: ByteBuffer) { self.buffer = buffer }
    }
    let owner = unsafe Unmanaged.passRetained(Owner(buffer)).toOpaque()
    // The storage stays where it is while the owner has it, and nobody writes to a region that was not allocated as one.
    let start = unsafe buffer.withUnsafeReadableBytes { unsafe $0.baseAddress.unsafelyUnwrapped }
    let region = unsafe Region(bytes: UnsafeMutableRawPointer(mutating: start), byteCount: count, context: owner) {
      _, _, owner in
      if let owner = unsafe owner { unsafe Unmanaged<Owner>.fromOpaque(owner).release() }
    }
    self.init(region, offset: 0, count: count)
  }
}
