import Martlet
import MartletNIO
import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOSSL
import SelfSigned

typealias Stream = NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>
typealias Connection = NIOHTTP2Handler.AsyncStreamMultiplexer<Void>

struct NoHTTP2: Error {}

/// Connects with TLS; the server takes `h2` or the client gives up.
func connect(to server: String, on host: VirtualHost) async throws -> (any Channel, Connection) {
  var configuration = try SelfSigned.clientConfiguration()
  configuration.applicationProtocols = ["h2"]
  let context = try NIOSSLContext(configuration: configuration)
  let (channel, negotiation) = try await MartletClientBootstrap(host: host).connect(host: server, port: 443) {
    channel in
    channel.eventLoop.makeCompletedFuture {
      try channel.pipeline.syncOperations.addHandler(NIOSSLClientHandler(context: context, serverHostname: server))
    }.flatMap {
      channel.configureHTTP2AsyncSecureUpgrade { channel in
        channel.eventLoop.makeSucceededVoidFuture()
      } http2ConnectionInitializer: { channel in
        channel.configureAsyncHTTP2Pipeline(mode: .client) { $0.eventLoop.makeSucceededVoidFuture() }
      }
    }.map { (channel, $0) }
  }
  guard case .http2(let connection) = try await negotiation.get() else { throw NoHTTP2() }
  return (channel, connection)
}

/// One request on a stream of its own.
func get(_ path: String, from server: String, over connection: Connection) async throws -> String {
  let stream = try await connection.openStream { channel in
    channel.eventLoop.makeCompletedFuture {
      try channel.pipeline.syncOperations.addHandler(HTTP2FramePayloadToHTTP1ClientCodec(httpProtocol: .https))
      return try Stream(wrappingChannelSynchronously: channel)
    }
  }
  return try await stream.executeThenClose { inbound, outbound in
    let head = HTTPRequestHead(version: .http2, method: .GET, uri: path, headers: ["host": server])
    try await outbound.write(contentsOf: [.head(head), .end(nil)])
    var answer = ""
    for try await part in inbound {
      switch part {
      case .head(let head): answer = "\(head.version) \(head.status.code) "
      case .body(let body): answer += String(buffer: body)
      case .end: return answer
      }
    }
    return answer
  }
}
