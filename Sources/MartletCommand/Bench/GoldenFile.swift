import Glibc

/// A table kept in git: what a change does to the numbers shows in the diff.
struct GoldenFile {
  var path: String

  /// The file's lines.
  func read() throws -> [String] {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw CommandFailure(
        .network, "\(path) cannot be read: \(reason)", remedy: "Run it where the repository is.")
    }
    defer { Glibc.close(descriptor) }
    var bytes: [UInt8] = []
    while true {
      let more = StandardStreams.read(from: descriptor, limit: 65_536)
      if more.isEmpty { break }
      bytes += more
    }
    return Self.lines(String(decoding: bytes, as: UTF8.self))
  }

  /// Replaces the file by `text`.
  func write(_ text: String) throws {
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw CommandFailure(.cannotCreate, "\(path) cannot be written: \(reason)")
    }
    defer { Glibc.close(descriptor) }
    guard StandardStreams.write(Array(text.utf8), to: descriptor) else {
      throw CommandFailure(.cannotCreate, "\(path) cannot be written: \(reason)")
    }
  }

  /// What has to change in the file for it to be `text`: lines that go (`-`) and that come (`+`); empty if it is the same.
  func difference(to text: String) throws -> [String] { Self.difference(from: try read(), to: Self.lines(text)) }

  static func difference(from old: [String], to new: [String]) -> [String] {
    var removed: Set<Int> = []
    var inserted: Set<Int> = []
    for change in new.difference(from: old) {
      switch change {
      case .remove(let offset, _, _): removed.insert(offset)
      case .insert(let offset, _, _): inserted.insert(offset)
      }
    }
    var changes: [String] = []
    var (left, right) = (0, 0)
    while left < old.count || right < new.count {
      if removed.contains(left) {
        changes.append("-" + old[left])
        left += 1
      } else if inserted.contains(right) {
        changes.append("+" + new[right])
        right += 1
      } else {
        left += 1
        right += 1
      }
    }
    return changes
  }

  private static func lines(_ text: String) -> [String] {
    text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  private var reason: String { unsafe String(cString: strerror(errno)) }
}
