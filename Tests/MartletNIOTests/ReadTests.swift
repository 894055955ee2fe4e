import Martlet
import MartletNIO
import MartletWire
import NIOCore
import Testing

/// When a channel reads, and how much.
@Suite struct ReadTests {
  @Test("Without autoRead nothing is read until it is asked for", arguments: Pair.times)
  func autoReadOff(_ time: Loop.Time) async throws {
    let pair = try Pair(time)
    let log = Log()
    try await pair.loop.run {
      let socket = try pair.server.listen(on: 80)
      let channel = try await pair.connect(noting: log) { channel in
        try channel.syncOptions?.setOption(.autoRead, value: false)
      }
      let peer = try await socket.accept()
      try await peer.write("one")
      try await pair.settle()
      #expect(log.all == ["registered", "active"])
      channel.read()
      #expect(try await pair.wait { log.all.contains("read one") })
      try await peer.write("two")
      try await pair.settle()
      #expect(!log.all.contains("read two"))
      try await channel.setOption(.autoRead, value: true).get()
      #expect(try await pair.wait { log.all.contains("read two") })
      peer.close()
      try await channel.closeFuture.get()
    }
    pair.loop.shutdown()
  }

  @Test("A read that was asked for before anything came is answered when it comes")
  func readBefore() async throws {
    let pair = try Pair()
    let log = Log()
    try await pair.loop.run {
      let listener = try pair.server.listen(on: 80)
      let channel = try await pair.connect(noting: log) { channel in
        try channel.syncOptions?.setOption(.autoRead, value: false)
      }
      let peer = try await listener.accept()
      channel.read()
      try await pair.settle()
      try await peer.write("late")
      #expect(try await pair.wait { log.all.contains("read late") })
    }
    pair.loop.shutdown()
  }

  @Test("One turn reads at most maxMessagesPerRead times, each as much as the allocator's buffer", arguments: [1, 2])
  func maxMessages(_ limit: UInt) async throws {
    let pair = try Pair()
    let log = Log()
    try await pair.loop.run {
      let listener = try pair.server.listen(on: 80)
      let channel = try await pair.connect(noting: log) { channel in
        try channel.syncOptions?.setOption(.autoRead, value: false)
        try channel.syncOptions?.setOption(.maxMessagesPerRead, value: limit)
        try channel.syncOptions?.setOption(
          .recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 4))
      }
      let peer = try await listener.accept()
      try await peer.write("aaaabbbbcccc")
      try await pair.settle()
      channel.read()
      try await pair.settle()
      #expect(
        log.all.dropFirst(2)
          == (limit == 1 ? ["read aaaa", "read complete"] : ["read aaaa", "read bbbb", "read complete"]))
      channel.read()
      channel.read()
      try await pair.settle()
      channel.read()
      try await pair.settle()
      #expect(
        log.all.filter { $0.hasPrefix("read ") && $0 != "read complete" } == ["read aaaa", "read bbbb", "read cccc"])
    }
    pair.loop.shutdown()
  }

  @Test("A channel that stops reading stops its peer", arguments: Pair.times)
  func backPressure(_ time: Loop.Time) async throws {
    let pair = try Pair(time)
    let total = 12 << 20
    let received = try await pair.loop.run {
      let listener = try pair.server.listen(on: 80)
      let counter = Counter()
      let channel = try await pair.connect(noting: Log(), reads: false) { channel in
        try channel.syncOptions?.setOption(.autoRead, value: false)
        try channel.pipeline.syncOperations.addHandler(counter.handler())
      }
      let peer = try await listener.accept()
      let sender = pair.loop.task { try await peer.write([UInt8](repeating: 7, count: total)) }
      try await pair.settle()
      #expect(counter.count == 0)
      try await channel.setOption(.autoRead, value: true).get()
      try await sender.value
      #expect(try await pair.wait { counter.count == total })
      return counter.count
    }
    #expect(received == total)
    pair.loop.shutdown()
  }

  @Test("What a slow reader was sent before the end arrives whole", arguments: Pair.times)
  func slowReader(_ time: Loop.Time) async throws {
    let pair = try Pair(time)
    let total = 3_000_001
    try await pair.loop.run {
      let counter = Counter()
      _ = try await pair.listen(noting: Log(), reads: false) { channel in
        try channel.pipeline.syncOperations.addHandler(counter.handler())
      }
      let socket = try await pair.client.connect(to: "10.0.0.2:80")
      try await socket.write([UInt8](repeating: 1, count: total))
      try socket.shutdownWrite()
      #expect(try await socket.readToEnd().isEmpty)
      #expect(counter.count == total)
    }
    pair.loop.shutdown()
  }
}
