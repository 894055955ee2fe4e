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
    hosts.client.hosts = HostsTable("192.0.2.2 other.example")
    await #expect(throws: (any Error).self) {
      try await hosts.loop.run {
        let listener = try await listen(on: hosts.server)
        _ = try await listener.executeThenClose { _ in
          try await say("Who are you?", to: "other.example", on: hosts.client)
        }
      }
    }
    hosts.loop.shutdown()
  }
}
