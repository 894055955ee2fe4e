import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Martlet
import MartletNIO
import NIOCore

/// gRPC's own HTTP/2 server over connections that a virtual host accepts.
struct MartletListenerFactory: HTTP2ServerTransport.ListenerFactory {
  let host: VirtualHost
  let port: Int

  var eventLoopGroup: any EventLoopGroup { host.loop.eventLoop }

  func makeListeningChannel(
    listenerConfigurator: HTTP2ServerTransport.ListenerConfigurator,
    connectionConfigurator: HTTP2ServerTransport.ConnectionConfigurator
  ) async throws -> NIOAsyncChannel<HTTP2ServerTransport.ConnectionConfigurator.ConnectionChannel, Never> {
    try await MartletServerBootstrap(host: host)
      .serverChannelInitializer { listenerConfigurator.configure(channel: $0) }
      .bind(host: "0.0.0.0", port: port) { connectionConfigurator.configure(channel: $0, tls: .none) }
  }
}

/// gRPC's own HTTP/2 client over one connection that a virtual host makes.
func clientTransport(
  to server: String, port: Int, on host: VirtualHost
) async throws -> HTTP2ClientTransport.WrappedChannel {
  try await .wrapping { configure in
    try await MartletClientBootstrap(host: host).connect(host: server, port: port) { configure($0) }
  }
}
