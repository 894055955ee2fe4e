import Dispatch

/// Standard input in blocks. A thread of its own reads one block ahead, so that a loop never waits for a pipe or a disk.
struct StandardInput: ~Copyable {
  private let queue = DispatchQueue(label: "standard input")
  private let limit: Int
  private var ahead: Task<[UInt8], Never>?

  /// Blocks of at most `limit` bytes.
  init(limit: Int = 262_144) { self.limit = limit }

  /// The next block; nil at the end.
  mutating func next() async -> [UInt8]? {
    let block = await (ahead ?? read()).value
    ahead = block.isEmpty ? nil : read()
    return block.isEmpty ? nil : block
  }

  private func read() -> Task<[UInt8], Never> {
    let (queue, limit) = (queue, limit)
    return Task {
      await withCheckedContinuation { continuation in
        queue.async { continuation.resume(returning: StandardStreams.read(from: 0, limit: limit)) }
      }
    }
  }
}

/// Standard output in blocks, written by a thread of its own; a writer waits for the block before.
struct StandardOutput: Sendable {
  private let queue = DispatchQueue(label: "standard output")

  /// Writes `bytes`; false if nobody reads any more.
  func write(_ bytes: [UInt8]) async -> Bool {
    await withCheckedContinuation { continuation in
      queue.async { continuation.resume(returning: StandardStreams.write(bytes, to: 1)) }
    }
  }

  /// Waits until everything is written.
  func finish() async {
    await withCheckedContinuation { continuation in queue.async { continuation.resume() } }
  }
}
