import Martlet
import MartletNIO
import MartletServices
import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOSSL
import Synchronization
import Testing

@Suite("The file server on a host")
struct ServerTests {
  let directory = TemporaryDirectory()
  let loop = Loop(.virtual(seed: 3))
  let client: VirtualHost
  let host: VirtualHost

  init() throws { (client, host) = try wiredHosts(loop) }

  @Test("A large file crosses the wire whole, and a graceful stop lets it", arguments: [false, true])
  func largeFile(stops: Bool) async throws {
    directory.file("big", pattern(5_000_000))
    let server = try HTTPFileServer(HTTPFileServerConfiguration(directory: directory.path))
    let collector = Collector()
    try await loop.run { [client, host] in
      try await server.start(on: host, port: 80)
      let channel = try await MartletClientBootstrap(host: client).channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(ByteCollector(collector))
        }
      }.connect(host: "10.0.0.2", port: 80).get()
      let request = "GET /big HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
      try await channel.writeAndFlush(ByteBuffer(string: request))
      if stops {
        while collector.bytes.isEmpty { try await host.loop.clock.sleep(for: .milliseconds(1)) }
        #expect(collector.bytes.count < 5_000_000)
        await server.stop()
      }
      try await channel.closeFuture.get()
      if !stops { await server.stop() }
    }
    var bytes = collector.bytes[...]
    let answer = try #require(Answer(&bytes, method: "GET"))
    let isSame = answer.content == pattern(5_000_000)
    #expect(isSame)
    #expect(server.connectionCount == 0)
  }

  @Test("HTTP/2 is spoken where TLS negotiates it, and HTTP/1.1 where not", arguments: ["h2", "http/1.1"])
  func encrypted(protocolName: String) async throws {
    directory.file("f", pattern(300_000))
    directory.file("cert.pem", Certificate.chain)
    directory.file("key.pem", Certificate.key)
    var configuration = HTTPFileServerConfiguration(directory: directory.path)
    configuration.tls = .init(certificateFile: directory.path + "/cert.pem", keyFile: directory.path + "/key.pem")
    let server = try HTTPFileServer(configuration)
    let collector = Collector()
    var tls = TLSConfiguration.makeClientConfiguration()
    tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(Certificate.chain.utf8)))
    tls.applicationProtocols = [protocolName]
    let context = try NIOSSLContext(configuration: tls)
    try await loop.run { [client, host] in
      try await server.start(on: host, port: 443)
      let channel = try await MartletClientBootstrap(host: client).channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(
            NIOSSLClientHandler(context: context, serverHostname: "martlet.test"))
          if protocolName != "h2" { try channel.pipeline.syncOperations.addHandler(ByteCollector(collector)) }
        }
      }.connect(host: "10.0.0.2", port: 443).get()
      if protocolName == "h2" {
        let multiplexer = try await channel.configureHTTP2Pipeline(
          mode: .client, connectionConfiguration: .init(), streamConfiguration: .init()
        ) { $0.eventLoop.makeSucceededVoidFuture() }.get()
        let stream = try await multiplexer.createStreamChannel { stream in
          stream.eventLoop.makeCompletedFuture {
            try stream.pipeline.syncOperations.addHandlers([
              HTTP2FramePayloadToHTTP1ClientCodec(httpProtocol: .https), AnswerCollector(collector),
            ])
          }
        }.get()
        try await stream.closeFuture.get()
        try await channel.close()
      } else {
        try await channel.writeAndFlush(
          ByteBuffer(string: "GET /f HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"))
        try? await channel.closeFuture.get()
      }
      await server.stop()
    }
    var content = collector.bytes
    if protocolName != "h2" {
      var bytes = content[...]
      content = try #require(Answer(&bytes, method: "GET")).content
    }
    let isSame = content == pattern(300_000)
    #expect(isSame)
  }

  @Test(
    "A site's certificate is shown to clients that ask for its name, and the server's to all others",
    arguments: ["docs.test", "martlet.test", nil] as [String?])
  func serverName(name: String?) async throws {
    let certificate = name == "docs.test" ? Certificate.docsChain : Certificate.chain
    for (file, text) in [
      ("cert.pem", Certificate.chain), ("key.pem", Certificate.key), ("docs.pem", Certificate.docsChain),
      ("docs-key.pem", Certificate.docsKey), ("f", "hello"),
    ] { directory.file(file, text) }
    let path = directory.path
    var configuration = HTTPFileServerConfiguration(directory: path)
    configuration.tls = .init(certificateFile: path + "/cert.pem", keyFile: path + "/key.pem")
    configuration.sites.append(
      .init(
        name: "Docs.test", directory: path,
        tls: .init(certificateFile: path + "/docs.pem", keyFile: path + "/docs-key.pem")))
    let server = try HTTPFileServer(configuration)
    let collector = Collector()
    // The handshake succeeds if the certificate that is expected was shown, and no other.
    var tls = TLSConfiguration.makeClientConfiguration()
    tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(certificate.utf8)))
    if name == nil { tls.certificateVerification = .noHostnameVerification }
    let context = try NIOSSLContext(configuration: tls)
    try await loop.run { [client, host] in
      try await server.start(on: host, port: 443)
      let channel = try await MartletClientBootstrap(host: client).channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandlers([
            NIOSSLClientHandler(context: context, serverHostname: name), ByteCollector(collector),
          ])
        }
      }.connect(host: "10.0.0.2", port: 443).get()
      // Refused, the connection is closed and nothing is collected.
      try? await channel.writeAndFlush(ByteBuffer(string: "GET /f HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"))
      try? await channel.closeFuture.get()
      await server.stop()
    }
    var bytes = collector.bytes[...]
    #expect(Answer(&bytes, method: "GET")?.text == "hello")
  }
}

