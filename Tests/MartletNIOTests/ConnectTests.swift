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

/// How connections are made, and how that fails.
@Suite struct ConnectTests {
  @Test("A port where nobody listens refuses", arguments: Pair.times)
  func refused(_ time: Loop.Time) async throws {
    let pair = try Pair(time)
    let log = Log()
    try await pair.loop.run {
      let error = await #expect(throws: IOError.self) { _ = try await pair.connect(noting: log) }
      #expect(error?.errnoCode == ECONNREFUSED)
      try await pair.settle()
    }
    #expect(log.all == ["registered", "unregistered"])
    pair.loop.shutdown()
  }

  @Test("A host that does not answer is given up after the connect time-out")
  func timedOut() async throws {
    let pair = try Pair()
    let error = await #expect(throws: ChannelError.self) {
      _ = try await MartletClientBootstrap(host: pair.client).connectTimeout(.seconds(3))
        .connect(host: "10.0.0.77", port: 80).get()
    }
    guard case .connectTimeout(.seconds(3)) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(pair.loop.now >= Instant(nanoseconds: 3_000_000_000) || pair.loop.now > .zero)
    pair.loop.shutdown()
  }

  @Test("An address that no route leads to fails at once")
  func noRoute() async throws {
    let pair = try Pair()
    let error = await #expect(throws: IOError.self) {
      _ = try await MartletClientBootstrap(host: pair.client).connect(host: "192.0.2.1", port: 80).get()
    }
    #expect(error?.errnoCode == ENETUNREACH)
    pair.loop.shutdown()
  }

  @Test("A connect from another thread makes virtual time go on")
  func connectFromElsewhere() async throws {
    let pair = try Pair()
    _ = try await pair.listen(noting: Log())
    let channel = try await MartletClientBootstrap(host: pair.client).connect(host: "10.0.0.2", port: 80).get()
    #expect(channel.isActive)
    pair.loop.shutdown()
  }

  @Test("A name with an address that does not answer is connected by another one")
  func secondAddress() async throws {
    let pair = try Pair()
    pair.client.hosts = HostsTable("fd00::77 both\n10.0.0.2 both")
    try await pair.loop.run {
      _ = try await pair.listen(noting: Log())
      let channel = try await MartletClientBootstrap(host: pair.client).connect(host: "both", port: 80).get()
      #expect(channel.remoteAddress?.ipAddress == "10.0.0.2")
    }
    // It had its head start.
    #expect(pair.loop.now >= Instant(nanoseconds: 250_000_000))
    pair.loop.shutdown()
  }

  @Test("A name none of whose addresses answers says what happened to each; a name nobody knows says so")
  func noAddress() async throws {
    let pair = try Pair()
    pair.client.hosts = HostsTable("fd00::2 both\n10.0.0.2 both")
    try await pair.loop.run {
      let error = await #expect(throws: MartletConnectionError.self) {
        _ = try await MartletClientBootstrap(host: pair.client).connect(host: "both", port: 80).get()
      }
      #expect(error?.failures.map { $0.address.ipAddress } == ["fd00::2", "10.0.0.2"])
      #expect(error?.failures.allSatisfy { ($0.error as? IOError)?.errnoCode == ECONNREFUSED } == true)
      await #expect(throws: NameError.self) {
        _ = try await MartletClientBootstrap(host: pair.client).connect(host: "nobody", port: 80).get()
      }
    }
    pair.loop.shutdown()
  }

  @Test("A channel can choose its end of the connection")
  func localEnd() async throws {
    let pair = try Pair()
    try await pair.loop.run {
      _ = try await pair.listen(noting: Log())
      let channel = try await MartletClientBootstrap(host: pair.client)
        .bind(to: try NIOCore.SocketAddress(ipAddress: "10.0.0.1", port: 4_000))
        .connect(host: "10.0.0.2", port: 80).get()
      #expect(channel.localAddress?.port == 4_000)
    }
    pair.loop.shutdown()
  }

  @Test("A second connect is refused, and so is one before the channel is registered")
  func wrongState() async throws {
    let pair = try Pair()
    let address = try NIOCore.SocketAddress(ipAddress: "10.0.0.2", port: 80)
    try await pair.loop.run {
      _ = try await pair.listen(noting: Log())
      _ = try await MartletClientBootstrap(host: pair.client)
        .channelInitializer { channel in
          channel.connect(to: address).flatMapErrorThrowing { error in
            #expect(error as? ChannelError == .inappropriateOperationForState)
          }
        }
        .connect(to: address).get()
      let channel = try await pair.connect(noting: Log())
      await #expect(throws: ChannelError.inappropriateOperationForState) {
        try await channel.connect(to: address).get()
      }
    }
    pair.loop.shutdown()
  }

  @Test("An initializer that fails ends the channel, and its error is the connect's")
  func failingInitializer() async throws {
    struct Unwilling: Error {}
    let pair = try Pair()
    try await pair.loop.run {
      _ = try await pair.listen(noting: Log())
      await #expect(throws: Unwilling.self) {
        _ = try await pair.connect(noting: Log()) { _ in throw Unwilling() }
      }
    }
    pair.loop.shutdown()
  }

  @Test("NIOClientTCPBootstrap takes the client bootstrap, and its protocol handlers come first")
  func universalBootstrap() async throws {
    let pair = try Pair()
    let log = Log()
    try await pair.loop.run {
      _ = try await pair.listen(noting: Log()) { channel in
        try channel.pipeline.syncOperations.addHandler(EchoHandler())
      }
      let underlying = MartletClientBootstrap(host: pair.client).protocolHandlers { [Recorder(log)] }
      let bootstrap = NIOClientTCPBootstrap(underlying, tls: NIOInsecureNoTLS())
      let channel =
        try await bootstrap
        .channelConvenienceOptions([.allowRemoteHalfClosure, .disableAutoRead])
        .connect(host: "server", port: 80).get()
      #expect(try await channel.getOption(.allowRemoteHalfClosure).get())
      #expect(try await !channel.getOption(.autoRead).get())
      try await channel.setOption(.autoRead, value: true).get()
      try await channel.send(ByteBuffer(string: "echo")).get()
      #expect(try await pair.wait { log.all.contains("read echo") })
    }
    pair.loop.shutdown()
  }
}
