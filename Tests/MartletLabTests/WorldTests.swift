import Martlet
import MartletCore
import MartletWire
import Testing

@testable import MartletLab

/// client - s1 - r1 - r2 - s2 - server, as in the lectures' figure of encapsulation.
func figure() -> WorldDescription {
  var world = WorldDescription("figure")
  world.host("client")
  world.host("server", services: [.init("uppercase"), .init("echo")])
  world.switch("s1")
  world.switch("s2")
  world.router("r1")
  world.router("r2")
  let lan = LinkDirection(rate: 100_000_000, delay: .microseconds(5))
  world.wire("client", "s1", lan)
  world.wire("s1", "r1", lan)
  world.wire("r1", "r2", LinkDirection(rate: 10_000_000, delay: .milliseconds(10)))
  world.wire("r2", "s2", lan)
  world.wire("s2", "server", lan)
  return world
}

@Suite("A world")
struct WorldTests {
  @Test("Upper case over UDP and TCP crosses two switches and two routers")
  func crosses() throws {
    let world = try World(figure())
    let client = try world.host("client")
    let server = try world.address(of: "server")
    #expect("\(server)" == "10.0.2.2")
    let answers = try world.runAndWait { () -> [String] in
      let udp = try client.bindUDP()
      try udp.send("hello", to: SocketAddress(server, port: 12_000))
      let first = String(decoding: try await udp.receive().bytes, as: UTF8.self)
      udp.close()
      let tcp = try await client.connect(to: SocketAddress(server, port: 12_000))
      try await tcp.write("world")
      let second = String(decoding: try await tcp.read(), as: UTF8.self)
      tcp.close()
      return [first, second]
    }
    #expect(answers == ["HELLO", "WORLD"])
    try world.run(for: .seconds(1))
    let recording = world.finish()
    #expect(recording.frames.allSatisfy { $0.fate == .delivered })
    for event in recording.events {
      if let cause = event.cause { #expect(recording.events[cause].time <= event.time) }
    }
    #expect(zip(recording.events, recording.events.dropFirst()).allSatisfy { $0.time <= $1.time })
    #expect(zip(recording.frames, recording.frames.dropFirst()).allSatisfy { $0.departure <= $1.departure })
    // The request is on five links, one the origin of the next.
    let request = try #require(
      recording.frames.lastIndex {
        $0.link == 4 && $0.end == 0 && String(decoding: $0.bytes, as: UTF8.self).contains("hello")
      })
    var chain = [request]
    while let origin = recording.frames[chain[chain.count - 1]].origin { chain.append(origin) }
    #expect(chain.map { recording.frames[$0].link } == [4, 3, 2, 1, 0])
  }
}
