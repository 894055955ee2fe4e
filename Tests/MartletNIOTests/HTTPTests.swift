import Martlet
import MartletNIO
import NIOCore
import NIOHTTP1
import Testing

/// Answers every request with its path.
private final class EchoPath: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart
  private var path = ""

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): path = head.uri
    case .body: break
    case .end:
      let body = ByteBuffer(string: "you asked for \(path)")
      let headers = HTTPHeaders([("content-length", "\(body.readableBytes)")])
      context.write(
        wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .ok, headers: headers))), promise: nil)
      context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
      context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
  }
}

/// Asks once, and tells what came.
private final class AskOnce: ChannelInboundHandler {
  typealias InboundIn = HTTPClientResponsePart
  typealias OutboundOut = HTTPClientRequestPart
  let path: String
  let answer: EventLoopPromise<String>
  private var text = ""

  init(_ path: String, _ answer: EventLoopPromise<String>) {
    self.path = path
    self.answer = answer
  }

  func channelActive(context: ChannelHandlerContext) {
    let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: path, headers: ["host": "server"])
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): text = "\(head.status.code) "
    case .body(let body): text += String(buffer: body)
    case .end:
      answer.succeed(text)
      context.close(promise: nil)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    answer.fail(error)
    context.close(promise: nil)
  }
}

@Suite struct HTTPTests {
  @Test("NIOHTTP1 serves a client over a wire, in either time", arguments: Pair.times)
  func helloHTTP(_ time: Loop.Time) async throws {
    let pair = try Pair(time)
    #expect(try await pair.ask("/hello") == "200 you asked for /hello")
    // ARP, the handshake, the question and the answer: a few times 20 ms of the wire's time, whatever the clock says.
    if pair.loop.isVirtual { #expect(pair.loop.now < Instant(nanoseconds: 150_000_000)) }
    pair.loop.shutdown()
  }

  @Test("The same seed gives the same times")
  func determinism() async throws {
    var times: Set<Instant> = []
    for _ in 0..<5 {
      let pair = try Pair()
      _ = try await pair.ask("/again")
      times.insert(pair.loop.now)
      pair.loop.shutdown()
    }
    #expect(times.count == 1)
  }
}

extension Pair {
  /// Serves one request over NIOHTTP1 on both sides, and gives the answer.
  fileprivate func ask(_ path: String) async throws -> String {
    try await loop.run { [self] in
      let listener = try await MartletServerBootstrap(host: server)
        .childChannelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.configureHTTPServerPipeline()
            try channel.pipeline.syncOperations.addHandler(EchoPath())
          }
        }
        .bind(host: "0.0.0.0", port: 80).get()
      let promise = loop.eventLoop.makePromise(of: String.self)
      let channel = try await MartletClientBootstrap(host: client)
        .channelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHTTPClientHandlers()
            try channel.pipeline.syncOperations.addHandler(AskOnce(path, promise))
          }
        }
        .connect(host: "server", port: 80).get()
      let answer = try await promise.futureResult.get()
      try await channel.closeFuture.get()
      try await listener.close().get()
      return answer
    }
  }
}
