import NIOCore

/// Ends an HTTP/2 connection after an error of the connection, and when the client has closed its half: no frame that a
/// stream needs can come any more.
///
/// NIOHTTP2 sends GOAWAY for an error and leaves the connection open; RFC 9113 section 5.4.1 wants it closed behind that.
/// Its errors do not tell those of a connection from those of a stream, so the frames that go out are looked at here.
final class HTTP2ConnectionEnder: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = IOData
  typealias OutboundOut = IOData

  /// How much is thrown away before a client that goes on sending is reset, in bytes.
  private static let maximumDiscard = 65_536

  private let patience: Duration
  /// What is still to come of the frame under way.
  private var remainingPayload = 0
  private var isEnding = false
  /// What was thrown away since GOAWAY.
  private var discardedByteCount = 0
  private var timer: DeadlineTimer?

  /// - Parameter patience: How long the client may take to close its half after GOAWAY.
  init(patience: Duration) { self.patience = patience }

  func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    if case .byteBuffer(let bytes) = unwrapOutboundIn(data), !isEnding, hasError(bytes) {
      isEnding = true
      // Behind the flush that follows.
      context.eventLoop.assumeIsolated().execute { self.end(context) }
    }
    context.write(data, promise: promise)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard isEnding else {
      context.fireChannelRead(data)
      return
    }
    discardedByteCount += unwrapInboundIn(data).readableBytes
    if discardedByteCount > Self.maximumDiscard { context.channel.reset() }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if (event as? ChannelEvent) == .inputClosed {
      context.close(promise: nil)
    } else {
      context.fireUserInboundEventTriggered(event)
    }
  }

  /// Closes without a reset, which could overtake GOAWAY: what the client still sends is taken for a while.
  private func end(_ context: ChannelHandlerContext) {
    guard context.channel.isActive else { return }
    timer = DeadlineTimer(on: context.eventLoop) { context.channel.reset() }
    timer?.set(after: patience)
    let promise = context.eventLoop.makePromise(of: Void.self)
    promise.futureResult.assumeIsolated().whenFailure { _ in context.close(promise: nil) }
    context.close(mode: .output, promise: promise)
  }

  private enum Frame {
    static let headerByteCount = 9
    static let goAway: UInt8 = 7
    /// Where the error code of GOAWAY stands behind the header.
    static let errorOffset = 4
  }

  /// Whether there is a GOAWAY with an error in `bytes`, which begin where the last ones ended. Headers are never cut.
  private func hasError(_ bytes: ByteBuffer) -> Bool {
    var position = bytes.readerIndex
    while position < bytes.writerIndex {
      if remainingPayload > 0 {
        let count = min(remainingPayload, bytes.writerIndex - position)
        remainingPayload -= count
        position += count
        continue
      }
      guard let lengthAndType = bytes.getInteger(at: position, as: UInt32.self) else { return false }
      remainingPayload = Int(lengthAndType >> 8)
      position += Frame.headerByteCount
      if UInt8(truncatingIfNeeded: lengthAndType) == Frame.goAway,
        let code = bytes.getInteger(at: position + Frame.errorOffset, as: UInt32.self), code != 0
      {
        return true
      }
    }
    return false
  }
}
