import Martlet
import MartletNIO
import NIOCore
import NIOHTTP1

/// Answers every request with a greeting: an ordinary SwiftNIO handler, which knows nothing of Martlet.
final class Greeter: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart
  private var path = ""

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): path = head.uri
    case .body: break
    case .end:
      let body = ByteBuffer(string: "Hello from \(path)")
      let headers: HTTPHeaders = ["content-length": "\(body.readableBytes)", "content-type": "text/plain"]
      let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: headers)
      context.write(wrapOutboundOut(.head(head)), promise: nil)
      context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
      context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
  }
}

/// Listens on port 80. What differs from a server on the system's sockets is the name of the bootstrap.
func listen(on host: VirtualHost) async throws -> any Channel {
  try await MartletServerBootstrap(host: host)
    .childChannelInitializer { channel in
      channel.eventLoop.makeCompletedFuture {
        try channel.pipeline.syncOperations.configureHTTPServerPipeline()
        try channel.pipeline.syncOperations.addHandler(Greeter())
      }
    }
    .bind(host: "0.0.0.0", port: 80).get()
}
