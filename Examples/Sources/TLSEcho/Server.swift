import Martlet
import MartletNIO
import NIOCore
import NIOSSL
import SelfSigned

typealias Bytes = NIOAsyncChannel<ByteBuffer, ByteBuffer>

/// A listener on port 7 with TLS, whose connections may close one direction at a time.
func listen(on host: VirtualHost) async throws -> NIOAsyncChannel<Bytes, Never> {
  let context = try NIOSSLContext(configuration: SelfSigned.serverConfiguration())
  return try await MartletServerBootstrap(host: host)
    .childChannelOption(.allowRemoteHalfClosure, value: true)
    .bind(host: "0.0.0.0", port: 7) { channel in
      channel.eventLoop.makeCompletedFuture {
        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
        return try Bytes(
          wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
      }
    }
}

/// Echoes what a client says, and once it has said all (its `close_notify`), how much that was.
func echo(_ connection: Bytes) async throws {
  try await connection.executeThenClose { inbound, outbound in
    var count = 0
    for try await bytes in inbound {
      count += bytes.readableBytes
      try await outbound.write(bytes)
    }
    try await outbound.write(ByteBuffer(string: "\nThat was \(count) bytes."))
    outbound.finish()
  }
}
