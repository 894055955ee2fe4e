import Martlet
import MartletLinks
import MartletNIO
import NIOCore
import NIOSSL
import Testing

@testable import MartletServices

/// Clients that use a socket as it is, over a wire with a delay.
@Suite("The file server over a wire")
struct WireTests {
  let directory = TemporaryDirectory()
  let loop = Loop(.virtual(seed: 5))
  let client: VirtualHost
  let host: VirtualHost

  init() throws { (client, host) = try wiredHosts(loop) }

  private func answers(_ bytes: [UInt8]) -> [Answer] {
    var rest = bytes[...]
    var answers: [Answer] = []
    while let answer = Answer(&rest, method: "GET") { answers.append(answer) }
    return answers
  }

  @Test("A client that closes its half behind its requests gets every answer whole", arguments: [1, 3])
  func halfClose(requests: Int) async throws {
    directory.file("big", pattern(1_048_576))
    let server = try HTTPFileServer(HTTPFileServerConfiguration(directory: directory.path))
    let bytes = try await loop.run { [client, host] in
      try await server.start(on: host, port: 80)
      let socket = try await client.connect(to: "10.0.0.2:80")
      for _ in 0..<requests { try await socket.write("GET /big HTTP/1.1\r\nHost: a\r\n\r\n") }
      try socket.shutdownWrite()
      let bytes = try await socket.readToEnd()
      await server.stop()
      return bytes
    }
    let contents = answers(bytes).map(\.content)
    #expect(contents.count == requests)
    let areWhole = contents.allSatisfy { $0 == pattern(1_048_576) }
    #expect(areWhole)
  }

  @Test("What is left when the time for stopping is over is reset")
  func stop() async throws {
    directory.file("big", "")
    directory.shrink("big", to: 20_000_000)
    var configuration = HTTPFileServerConfiguration(directory: directory.path)
    configuration.limits.stopTime = .seconds(2)
    let server = try HTTPFileServer(configuration)
    let (ending, time) = try await loop.run { [client, host, loop] in
      try await server.start(on: host, port: 80)
      let socket = try await client.connect(to: "10.0.0.2:80")
      try await socket.write("GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
      _ = try await socket.read(upTo: 1_000)
      let second = try await client.connect(to: "10.0.0.2:80")
      try await second.write("GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
      _ = try await second.read(upTo: 1_000)
      let began = loop.now
      await server.stop()
      let time = loop.now - began
      var ending: SocketError?
      do throws(SocketError) {
        while try await !socket.read(upTo: 65_536).isEmpty {}
      } catch { ending = error }
      return (ending, time)
    }
    #expect(ending == .reset)
    // Both at once, not one after the other.
    #expect(time >= .seconds(2) && time < .seconds(3))
  }

  @Test("A client that reads nothing is cut off, one that reads slowly is not", arguments: [false, true])
  func slowReader(reads: Bool) async throws {
    directory.file("big", "")
    directory.shrink("big", to: 20_000_000)
    var configuration = HTTPFileServerConfiguration(directory: directory.path)
    configuration.limits.stallTime = .seconds(5)
    configuration.limits.minimumRate = 10_000
    configuration.accessLogFormat = .json
    let log = Conversation.Lines()
    configuration.accessLog = { log.lines.append($0) }
    let server = try HTTPFileServer(configuration)
    let isCutOff = try await loop.run { [client, host, loop] in
      try await server.start(on: host, port: 80)
      let socket = try await client.connect(to: "10.0.0.2:80")
      try await socket.write("GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
      for _ in 0..<60 {
        try await loop.clock.sleep(for: .seconds(1))
        if reads { _ = try await socket.read(upTo: 50_000) }
      }
      return server.connectionCount == 0
    }
    #expect(isCutOff == !reads)
    // The log tells what went out, not what was to.
    #expect(log.lines.count == (reads ? 0 : 1))
    for line in log.lines {
      #expect(line.contains("\"complete\":false"))
      let count = line.split(separator: "\"bytes\":").last.flatMap { Int($0.prefix { $0.isNumber }) } ?? 0
      #expect(count > 10_000 && count < 19_000_000)
    }
  }

  @Test("By reference next to nothing of a large file is copied, over TLS all of it", arguments: [false, true])
  func copies(encrypts: Bool) async throws {
    directory.file("big", "")
    directory.shrink("big", to: 4_000_000)
    directory.file("cert.pem", Certificate.chain)
    directory.file("key.pem", Certificate.key)
    var configuration = HTTPFileServerConfiguration(directory: directory.path)
    configuration.accessLogFormat = .json
    let log = Conversation.Lines()
    configuration.accessLog = { log.lines.append($0) }
    if encrypts {
      configuration.tls = .init(certificateFile: directory.path + "/cert.pem", keyFile: directory.path + "/key.pem")
    }
    let server = try HTTPFileServer(configuration)
    let collector = Collector()
    var tls = TLSConfiguration.makeClientConfiguration()
    tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(Certificate.chain.utf8)))
    let context = encrypts ? try NIOSSLContext(configuration: tls) : nil
    try await loop.run { [client, host] in
      try await server.start(on: host, port: 80)
      let channel = try await MartletClientBootstrap(host: client).channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let pipeline = channel.pipeline.syncOperations
          if let context {
            try pipeline.addHandler(NIOSSLClientHandler(context: context, serverHostname: "martlet.test"))
          }
          try pipeline.addHandler(ByteCollector(collector))
        }
      }.connect(host: "10.0.0.2", port: 80).get()
      // Twice, for a count that goes on from one answer to the next would show.
      for close in ["keep-alive", "close"] {
        let request = "GET /big HTTP/1.1\r\nHost: a\r\nConnection: \(close)\r\n\r\n"
        try await channel.writeAndFlush(ByteBuffer(string: request))
      }
      try? await channel.closeFuture.get()
      await server.stop()
    }
    #expect(answers(collector.bytes).count == 2)
    let ratios = log.lines.compactMap { line in
      line.split(separator: "\"copiesPerByte\":").last.flatMap { Double($0.prefix { $0.isNumber || $0 == "." }) }
    }
    #expect(ratios.count == 2)
    for ratio in ratios {
      if encrypts { #expect(ratio >= 1) } else { #expect(ratio < 0.05) }
    }
  }

  @Test("One server stands on several hosts, and several servers on one")
  func severalHosts() async throws {
    let other = TemporaryDirectory()
    directory.file("a", "first")
    other.file("a", "second")
    let first = try HTTPFileServer(HTTPFileServerConfiguration(directory: directory.path))
    let second = try HTTPFileServer(HTTPFileServerConfiguration(directory: other.path))
    let third = loop.host("third")
    let cable = VirtualWire(VirtualWire.Configuration())
    try client.attach(cable.left, addresses: ["10.0.1.1/24"])
    try third.attach(cable.right, addresses: ["10.0.1.2/24"])
    let texts = try await loop.run { [client, host] in
      try await first.start(on: host, port: 80)
      try await first.start(on: third, port: 80)
      try await second.start(on: host, port: 81)
      var texts: [String] = []
      for place in ["10.0.0.2:80", "10.0.1.2:80", "10.0.0.2:81"] {
        let socket = try await client.connect(to: place)
        try await socket.write("GET /a HTTP/1.0\r\n\r\n")
        var bytes = try await socket.readToEnd()[...]
        texts.append(Answer(&bytes, method: "GET")?.text ?? "")
      }
      await first.stop()
      await second.stop()
      return texts
    }
    #expect(texts == ["first", "first", "second"])
  }
}
