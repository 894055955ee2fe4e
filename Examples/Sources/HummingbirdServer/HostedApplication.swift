import Hummingbird
import HummingbirdCore
import Logging
import Martlet
import MartletNIO
import NIOCore
import NIOExtras
import ServiceLifecycle

/// A Hummingbird application on a virtual host.
///
/// Hummingbird binds its own server to the system's sockets. This takes the application's responder and Hummingbird's
/// `HTTP1Channel`, which sets a connection up and serves it, and gives them connections of Martlet.
struct HostedApplication<App: ApplicationProtocol>: Service {
  let application: App
  let host: VirtualHost
  let port: Int

  /// Serves until a graceful shutdown.
  func run() async throws {
    let http = try await http1Channel()
    let logger = application.logger
    let quiescing = ServerQuiescingHelper(group: host.loop.eventLoop)
    let listener = try await MartletServerBootstrap(host: host)
      .serverChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(quiescing.makeServerChannelHandler(channel: channel))
        }
      }
      .bind(host: "0.0.0.0", port: port) { channel in http.setup(channel: channel, logger: logger) }
    await application.onServerRunning(listener.channel)
    try await withGracefulShutdownHandler {
      try await withThrowingDiscardingTaskGroup { group in
        try await listener.executeThenClose { connections in
          for try await connection in connections {
            group.addTask { await http.handle(value: connection, logger: logger) }
          }
        }
      }
    } onGracefulShutdown: {
      quiescing.initiateShutdown(promise: nil)
    }
  }

  /// What `Application.run()` does with a request.
  private func http1Channel() async throws -> HTTP1Channel {
    let responder = try await application.responder
    let application = application
    return HTTP1Channel { request, writer, channel in
      var logger = application.logger
      logger[metadataKey: "hb.request.id"] = "\(RequestID())"
      let context = App.Context(source: ApplicationRequestContextSource(channel: channel, logger: logger))
      var response: Response
      do {
        response = try await responder.respond(to: request, context: context)
      } catch {
        response = Response(status: .internalServerError)
      }
      if let name = application.configuration.serverName { response.headers[.server] = name }
      try await writer.write(response: response.head, body: response.body)
    }
  }
}
