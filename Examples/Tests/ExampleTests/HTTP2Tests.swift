import Martlet
import Testing
import TwoHosts

@testable import HTTP2Server

@Suite struct HTTP2Tests {
  @Test(
    "NIOHTTP2 is chosen by ALPN over NIOSSL and serves three streams at once",
    arguments: [Loop.Time.virtual(seed: 1), .real])
  func streams(_ time: Loop.Time) async throws {
    let hosts = try TwoHosts(time)
    let answers = try await hosts.loop.run { try await conversation(on: hosts) }
    #expect(answers == ["/swift", "/martlet", "/http2"].map { "HTTP/2.0 200 Hello from \($0)" })
    hosts.loop.shutdown()
  }
}
