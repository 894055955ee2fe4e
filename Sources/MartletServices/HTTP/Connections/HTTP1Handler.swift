import Martlet
import MartletNIO
import NIOCore
import NIOHTTP1

/// Answers the requests of one HTTP/1 connection in the order in which they came (RFC 9112 section 9.3.2).
///
/// While an answer is under way nothing is read, so that a client that asks without listening waits in its own buffers.
final class HTTP1Handler: ChannelDuplexHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = Never
  typealias OutboundIn = HTTPServerResponsePart
  typealias OutboundOut = HTTPServerResponsePart

  private enum Item {
    case request(HTTPRequestHead, isLast: Bool)
    case rejection(RequestRejection)
  }

  private let service: HTTPService
  private let preflight: PreflightHandler
  private let sender: ResponseSender
  private var queue = CircularBuffer<Item>()
  private var requestUnderWay: HTTPRequestHead?
  /// Requests that were read to their end, and requests that were taken up to be answered.
  private var receivedCount = 0
  private var servedCount = 0
  private var rejected: RejectedRequest?
  /// No request after the ones in the queue: the client said so, or the server stops.
  private var isLast = false
  private var isClosing = false
  private var hasPendingRead = false
  private var lingering: DeadlineTimer?

  init(_ service: HTTPService, preflight: PreflightHandler, sender: ResponseSender) {
    self.service = service
    self.preflight = preflight
    self.sender = sender
    preflight.shortcut = self
    sender.whenSettled = { [weak self] in
      if let self, !isBusy { preflight.setAnswering(0) }
    }
  }

  private var isBusy: Bool { sender.isBusy || !queue.isEmpty }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      if Self.waitsForContinue(head) {
        // The final answer serves as well as 100 (RFC 9110 section 10.1.1); whether content follows is not known then.
        queue.append(.request(head, isLast: true))
        serve(context)
      } else {
        requestUnderWay = head
      }
    case .body: break
    case .end:
      guard let head = requestUnderWay else { return }
      requestUnderWay = nil
      receivedCount += 1
      if !isClosing { queue.append(.request(head, isLast: false)) }
      queueRejectionIfDue()
      serve(context)
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case let event as RejectedRequest:
      rejected = event
      queueRejectionIfDue()
      serve(context)
    case is ChannelShouldQuiesceEvent:
      isLast = true
      if !isBusy { finish(context) }
    case let event as ChannelEvent where event == .inputClosed:
      isLast = true
      if !isBusy { finish(context) }
    default: context.fireUserInboundEventTriggered(event)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // The decoder found what the preflight let through, or the connection broke.
    guard error is HTTPParserError, !isClosing else {
      context.close(promise: nil)
      return
    }
    if isLast && !isBusy { return }
    queue.append(.rejection(RequestRejection(.badRequest, "the request is malformed")))
    serve(context)
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    sender.pump(context)
    context.fireChannelWritabilityChanged()
  }

  func channelInactive(context: ChannelHandlerContext) {
    isClosing = true
    queue.removeAll()
    lingering?.cancel()
    sender.channelInactive(context)
    context.fireChannelInactive()
  }

  func read(context: ChannelHandlerContext) {
    if isBusy && !isClosing { hasPendingRead = true } else { context.read() }
  }

  private static func waitsForContinue(_ head: HTTPRequestHead) -> Bool {
    head.version == .http1_1 && head.headers["expect"].contains { $0.lowercased() == "100-continue" }
      && (head.headers.contains(name: "transfer-encoding")
        || head.headers.first(name: "content-length").map { $0 != "0" } ?? false)
  }

  private func queueRejectionIfDue() {
    guard let rejected, rejected.requestCount <= receivedCount else { return }
    self.rejected = nil
    if !isClosing { queue.append(.rejection(rejected.rejection)) }
  }

  // MARK: Answers

  private func serve(_ context: ChannelHandlerContext) {
    guard !sender.isBusy, !isClosing else { return }
    guard let item = queue.popFirst() else {
      if sender.isSettled { preflight.setAnswering(0) }
      if isLast {
        finish(context)
      } else if hasPendingRead {
        hasPendingRead = false
        context.read()
      }
      return
    }
    preflight.setAnswering(1)
    switch item {
    case .rejection(let rejection):
      service.metrics.rejectedRequest()
      var answer = service.responder.errorPage(rejection.status, nil, reason: rejection.reason)
      if rejection.status == .methodNotAllowed { answer.headers.add(name: "Allow", value: "GET, HEAD") }
      send(answer, to: nil, closes: true, context)
    case .request(let head, let endsConnection):
      servedCount += 1
      if servedCount >= service.limits.requestsPerConnection { service.metrics.reached(.requests) }
      let closes =
        endsConnection || !head.isKeepAlive || servedCount >= service.limits.requestsPerConnection
        || (isLast && queue.isEmpty)
      let expectations = head.headers["expect"]
      if head.version == .http1_1, !expectations.isEmpty,
        !expectations.allSatisfy({ $0.lowercased() == "100-continue" })
      {
        send(service.responder.errorPage(.expectationFailed, head), to: head, closes: closes, context)
      } else {
        let now = sender.now
        let answer = service.responder.response(to: head, now: now.date)
        if !closes { keep(answer, to: head, at: now, context) }
        send(answer, to: head, closes: closes || answer.endsConnection, context)
      }
    }
  }

  private func send(
    _ answer: PlannedResponse, to request: HTTPRequestHead?, closes: Bool, _ context: ChannelHandlerContext
  ) {
    sender.send(answer, to: request, closes: closes, context: context) { ending in
      if ending == .broken {
        self.isClosing = true
        context.channel.reset()
      } else if closes {
        self.linger(context)
      } else {
        self.serve(context)
      }
    }
  }

  /// Ends the connection when all that was written was taken: the client has said its last, or the server has.
  private func finish(_ context: ChannelHandlerContext) {
    if isClosing { return }
    if sender.isSettled { context.close(promise: nil) } else { linger(context) }
  }

  /// Ends the connection so that the answer arrives: what the client still sends is taken for a while, since closing with
  /// unread bytes resets the connection (RFC 9112 section 9.6).
  private func linger(_ context: ChannelHandlerContext) {
    isClosing = true
    queue.removeAll()
    isLast = true
    let promise = context.eventLoop.makePromise(of: Void.self)
    promise.futureResult.assumeIsolated().whenComplete { result in
      switch result {
      case .success:
        // Not before: a slow client may need long for what waits in front of the end.
        let lingering = DeadlineTimer(on: context.eventLoop) { context.close(promise: nil) }
        lingering.set(after: .seconds(2))
        self.lingering = lingering
        context.read()
      case .failure: context.close(promise: nil)
      }
    }
    context.close(mode: .output, promise: promise)
  }
}

