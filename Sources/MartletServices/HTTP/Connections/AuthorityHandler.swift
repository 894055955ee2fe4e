import NIOCore
import NIOHPACK
import NIOHTTP2

/// Makes `:authority` the one name that an HTTP/2 request asks for (RFC 9113 section 8.3.1).
///
/// The codec behind it takes a Host field for the name even where `:authority` says another, and knows no request that has
/// a Host field alone.
final class AuthorityHandler: ChannelInboundHandler {
  typealias InboundIn = HTTP2Frame.FramePayload
  typealias InboundOut = HTTP2Frame.FramePayload

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard case .headers(var frame) = unwrapInboundIn(data), let host = frame.headers.first(name: "host") else {
      context.fireChannelRead(data)
      return
    }
    if let authority = frame.headers.first(name: ":authority") {
      // Two names are refused later on, as two Host fields are.
      if authority != host { frame.headers.add(name: "host", value: authority) }
    } else if frame.headers.contains(name: ":method") {
      frame.headers.add(name: ":authority", value: host)
    }
    context.fireChannelRead(wrapInboundOut(.headers(frame)))
  }
}
