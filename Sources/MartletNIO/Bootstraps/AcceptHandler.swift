internal import NIOCore

/// Sets accepted channels up before they go live.
final class AcceptHandler: ChannelInboundHandler {
  typealias InboundIn = any Channel
  typealias InboundOut = any Channel

  private let options: ChannelOptions.Storage
  private let initializer: (@Sendable (any Channel) -> EventLoopFuture<Void>)?

  init(options: ChannelOptions.Storage, initializer: (@Sendable (any Channel) -> EventLoopFuture<Void>)?) {
    self.options = options
    self.initializer = initializer
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let child = unwrapInboundIn(data)
    guard context.channel.isActive else { return child.close(promise: nil) }
    let done = options.applyAllChannelOptions(to: child).flatMap { [initializer] in
      initializer?(child) ?? child.eventLoop.makeSucceededVoidFuture()
    }
    let context = NIOLoopBound(context, eventLoop: context.eventLoop)
    done.whenComplete { result in
      let context = context.value
      switch result {
      case .success:
        guard context.channel.isActive else { return child.close(promise: nil) }
        context.fireChannelRead(NIOAny(child))
      case .failure(let error):
        child.close(promise: nil)
        context.fireErrorCaught(error)
      }
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event is ChannelShouldQuiesceEvent {
      context.channel.close().assumeIsolated().whenFailure { error in context.fireErrorCaught(error) }
    }
    context.fireUserInboundEventTriggered(event)
  }
}
