import Martlet
import MartletNIO
import MartletWire
import NIOCore
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

typealias Envelope = AddressedEnvelope<ByteBuffer>

/// Channels of datagrams and of ICMP.
@Suite struct DatagramTests {
  @Test("Datagrams go there and back in envelopes", arguments: Pair.times)
  func echo(_ time: Loop.Time) async throws {
    let pair = try Pair(time)
    let log = Log()
    try await pair.loop.run {
      _ = try await pair.datagrams(on: pair.server, port: 7, log: Log(), echoes: true)
      let client = try await pair.datagrams(on: pair.client, port: 0, log: log)
      #expect(client.isActive)
      #expect((client.localAddress?.port ?? 0) > 0)
      let server = try NIOCore.SocketAddress(ipAddress: "10.0.0.2", port: 7)
      try await client.send(Envelope(remoteAddress: server, data: ByteBuffer(string: "one"))).get()
      #expect(try await pair.wait { log.all.contains("10.0.0.2:7 one") })
      try await client.close().get()
    }
    pair.loop.shutdown()
  }

  @Test("A connected channel writes bare buffers, to its peer alone", arguments: Pair.times)
  func connected(_ time: Loop.Time) async throws {
    let pair = try Pair(time)
    let log = Log()
    try await pair.loop.run {
      _ = try await pair.datagrams(on: pair.server, port: 7, log: Log(), echoes: true)
      let client = try await MartletDatagramBootstrap(host: pair.client)
        .channelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(EnvelopeHandler(log, echoes: false))
          }
        }
        .connect(host: "server", port: 7).get()
      #expect(client.remoteAddress?.port == 7)
      try await client.send(ByteBuffer(string: "bare")).get()
      #expect(try await pair.wait { log.all.contains("10.0.0.2:7 bare") })
      let other = try NIOCore.SocketAddress(ipAddress: "10.0.0.2", port: 8)
      await #expect(throws: IOError.self) {
        try await client.send(Envelope(remoteAddress: other, data: ByteBuffer(string: "astray"))).get()
      }
    }
    pair.loop.shutdown()
  }

  @Test("A datagram without an address, or too long, fails alone")
  func failures() async throws {
    let pair = try Pair()
    try await pair.loop.run {
      let client = try await pair.datagrams(on: pair.client, port: 0, log: Log())
      let server = try NIOCore.SocketAddress(ipAddress: "10.0.0.2", port: 7)
      await #expect(throws: IOError.self) { try await client.send(ByteBuffer(string: "whither")).get() }
      await #expect(throws: ChannelError.writeMessageTooLarge) {
        try await client.send(Envelope(remoteAddress: server, data: ByteBuffer(repeating: 1, count: 70_000))).get()
      }
      try await client.send(Envelope(remoteAddress: server, data: ByteBuffer(string: "fine"))).get()
      #expect(client.isActive)
    }
    pair.loop.shutdown()
  }

  @Test("A port where nobody listens is an error of a connected channel, which goes on", arguments: Pair.times)
  func refused(_ time: Loop.Time) async throws {
    let pair = try Pair(time)
    let log = Log()
    try await pair.loop.run {
      let client = try await MartletDatagramBootstrap(host: pair.client)
        .channelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(EnvelopeHandler(log, echoes: false))
          }
        }
        .connect(host: "10.0.0.2", port: 9).get()
      try await client.send(ByteBuffer(string: "anyone?")).get()
      #expect(try await pair.wait { log.all == ["error \(ECONNREFUSED)"] })
      #expect(client.isActive)
    }
    pair.loop.shutdown()
  }

  @Test("A channel tells where a datagram was sent to, if asked")
  func packetInfo() async throws {
    let pair = try Pair()
    let log = Log()
    try await pair.loop.run {
      _ = try await MartletDatagramBootstrap(host: pair.server)
        .channelOption(.receivePacketInfo, value: true)
        .channelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(EnvelopeHandler(log, echoes: false))
          }
        }
        .bind(host: "0.0.0.0", port: 7).get()
      let client = try await pair.datagrams(on: pair.client, port: 0, log: Log())
      let server = try NIOCore.SocketAddress(ipAddress: "10.0.0.2", port: 7)
      try await client.send(Envelope(remoteAddress: server, data: ByteBuffer(string: "x"))).get()
      #expect(try await pair.wait { log.all.contains("to 10.0.0.2") })
    }
    pair.loop.shutdown()
  }

  @Test("A datagram channel reads when it is asked, datagram by datagram")
  func autoReadOff() async throws {
    let pair = try Pair()
    let log = Log()
    try await pair.loop.run {
      let channel = try await MartletDatagramBootstrap(host: pair.server)
        .channelOption(.autoRead, value: false)
        .channelOption(.maxMessagesPerRead, value: 1)
        .channelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(EnvelopeHandler(log, echoes: false))
          }
        }
        .bind(host: "0.0.0.0", port: 7).get()
      let peer = try pair.client.bindUDP()
      for text in ["a", "b"] { try peer.send(text, to: "10.0.0.2:7") }
      try await pair.settle()
      #expect(log.all.isEmpty)
      channel.read()
      try await pair.settle()
      #expect(log.all.count == 1)
      channel.read()
      try await pair.settle()
      #expect(log.all.count == 2)
    }
    pair.loop.shutdown()
  }

  @Test("An echo channel pings, in messages as ping sockets have them", arguments: ["10.0.0.2", "fd00::2"])
  func ping(_ address: String) async throws {
    let pair = try Pair()
    let log = Log()
    try await pair.loop.run {
      let remote = try NIOCore.SocketAddress(ipAddress: address, port: 0)
      let channel = try await MartletEchoBootstrap(host: pair.client)
        .channelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(EnvelopeHandler(log, echoes: false, skipping: 8))
          }
        }
        .open(address == "fd00::2" ? .v6 : .v4).get()
      var request = ByteBuffer(bytes: [address == "fd00::2" ? 128 : 8, 0, 0, 0, 0, 0, 0, 42])
      request.writeString("payload")
      try await channel.send(Envelope(remoteAddress: remote, data: request)).get()
      #expect(try await pair.wait { log.all.contains("\(address):0 payload") })
      await #expect(throws: IOError.self) {
        try await channel.send(Envelope(remoteAddress: remote, data: ByteBuffer(string: "nonsense"))).get()
      }
    }
    pair.loop.shutdown()
  }
}

