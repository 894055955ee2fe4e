public import Martlet
public import NIOCore

/// Makes UDP channels on a host: what SwiftNIO's `DatagramBootstrap` is for the system's sockets.
///
/// They read `AddressedEnvelope<ByteBuffer>`, and write that or, when they are connected, a bare `ByteBuffer`. Options have
/// to be set before the channel is bound.
public struct MartletDatagramBootstrap: Sendable {
  let host: VirtualHost
  private var initializer: (@Sendable (any Channel) -> EventLoopFuture<Void>)?
  private var options = ChannelOptions.Storage()

  /// A bootstrap for UDP on `host`.
  public init(host: VirtualHost) { self.host = host }

  /// Sets what is done with a channel before it is registered: where its handlers are added.
  public func channelInitializer(_ initializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>) -> Self {
    var copy = self
    copy.initializer = initializer
    return copy
  }

  /// Sets an option of the channel.
  public func channelOption<Option: ChannelOption>(_ option: Option, value: Option.Value) -> Self {
    var copy = self
    copy.options.append(key: option, value: value)
    return copy
  }

  // MARK: Futures

  /// Opens a channel at `host` (an address, or a name that the virtual host knows) and `port`; port 0 lets the host choose.
  public func bind(host name: String, port: Int) -> EventLoopFuture<any Channel> {
    host.endpoints(named: name, port: port).flatMap { bind(to: $0[0]) }
  }

  /// Opens a channel at `address`.
  public func bind(to address: NIOCore.SocketAddress) -> EventLoopFuture<any Channel> {
    open(setUp) { $0.bind(to: address) }
  }

  /// Opens a channel whose only peer is `host` and `port`.
  public func connect(host name: String, port: Int) -> EventLoopFuture<any Channel> {
    host.endpoints(named: name, port: port).flatMap { connect(to: $0[0]) }
  }

  /// Opens a channel whose only peer is `address`.
  public func connect(to address: NIOCore.SocketAddress) -> EventLoopFuture<any Channel> {
    open(setUp) { $0.connect(to: address) }
  }

  // MARK: Async

  /// As ``bind(host:port:)``, giving what `channelInitializer` makes of the channel: a `NIOAsyncChannel`.
  public func bind<Output: Sendable>(
    host name: String, port: Int, channelInitializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
  ) async throws -> Output {
    let address = try await host.endpoints(named: name, port: port).get()[0]
    return try await bind(to: address, channelInitializer: channelInitializer)
  }

  /// As ``bind(to:)``, giving what `channelInitializer` makes of the channel: a `NIOAsyncChannel`.
  public func bind<Output: Sendable>(
    to address: NIOCore.SocketAddress,
    channelInitializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
  ) async throws -> Output {
    try await open { [self] in
      setUp($0).flatMap { channelInitializer($0) }
    } body: {
      $0.bind(to: address)
    }.get()
  }

  /// As ``connect(host:port:)``, giving what `channelInitializer` makes of the channel: a `NIOAsyncChannel`.
  public func connect<Output: Sendable>(
    host name: String, port: Int, channelInitializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
  ) async throws -> Output {
    let address = try await host.endpoints(named: name, port: port).get()[0]
    return try await connect(to: address, channelInitializer: channelInitializer)
  }

  /// As ``connect(to:)``, giving what `channelInitializer` makes of the channel: a `NIOAsyncChannel`.
  public func connect<Output: Sendable>(
    to address: NIOCore.SocketAddress,
    channelInitializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
  ) async throws -> Output {
    try await open { [self] in
      setUp($0).flatMap { channelInitializer($0) }
    } body: {
      $0.connect(to: address)
    }.get()
  }

  private func setUp(_ channel: any Channel) -> EventLoopFuture<any Channel> {
    options.setUp(channel) { [initializer] channel in
      (initializer?(channel) ?? channel.eventLoop.makeSucceededVoidFuture()).map { channel }
    }
  }

  private func open<Output: Sendable>(
    _ setUp: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>,
    body: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
  ) -> EventLoopFuture<Output> {
    host.loop.eventLoop.flatSubmit { [host] in
      let channel = DatagramChannel(host: host)
      return channel.launch {
        setUp(channel)
      } body: {
        body(channel)
      }
    }
  }
}
