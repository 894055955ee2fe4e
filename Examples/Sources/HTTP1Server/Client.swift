import Martlet
import MartletNIO
import NIOCore
import NIOHTTP1

/// Asks `server` for each of `paths` in turn, over one connection.
func get(_ paths: [String], from server: String, on host: VirtualHost) async throws -> [String] {
  let connection = try await MartletClientBootstrap(host: host).connect(host: server, port: 80) { channel in
    channel.eventLoop.makeCompletedFuture {
      try channel.pipeline.syncOperations.addHTTPClientHandlers()
      return try NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>(wrappingChannelSynchronously: channel)
    }
  }
  return try await connection.executeThenClose { inbound, outbound in
    var parts = inbound.makeAsyncIterator()
    var answers: [String] = []
    for path in paths {
      let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: path, headers: ["host": server])
      try await outbound.write(contentsOf: [.head(head), .end(nil)])
      var answer = ""
      answer: while let part = try await parts.next() {
        switch part {
        case .head(let head): answer = "\(head.status.code) "
        case .body(let body): answer += String(buffer: body)
        case .end: break answer
        }
      }
      answers.append(answer)
    }
    return answers
  }
}
