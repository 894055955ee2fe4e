import Glibc
import Martlet
import Synchronization

/// A file to which lines are appended, some of them together.
final class AccessLogFile: Sendable {
  private static let flushSize = 32_768

  private let descriptor: CInt
  private let pending = Mutex<[UInt8]>([])

  /// - Parameter path: `-` is standard output.
  init(path: String) throws {
    if path == "-" {
      descriptor = STDOUT_FILENO
      return
    }
    descriptor = unsafe open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      let reason = unsafe String(cString: strerror(errno))
      throw CommandFailure(errno == EACCES ? .noPermission : .cannotCreate, "--access-log \(path): \(reason)")
    }
  }

  deinit { if descriptor != STDOUT_FILENO { close(descriptor) } }

  func append(_ line: String) {
    let isFull = pending.withLock { bytes in
      bytes += line.utf8
      bytes.append(UInt8(ascii: "\n"))
      return bytes.count >= Self.flushSize
    }
    if isFull { flush() }
  }

  func flush() {
    // Written under the lock: lines stay in order.
    pending.withLock { bytes in
      if bytes.isEmpty { return }
      _ = StandardStreams.write(bytes, to: descriptor)
      bytes.removeAll(keepingCapacity: true)
    }
  }

  /// Writes what there is a few times a second until it is cancelled.
  func keepFlushing(_ clock: LoopClock) async throws {
    while true {
      try await clock.sleep(for: .milliseconds(200))
      flush()
    }
  }
}
