import Martlet
import MartletNIO
import MartletWire
import NIOCore
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// What a channel tells its pipeline, and in which order.
@Suite struct EventOrderTests {
  static let wholeLife = ["registered", "active", "read hello", "read complete", "inactive", "unregistered"]

  @Test("A channel is registered, active, reads, is inactive and unregistered, in this order", arguments: Pair.times)
  func wholeLife(_ time: Loop.Time) async throws {
    let pair = try Pair(time)
    let log = Log()
    try await pair.loop.run {
      _ = try await pair.listen(noting: log)
      let socket = try await pair.client.connect(to: "10.0.0.2:80")
      try await socket.write("hello")
      #expect(try await pair.wait { log.all.contains("read complete") })
      socket.close()
      #expect(try await pair.wait { log.all.contains("unregistered") })
    }
    // The end of the stream is a read that is complete as well.
    #expect(log.all.filter { $0 != "read complete" } == Self.wholeLife.filter { $0 != "read complete" })
    #expect(Array(log.all.prefix(4)) == Array(Self.wholeLife.prefix(4)))
    pair.loop.shutdown()
  }

  @Test("A client's channel is registered and active as a server's is", arguments: Pair.times)
  func clientLife(_ time: Loop.Time) async throws {
    let pair = try Pair(time)
    let log = Log()
    try await pair.loop.run {
      _ = try await pair.listen(noting: Log())
      let channel = try await pair.connect(noting: log)
      #expect(channel.isActive)
      #expect(channel.remoteAddress?.port == 80)
      #expect(channel.localAddress?.ipAddress == "10.0.0.1")
      try await channel.close().get()
      #expect(!channel.isActive)
      try await channel.closeFuture.get()
      #expect(channel.remoteAddress == nil)
    }
    #expect(log.all == ["registered", "active", "inactive", "unregistered"])
    pair.loop.shutdown()
  }

  @Test("With remote half-closure the end of input is an event, and output goes on", arguments: Pair.times)
  func halfClosure(_ time: Loop.Time) async throws {
    let pair = try Pair(time)
    let log = Log()
    try await pair.loop.run {
      let server = try await MartletServerBootstrap(host: pair.server)
        .childChannelOption(.allowRemoteHalfClosure, value: true)
        .childChannelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandlers(Recorder(log), AnswerAtEnd())
          }
        }
        .bind(host: "0.0.0.0", port: 80).get()
      let socket = try await pair.client.connect(to: "10.0.0.2:80")
      try await socket.write("question")
      try socket.shutdownWrite()
      #expect(try await socket.readToEnd() == Array("answer".utf8))
      #expect(try await pair.wait { log.all.contains("unregistered") })
      try await server.close().get()
    }
    let told = log.all.filter { $0 != "read complete" }
    #expect(told == ["registered", "active", "read question", "input closed", "inactive", "unregistered"])
    pair.loop.shutdown()
  }

  @Test("Without remote half-closure the end of input closes the channel", arguments: Pair.times)
  func noHalfClosure(_ time: Loop.Time) async throws {
    let pair = try Pair(time)
    let log = Log()
    try await pair.loop.run {
      _ = try await pair.listen(noting: log)
      let socket = try await pair.client.connect(to: "10.0.0.2:80")
      try socket.shutdownWrite()
      #expect(try await socket.readToEnd().isEmpty)
    }
    #expect(log.all == ["registered", "active", "read complete", "inactive", "unregistered"])
    pair.loop.shutdown()
  }

  @Test("A reset is an error, and then the channel is inactive", arguments: Pair.times)
  func reset(_ time: Loop.Time) async throws {
    let pair = try Pair(time)
    let log = Log()
    try await pair.loop.run {
      _ = try await pair.listen(noting: log)
      let socket = try await pair.client.connect(to: "10.0.0.2:80")
      #expect(try await pair.wait { log.all.contains("active") })
      socket.abort()
      #expect(try await pair.wait { log.all.contains("unregistered") })
    }
    #expect(log.all == ["registered", "active", "error \(ECONNRESET)", "inactive", "unregistered"])
    pair.loop.shutdown()
  }

  @Test("A channel that does not read still learns that its peer has ended, after all that it sent")
  func endWithoutReading() async throws {
    let pair = try Pair()
    let log = Log()
    try await pair.loop.run {
      _ = try await pair.listen(noting: log) { channel in try channel.syncOptions?.setOption(.autoRead, value: false) }
      let socket = try await pair.client.connect(to: "10.0.0.2:80")
      try await socket.write("last words")
      try await pair.settle()
      #expect(log.all == ["registered", "active"])
      try socket.shutdownWrite()
      try await pair.settle()
    }
    #expect(
      log.all.filter { $0 != "read complete" } == [
        "registered", "active", "read last words", "inactive", "unregistered",
      ])
    pair.loop.shutdown()
  }

  @Test("The close future comes after the pipeline was told, and never fails")
  func closeFuture() async throws {
    let pair = try Pair()
    let log = Log()
    try await pair.loop.run {
      _ = try await pair.listen(noting: Log())
      let channel = try await pair.connect(noting: log)
      channel.closeFuture.whenSuccess { log.note("close future") }
      channel.close(promise: nil)
      try await channel.closeFuture.get()
    }
    #expect(log.all.suffix(3) == ["inactive", "unregistered", "close future"])
    pair.loop.shutdown()
  }

  @Test("A handler may close the channel in every callback, and is told no more than that it ended")
  func closeInCallbacks() async throws {
    for moment in ["active", "read", "read complete"] {
      let pair = try Pair()
      let log = Log()
      try await pair.loop.run {
        _ = try await pair.listen(noting: log) { channel in
          try channel.pipeline.syncOperations.addHandler(CloseAt(moment))
        }
        let socket = try await pair.client.connect(to: "10.0.0.2:80")
        try? await socket.write("hello")
        #expect(try await pair.wait { log.all.contains("unregistered") })
      }
      #expect(log.all.suffix(2) == ["inactive", "unregistered"])
      #expect(log.count(of: "inactive") == 1)
      pair.loop.shutdown()
    }
  }
}

/// Answers when the peer sends no more, and closes.
private final class AnswerAtEnd: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    guard case ChannelEvent.inputClosed = event else { return }
    let channel = context.channel
    context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "answer"))).whenComplete { _ in
      channel.close(promise: nil)
    }
  }
}

private final class CloseAt: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  private let moment: String

  init(_ moment: String) { self.moment = moment }

  func channelActive(context: ChannelHandlerContext) {
    context.fireChannelActive()
    if moment == "active" { context.close(promise: nil) }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    context.fireChannelRead(data)
    if moment == "read" { context.close(promise: nil) }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    context.fireChannelReadComplete()
    if moment == "read complete" { context.close(promise: nil) }
  }
}
