import Martlet
import Testing
import TwoHosts

@testable import HummingbirdServer

@Suite struct HummingbirdTests {
  @Test(
    "A Hummingbird application answers on a host: a route, a body, a 404",
    arguments: [Loop.Time.virtual(seed: 1), .real])
  func application(_ time: Loop.Time) async throws {
    let hosts = try TwoHosts(time)
    let answers = try await hosts.loop.run { try await conversation(on: hosts) }
    #expect(answers == ["200 Hello, Martlet!", "200 A SENTENCE", "404 "])
    hosts.loop.shutdown()
  }
}
