import Martlet
import MartletNIO
import NIOCore
import NIOExtras
import NIOHTTP1
import ServiceLifecycle

/// Thinks for a second about every request.
final class SlowGreeter: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard case .end = unwrapInboundIn(data) else { return }
    context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) {
      let body = ByteBuffer(string: "That was hard.")
      let headers: HTTPHeaders = ["content-length": "\(body.readableBytes)"]
      let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: headers)
      context.write(self.wrapOutboundOut(.head(head)), promise: nil)
      context.write(self.wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
      context.writeAndFlush(self.wrapOutboundOut(.end(nil)), promise: nil)
    }
  }
}

/// A server that a `ServiceGroup` runs. Asked to end, it takes no more connections and finishes what it has begun.
struct SlowServer: Service {
  let host: VirtualHost

  func run() async throws {
    let quiescing = ServerQuiescingHelper(group: host.loop.eventLoop)
    let listener = try await MartletServerBootstrap(host: host)
      .serverChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(quiescing.makeServerChannelHandler(channel: channel))
        }
      }
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.configureHTTPServerPipeline()
          try channel.pipeline.syncOperations.addHandler(SlowGreeter())
        }
      }
      .bind(host: "0.0.0.0", port: 80).get()
    let end = host.loop.eventLoop.makePromise(of: Void.self)
    try await withGracefulShutdownHandler {
      try await end.futureResult.get()
    } onGracefulShutdown: {
      quiescing.initiateShutdown(promise: end)
    }
    precondition(!listener.isActive, "a server that has ended still listens")
  }
}
