import NIOCore
import NIOHTTP1

/// Answers the one request of an HTTP/2 stream.
final class HTTP2StreamHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private enum State {
    case waiting
    case receiving(HTTPRequestHead)
    /// Answered, though the request has not ended.
    case answeredEarly
    case done
  }

  private let service: HTTPService
  private let sender: ResponseSender
  private var state = State.waiting
  private var contentCount: Int64 = 0
  private var timer: DeadlineTimer?

  init(_ service: HTTPService, sender: ResponseSender) {
    self.service = service
    self.sender = sender
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch (unwrapInboundIn(data), state) {
    case (.head(let head), .waiting):
      state = .receiving(head)
      if Self.size(of: head) > service.limits.headerSize || head.headers.count > service.limits.headerFields {
        answerEarly(service.responder.errorPage(.requestHeaderFieldsTooLarge, head), to: head, context)
      }
      watch(context)
    case (.body(let bytes), .receiving(let head)):
      contentCount += Int64(bytes.readableBytes)
      if contentCount > service.limits.contentSize {
        answerEarly(service.responder.errorPage(.payloadTooLarge, head), to: head, context)
      }
    case (.end, .receiving(let head)):
      finishReceiving()
      send(answer(to: head), to: head, context)
    case (.end, .answeredEarly): finishReceiving()
    default: break
    }
  }

  /// As SETTINGS_MAX_HEADER_LIST_SIZE counts (RFC 9113 section 6.5.2).
  private static func size(of head: HTTPRequestHead) -> Int {
    head.headers.reduce(head.uri.utf8.count) { $0 + $1.name.utf8.count + $1.value.utf8.count + 32 }
  }

  private func finishReceiving() {
    state = .done
    timer?.cancel()
    timer = nil
  }

  // MARK: Time

  /// The content of a request has to come in time.
  private func watch(_ context: ChannelHandlerContext) {
    timer = DeadlineTimer(on: context.eventLoop) { [weak self] in self?.isLate(context) }
    timer?.set(after: service.limits.contentTime)
  }

  private func isLate(_ context: ChannelHandlerContext) {
    service.metrics.reached(.contentTime)
    switch state {
    case .receiving(let head):
      answerEarly(service.responder.errorPage(.requestTimeout, head), to: head, context)
      timer?.set(after: service.limits.contentTime)
    case .answeredEarly: context.close(promise: nil)
    case .waiting, .done: break
    }
  }

  // MARK: Answers

  private func answer(to head: HTTPRequestHead) -> PlannedResponse {
    let hosts = head.headers["host"]
    guard hosts.count == 1, FieldSyntax.isHost(hosts[0]) else {
      return service.responder.errorPage(.badRequest, head, reason: "the authority is missing or malformed")
    }
    // The absolute form would name another authority (RFC 9113 section 8.3.1).
    guard head.uri.utf8.first == UInt8(ascii: "/") || head.uri == "*" else {
      return service.responder.errorPage(.badRequest, head, reason: "the path does not begin with a slash")
    }
    // NIOHTTP2 checks the rest of a field, but not this (RFC 9113 section 8.2.1).
    let hasBlanks = head.headers.contains { Self.isBlank($0.value.utf8.first) || Self.isBlank($0.value.utf8.last) }
    guard !hasBlanks else {
      return service.responder.errorPage(.badRequest, head, reason: "a field value begins or ends with a blank")
    }
    guard head.uri.utf8.count <= service.limits.requestLineSize else {
      return service.responder.errorPage(.uriTooLong, head)
    }
    return service.responder.response(to: head, now: sender.now.date)
  }

  private static func isBlank(_ byte: UInt8?) -> Bool { byte == 0x20 || byte == 0x09 }

  /// Answers what has not come to its end; the rest of it is thrown away.
  private func answerEarly(_ answer: PlannedResponse, to head: HTTPRequestHead, _ context: ChannelHandlerContext) {
    state = .answeredEarly
    send(answer, to: head, context)
  }

  private func send(_ answer: PlannedResponse, to head: HTTPRequestHead, _ context: ChannelHandlerContext) {
    sender.send(answer, to: head, closes: false, context: context) { ending in
      // Closed before its end the stream is reset, which tells the client that the answer is not whole.
      if ending == .broken { self.closeSoon(context) }
    }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    sender.pump(context)
    context.fireChannelWritabilityChanged()
  }

  func channelInactive(context: ChannelHandlerContext) {
    finishReceiving()
    sender.channelInactive(context)
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { closeSoon(context) }

  /// Closes the stream, which resets it, unless NIOHTTP2 is about to do so with the code that is due.
  private func closeSoon(_ context: ChannelHandlerContext) {
    context.eventLoop.assumeIsolated().execute { context.close(promise: nil) }
  }
}
