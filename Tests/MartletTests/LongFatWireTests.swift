import Martlet
import MartletCore
import MartletLinks
import MartletWire
import Testing

@Suite("A long fat wire")
struct LongFatWireTests {
  /// How long 20 MB take over 200 Mbit/s and 100 ms, in seconds of virtual time.
  private func transfer(_ options: TCPSocketOptions) async throws -> Double {
    let loop = Loop(.virtual(seed: 7))
    let client = loop.host("client")
    let server = loop.host("server")
    var wire = VirtualWire.Configuration()
    wire.bitsPerSecond = 200_000_000
    wire.delay = .milliseconds(50)
    wire.queuedFrames = 10_000
    let cable = VirtualWire(wire)
    try client.attach(cable.left, addresses: ["10.0.0.1/24"])
    try server.attach(cable.right, addresses: ["10.0.0.2/24"])
    let (seconds, count) = try await loop.run {
      var listening = ListenerOptions()
      listening.connection = options
      let listener = try server.listen(on: 80, options: listening)
      let socket = try await client.connect(to: "10.0.0.2:80" as SocketAddress, options: options)
      let connection = try await listener.accept()
      let begin = loop.clock.now
      loop.task {
        let block = [UInt8](repeating: 1, count: 1_000_000)
        for _ in 0..<20 { try await socket.write(block) }
        try socket.shutdownWrite()
      }
      var count = 0
      while true {
        let bytes = try await connection.read(upTo: 1 << 20)
        if bytes.isEmpty { break }
        count += bytes.count
      }
      return (begin.duration(to: loop.clock.now) / .seconds(1), count)
    }
    #expect(count == 20_000_000)
    loop.shutdown()
    return seconds
  }

  @Test("It is filled without tuning, as one megabyte of buffers would not do")
  func filled() async throws {
    let grown = try await transfer(TCPSocketOptions())
    var options = TCPSocketOptions()
    options.receiveBufferByteCount = 1 << 20
    options.sendBufferByteCount = 1 << 20
    let fixed = try await transfer(options)
    // The line alone takes 0.8 s, slow start ten round trips before it is full.
    #expect(grown < 1.8, "\(grown) s, fixed \(fixed) s")
    #expect(fixed > 2.0)
  }
}
