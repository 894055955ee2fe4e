public import Martlet
public import NIOCore
internal import MartletWire

/// Makes channels that are connected from a host: what SwiftNIO's `ClientBootstrap` is for the system's sockets.
///
/// Everything happens on the host's loop. In virtual time the clock runs while a connection is being made, whether or not
/// a ``Loop/run(_:)`` is under way.
public struct MartletClientBootstrap: NIOClientTCPBootstrapProtocol, Sendable {
  let host: VirtualHost
  private var initializer: (@Sendable (any Channel) -> EventLoopFuture<Void>)?
  private var options = ChannelOptions.Storage()
  private var timeout = TimeAmount.seconds(10)
  private var local: NIOCore.SocketAddress?
  private var protocolHandlers: @Sendable () -> [any ChannelHandler] = { [] }

  /// A bootstrap for connections from `host`.
  public init(host: VirtualHost) { self.host = host }

  /// Sets what is done with a channel before it is registered: where its handlers are added.
  public func channelInitializer(_ initializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>) -> Self {
    with { $0.initializer = initializer }
  }

  /// Sets an option of the channel.
  public func channelOption<Option: ChannelOption>(_ option: Option, value: Option.Value) -> Self {
    with { $0.options.append(key: option, value: value) }
  }

  /// Sets how long a connection may take to be made. Default 10 s, in the loop's time.
  public func connectTimeout(_ timeout: TimeAmount) -> Self {
    with { $0.timeout = timeout }
  }

  /// Sets this end of the connection; else the host chooses.
  public func bind(to address: NIOCore.SocketAddress) -> Self {
    with { $0.local = address }
  }

  private func with(_ change: (inout Self) -> Void) -> Self {
    var copy = self
    change(&copy)
    return copy
  }

  /// Sets the handlers that come first in the pipeline, in front of what the initializer adds: TLS.
  public func protocolHandlers(_ handlers: @escaping @Sendable () -> [any ChannelHandler]) -> Self {
    with { $0.protocolHandlers = handlers }
  }

  /// Takes the options that `NIOClientTCPBootstrap` has short names for.
  public func _applyChannelConvenienceOptions(_ options: inout ChannelOptions.TCPConvenienceOptions) -> Self {
    var result = self
    if options.consumeAllowLocalEndpointReuse().isSet {
      result = result.channelOption(.socketOption(.so_reuseaddr), value: 1)
    }
    if options.consumeAllowRemoteHalfClosure().isSet {
      result = result.channelOption(.allowRemoteHalfClosure, value: true)
    }
    if options.consumeDisableAutoRead().isSet { result = result.channelOption(.autoRead, value: false) }
    return result
  }

  // MARK: Futures

  /// Connects to `host` (an address, or a name that the virtual host knows) and `port`. Of several addresses the first
  /// that answers is taken; each has a head start of 250 ms over the next.
  ///
  /// - Returns: The channel; fails with ``MartletConnectionError``, or for a single address with what failed there:
  ///   `IOError`, `ChannelError.connectTimeout`.
  public func connect(host name: String, port: Int) -> EventLoopFuture<any Channel> {
    connectAny(name, port, channelSetUp)
  }

  /// Connects to `address`.
  public func connect(to address: NIOCore.SocketAddress) -> EventLoopFuture<any Channel> {
    held { [self] in attempt(address, channelSetUp).1 }
  }

  /// Fails: a virtual host has no such sockets.
  public func connect(unixDomainSocketPath: String) -> EventLoopFuture<any Channel> {
    host.loop.eventLoop.makeFailedFuture(SocketAddressError.unsupported)
  }

  // MARK: Async

  /// As ``connect(host:port:)``, giving what `channelInitializer` makes of the channel: a `NIOAsyncChannel`.
  public func connect<Output: Sendable>(
    host name: String, port: Int, channelInitializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
  ) async throws -> Output {
    try await connectAny(name, port) { [self] channel in
      channelSetUp(channel).flatMap { channelInitializer($0) }
    }.get()
  }

  /// As ``connect(to:)``, giving what `channelInitializer` makes of the channel: a `NIOAsyncChannel`.
  public func connect<Output: Sendable>(
    to address: NIOCore.SocketAddress,
    channelInitializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
  ) async throws -> Output {
    try await held { [self] in
      attempt(address) { [self] channel in channelSetUp(channel).flatMap { channelInitializer($0) } }.1
    }.get()
  }

  // MARK: How

  /// What is done with every channel; gives it back.
  private func channelSetUp(_ channel: any Channel) -> EventLoopFuture<any Channel> {
    options.setUp(channel) { [initializer, protocolHandlers] channel in
      let initialized = initializer?(channel) ?? channel.eventLoop.makeSucceededVoidFuture()
      return initialized.flatMapThrowing {
        try channel.pipeline.syncOperations.addHandlers(protocolHandlers(), position: .first)
        return channel
      }
    }
  }

  private func connectAny<Output: Sendable>(
    _ name: String, _ port: Int, _ setUp: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
  ) -> EventLoopFuture<Output> {
    held { [self] in
      host.endpoints(named: name, port: port).flatMap { [self] addresses in
        guard addresses.count > 1 else { return attempt(addresses[0], setUp).1 }
        return ConnectRace(to: addresses, named: name, on: host.loop.eventLoop) { [self] in attempt($0, setUp) }.run()
      }
    }
  }

  private func attempt<Output: Sendable>(
    _ address: NIOCore.SocketAddress, _ setUp: (any Channel) -> EventLoopFuture<Output>
  ) -> (StreamChannel, EventLoopFuture<Output>) {
    let channel = StreamChannel(host: host)
    channel.connectTimeout = timeout
    let connected = channel.launch {
      setUp(channel)
    } body: { [local] in
      guard let local else { return channel.connect(to: address) }
      return channel.bind(to: local).flatMap { channel.connect(to: address) }
    }
    return (channel, connected)
  }

  /// Does `body` on the loop, where virtual time goes on meanwhile, also for callers from elsewhere.
  private func held<Output: Sendable>(
    _ body: @escaping @Sendable () -> EventLoopFuture<Output>
  ) -> EventLoopFuture<Output> {
    let loop = host.loop
    let eventLoop = loop.eventLoop
    if eventLoop.inEventLoop { return body() }
    return eventLoop.flatSubmit {
      loop.hold()
      return body().always { _ in loop.release() }
    }
  }
}
