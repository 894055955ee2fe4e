import Martlet
import Testing
import TwoHosts

@testable import GRPCGreeter

@Suite struct GRPCTests {
  @Test(
    "grpc-swift calls over one connection: unary, a stream each way, an error",
    arguments: [Loop.Time.virtual(seed: 1), .real])
  func greetings(_ time: Loop.Time) async throws {
    let hosts = try TwoHosts(time)
    let answers = try await hosts.loop.run { try await conversation(on: hosts) }
    #expect(
      answers == [
        "Hello, Martlet!", "Hello, Ada!", "Hello, Grace!", "Hello, Barbara!", "invalidArgument: nobody to greet",
      ])
    hosts.loop.shutdown()
  }
}
