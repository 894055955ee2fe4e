import Martlet
import Testing
import TwoHosts

@testable import HTTP1Server

@Suite struct HTTP1Tests {
  @Test(
    "NIOHTTP1 serves two requests over one connection",
    arguments: [Loop.Time.virtual(seed: 1), .real])
  func keepAlive(_ time: Loop.Time) async throws {
    let hosts = try TwoHosts(time)
    let answers = try await hosts.loop.run { try await conversation(on: hosts) }
    #expect(answers == ["200 Hello from /swift", "200 Hello from /martlet"])
    hosts.loop.shutdown()
  }

  @Test("The same seed takes the same time, whatever the machine is doing")
  func deterministic() async throws {
    var times: [String] = []
    for _ in 0..<2 {
      let hosts = try TwoHosts()
      _ = try await hosts.loop.run { try await conversation(on: hosts) }
      times.append("\(hosts.loop.now)")
      hosts.loop.shutdown()
    }
    #expect(times[0] == times[1])
  }
}
