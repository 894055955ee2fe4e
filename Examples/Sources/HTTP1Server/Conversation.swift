import Martlet
import NIOCore
import TwoHosts

/// A server, and a client that asks it twice.
func conversation(on hosts: TwoHosts) async throws -> [String] {
  let listener = try await listen(on: hosts.server)
  let answers = try await get(["/swift", "/martlet"], from: "server.example", on: hosts.client)
  try await listener.close()
  return answers
}
