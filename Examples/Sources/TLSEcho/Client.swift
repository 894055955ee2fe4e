import Martlet
import MartletNIO
import NIOCore
import NIOSSL
import SelfSigned

/// Says `sentence`, closes its own direction and reads on to the end.
///
/// `NIOClientTCPBootstrap` is what libraries take that leave TCP and TLS to their caller.
func say(_ sentence: String, to server: String, on host: VirtualHost) async throws -> String {
  let context = try NIOSSLContext(configuration: SelfSigned.clientConfiguration())
  let bootstrap = NIOClientTCPBootstrap(
    MartletClientBootstrap(host: host), tls: try NIOSSLClientTLSProvider(context: context, serverHostname: server))
  let connection =
    try await bootstrap
    .enableTLS()
    .channelConvenienceOptions([.allowRemoteHalfClosure])
    .connect(host: server, port: 7)
    .flatMapThrowing { channel in
      try Bytes(wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
    }
    .get()
  return try await connection.executeThenClose { inbound, outbound in
    try await outbound.write(ByteBuffer(string: sentence))
    outbound.finish()
    var answer = ByteBuffer()
    for try await bytes in inbound { answer.writeImmutableBuffer(bytes) }
    return String(buffer: answer)
  }
}