// MARK: - Requests that come again

extension HTTP1Handler: RequestShortcut {
  func answer(_ request: ByteBuffer, _ context: ChannelHandlerContext) -> Bool {
    guard let answers = service.answers, !isBusy, !isClosing, !isLast, requestUnderWay == nil, rejected == nil,
      servedCount + 1 < service.limits.requestsPerConnection, sender.isSettled, context.channel.isWritable
    else { return false }
    let now = sender.now
    guard let answer = answers.answer(to: request, at: now) else { return false }
    receivedCount += 1
    servedCount += 1
    sender.send(answer, at: now, past: context)
    if !sender.isSettled { preflight.setAnswering(1) }
    return true
  }

  private func keep(
    _ answer: PlannedResponse, to head: HTTPRequestHead, at now: WallClock, _ context: ChannelHandlerContext
  ) {
    // How long something is kept is measured by the system's clock, on which nothing in virtual time may depend.
    guard let answers = service.answers, let request = preflight.soleRequest, head.method == .GET,
      head.version == .http1_1, !sender.isTimeVirtual
    else { return }
    let isFirst = answers.count == 0
    answers.learn(answer, to: request, sender.record(of: head, answer, at: now.date), at: now)
    guard isFirst, answers.count > 0 else { return }
    // Files are not kept open for those who never come again.
    context.eventLoop.scheduleTask(in: .seconds(5)) { answers.clear() }
  }
}
