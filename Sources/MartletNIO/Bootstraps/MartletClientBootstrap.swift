public import Martlet
public import NIOCore
internal import MartletWire

/// Makes channels that are connected from a host: what SwiftNIO's `ClientBootstrap` is for the system's sockets.
///
/// Everything happens on the host's loop. In virtual time the clock runs while a connection is being made, whether or not
/// a ``Loop/run(_:)`` is under way.
public struct MartletClientBootstrap: Sendable {
  let host: VirtualHost
  private var initializer: (@Sendable (any Channel) -> EventLoopFuture<Void>)?
  private var options = ChannelOptions.Storage()
  private var timeout = TimeAmount.seconds(10)
  private var local: NIOCore.SocketAddress?

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

  /// Connects to `host` (an address, or a name that the virtual host knows) and `port`.
  public func connect(host name: String, port: Int) -> EventLoopFuture<any Channel> {
    host.endpoints(named: name, port: port).flatMap { connect(to: $0[0]) }
  }

  /// Connects to `address`.
  public func connect(to address: NIOCore.SocketAddress) -> EventLoopFuture<any Channel> {
    let (host, options, initializer, timeout, local) = (host, options, initializer, timeout, local)
    let eventLoop = host.loop.eventLoop
    let isElsewhere = !eventLoop.inEventLoop
    return eventLoop.flatSubmit {
      let channel = StreamChannel(host: host)
      channel.connectTimeout = timeout
      let connected = channel.launch {
        options.applyAllChannelOptions(to: channel).flatMap {
          initializer?(channel) ?? channel.eventLoop.makeSucceededVoidFuture()
        }
      } body: {
        guard let local else { return channel.connect(to: address) }
        return channel.bind(to: local).flatMap { channel.connect(to: address) }
      }
      if isElsewhere {
        host.loop.hold()
        connected.whenComplete { _ in host.loop.release() }
      }
      return connected
    }
  }
}