extension Pair {
  fileprivate func datagrams(
    on host: VirtualHost, port: Int, log: Log, echoes: Bool = false
  ) async throws -> any Channel {
    try await MartletDatagramBootstrap(host: host)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(EnvelopeHandler(log, echoes: echoes))
        }
      }
      .bind(host: "0.0.0.0", port: port).get()
  }
}

/// Notes datagrams, and sends them back if it is to.
private final class EnvelopeHandler: ChannelInboundHandler {
  typealias InboundIn = Envelope
  typealias OutboundOut = Envelope
  private let log: Log
  private let echoes: Bool
  private let skipped: Int

  init(_ log: Log, echoes: Bool, skipping skipped: Int = 0) {
    self.log = log
    self.echoes = echoes
    self.skipped = skipped
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let envelope = unwrapInboundIn(data)
    let text = String(
      buffer: envelope.data.getSlice(at: skipped, length: envelope.data.readableBytes - skipped) ?? ByteBuffer())
    log.note("\(envelope.remoteAddress.ipAddress ?? ""):\(envelope.remoteAddress.port ?? 0) \(text)")
    if let information = envelope.metadata?.packetInfo {
      log.note("to \(information.destinationAddress.ipAddress ?? "")")
    }
    if echoes { context.writeAndFlush(wrapOutboundOut(envelope), promise: nil) }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    log.note("error \((error as? IOError)?.errnoCode ?? 0)")
  }
}
