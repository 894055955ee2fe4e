public import Martlet
import MartletNIO
public import NIOCore
import Synchronization

/// Serves the files of directories over HTTP/1.1 and HTTP/2 from one or more hosts.
///
///     let server = try HTTPFileServer(HTTPFileServerConfiguration(directory: "/srv/www"))
///     try await server.start(on: host, port: 80)
///     …
///     await server.stop()
public final class HTTPFileServer: Sendable {
  private let service: HTTPService
  private let pipeline: ConnectionPipeline
  private let places = Mutex<[Place]>([])

  /// Where the server listens.
  private struct Place {
    var host: VirtualHost
    var port: UInt16
    var listener: any Channel
  }

  /// Opens the directories and reads the certificate.
  ///
  /// - Throws: ``SystemFailure`` for a directory or a file that cannot be opened, ``HTTPFileServerError`` for a certificate,
  ///   a key, or names of sites.
  public init(_ configuration: HTTPFileServerConfiguration) throws {
    try configuration.checkSites()
    service = try HTTPService(configuration)
    pipeline = ConnectionPipeline(service: service, tls: try Credentials.context(configuration))
  }

  /// The handlers of a connection, for those who bring their own bootstrap.
  ///
  /// The channel has to allow the other side to close its half (`ChannelOptions.allowRemoteHalfClosure`).
  public func initialize(_ channel: any Channel) -> EventLoopFuture<Void> { pipeline.initialize(channel) }

  /// Listens on `port` of every address of `host`; the channel that listens.
  @discardableResult
  public func start(on host: VirtualHost, port: UInt16) async throws -> any Channel {
    let channel = try await bootstrap(host).bind(host: "::", port: Int(port)).get()
    places.withLock { $0.append(Place(host: host, port: port, listener: channel)) }
    return channel
  }

  private func bootstrap(_ host: VirtualHost) -> MartletServerBootstrap {
    let pipeline = pipeline
    return MartletServerBootstrap(host: host)
      .serverChannelOption(ChannelOptions.backlog, value: 1_024)
      .childChannelOption(ChannelOptions.allowRemoteHalfClosure, value: true)
      .childChannelInitializer { pipeline.initialize($0) }
  }

  /// How many clients are connected.
  public var connectionCount: Int { service.connections.count }

  /// Listens no more, finishes the answers under way, and resets what is left after ``HTTPServerLimits/stopTime``, so that
  /// nobody takes a part for the whole. Within that time it waits for clients to acknowledge what they were sent.
  public func stop() async {
    let places = places.withLock { places in
      defer { places = [] }
      return places
    }
    let deadlines = places.map { $0.host.loop.now.advanced(by: service.limits.stopTime) }
    for place in places { try? await place.listener.close().get() }
    let channels = service.connections.stop()
    for channel in channels {
      channel.eventLoop.execute { channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent()) }
    }
    let limits = channels.map { channel in
      channel.eventLoop.scheduleTask(in: TimeAmount(service.limits.stopTime)) { channel.reset() }
    }
    for (channel, limit) in zip(channels, limits) {
      try? await channel.closeFuture.get()
      limit.cancel()
    }
    for (place, deadline) in zip(places, deadlines) {
      let loop = place.host.loop
      while loop.now < deadline, Self.hasUnsentBytes(place) {
        guard (try? await loop.clock.sleep(for: .milliseconds(10))) != nil else { return }
      }
    }
  }

  /// Whether a connection that is closed here has not brought everything to its client: nobody else would.
  private static func hasUnsentBytes(_ place: Place) -> Bool {
    place.host.socketTable().contains { row in
      row.kind == .tcp && row.local.port == place.port
        && (row.sendQueue > 0 || ["FIN-WAIT-1", "CLOSING", "LAST-ACK"].contains(row.state))
    }
  }
}
