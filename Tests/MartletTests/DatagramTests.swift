import Martlet
import MartletCore
import MartletWire
import Testing

@Suite("A UDP socket")
struct DatagramTests {
  @Test("The server answers in capitals", arguments: StreamTests.cases)
  func upperCase(time: Loop.Time, address: IPAddress) async throws {
    let net = try Network(time)
    let (answer, source) = try await net.loop.run {
      let server = try net.server.bindUDP(on: 12_000)
      net.loop.task {
        while true {
          let question = try await server.receive()
          try server.send(String(decoding: question.bytes, as: UTF8.self).uppercased(), to: question.source)
        }
      }
      let socket = try net.client.bindUDP()
      try socket.send("hello", to: SocketAddress(address, port: 12_000))
      let answer = try await socket.receive()
      return (String(decoding: answer.bytes, as: UTF8.self), answer.source)
    }
    #expect(answer == "HELLO")
    #expect(source == SocketAddress(address, port: 12_000))
    net.loop.shutdown()
  }

  @Test("A datagram longer than was asked for is cut and flagged", arguments: Network.times)
  func truncated(time: Loop.Time) async throws {
    let net = try Network(time)
    let server = try net.server.bindUDP(on: 7)
    let socket = try net.client.bindUDP()
    try socket.send(Array(repeating: 5, count: 100), to: "10.0.0.2:7")
    let datagram = try await server.receive(upTo: 10)
    #expect(datagram.bytes == Array(repeating: 5, count: 10))
    #expect(datagram.isTruncated)
    #expect(datagram.information.byteCount == 100)
    net.loop.shutdown()
  }

  @Test("A connected socket hears that nobody listens", arguments: Network.times)
  func refused(time: Loop.Time) async throws {
    let net = try Network(time)
    await #expect(throws: SocketError.refused) {
      try await net.loop.run {
        let socket = try net.client.bindUDP()
        try socket.connect(to: "10.0.0.2:9")
        try socket.send("anybody?")
        _ = try await socket.receive()
      }
    }
    net.loop.shutdown()
  }

  @Test("A ping takes the time there and back")
  func ping() async throws {
    let net = try Network()
    let times = try await net.loop.run {
      // The first one asks for the Ethernet address as well.
      _ = try await net.client.ping(Network.serverV4)
      return [try await net.client.ping(Network.serverV4), try await net.client.ping("10.0.0.1")]
    }
    #expect(times[0] >= .milliseconds(20))
    #expect(times[0] < .milliseconds(21))
    #expect(times[1] < .milliseconds(1))
    net.loop.shutdown()
  }
}
