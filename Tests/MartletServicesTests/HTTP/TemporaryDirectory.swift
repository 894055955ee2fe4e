import Glibc

/// A directory with files in it, removed with its last reference.
final class TemporaryDirectory: Sendable {
  let path: String

  init() {
    var template = Array("/tmp/martlet-http-XXXXXX".utf8CString)
    path = unsafe template.withUnsafeMutableBufferPointer { buffer in
      guard let start = buffer.baseAddress, let made = unsafe mkdtemp(start) else { return "" }
      return unsafe String(cString: made)
    }
    precondition(!path.isEmpty, "no room for temporary files")
  }

  deinit { Self.remove(path) }

  private static func remove(_ path: String) {
    if let stream = unsafe opendir(path) {
      while let entry = unsafe readdir(stream) {
        let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { unsafe Array($0.prefix { $0 != 0 }) }
        let text = String(decoding: name, as: UTF8.self)
        if text == "." || text == ".." { continue }
        let type = unsafe entry.pointee.d_type
        if type == DT_DIR { remove("\(path)/\(text)") } else { unsafe _ = unlink("\(path)/\(text)") }
      }
      unsafe _ = closedir(stream)
    }
    unsafe _ = rmdir(path)
  }

  func directory(_ name: String) { unsafe _ = mkdir("\(path)/\(name)", 0o755) }

  func link(_ name: String, to target: String) { unsafe _ = symlink(target, "\(path)/\(name)") }

  func file(_ name: String, _ content: String) { file(name, Array(content.utf8)) }

  func file(_ name: String, _ content: [UInt8]) {
    let descriptor = unsafe open("\(path)/\(name)", O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    precondition(descriptor >= 0, "cannot write \(name)")
    defer { close(descriptor) }
    var written = 0
    while written < content.count {
      let count = unsafe content.withUnsafeBytes { all in
        unsafe write(descriptor, UnsafeRawBufferPointer(rebasing: all[written...]).baseAddress, content.count - written)
      }
      precondition(count > 0)
      written += count
    }
  }

  /// Sets the time of the last change.
  func touch(_ name: String, secondsSinceEpoch: Int) {
    var times = [timeval(tv_sec: secondsSinceEpoch, tv_usec: 0), timeval(tv_sec: secondsSinceEpoch, tv_usec: 0)]
    _ = unsafe utimes("\(path)/\(name)", &times)
  }

  /// Cuts a file, or lengthens it by zeros.
  func shrink(_ name: String, to count: Int) { unsafe _ = truncate("\(path)/\(name)", off_t(count)) }
}

/// Bytes that repeat after no power of two.
func pattern(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 % 251) } }

extension TemporaryDirectory {
  func rename(_ name: String, to other: String) { unsafe _ = Glibc.rename("\(path)/\(name)", "\(path)/\(other)") }
}
