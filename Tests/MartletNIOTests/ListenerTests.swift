import Martlet
import MartletNIO
import MartletWire
import NIOCore
import NIOExtras
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Channels that listen, and what they accept.
@Suite struct ListenerTests {
  @Test("A listening channel has the port the host chose, and is active until it is closed")
  func bound() async throws {
    let pair = try Pair()
    let channel = try await MartletServerBootstrap(host: pair.server).bind(host: "10.0.0.2", port: 0).get()
    #expect(channel.isActive)
    #expect(channel.localAddress?.ipAddress == "10.0.0.2")
    #expect((channel.localAddress?.port ?? 0) > 0)
    #expect(channel.remoteAddress == nil)
    try await channel.close().get()
    #expect(!channel.isActive)
    pair.loop.shutdown()
  }

  @Test("An address is bound once, and only if the host has it")
  func refusedAddresses() async throws {
    let pair = try Pair()
    let bootstrap = MartletServerBootstrap(host: pair.server)
    _ = try await bootstrap.bind(host: "0.0.0.0", port: 80).get()
    let taken = await #expect(throws: IOError.self) { _ = try await bootstrap.bind(host: "0.0.0.0", port: 80).get() }
    #expect(taken?.errnoCode == EADDRINUSE)
    let strange = await #expect(throws: IOError.self) { _ = try await bootstrap.bind(host: "10.0.0.9", port: 80).get() }
    #expect(strange?.errnoCode == EADDRNOTAVAIL)
    let path = try NIOCore.SocketAddress(unixDomainSocketPath: "/tmp/none")
    await #expect(throws: SocketAddressError.self) { _ = try await bootstrap.bind(to: path).get() }
    pair.loop.shutdown()
  }

  @Test("An accepted channel has the listener for its parent, and both addresses", arguments: ["10.0.0.2", "fd00::2"])
  func children(_ address: String) async throws {
    let pair = try Pair()
    let log = Log()
    try await pair.loop.run {
      let listener = try await MartletServerBootstrap(host: pair.server)
        .childChannelInitializer { channel in
          log.note(channel.parent?.localAddress?.port == 80 ? "parent" : "no parent")
          log.note("\(channel.localAddress?.ipAddress ?? "") \(channel.remoteAddress?.ipAddress ?? "")")
          return channel.eventLoop.makeSucceededVoidFuture()
        }
        .bind(host: "::", port: 80).get()
      _ = try await MartletClientBootstrap(host: pair.client).connect(host: address, port: 80).get()
      #expect(try await pair.wait { log.all.count == 2 })
      try await listener.close().get()
    }
    #expect(log.all == ["parent", address == "fd00::2" ? "fd00::2 fd00::1" : "10.0.0.2 10.0.0.1"])
    pair.loop.shutdown()
  }

  @Test("A child whose initializer fails is closed, and the listener's pipeline is told")
  func failingChild() async throws {
    struct Unwilling: Error {}
    let pair = try Pair()
    let log = Log()
    try await pair.loop.run {
      _ = try await MartletServerBootstrap(host: pair.server)
        .serverChannelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(ErrorRecorder(log), position: .last)
          }
        }
        .childChannelInitializer { channel in channel.eventLoop.makeFailedFuture(Unwilling()) }
        .bind(host: "0.0.0.0", port: 80).get()
      let socket = try await pair.client.connect(to: "10.0.0.2:80")
      #expect(try await socket.read().isEmpty)
    }
    pair.loop.shutdown()
  }

  @Test("A listener that does not read accepts nobody until it does")
  func paused() async throws {
    let pair = try Pair()
    let log = Log()
    try await pair.loop.run {
      let listener = try await MartletServerBootstrap(host: pair.server)
        .serverChannelOption(.autoRead, value: false)
        .childChannelInitializer { channel in
          log.note("accepted")
          return channel.eventLoop.makeSucceededVoidFuture()
        }
        .bind(host: "0.0.0.0", port: 80).get()
      _ = try await pair.client.connect(to: "10.0.0.2:80")
      try await pair.settle()
      #expect(log.all.isEmpty)
      listener.read()
      #expect(try await pair.wait { log.all == ["accepted"] })
    }
    pair.loop.shutdown()
  }

  @Test("A server that quiesces accepts no more, tells its channels, and is done when they are", arguments: Pair.times)
  func quiescing(_ time: Loop.Time) async throws {
    let pair = try Pair(time)
    let log = Log()
    try await pair.loop.run {
      let quiesce = ServerQuiescingHelper(group: pair.loop.eventLoop)
      _ = try await MartletServerBootstrap(host: pair.server)
        .serverChannelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(quiesce.makeServerChannelHandler(channel: channel))
          }
        }
        .childChannelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandlers(Recorder(log), EchoHandler())
          }
        }
        .bind(host: "0.0.0.0", port: 80).get()
      let socket = try await pair.client.connect(to: "10.0.0.2:80")
      try await socket.write("before")
      #expect(try await socket.read() == Array("before".utf8))
      let done = pair.loop.eventLoop.makePromise(of: Void.self)
      done.futureResult.whenSuccess { log.note("done") }
      quiesce.initiateShutdown(promise: done)
      try await pair.settle()
      await #expect(throws: SocketError.refused) { _ = try await pair.client.connect(to: "10.0.0.2:80") }
      try await socket.write("during")
      #expect(try await socket.read() == Array("during".utf8))
      #expect(!log.all.contains("done"))
      socket.close()
      try await done.futureResult.get()
    }
    #expect(log.all.contains { $0.hasPrefix("event ChannelShouldQuiesceEvent") })
    pair.loop.shutdown()
  }

  @Test("Async channels carry accepted connections and their bytes", arguments: Pair.times)
  func asyncChannels(_ time: Loop.Time) async throws {
    let pair = try Pair(time)
    let answer = try await pair.loop.run { () -> String in
      let server = try await MartletServerBootstrap(host: pair.server).bind(host: "0.0.0.0", port: 80) { channel in
        channel.eventLoop.makeCompletedFuture {
          try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
        }
      }
      return try await withThrowingTaskGroup(of: String?.self) { group in
        group.addTask {
          try await server.executeThenClose { connections in
            for try await connection in connections {
              try await connection.executeThenClose { inbound, outbound in
                for try await bytes in inbound { try await outbound.write(bytes) }
              }
              break
            }
          }
          return nil
        }
        group.addTask {
          let client = try await MartletClientBootstrap(host: pair.client).connect(host: "server", port: 80) {
            channel in
            channel.eventLoop.makeCompletedFuture {
              try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
            }
          }
          return try await client.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: "there and back"))
            for try await bytes in inbound { return String(buffer: bytes) }
            return nil
          }
        }
        var answer = ""
        for try await text in group { answer += text ?? "" }
        return answer
      }
    }
    #expect(answer == "there and back")
    pair.loop.shutdown()
  }
}

private final class ErrorRecorder: ChannelInboundHandler {
  typealias InboundIn = any Channel
  private let log: Log

  init(_ log: Log) { self.log = log }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { log.note("error") }
}
