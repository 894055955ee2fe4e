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
    while writes.flushedCount > 0, life == .active, let socket {
      let count: Int
      do {
        switch writes.first {
        case .byteBuffer(let buffer): count = try Self.send(buffer, to: socket)
        case .fileRegion(let region): count = try FileRegionWriter.send(region, to: socket)
        }
      } catch {
        return writeFailed(error)
      }
      let (isDone, promise) = writes.advance(count)
      promise?.succeed(())
      if !isDone { break }
    }
    guard life == .active else { return }
    if writes.becameWritable() { pipeline.syncOperations.fireChannelWritabilityChanged() }
    if writes.isEmpty, outputClosing != nil { shutOutput() }
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
    var failure: SocketError?
    let count = unsafe buffer.withUnsafeReadableBytes { bytes in
      guard bytes.count > 0 else { return 0 }
      do throws(SocketError) { return try socket.writeNow(unsafe RawSpan(_unsafeBytes: bytes)) } catch {
        failure = error
        return 0
      }
    }
    if let failure { throw IOError(failure, in: "write") }
    return count
  }
}
