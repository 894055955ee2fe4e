import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOSSL
import NIOTLS

/// Puts the handlers of a connection together.
struct ConnectionPipeline: Sendable {
  let service: HTTPService
  /// Nil speaks plainly.
  let tls: NIOSSLContext?

  /// Admits `channel` and adds what it needs, or closes it.
  func initialize(_ channel: any Channel) -> EventLoopFuture<Void> {
    channel.eventLoop.makeCompletedFuture { try add(to: channel) }
  }

  private func add(to channel: any Channel) throws {
    let client = channel.remoteAddress?.ipAddress ?? "-"
    switch service.connections.admit(channel, from: client) {
    case .admitted: service.metrics.connected()
    case .tooMany:
      service.metrics.reached(.connections)
      throw ChannelError.ioOnClosedChannel
    case .tooManyFromAddress:
      service.metrics.reached(.connectionsPerAddress)
      throw ChannelError.ioOnClosedChannel
    }
    let pipeline = channel.pipeline.syncOperations
    guard let tls else {
      try pipeline.addHandler(
        ProtocolDetector(patience: service.limits.headerTime) { isHTTP2 in
          if isHTTP2 {
            try addHTTP2(to: channel, client)
          } else {
            try addHTTP1(to: channel, client, isEncrypted: false)
          }
        })
      return
    }
    try pipeline.addHandler(NIOSSLServerHandler(context: tls))
    let patience = HandshakeTimer(patience: service.limits.headerTime)
    try pipeline.addHandler(patience)
    try pipeline.addHandler(
      ApplicationProtocolNegotiationHandler { result in
        channel.eventLoop.makeCompletedFuture {
          channel.pipeline.syncOperations.removeHandler(patience, promise: nil)
          if case .negotiated("h2") = result {
            try addHTTP2(to: channel, client)
          } else {
            try addHTTP1(to: channel, client, isEncrypted: true)
          }
        }
      })
  }

  private func addHTTP1(to channel: any Channel, _ client: String, isEncrypted: Bool) throws {
    let pipeline = channel.pipeline.syncOperations
    let preflight = PreflightHandler(service)
    let sender = ResponseSender(
      service,
      transport: ResponseSender.Transport(takesRegions: !isEncrypted, version: "HTTP/1.1", client: client),
      channel: channel)
    var framing = HTTPResponseEncoder.Configuration()
    // The answers frame themselves: the encoder would promise chunks to a HEAD without a length.
    framing.automaticallySetFramingHeaders = false
    try pipeline.addHandlers([
      preflight, ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)),
      HTTPResponseEncoder(configuration: framing),
      HTTP1Handler(service, preflight: preflight, sender: sender),
    ])
  }

  private func addHTTP2(to channel: any Channel, _ client: String) throws {
    let pipeline = channel.pipeline.syncOperations
    let limits = service.limits
    let management = NIOHTTP2ServerConnectionManagementHandler(
      eventLoop: channel.eventLoop,
      configuration: NIOHTTP2ServerConnectionManagementHandler.Configuration(
        maxIdleTime: TimeAmount(limits.idleTime), maxAge: nil, maxGraceTime: TimeAmount(limits.stopTime),
        keepalive: nil))
    var connection = NIOHTTP2Handler.ConnectionConfiguration()
    connection.initialSettings = [
      HTTP2Setting(parameter: .maxConcurrentStreams, value: limits.concurrentStreams),
      // Beyond it the connection ends. A stream whose header is larger than the limit is answered with 431.
      HTTP2Setting(parameter: .maxHeaderListSize, value: 2 * limits.headerSize),
    ]
    var stream = NIOHTTP2Handler.StreamConfiguration()
    stream.outboundBufferSizeHighWatermark = service.configuration.chunkSize
    stream.outboundBufferSizeLowWatermark = service.configuration.chunkSize / 2
    let service = service
    try pipeline.addHandler(HTTP2ConnectionEnder(patience: .seconds(2)))
    _ = try pipeline.configureHTTP2Pipeline(
      mode: .server, connectionConfiguration: connection, streamConfiguration: stream,
      streamDelegate: management.http2StreamDelegate
    ) { stream in
      stream.eventLoop.makeCompletedFuture {
        let sender = ResponseSender(
          service, transport: ResponseSender.Transport(takesRegions: false, version: "HTTP/2", client: client),
          channel: stream)
        try stream.pipeline.syncOperations.addHandlers([
          AuthorityHandler(), HTTP2FramePayloadToHTTP1ServerCodec(), HTTP2StreamHandler(service, sender: sender),
        ])
      }
    }
    try pipeline.addHandler(management)
  }
}

/// Ends a connection whose TLS handshake takes too long.
final class HandshakeTimer: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = Any

  private let patience: Duration
  private var timer: DeadlineTimer?

  init(patience: Duration) { self.patience = patience }

  func handlerAdded(context: ChannelHandlerContext) {
    timer = DeadlineTimer(on: context.eventLoop) { context.close(promise: nil) }
    timer?.set(after: patience)
  }

  func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }
}
