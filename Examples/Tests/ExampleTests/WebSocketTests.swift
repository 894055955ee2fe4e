import Martlet
import Testing
import TwoHosts

@testable import WebSocketChat

@Suite struct WebSocketTests {
  @Test(
    "NIOWebSocket upgrades two members, who hear each other",
    arguments: [Loop.Time.virtual(seed: 1), .real])
  func chat(_ time: Loop.Time) async throws {
    let hosts = try TwoHosts(time)
    let heard = try await hosts.loop.run { try await conversation(on: hosts) }
    #expect(heard.alice == ["bob has joined", "bob: Hello, Alice!", "bob has left"])
    #expect(heard.bob == ["alice: Hello, Bob!", "alice: Goodbye!"])
    hosts.loop.shutdown()
  }
}
