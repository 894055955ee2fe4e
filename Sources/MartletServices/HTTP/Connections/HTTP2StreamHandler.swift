import NIOCore
import NIOHTTP1

/// Answers the one request of an HTTP/2 stream.
final class HTTP2StreamHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let service: HTTPService
  private let sender: ResponseSender
  private var head: HTTPRequestHead?
  private var contentCount: Int64 = 0

  init(_ service: HTTPService, sender: ResponseSender) {
    self.service = service
    self.sender = sender
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): self.head = head
    case .body(let bytes):
      contentCount += Int64(bytes.readableBytes)
      if contentCount > service.limits.contentSize, let head {
        self.head = nil
        send(service.responder.plainError(.payloadTooLarge, head), to: head, context)
      }
    case .end:
      guard let head else { return }
      self.head = nil
      send(answer(to: head), to: head, context)
    }
  }

  private func answer(to head: HTTPRequestHead) -> PlannedResponse {
    let hosts = head.headers["host"]
    guard hosts.count == 1, FieldSyntax.isHost(hosts[0]) else {
      return service.responder.plainError(.badRequest, head, reason: "the authority is missing or malformed")
    }
    guard head.uri.utf8.count <= service.limits.requestLineSize else {
      return service.responder.plainError(.uriTooLong, head)
    }
    return service.responder.response(to: head, now: HTTPService.now)
  }

  private func send(_ answer: PlannedResponse, to head: HTTPRequestHead, _ context: ChannelHandlerContext) {
    sender.send(answer, to: head, closes: false, context: context) { ending in
      // Closed before its end the stream is reset, which tells the client that the answer is not whole.
      if ending == .broken { context.close(promise: nil) }
    }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    sender.pump(context)
    context.fireChannelWritabilityChanged()
  }

  func channelInactive(context: ChannelHandlerContext) {
    sender.channelInactive(context)
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
