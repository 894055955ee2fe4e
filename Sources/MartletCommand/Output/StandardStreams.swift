import Glibc

/// What goes to the terminal or down a pipe, unbuffered: whoever reads along sees each line at once.
enum StandardStreams {
  /// Whether someone looks at standard output.
  static let isTerminal = isatty(STDOUT_FILENO) == 1
  /// Whether standard output shows colours (https://no-color.org).
  static let hasColor = unsafe isTerminal && getenv("NO_COLOR") == nil

  /// Writes `text` and an end of line to standard output.
  static func line(_ text: String) { write(text + "\n", to: STDOUT_FILENO) }

  /// Writes `text` and an end of line to standard error.
  static func errorLine(_ text: String) { write(text + "\n", to: STDERR_FILENO) }

  static func write(_ text: String, to descriptor: CInt) { _ = write(Array(text.utf8), to: descriptor) }

  /// Writes all of `bytes`, waiting as long as it takes; false if nobody reads any more.
  static func write(_ bytes: [UInt8], to descriptor: CInt) -> Bool {
    var written = 0
    while written < bytes.count {
      // The pointer is used for the one call; `written` stays inside the array.
      let count = unsafe bytes.withUnsafeBytes { source in
        guard let base = source.baseAddress else { return 0 }
        return unsafe Glibc.write(descriptor, base + written, source.count - written)
      }
      if count < 0 {
        if errno == EINTR { continue }
        if errno == EAGAIN {
          waitUntilReady(descriptor, for: CInt(POLLOUT))
          continue
        }
        return false
      }
      written += count
    }
    return true
  }

  /// Up to `limit` bytes, waiting for the first; empty at the end.
  static func read(from descriptor: CInt, limit: Int) -> [UInt8] {
    while true {
      var failure: CInt = 0
      // The array is as large as the call is told, and `count` says how much of it was written.
      let bytes = unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
        let result = unsafe Glibc.read(descriptor, buffer.baseAddress, limit)
        failure = result < 0 ? errno : 0
        count = max(0, result)
      }
      if failure == EINTR { continue }
      if failure == EAGAIN {
        waitUntilReady(descriptor, for: CInt(POLLIN))
        continue
      }
      return bytes
    }
  }

  private static func waitUntilReady(_ descriptor: CInt, for events: CInt) {
    var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
    _ = unsafe poll(&entry, 1, -1)
  }
}
