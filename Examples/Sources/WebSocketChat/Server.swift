import Martlet
import MartletNIO
import NIOCore
import NIOHTTP1
import NIOWebSocket

typealias Frames = NIOAsyncChannel<WebSocketFrame, WebSocketFrame>

/// Who is here. On the hosts' loop, as everything in this program: no thread is left to hear a line.
actor Room {
  private var members: [(name: String, outbound: NIOAsyncChannelOutboundWriter<WebSocketFrame>)] = []

  func join(_ name: String, _ outbound: NIOAsyncChannelOutboundWriter<WebSocketFrame>) async {
    await tell("\(name) has joined", from: name)
    members.append((name, outbound))
  }

  func leave(_ name: String) async {
    members.removeAll { $0.name == name }
    await tell("\(name) has left", from: name)
  }

  /// Tells everybody but `name`. Who cannot hear it is about to leave.
  func tell(_ line: String, from name: String) async {
    let frame = WebSocketFrame(fin: true, opcode: .text, data: ByteBuffer(string: line))
    for member in members where member.name != name { try? await member.outbound.write(frame) }
  }
}

/// Somebody who asked for `/name` and was upgraded.
struct Member {
  let name: String
  let frames: Frames

  /// Passes on what this member says, until it closes.
  func talk(in room: Room) async throws {
    try await frames.executeThenClose { inbound, outbound in
      await room.join(name, outbound)
      for try await frame in inbound {
        switch frame.opcode {
        case .text: await room.tell("\(name): \(String(buffer: frame.unmaskedData))", from: name)
        case .ping: try await outbound.write(WebSocketFrame(fin: true, opcode: .pong, data: frame.unmaskedData))
        case .connectionClose:
          await room.leave(name)
          try await outbound.write(WebSocketFrame(fin: true, opcode: .connectionClose, data: frame.unmaskedData))
          return
        default: break
        }
      }
    }
  }
}

/// Serves until it is cancelled: HTTP/1 on port 80, upgraded to WebSocket (RFC 6455).
func serve(on host: VirtualHost) async throws {
  let room = Room()
  let listener = try await MartletServerBootstrap(host: host).bind(host: "0.0.0.0", port: 80) { channel in
    channel.eventLoop.makeCompletedFuture {
      let upgrader = NIOTypedWebSocketServerUpgrader<Member?> { channel, _ in
        channel.eventLoop.makeSucceededFuture([:])
      } upgradePipelineHandler: { channel, request in
        channel.eventLoop.makeCompletedFuture {
          Member(name: String(request.uri.dropFirst()), frames: try Frames(wrappingChannelSynchronously: channel))
        }
      }
      let upgrade = NIOTypedHTTPServerUpgradeConfiguration<Member?>(upgraders: [upgrader]) { channel in
        channel.close().map { nil }
      }
      return try channel.pipeline.syncOperations.configureUpgradableHTTPServerPipeline(
        configuration: NIOUpgradableHTTPServerPipelineConfiguration(upgradeConfiguration: upgrade))
    }
  }
  try await listener.executeThenClose { connections in
    await withDiscardingTaskGroup { group in
      do {
        for try await upgrade in connections {
          // A member who hangs up in the middle of a word is no trouble to the others.
          group.addTask { try? await upgrade.get()?.talk(in: room) }
        }
      } catch {
        print("no more connections: \(error)")
      }
    }
  }
}
