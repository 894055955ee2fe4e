import Martlet
import MartletNIO
import NIOCore
import NIOHTTP1
import NIOWebSocket

struct NotUpgraded: Error {}

/// Joins as `name`, answers what it hears with `replies`, and leaves when it hears `last`.
///
/// - Returns: All it heard.
func chat(
  as name: String, replies: [String: String], until last: String, server: String, on host: VirtualHost
) async throws -> [String] {
  let upgrade = try await MartletClientBootstrap(host: host).connect(host: server, port: 80) { channel in
    channel.eventLoop.makeCompletedFuture {
      let upgrader = NIOTypedWebSocketClientUpgrader<Frames> { channel, _ in
        channel.eventLoop.makeCompletedFuture { try Frames(wrappingChannelSynchronously: channel) }
      }
      let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/\(name)", headers: ["host": server])
      let upgrade = NIOTypedHTTPClientUpgradeConfiguration<Frames>(
        upgradeRequestHead: head, upgraders: [upgrader]
      ) { channel in
        channel.eventLoop.makeFailedFuture(NotUpgraded())
      }
      return try channel.pipeline.syncOperations.configureUpgradableHTTPClientPipeline(
        configuration: NIOUpgradableHTTPClientPipelineConfiguration(upgradeConfiguration: upgrade))
    }
  }
  return try await upgrade.get().executeThenClose { inbound, outbound in
    func send(_ opcode: WebSocketOpcode, _ text: String) async throws {
      // A client masks what it sends.
      try await outbound.write(
        WebSocketFrame(fin: true, opcode: opcode, maskKey: .random(), data: ByteBuffer(string: text)))
    }
    var heard: [String] = []
    for try await frame in inbound {
      guard frame.opcode == .text else { break }
      let line = String(buffer: frame.data)
      heard.append(line)
      if let reply = replies[line] { try await send(.text, reply) }
      if line == last { try await send(.connectionClose, "") }
    }
    return heard
  }
}
