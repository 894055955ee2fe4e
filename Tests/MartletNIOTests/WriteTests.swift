import Martlet
import MartletNIO
import MartletWire
import NIOCore
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// How a channel writes, and how it ends.
@Suite struct WriteTests {
  @Test("A write waits for a flush, and is counted until then", arguments: Pair.times)
  func flushes(_ time: Loop.Time) async throws {
    let pair = try Pair(time)
    try await pair.loop.run {
      let listener = try pair.server.listen(on: 80)
      let channel = try await pair.connect(noting: Log())
      let peer = try await listener.accept()
      let written = channel.write(ByteBuffer(string: "hello"))
      #expect(try await channel.getOption(.bufferedWritableBytes).get() == 5)
      channel.flush()
      try await written.get()
      #expect(try await channel.getOption(.bufferedWritableBytes).get() == 0)
      #expect(try await peer.read() == Array("hello".utf8))
    }
    pair.loop.shutdown()
  }

  @Test("Writes are sent in order, whatever their size, and their promises succeed in order", arguments: Pair.times)
  func order(_ time: Loop.Time) async throws {
    let pair = try Pair(time)
    let sizes = [1, 0, 20_000, 5, 70_000, 1_000_000, 3]
    let log = Log()
    let received = try await pair.loop.run {
      let listener = try pair.server.listen(on: 80)
      let channel = try await pair.connect(noting: Log())
      let peer = try await listener.accept()
      for (index, size) in sizes.enumerated() {
        channel.write(ByteBuffer(repeating: UInt8(index), count: size)).whenSuccess { log.note("\(index)") }
      }
      channel.flush()
      channel.close(mode: .output, promise: nil)
      return try await peer.readToEnd()
    }
    #expect(log.all == sizes.indices.map { "\($0)" })
    #expect(received == sizes.enumerated().flatMap { [UInt8](repeating: UInt8($0.offset), count: $0.element) })
    pair.loop.shutdown()
  }

  @Test("A buffer that is changed after its write is sent as it was")
  func sharedBuffer() async throws {
    let pair = try Pair()
    let received = try await pair.loop.run {
      let listener = try pair.server.listen(on: 80)
      let channel = try await pair.connect(noting: Log())
      let peer = try await listener.accept()
      var buffer = ByteBuffer(repeating: 1, count: 50_000)
      let written = channel.send(buffer)
      buffer.setRepeatingByte(2, count: 50_000, at: 0)
      try await written.get()
      buffer.clear()
      buffer.writeRepeatingByte(3, count: 50_000)
      channel.close(mode: .output, promise: nil)
      return try await peer.readToEnd()
    }
    #expect(received == [UInt8](repeating: 1, count: 50_000))
    pair.loop.shutdown()
  }

  @Test("Above the high water mark a channel is not writable, below the low one it is again, each told once")
  func waterMarks() async throws {
    let pair = try Pair()
    let log = Log()
    try await pair.loop.run {
      let listener = try pair.server.listen(on: 80)
      let channel = try await pair.connect(noting: log) { channel in
        try channel.syncOptions?.setOption(.writeBufferWaterMark, value: .init(low: 10, high: 20))
      }
      let peer = try await listener.accept()
      channel.write(ByteBuffer(repeating: 1, count: 20), promise: nil)
      #expect(channel.isWritable)
      channel.write(ByteBuffer(repeating: 1, count: 1), promise: nil)
      #expect(!channel.isWritable)
      channel.write(ByteBuffer(repeating: 1, count: 50), promise: nil)
      channel.flush()
      #expect(channel.isWritable)
      #expect(try await peer.read().count == 71)
    }
    #expect(log.all == ["registered", "active", "not writable", "writable"])
    pair.loop.shutdown()
  }

  @Test("A peer that does not read makes the channel unwritable, until it reads", arguments: Pair.times)
  func slowPeer(_ time: Loop.Time) async throws {
    let pair = try Pair(time)
    let total = 12 << 20
    try await pair.loop.run {
      let listener = try pair.server.listen(on: 80)
      let channel = try await pair.connect(noting: Log())
      let peer = try await listener.accept()
      let written = channel.send(ByteBuffer(repeating: 9, count: total))
      try await pair.settle()
      #expect(!channel.isWritable)
      var received = 0
      while received < total { received += try await peer.read(upTo: 1 << 20).count }
      try await written.get()
      #expect(channel.isWritable)
    }
    pair.loop.shutdown()
  }

  @Test("A region of a file is sent, between other writes", arguments: Pair.times)
  func fileRegion(_ time: Loop.Time) async throws {
    let pair = try Pair(time)
    let content = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    let descriptor = try temporaryFile(content)
    let received = try await pair.loop.run {
      let listener = try pair.server.listen(on: 80)
      let channel = try await pair.connect(noting: Log())
      let peer = try await listener.accept()
      let file = NIOFileHandle(_deprecatedTakingOwnershipOfDescriptor: descriptor)
      let region = FileRegion(fileHandle: file, readerIndex: 1_000, endIndex: 290_000)
      channel.write(IOData.byteBuffer(ByteBuffer(string: "head")), promise: nil)
      let written = channel.write(IOData.fileRegion(region))
      channel.writeAndFlush(IOData.byteBuffer(ByteBuffer(string: "tail")), promise: nil)
      channel.close(mode: .output, promise: nil)
      let received = try await peer.readToEnd()
      try await written.get()
      try file.close()
      return received
    }
    #expect(received == Array("head".utf8) + content[1_000..<290_000] + Array("tail".utf8))
    pair.loop.shutdown()
  }

