public import Martlet
public import MartletWire
public import NIOCore

/// Makes channels for ICMP echo on a host: ping and traceroute as handlers.
///
/// They read and write `AddressedEnvelope<ByteBuffer>` with ICMP messages, header first, as Linux's ping sockets do: echo
/// requests out (type 8 or 128; the host writes identifier and checksum), and in what came of them: replies, and errors,
/// which carry the request's sequence number where a request has it.
public struct MartletEchoBootstrap: Sendable {
  let host: VirtualHost
  private var initializer: (@Sendable (any Channel) -> EventLoopFuture<Void>)?
  private var options = ChannelOptions.Storage()

  /// A bootstrap for echo requests from `host`.
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

  /// Opens a channel for echo requests over `version`.
  public func open(_ version: IPVersion) -> EventLoopFuture<any Channel> {
    host.loop.eventLoop.flatSubmit { [host, options, initializer] in
      let channel = EchoChannel(host: host, version: version)
      return channel.launch {
        options.setUp(channel) { channel in
          (initializer?(channel) ?? channel.eventLoop.makeSucceededVoidFuture()).map { channel }
        }
      } body: {
        channel.bind(to: NIOCore.SocketAddress(MartletWire.SocketAddress(.any(version), port: 0)))
      }
    }
  }
}
