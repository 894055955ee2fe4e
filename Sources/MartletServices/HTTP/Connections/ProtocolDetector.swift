import NIOCore

/// Finds out by the first bytes of a plain connection whether it speaks HTTP/2 (RFC 9113 section 3.3).
final class ProtocolDetector: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer

  /// The beginning of an HTTP/2 connection, as far as no HTTP/1 request has it.
  private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

  private let patience: Duration
  private let configure: (_ isHTTP2: Bool) throws -> Void
  private var buffer = ByteBuffer()
  private var isDecided = false
  private var timer: DeadlineTimer?

  /// - Parameter configure: Adds the handlers for the protocol behind this one.
  init(patience: Duration, configure: @escaping (_ isHTTP2: Bool) throws -> Void) {
    self.patience = patience
    self.configure = configure
  }

  func handlerAdded(context: ChannelHandlerContext) {
    timer = DeadlineTimer(on: context.eventLoop) { context.close(promise: nil) }
    timer?.set(after: patience)
  }

  func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

  func channelInactive(context: ChannelHandlerContext) {
    timer?.cancel()
    context.fireChannelInactive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    if isDecided {
      context.fireChannelRead(data)
      return
    }
    buffer.writeBuffer(&bytes)
    let view = buffer.readableBytesView
    let isPossible = zip(view, Self.preface).allSatisfy { $0 == $1 }
    if isPossible && view.count < Self.preface.count { return }
    isDecided = true
    do {
      try configure(isPossible)
    } catch {
      context.close(promise: nil)
      return
    }
    context.fireChannelRead(wrapInboundOut(buffer))
    context.fireChannelReadComplete()
    buffer = ByteBuffer()
    context.pipeline.syncOperations.removeHandler(self, promise: nil)
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    let ends = event is ChannelShouldQuiesceEvent || (event as? ChannelEvent) == .inputClosed
    if !isDecided && ends { context.close(promise: nil) } else { context.fireUserInboundEventTriggered(event) }
  }
}
