import MartletLabTesting

/// The snippets of docs/testing.md.
@Suite("What the documentation shows")
struct DocumentationTests {
  static let office: WorldDescription = {
    var line = LinkDirection(rate: 10_000_000, delay: .milliseconds(10))
    line.loss = .random(0.1)
    var description = WorldDescription("office")
    description.host("client")
    description.host("server", services: [.init("uppercase")])
    description.wire("client", "server", line, name: "line")
    return description
  }()

  @Test("A line that loses a tenth, and then is down for a minute", .world(office, seeds: 1...20))
  func patience() async throws {
    let world = try World.current
    let server = SocketAddress(try world.address(of: "server"), port: 12_000)
    let connection = try await world.host("client").connect(to: server)
    try await world.down("line") {
      try await connection.write("hello")
      try await world.sleep(for: .seconds(60))
    }
    let answer = try await connection.read()
    #expect(String(decoding: answer, as: UTF8.self) == "HELLO")
  }
}
