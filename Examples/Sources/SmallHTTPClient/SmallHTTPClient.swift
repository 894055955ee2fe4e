public import Martlet
internal import MartletNIO
internal import NIOCore
public import NIOHTTP1

/// The server closed the connection before its answer was complete.
public struct IncompleteAnswer: Error {}

/// One request over a connection of its own, and its answer: `200 Hello`.
///
/// SwiftNIO's HTTP/1 on a bootstrap of Martlet; the example HTTP1Server shows the same at more leisure.
public func ask(
  _ path: String, by method: HTTPMethod = .GET, body: String = "", of server: String, port: Int = 80,
  on host: VirtualHost
) async throws -> String {
  let connection = try await MartletClientBootstrap(host: host).connect(host: server, port: port) { channel in
    channel.eventLoop.makeCompletedFuture {
      try channel.pipeline.syncOperations.addHTTPClientHandlers()
      return try NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>(wrappingChannelSynchronously: channel)
    }
  }
  return try await connection.executeThenClose { inbound, outbound in
    let headers: HTTPHeaders = ["host": server, "content-length": "\(body.utf8.count)"]
    let head = HTTPRequestHead(version: .http1_1, method: method, uri: path, headers: headers)
    try await outbound.write(contentsOf: [.head(head), .body(.byteBuffer(ByteBuffer(string: body))), .end(nil)])
    var answer = ""
    for try await part in inbound {
      switch part {
      case .head(let head): answer = "\(head.status.code) "
      case .body(let body): answer += String(buffer: body)
      case .end: return answer
      }
    }
    throw IncompleteAnswer()
  }
}
