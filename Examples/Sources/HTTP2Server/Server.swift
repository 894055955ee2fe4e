import Martlet
import MartletNIO
import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOSSL
import SelfSigned

/// Answers every request with a greeting; the stream's codec has made HTTP/2 look like HTTP/1 to it.
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
      let head = HTTPResponseHead(version: .http2, status: .ok, headers: ["content-length": "\(body.readableBytes)"])
      context.write(wrapOutboundOut(.head(head)), promise: nil)
      context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
      context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
  }
}

/// Listens on port 443 and speaks HTTP/2 with whoever offers `h2` in the TLS handshake, else HTTP/1.1.
func listen(on host: VirtualHost) async throws -> any Channel {
  var configuration = try SelfSigned.serverConfiguration()
  configuration.applicationProtocols = NIOHTTP2SupportedALPNProtocols
  let context = try NIOSSLContext(configuration: configuration)
  return try await MartletServerBootstrap(host: host)
    .childChannelInitializer { channel in
      channel.eventLoop.makeCompletedFuture {
        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
      }.flatMap {
        channel.configureCommonHTTPServerPipeline { stream in
          stream.eventLoop.makeCompletedFuture { try stream.pipeline.syncOperations.addHandler(Greeter()) }
        }
      }
    }
    .bind(host: "0.0.0.0", port: 443).get()
}
