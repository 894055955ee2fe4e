import Martlet
import MartletNIO
import MartletWire
import NIOCore
import Testing

/// Options of channels.
@Suite struct OptionTests {
  @Test("Socket options reach the connection, before it is made and after")
  func socketOptions() async throws {
    let pair = try Pair()
    try await pair.loop.run {
      _ = try await pair.listen(noting: Log())
      let channel = try await MartletClientBootstrap(host: pair.client)
        .channelOption(.socketOption(.so_keepalive), value: 1)
        .channelOption(.socketOption(.so_sndbuf), value: 100_000)
        .channelOption(.tcpOption(.tcp_nodelay), value: 0)
        .connect(host: "10.0.0.2", port: 80).get()
      #expect(try await channel.getOption(.socketOption(.so_keepalive)).get() == 1)
      #expect(try await channel.getOption(.socketOption(.so_sndbuf)).get() == 100_000)
      #expect(try await channel.getOption(.tcpOption(.tcp_nodelay)).get() == 0)
      try await channel.setOption(.tcpOption(.tcp_nodelay), value: 1).get()
      #expect(try await channel.getOption(.tcpOption(.tcp_nodelay)).get() == 1)
      #expect(try await channel.getOption(.socketOption(.so_error)).get() == 0)
    }
    pair.loop.shutdown()
  }

  @Test("Small segments go out at once by default, on both sides")
  func noDelayByDefault() async throws {
    let pair = try Pair()
    let log = Log()
    try await pair.loop.run {
      _ = try await MartletServerBootstrap(host: pair.server)
        .childChannelInitializer { channel in
          channel.getOption(.tcpOption(.tcp_nodelay)).map { log.note("server \($0)") }
        }
        .bind(host: "0.0.0.0", port: 80).get()
      let channel = try await pair.connect(noting: Log())
      #expect(try await channel.getOption(.tcpOption(.tcp_nodelay)).get() == 1)
      #expect(try await pair.wait { !log.all.isEmpty })
    }
    #expect(log.all == ["server 1"])
    pair.loop.shutdown()
  }

  @Test("Options of listeners and of their children are applied to each")
  func serverOptions() async throws {
    let pair = try Pair()
    let log = Log()
    try await pair.loop.run {
      let listener = try await MartletServerBootstrap(host: pair.server)
        .serverChannelOption(.backlog, value: 7)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .childChannelOption(.maxMessagesPerRead, value: 9)
        .childChannelInitializer { channel in
          channel.getOption(.maxMessagesPerRead).map { log.note("\($0)") }
        }
        .bind(host: "0.0.0.0", port: 80).get()
      #expect(try await listener.getOption(.backlog).get() == 7)
      #expect(try await listener.getOption(.socketOption(.so_reuseaddr)).get() == 1)
      _ = try await pair.client.connect(to: "10.0.0.2:80")
      #expect(try await pair.wait { log.all == ["9"] })
    }
    pair.loop.shutdown()
  }

  @Test("An option that a channel does not have is refused")
  func unknownOptions() async throws {
    let pair = try Pair()
    try await pair.loop.run {
      let listener = try await pair.listen(noting: Log())
      let channel = try await pair.connect(noting: Log())
      await #expect(throws: ChannelError.operationUnsupported) {
        try await channel.setOption(.backlog, value: 1).get()
      }
      await #expect(throws: ChannelError.operationUnsupported) {
        _ = try await channel.getOption(.datagramVectorReadMessageCount).get()
      }
      await #expect(throws: ChannelError.operationUnsupported) {
        try await channel.setOption(.socketOption(.init(rawValue: 9_999)), value: 1).get()
      }
      await #expect(throws: ChannelError.operationUnsupported) {
        try await listener.setOption(.allowRemoteHalfClosure, value: true).get()
      }
      try await channel.close().get()
      await #expect(throws: ChannelError.ioOnClosedChannel) {
        try await channel.setOption(.autoRead, value: true).get()
      }
    }
    pair.loop.shutdown()
  }

  @Test("On the loop options are there at once")
  func synchronousOptions() async throws {
    let pair = try Pair()
    try await pair.loop.run {
      _ = try await pair.listen(noting: Log())
      let channel = try await pair.connect(noting: Log())
      let options = try #require(channel.syncOptions)
      try options.setOption(.autoRead, value: false)
      #expect(try !options.getOption(.autoRead))
      try options.setOption(.writeBufferWaterMark, value: .init(low: 1, high: 2))
      #expect(try options.getOption(.writeBufferWaterMark).high == 2)
      try options.setOption(.connectTimeout, value: .seconds(1))
      #expect(try options.getOption(.connectTimeout) == .seconds(1))
      #expect(try options.getOption(.writeSpin) == 16)
      _ = try options.getOption(.recvAllocator)
      _ = try options.getOption(.allocator)
    }
    pair.loop.shutdown()
  }
}
