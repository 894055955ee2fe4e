import NIOCore
import NIOHTTP1

/// Tells the end of a pipeline that a request is refused, once `requestCount` requests have been answered.
struct RejectedRequest: Sendable {
  var rejection: RequestRejection
  var requestCount: Int
}

/// Answers requests by their bytes alone.
protocol RequestShortcut: AnyObject {
  /// Whether the answer to the one request that `request` is was known and is on its way through `context`.
  func answer(_ request: ByteBuffer, _ context: ChannelHandlerContext) -> Bool
}

/// Lets only well-formed requests of a bounded size through, and only in bounded time.
final class PreflightHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer

  private enum Waiting { case nothing, firstRequest, request, head, content }

  private let service: HTTPService
  private var preflight: RequestPreflight
  private var buffer = ByteBuffer()
  private var isOver = false
  private var requestCount = 0
  /// Answers that are still to be finished; meanwhile the client is not waited for.
  private var answerCount = 0
  /// Who may know the answer to a request by its bytes alone.
  weak var shortcut: (any RequestShortcut)?
  /// The request that goes on, if it is all that was read and has no content.
  private(set) var soleRequest: ByteBuffer?
  private var waiting = Waiting.nothing
  private var timer: DeadlineTimer?

  init(_ service: HTTPService) {
    self.service = service
    let limits = service.limits
    preflight = RequestPreflight(
      limits: RequestPreflight.Limits(
        requestLine: limits.requestLineSize, fields: limits.headerSize, fieldCount: limits.headerFields,
        content: limits.contentSize))
  }

  func handlerAdded(context: ChannelHandlerContext) {
    timer = DeadlineTimer(on: context.eventLoop) { [weak self] in self?.isLate(context) }
    watch()
  }

  func handlerRemoved(context: ChannelHandlerContext) { end() }

  func channelInactive(context: ChannelHandlerContext) {
    end()
    context.fireChannelInactive()
  }

  private func end() {
    isOver = true
    timer?.cancel()
    timer = nil
  }

  /// The answers to all requests so far are finished, or no longer.
  func setAnswering(_ count: Int) {
    answerCount = count
    watch()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    if isOver { return }
    if buffer.readableBytes == 0 {
      if answerCount == 0, preflight.phase == .head, shortcut?.answer(bytes, context) == true {
        requestCount += 1
        // The time for the next request begins anew.
        waiting = .nothing
        watch()
        return
      }
      buffer = bytes
    } else {
      buffer.writeBuffer(&bytes)
    }
    examine(context)
    watch()
  }

  private func examine(_ context: ChannelHandlerContext) {
    while !isOver {
      let wasHead = preflight.phase == .head
      switch preflight.next(&buffer) {
      case .more:
        if buffer.readableBytes == 0 { buffer.clear() } else { buffer.discardReadBytes() }
        return
      case .pass(let bytes, let completes):
        if completes { requestCount += 1 }
        if completes, wasHead, buffer.readableBytes == 0 { soleRequest = bytes }
        context.fireChannelRead(wrapInboundOut(bytes))
        soleRequest = nil
      case .reject(let rejection): reject(rejection, context)
      }
    }
  }

  private func reject(_ rejection: RequestRejection, _ context: ChannelHandlerContext) {
    end()
    buffer = ByteBuffer()
    context.fireUserInboundEventTriggered(RejectedRequest(rejection: rejection, requestCount: requestCount))
  }

  // MARK: Time

  private func watch() {
    let now: Waiting =
      if isOver { .nothing } else if preflight.phase != .head { .content } else if buffer.readableBytes > 0 {
        .head
      } else if answerCount > 0 { .nothing } else { requestCount == 0 ? .firstRequest : .request }
    if now == waiting { return }
    waiting = now
    switch now {
    case .nothing: timer?.clear()
    case .firstRequest, .head: timer?.set(after: service.limits.headerTime)
    case .request: timer?.set(after: service.limits.idleTime)
    case .content: timer?.set(after: service.limits.contentTime)
    }
  }

  private func isLate(_ context: ChannelHandlerContext) {
    switch waiting {
    case .nothing: break
    case .firstRequest, .request:
      // Nobody asked for anything: there is nothing to answer.
      service.metrics.reached(waiting == .request ? .idleTime : .headerTime)
      end()
      context.close(promise: nil)
    case .head:
      service.metrics.reached(.headerTime)
      reject(RequestRejection(.requestTimeout, "the header took too long"), context)
    case .content:
      service.metrics.reached(.contentTime)
      reject(RequestRejection(.requestTimeout, "the content took too long"), context)
    }
  }
}
