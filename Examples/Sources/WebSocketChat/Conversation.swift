import Martlet
import TwoHosts

/// What Alice and Bob hear from each other by way of the server.
func conversation(on hosts: TwoHosts) async throws -> (alice: [String], bob: [String]) {
  try await withThrowingTaskGroup(of: Void.self) { server in
    server.addTask { try await serve(on: hosts.server) }
    async let alice = chat(
      as: "alice",
      replies: ["bob has joined": "Hello, Bob!", "bob: Hello, Alice!": "Goodbye!"], until: "bob has left",
      server: "server.example", on: hosts.client)
    // A second costs nothing in virtual time.
    try await hosts.loop.clock.sleep(for: .seconds(1))
    async let bob = chat(
      as: "bob", replies: ["alice: Hello, Bob!": "Hello, Alice!"], until: "alice: Goodbye!",
      server: "server.example", on: hosts.client)
    let heard = try await (alice, bob)
    server.cancelAll()
    return heard
  }
}
