import Martlet
import MartletCore
import MartletNIO
import MartletWire
import NIOCore
import NIOHTTP1
import Testing

@testable import MartletLab

/// Answers every request with its path, so many times.
private final class Repeater: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart
  private var path = ""

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): path = head.uri
    case .body: break
    case .end:
      let body = ByteBuffer(string: String(repeating: path, count: 2_000))
      let headers = HTTPHeaders([("content-length", "\(body.readableBytes)")])
      context.write(
        wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .ok, headers: headers))), promise: nil)
      context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
      context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
  }
}

/// Asks one after another, and counts the bytes of the answers.
private final class Asker: ChannelInboundHandler {
  typealias InboundIn = HTTPClientResponsePart
  typealias OutboundOut = HTTPClientRequestPart
  private var paths: [String]
  private let answer: EventLoopPromise<[Int]>
  private var counts: [Int] = []

  init(_ paths: [String], _ answer: EventLoopPromise<[Int]>) {
    self.paths = paths
    self.answer = answer
  }

  func channelActive(context: ChannelHandlerContext) { ask(context) }

  private func ask(_ context: ChannelHandlerContext) {
    guard !paths.isEmpty else {
      answer.succeed(counts)
      context.close(promise: nil)
      return
    }
    counts.append(0)
    let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: paths.removeFirst(), headers: ["host": "server"])
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head: break
    case .body(let body): counts[counts.count - 1] += body.readableBytes
    case .end: ask(context)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    answer.fail(error)
    context.close(promise: nil)
  }
}

@Suite("SwiftNIO in a world")
struct NIOTests {
  private static func listen(on host: VirtualHost) async throws -> any Channel {
    try await MartletServerBootstrap(host: host)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.configureHTTPServerPipeline()
          try channel.pipeline.syncOperations.addHandler(Repeater())
        }
      }
      .bind(host: "0.0.0.0", port: 80).get()
  }

  private static func ask(_ paths: [String], from host: VirtualHost) async throws -> [Int] {
    let promise = host.loop.eventLoop.makePromise(of: [Int].self)
    let channel = try await MartletClientBootstrap(host: host)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHTTPClientHandlers()
          try channel.pipeline.syncOperations.addHandler(Asker(paths, promise))
        }
      }
      .connect(host: "192.0.2.2", port: 80).get()
    let counts = try await promise.futureResult.get()
    try await channel.closeFuture.get()
    return counts
  }

  @Test("An HTTP server and client of NIO's run unchanged over a lossy line, and the same seed leaves the same behind")
  func http() throws {
    var fingerprints: [UInt64] = []
    for seed: UInt64 in [4, 4, 5] {
      var line = LinkDirection(rate: 5_000_000, delay: .milliseconds(10))
      line.loss = .random(0.03)
      let pair = try Pair(line, back: line, seed: seed)
      let left = pair.left
      try pair.world.application(on: "right") { try await Self.listen(on: $0).closeFuture.get() }
      let counts = try pair.world.runAndWait { try await Self.ask(["/one", "/three", "/"], from: left) }
      #expect(counts == [8_000, 12_000, 2_000])
      let recording = pair.world.finish()
      #expect(recording.frames.contains { $0.isLost })
      fingerprints.append(recording.fingerprint)
    }
    #expect(fingerprints[0] == fingerprints[1])
    #expect(fingerprints[0] != fingerprints[2])
  }

  @Test("Channels of a host that crashes are closed, and its program begins anew when it restarts")
  func crash() throws {
    let line = LinkDirection(delay: .milliseconds(1))
    let pair = try Pair(line, back: line)
    let (world, left) = (pair.world, pair.left)
    let ends = Ends()
    try world.application(on: "right") { host in
      let channel = try await Self.listen(on: host)
      ends.begun += 1
      try await channel.closeFuture.get()
      ends.ended += 1
    }
    let counts = try world.runAndWait { () -> [Int] in
      _ = try await Self.ask(["/one"], from: left)
      try world.apply(.crash("right"))
      try await left.loop.clock.sleep(for: .seconds(1))
      try world.apply(.restart("right"))
      return try await Self.ask(["/two"], from: left)
    }
    #expect(counts == [8_000])
    #expect(ends.begun == 2)
    #expect(ends.ended == 1)
    _ = world.finish()
  }

  /// Counted on the world's thread.
  private final class Ends: @unchecked Sendable {
    var begun = 0
    var ended = 0
  }
}
