import Martlet
import MartletCore
import MartletWire
import Synchronization
import Testing

@Suite("Bytes by reference")
struct InPlaceTests {
  /// How many regions came back.
  static let released = Mutex(0)

  @Test("What is written by reference is read where it lies, and comes back once it is acknowledged")
  func writeAndReadInPlace() async throws {
    let net = try Network()
    let (bytes, runs) = try await net.loop.run {
      let listener = try net.server.listen(on: 12_000)
      net.loop.task {
        let connection = try await listener.accept()
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 100_000, alignment: 8)
        for index in memory.indices { unsafe memory[index] = UInt8(truncatingIfNeeded: index &* 31) }
        let start = try unsafe #require(memory.baseAddress)
        let region = unsafe Region(bytes: start, byteCount: memory.count, context: nil) { bytes, _, _ in
          unsafe bytes.deallocate()
          InPlaceTests.released.withLock { $0 += 1 }
        }
        try await connection.write(Slice(region.share(), offset: 0, count: 60_000))
        try await connection.write(Slice(region, offset: 60_000, count: 40_000))
        connection.close()
      }
      let socket = try await net.client.connect(to: SocketAddress(Network.serverV4, port: 12_000))
      var bytes: [UInt8] = []
      var runs = 0
      // In portions that end inside packets.
      while true {
        let count = try await socket.readInPlace(upTo: 1_000) { run in
          bytes += unsafe run.withUnsafeBytes { unsafe Array($0) }
          runs += 1
        }
        if count == 0 { break }
      }
      socket.close()
      try await net.loop.clock.sleep(until: net.loop.now.advanced(by: .seconds(1)))
      return (bytes, runs)
    }
    #expect(bytes == (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
    #expect(runs >= 100)
    #expect(Self.released.withLock { $0 } == 1)
    net.loop.shutdown()
  }

  @Test("What a line left over is read in place before what came after it")
  func readInPlaceAfterLine() async throws {
    let net = try Network()
    let rest = try await net.loop.run {
      let listener = try net.server.listen(on: 12_000)
      net.loop.task {
        let connection = try await listener.accept()
        try await connection.write("one\ntwo")
        try await net.loop.clock.sleep(until: net.loop.now.advanced(by: .seconds(1)))
        try await connection.write("three")
        connection.close()
      }
      let socket = try await net.client.connect(to: SocketAddress(Network.serverV4, port: 12_000))
      #expect(try await socket.readLine() == "one")
      var rest: [String] = []
      for maximum in [2, 100, 100, 100] {
        _ = try await socket.readInPlace(upTo: maximum) { run in
          rest.append(String(decoding: unsafe run.withUnsafeBytes { unsafe Array($0) }, as: UTF8.self))
        }
      }
      return rest
    }
    #expect(rest == ["tw", "o", "three"])
    net.loop.shutdown()
  }
}
