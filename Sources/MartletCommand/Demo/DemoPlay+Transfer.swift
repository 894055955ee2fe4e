import Glibc
import Martlet
import MartletCore
import MartletWire
import Synchronization

extension DemoPlay {
  /// What went through the calls of a transfer.
  private final class TransferCount: Sendable {
    let written = Atomic<Int>(0)
    let read = Atomic<Int>(0)
    let wrong = Atomic<Int>(0)
    let isDone = Atomic<Bool>(false)
  }

  /// Many bytes one way, over a second wire: how fast in the network's time, and how fast in ours.
  mutating func transfer(byteCount: Int, showsProgress: Bool) throws {
    transcript.section(
      "A transfer",
      "\(byteCountText(Double(byteCount))) over a second wire of 10 Gbit/s and 50 µs, which is not recorded.")
    try stage.plugInFastWire()
    stage.observer.isWatching = false
    let count = TransferCount()
    let (client, server, loop) = (client, server, stage.loop)
    let clock = ContinuousClock()
    let wallStart = clock.now
    // The loop's thread works; this one shows how far it is.
    let work = loop.task { try await Self.send(byteCount, from: client, to: server, count) }
    let watcher = ProgressWatcher(total: byteCount, isShown: showsProgress)
    let times = try loop.runAndWait { () -> (Instant, Instant) in
      watcher.start { count.read.load(ordering: .relaxed) }
      defer { watcher.stop() }
      return try await work.value
    }
    let wall = seconds(clock.now - wallStart)
    watcher.finish()
    stage.observer.isWatching = true
    let virtual = seconds(times.0.duration(to: times.1))
    let (written, read) = (count.written.load(ordering: .relaxed), count.read.load(ordering: .relaxed))
    let bits = Double(read) * 8
    let copies = Double(written + read) / Double(max(1, read))
    transcript.facts(
      "transfer",
      [
        ("bytes", JSON(read)), ("virtualSeconds", .number(virtual)), ("virtualBitsPerSecond", .number(bits / virtual)),
        ("wallSeconds", .number(wall)), ("wallBitsPerSecond", .number(bits / wall)), ("copiesPerByte", .number(copies)),
      ])
    transcript.check(
      read == byteCount && count.wrong.load(ordering: .relaxed) == 0,
      "all \(read) bytes arrived, in order and unchanged")
    transcript.remark(
      """
      in the network's time  \(fixed(virtual, 3)) s, \(fixed(bits / virtual / 1e9, 2)) Gbit/s of payload on a wire of 10
      on this machine        \(fixed(wall, 3)) s, \(fixed(bits / wall / 1e9, 2)) Gbit/s: both hosts, the wire and this count on one thread
      copies of each byte    \(fixed(copies, 2)): into the send buffer and out of the receive buffer; the wire moves packets, not bytes
      """)
  }

  /// Sends `byteCount` bytes, reads and compares them, and tells when the first and the last moved.
  private static func send(
    _ byteCount: Int, from client: VirtualHost, to server: VirtualHost, _ count: TransferCount
  ) async throws -> (Instant, Instant) {
    let pattern = (0..<65_536).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    let address = SocketAddress(DemoStage.Address.fastServer(.v4), port: 5_001)
    let listener = try server.listen(on: 5_001)
    defer { listener.close() }
    let loop = client.loop
    let receiver = loop.task { () -> Instant in
      let connection = try await listener.accept()
      defer { connection.close() }
      var read = 0
      while true {
        let bytes = try await connection.read(upTo: 65_536)
        if bytes.isEmpty { return loop.now }
        if !matches(bytes, pattern, at: read) { count.wrong.add(1, ordering: .relaxed) }
        read += bytes.count
        count.read.store(read, ordering: .relaxed)
      }
    }
    let start = loop.now
    let connection = try await client.connect(to: address)
    defer { connection.close() }
    var left = byteCount
    while left > 0 {
      let block = left >= pattern.count ? pattern : Array(pattern.prefix(left))
      try await connection.write(block)
      left -= block.count
      count.written.add(block.count, ordering: .relaxed)
    }
    try connection.shutdownWrite()
    return (start, try await receiver.value)
  }

  /// Whether `bytes` are those of the repeated `pattern` from `offset` on.
  private static func matches(_ bytes: [UInt8], _ pattern: [UInt8], at offset: Int) -> Bool {
    let start = offset % pattern.count
    let first = min(bytes.count, pattern.count - start)
    // Both ranges are inside their arrays: `first` ends with the pattern, and the rest is shorter than it.
    return unsafe bytes.withUnsafeBytes { bytes in
      unsafe pattern.withUnsafeBytes { pattern in
        guard let received = bytes.baseAddress, let expected = pattern.baseAddress else { return true }
        return unsafe memcmp(received, expected + start, first) == 0
          && memcmp(received + first, expected, bytes.count - first) == 0
      }
    }
  }
}