  @Test("A file that ends before its region ends the channel, and its write fails")
  func shortFile() async throws {
    let pair = try Pair()
    let descriptor = try temporaryFile(Array("short".utf8))
    try await pair.loop.run {
      let listener = try pair.server.listen(on: 80)
      let channel = try await pair.connect(noting: Log())
      _ = try await listener.accept()
      let file = NIOFileHandle(_deprecatedTakingOwnershipOfDescriptor: descriptor)
      let region = FileRegion(fileHandle: file, readerIndex: 0, endIndex: 1_000)
      await #expect(throws: IOError.self) { try await channel.send(IOData.fileRegion(region)).get() }
      try await channel.closeFuture.get()
      try file.close()
    }
    pair.loop.shutdown()
  }

  @Test("Closing fails what was not sent, and everything afterwards")
  func closedWrites() async throws {
    let pair = try Pair()
    try await pair.loop.run {
      let listener = try pair.server.listen(on: 80)
      let channel = try await pair.connect(noting: Log())
      _ = try await listener.accept()
      let unflushed = channel.write(ByteBuffer(string: "never"))
      try await channel.close().get()
      await #expect(throws: ChannelError.ioOnClosedChannel) { try await unflushed.get() }
      await #expect(throws: ChannelError.ioOnClosedChannel) {
        try await channel.send(ByteBuffer(string: "late")).get()
      }
      await #expect(throws: ChannelError.alreadyClosed) { try await channel.close().get() }
      #expect(!channel.isWritable)
    }
    pair.loop.shutdown()
  }

  @Test("Closing the output sends the end behind everything written, and reading goes on", arguments: Pair.times)
  func closeOutput(_ time: Loop.Time) async throws {
    let pair = try Pair(time)
    let log = Log()
    let big = 3 << 20
    try await pair.loop.run {
      let listener = try pair.server.listen(on: 80)
      let channel = try await pair.connect(noting: log)
      let peer = try await listener.accept()
      channel.writeAndFlush(ByteBuffer(repeating: 1, count: big), promise: nil)
      let closed = channel.closing(.output)
      await #expect(throws: ChannelError.outputClosed) {
        try await channel.send(ByteBuffer(string: "late")).get()
      }
      await #expect(throws: ChannelError.outputClosed) { try await channel.close(mode: .output).get() }
      #expect(try await peer.readToEnd().count == big)
      try await closed.get()
      #expect(channel.isActive)
      try await peer.write("still here")
      #expect(try await pair.wait { log.all.contains("read still here") })
      peer.close()
      try await channel.closeFuture.get()
    }
    #expect(log.count(of: "output closed") == 1)
    pair.loop.shutdown()
  }

  @Test("Closing the input stops reading, and writing goes on")
  func closeInput() async throws {
    let pair = try Pair()
    let log = Log()
    try await pair.loop.run {
      let listener = try pair.server.listen(on: 80)
      let channel = try await pair.connect(noting: log)
      let peer = try await listener.accept()
      try await channel.close(mode: .input).get()
      await #expect(throws: ChannelError.inputClosed) { try await channel.close(mode: .input).get() }
      try await peer.write("unheard")
      try await channel.send(ByteBuffer(string: "hello")).get()
      #expect(try await peer.read() == Array("hello".utf8))
      try await channel.close(mode: .output).get()
      try await channel.closeFuture.get()
    }
    #expect(
      log.all == ["registered", "active", "input closed", "inactive", "unregistered"]
        || log.count(of: "input closed") == 1)
    #expect(!log.all.contains("read unheard"))
    pair.loop.shutdown()
  }

  @Test("What is written while a channel connects is sent when it is connected")
  func earlyWrite() async throws {
    let pair = try Pair()
    try await pair.loop.run {
      let listener = try pair.server.listen(on: 80)
      _ = try await pair.connect(noting: Log()) { channel in
        channel.writeAndFlush(ByteBuffer(string: "early"), promise: nil)
      }
      let peer = try await listener.accept()
      #expect(try await peer.read() == Array("early".utf8))
    }
    pair.loop.shutdown()
  }

  @Test("A write fails with what ended the connection")
  func writeAfterReset() async throws {
    let pair = try Pair()
    try await pair.loop.run {
      let listener = try pair.server.listen(on: 80)
      let channel = try await pair.connect(noting: Log())
      let peer = try await listener.accept()
      let written = channel.send(ByteBuffer(repeating: 1, count: 16 << 20))
      try await pair.settle()
      peer.abort()
      await #expect(throws: IOError.self) { try await written.get() }
      try await channel.closeFuture.get()
    }
    pair.loop.shutdown()
  }

  @Test("Lingering for no time closes by a reset")
  func lingerZero() async throws {
    let pair = try Pair()
    try await pair.loop.run {
      let listener = try pair.server.listen(on: 80)
      let channel = try await pair.connect(noting: Log())
      let peer = try await listener.accept()
      let provider = try #require(channel as? any SocketOptionProvider)
      try await provider.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
      #expect(try await provider.getSoLinger().get().l_onoff == 1)
      try await channel.close().get()
      await #expect(throws: SocketError.reset) { try await peer.read() }
    }
    pair.loop.shutdown()
  }

  private func temporaryFile(_ content: [UInt8]) throws -> CInt {
    var name = Array("/tmp/martlet-nio-XXXXXX".utf8CString)
    let descriptor = unsafe name.withUnsafeMutableBufferPointer { unsafe mkstemp($0.baseAddress.unsafelyUnwrapped) }
    try #require(descriptor >= 0)
    unsafe name.withUnsafeBufferPointer { _ = unsafe unlink($0.baseAddress.unsafelyUnwrapped) }
    #expect(unsafe content.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) } == content.count)
    return descriptor
  }
}
