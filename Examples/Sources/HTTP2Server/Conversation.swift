import Martlet
import NIOCore
import TwoHosts

/// A server, and a client that asks it for three pages at once, over one connection.
func conversation(on hosts: TwoHosts) async throws -> [String] {
  let listener = try await listen(on: hosts.server)
  let (channel, connection) = try await connect(to: "server.example", on: hosts.client)
  async let first = get("/swift", from: "server.example", over: connection)
  async let second = get("/martlet", from: "server.example", over: connection)
  async let third = get("/http2", from: "server.example", over: connection)
  let answers = try await [first, second, third]
  try await channel.close()
  try await listener.close()
  return answers
}
