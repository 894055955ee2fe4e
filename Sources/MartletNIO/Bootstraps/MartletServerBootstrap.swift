public import Martlet
public import NIOCore
internal import MartletWire

/// Makes channels that listen on a host: what SwiftNIO's `ServerBootstrap` is for the system's sockets.
///
/// Everything happens on the host's loop, the accepted channels too.
public struct MartletServerBootstrap: Sendable {
  let host: VirtualHost
  private var serverInitializer: (@Sendable (any Channel) -> EventLoopFuture<Void>)?
  private var childInitializer: (@Sendable (any Channel) -> EventLoopFuture<Void>)?
  private var serverOptions = ChannelOptions.Storage()
  private var childOptions = ChannelOptions.Storage()

  /// A bootstrap for listeners on `host`.
  public init(host: VirtualHost) { self.host = host }

  /// Sets what is done with a listening channel before it is registered.
  public func serverChannelInitializer(
    _ initializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
  ) -> Self {
    with { $0.serverInitializer = initializer }
  }

  /// Sets what is done with each accepted channel before it is registered: where its handlers are added.
  public func childChannelInitializer(
    _ initializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
  ) -> Self {
    with { $0.childInitializer = initializer }
  }

  /// Sets an option of the listening channel.
  public func serverChannelOption<Option: ChannelOption>(_ option: Option, value: Option.Value) -> Self {
    with { $0.serverOptions.append(key: option, value: value) }
  }

  /// Sets an option of each accepted channel.
  public func childChannelOption<Option: ChannelOption>(_ option: Option, value: Option.Value) -> Self {
    with { $0.childOptions.append(key: option, value: value) }
  }

  private func with(_ change: (inout Self) -> Void) -> Self {
    var copy = self
    change(&copy)
    return copy
  }

  // MARK: Futures

  /// Listens at `host` (an address, or a name that the virtual host knows) and `port`; port 0 lets the host choose.
  ///
  /// - Returns: The listening channel; fails with `IOError` (EADDRINUSE, EADDRNOTAVAIL) and others.
  public func bind(host name: String, port: Int) -> EventLoopFuture<any Channel> {
    host.endpoints(named: name, port: port).flatMap { bind(to: $0[0]) }
  }

  /// Listens at `address`.
  public func bind(to address: NIOCore.SocketAddress) -> EventLoopFuture<any Channel> {
    listen(address) { $0.eventLoop.makeSucceededFuture($0) }
  }

  // MARK: Async

  /// As ``bind(host:port:)``, giving a channel of what `childChannelInitializer` makes of each accepted channel.
  public func bind<Output: Sendable>(
    host name: String, port: Int,
    serverBackPressureStrategy: NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark? = nil,
    childChannelInitializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
  ) async throws -> NIOAsyncChannel<Output, Never> {
    try await bind(
      to: host.endpoints(named: name, port: port).get()[0], serverBackPressureStrategy: serverBackPressureStrategy,
      childChannelInitializer: childChannelInitializer)
  }

  /// As ``bind(to:)``, giving a channel of what `childChannelInitializer` makes of each accepted channel.
  public func bind<Output: Sendable>(
    to address: NIOCore.SocketAddress,
    serverBackPressureStrategy: NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark? = nil,
    childChannelInitializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
  ) async throws -> NIOAsyncChannel<Output, Never> {
    try await listen(address) { channel in
      channel.eventLoop.makeCompletedFuture {
        try NIOAsyncChannel<Output, Never>._wrapAsyncChannelWithTransformations(
          wrappingChannelSynchronously: channel, backPressureStrategy: serverBackPressureStrategy,
          channelReadTransformation: childChannelInitializer)
      }
    }.get()
  }

  private func listen<Output: Sendable>(
    _ address: NIOCore.SocketAddress, _ wrap: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
  ) -> EventLoopFuture<Output> {
    host.loop.eventLoop.flatSubmit { [self] in
      let channel = ListenerChannel(host: host)
      return channel.launch {
        serverOptions.setUp(channel) { [serverInitializer, childOptions, childInitializer] channel in
          let initialized = serverInitializer?(channel) ?? channel.eventLoop.makeSucceededVoidFuture()
          return initialized.flatMapThrowing {
            try channel.pipeline.syncOperations.addHandler(
              AcceptHandler(options: childOptions, initializer: childInitializer), name: "AcceptHandler")
          }.flatMap { wrap(channel) }
        }
      } body: {
        channel.bind(to: address)
      }
    }
  }
}