/// Bytes that arrived.
final class Collector: Sendable {
  private let storage = Mutex<[UInt8]>([])
  var bytes: [UInt8] { storage.withLock { $0 } }
  func append(_ buffer: ByteBuffer) { storage.withLock { $0 += buffer.readableBytesView } }
}

final class ByteCollector: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  private let collector: Collector
  init(_ collector: Collector) { self.collector = collector }
  func channelRead(context: ChannelHandlerContext, data: NIOAny) { collector.append(unwrapInboundIn(data)) }
  // The end without a closing alert of TLS is none of this test's business.
  func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}

private final class AnswerCollector: ChannelInboundHandler {
  typealias InboundIn = HTTPClientResponsePart
  typealias OutboundOut = HTTPClientRequestPart
  private let collector: Collector
  init(_ collector: Collector) { self.collector = collector }

  func handlerAdded(context: ChannelHandlerContext) { if context.channel.isActive { ask(context) } }

  func channelActive(context: ChannelHandlerContext) { ask(context) }

  private func ask(_ context: ChannelHandlerContext) {
    let head = HTTPRequestHead(version: .http2, method: .GET, uri: "/f", headers: ["host": "martlet.test"])
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if case .body(let bytes) = unwrapInboundIn(data) { collector.append(bytes) }
  }
}

@Suite("Certificates of the file server")
struct CertificateTests {
  let directory = TemporaryDirectory()

  private func error(_ certificate: String, _ key: String) -> (any Error)? {
    var configuration = HTTPFileServerConfiguration(directory: directory.path)
    configuration.tls = .init(
      certificateFile: "\(directory.path)/\(certificate)", keyFile: "\(directory.path)/\(key)")
    do {
      _ = try HTTPFileServer(configuration)
      return nil
    } catch { return error }
  }

  @Test("What is wrong with a certificate or a key is told apart")
  func errors() {
    directory.file("cert.pem", Certificate.chain)
    directory.file("key.pem", Certificate.key)
    directory.file("other.pem", Certificate.otherKey)
    directory.file("text", "hello")
    let path = directory.path
    #expect(error("cert.pem", "key.pem") == nil)
    #expect((error("none", "key.pem") as? SystemFailure)?.path == path + "/none")
    #expect((error("cert.pem", "none") as? SystemFailure)?.path == path + "/none")
    #expect(error("text", "key.pem") as? HTTPFileServerError == .notACertificate(path + "/text"))
    #expect(error("cert.pem", "text") as? HTTPFileServerError == .notAKey(path + "/text"))
    #expect(
      error("cert.pem", "other.pem") as? HTTPFileServerError
        == .keyDoesNotMatch(certificate: path + "/cert.pem", key: path + "/other.pem"))
  }
}
