import Martlet
import NIOCore
import TwoHosts

/// A server for one client, and that client.
func conversation(on hosts: TwoHosts) async throws -> String {
  let listener = try await listen(on: hosts.server)
  return try await listener.executeThenClose { connections in
    async let answer = say("A secret for the server.", to: "server.example", on: hosts.client)
    for try await connection in connections {
      try await echo(connection)
      break
    }
    return try await answer
  }
}
