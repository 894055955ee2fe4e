import NIOCore

/// The files of a directory, read into memory: what a server of a virtual internet serves, so that neither what
/// happens to the directory meanwhile nor the machine's calendar shows in it.
package enum SiteFiles {
  /// Why they cannot be read.
  package enum Failure: Error {
    case system(SystemFailure)
    /// There is more than was allowed, in bytes.
    case tooLarge(limit: Int)
    /// A file changed or went away while it was read.
    case changed(path: String)
  }

  /// Bytes by path of all that ``HTTPFileServer`` would serve from `directory`.
  package static func read(_ directory: String, limit: Int) throws(Failure) -> [String: [UInt8]] {
    let root: RootDirectory
    do throws(SystemFailure) { root = try RootDirectory(path: directory) } catch { throw .system(error) }
    var files: [String: [UInt8]] = [:]
    var byteCount = 0
    // A link may lead back up.
    try read([], depth: 0, of: root, &files, &byteCount, limit: limit)
    return files
  }

  private static let deepest = 32

  private static func read(
    _ path: [UInt8], depth: Int, of root: RootDirectory, _ files: inout [String: [UInt8]], _ byteCount: inout Int,
    limit: Int
  ) throws(Failure) {
    guard depth < deepest, let directory = try? root.open(path) else { return }
    for entry in root.entries(of: directory, at: path) {
      let place = path + (path.isEmpty ? [] : [UInt8(ascii: "/")]) + entry.name
      if entry.isDirectory {
        try read(place, depth: depth + 1, of: root, &files, &byteCount, limit: limit)
        continue
      }
      guard let name = String(validating: place, as: UTF8.self), let file = try? root.open(place) else { continue }
      byteCount += Int(clamping: file.size)
      guard byteCount <= limit else { throw .tooLarge(limit: limit) }
      var bytes = ByteBuffer()
      guard file.read(Int(file.size), at: 0, into: &bytes), file.isUnchanged else { throw .changed(path: name) }
      files[name] = Array(bytes.readableBytesView)
    }
  }
}
