import Martlet
import Testing
import TwoHosts

@testable import GracefulServer

@Suite struct GracefulTests {
  @Test(
    "A service that is asked to end finishes its answer and takes no more clients",
    arguments: [Loop.Time.virtual(seed: 1), .real])
  func quiescing(_ time: Loop.Time) async throws {
    let hosts = try TwoHosts(time)
    let outcome = try await hosts.loop.run { try await conversation(on: hosts) }
    #expect(outcome.early == "200 That was hard.")
    #expect(outcome.late.hasPrefix("refused"))
    hosts.loop.shutdown()
  }
}
