import Martlet
import MartletNIO
import NIOCore
import Synchronization

/// What happened, in order, from any thread.
final class Log: Sendable {
  private let lines = Mutex<[String]>([])

  func note(_ line: String) { lines.withLock { $0.append(line) } }
  var all: [String] { lines.withLock { $0 } }
  func count(of line: String) -> Int { all.count { $0 == line } }
}

/// Notes every inbound event of a channel.
final class Recorder: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let log: Log
  private let reads: Bool

  /// - Parameter reads: Whether reads are noted, with their bytes.
  init(_ log: Log, reads: Bool = true) {
    self.log = log
    self.reads = reads
  }

  func channelRegistered(context: ChannelHandlerContext) {
    log.note("registered")
    context.fireChannelRegistered()
  }

  func channelUnregistered(context: ChannelHandlerContext) {
    log.note("unregistered")
    context.fireChannelUnregistered()
  }

  func channelActive(context: ChannelHandlerContext) {
    log.note("active")
    context.fireChannelActive()
  }

  func channelInactive(context: ChannelHandlerContext) {
    log.note("inactive")
    context.fireChannelInactive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if reads { log.note("read \(String(buffer: unwrapInboundIn(data)))") }
    context.fireChannelRead(data)
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    if reads { log.note("read complete") }
    context.fireChannelReadComplete()
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    log.note(context.channel.isWritable ? "writable" : "not writable")
    context.fireChannelWritabilityChanged()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case ChannelEvent.inputClosed: log.note("input closed")
    case ChannelEvent.outputClosed: log.note("output closed")
    default: log.note("event \(event)")
    }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if let error = error as? IOError { log.note("error \(error.errnoCode)") } else { log.note("error \(error)") }
    context.fireErrorCaught(error)
  }
}

/// Sends back what comes.
final class EchoHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    context.write(wrapOutboundOut(unwrapInboundIn(data)), promise: nil)
  }

  func channelReadComplete(context: ChannelHandlerContext) { context.flush() }
}

extension Pair {
  /// Listens at port 80 of the server, with ``Recorder``s that note in `log` in accepted channels, and options for those.
  func listen(
    noting log: Log, reads: Bool = true,
    _ setUp: @escaping @Sendable (any Channel) throws -> Void = { _ in }
  ) async throws -> any Channel {
    try await MartletServerBootstrap(host: server)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try setUp(channel)
          try channel.pipeline.syncOperations.addHandler(Recorder(log, reads: reads))
        }
      }
      .bind(host: "0.0.0.0", port: 80).get()
  }

  /// Connects a channel to port 80 of the server, with a ``Recorder``.
  func connect(
    noting log: Log, reads: Bool = true, _ setUp: @escaping @Sendable (any Channel) throws -> Void = { _ in }
  ) async throws -> any Channel {
    try await MartletClientBootstrap(host: client)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try setUp(channel)
          try channel.pipeline.syncOperations.addHandler(Recorder(log, reads: reads))
        }
      }
      .connect(host: Self.serverAddress, port: 80).get()
  }

  /// Lets everything happen that is under way: a second of a virtual loop's time, a moment of the system's.
  func settle() async throws { try await loop.clock.sleep(for: loop.isVirtual ? .seconds(1) : .milliseconds(50)) }

  /// Waits until `condition`, at most ten seconds of the loop's time.
  func wait(until condition: @escaping @Sendable () -> Bool) async throws -> Bool {
    for _ in 0..<1_000 {
      if condition() { return true }
      try await loop.clock.sleep(for: .milliseconds(10))
    }
    return condition()
  }
}

extension Channel {
  /// `writeAndFlush`, as a future in async code as well.
  func send(_ message: some Sendable) -> EventLoopFuture<Void> { writeAndFlush(message) }

  /// `close`, as a future in async code as well.
  func closing(_ mode: CloseMode) -> EventLoopFuture<Void> { close(mode: mode) }
}
