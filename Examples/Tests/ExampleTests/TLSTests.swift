import Martlet
import MartletNIO
import NIOCore
import NIOSSL
import SelfSigned
import Testing
import TwoHosts

@testable import TLSEcho

@Suite struct TLSTests {
  @Test(
    "NIOSSL on both sides closes one direction and goes on in the other",
    arguments: [Loop.Time.virtual(seed: 1), .real])
  func halfClose(_ time: Loop.Time) async throws {
    let hosts = try TwoHosts(time)
    let answer = try await hosts.loop.run { try await conversation(on: hosts) }
    #expect(answer == "A secret for the server.\nThat was 24 bytes.")
    hosts.loop.shutdown()
  }

  @Test("A client that asks for another name refuses the certificate")
  func wrongName() async throws {
    let hosts = try TwoHosts()
    // The certificate is good for 192.0.2.2 as well, by whatever name.
    hosts.client.hosts = HostsTable("192.0.2.3 other.example")
    let error = await #expect(throws: NIOSSLExtraError.self) {
      _ = try await hosts.loop.run {
        let listener = try await listen(on: hosts.server)
        return try await listener.executeThenClose { connections in
          async let answer = say("Who are you?", to: "other.example", on: hosts.client)
          for try await connection in connections {
            // What the server has of it is a connection that breaks off.
            try? await connection.executeThenClose { inbound, _ in for try await _ in inbound {} }
            break
          }
          return try await answer
        }
      }
    }
    #expect(error == .failedToValidateHostname)
    hosts.loop.shutdown()
  }
}
