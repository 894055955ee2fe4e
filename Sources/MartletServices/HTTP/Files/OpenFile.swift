import Glibc
import Martlet
import NIOCore

/// An open file or directory, closed with its last reference.
final class OpenFile: Sendable {
  enum Kind { case regular, directory }

  /// Owns the descriptor; regions of it can be written to a channel.
  let handle: NIOFileHandle
  let kind: Kind
  /// As it was when it was opened.
  let identity: FileIdentity
  private let descriptor: CInt

  /// Takes over `descriptor`; nil, and the descriptor closed, if it is neither a file nor a directory.
  init?(takingOver descriptor: CInt) {
    var status = stat()
    let isKnown = unsafe fstat(descriptor, &status) == 0
    let type = status.st_mode & S_IFMT
    guard isKnown, type == S_IFREG || type == S_IFDIR else {
      close(descriptor)
      return nil
    }
    self.descriptor = descriptor
    handle = NIOFileHandle(_deprecatedTakingOwnershipOfDescriptor: descriptor)
    kind = type == S_IFREG ? .regular : .directory
    identity = FileIdentity(status)
  }

  deinit { try? handle.close() }

  var size: Int64 { identity.byteCount }

  /// What the system says of the file now.
  var status: stat? {
    var status = stat()
    return unsafe fstat(descriptor, &status) == 0 ? status : nil
  }

  /// Whether the file is still what it was when it was opened.
  var isUnchanged: Bool { status.map { FileIdentity($0) == identity } ?? false }

  /// Reads `count` bytes at `offset` behind what is in `buffer`; false if there are not as many.
  func read(_ count: Int, at offset: Int64, into buffer: inout ByteBuffer) -> Bool {
    var done = 0
    buffer.reserveCapacity(minimumWritableBytes: count)
    while done < count {
      // The kernel writes into the buffer's spare room and no more than its size.
      let result = unsafe buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count - done) { room in
        var result = 0
        repeat {
          result = unsafe pread(descriptor, room.baseAddress, count - done, off_t(offset) + off_t(done))
        } while result < 0 && errno == EINTR
        return max(0, result)
      }
      if result == 0 {
        return false
      }
      done += result
    }
    return true
  }

  /// The names in a directory but for `.` and `..`, with what is known of each; in the order of the bytes of the names.
  ///
  /// - Parameter follow: What a symbolic link of this name leads to; nil leaves the name out.
  func entries(includingHidden: Bool, follow: (_ name: [UInt8]) -> OpenFile?) -> [DirectoryEntry] {
    // A descriptor of its own, because the stream's position and end belong to it.
    let copy = unsafe openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard copy >= 0 else { return [] }
    guard let stream = unsafe fdopendir(copy) else {
      close(copy)
      return []
    }
    defer { unsafe _ = closedir(stream) }
    var entries: [DirectoryEntry] = []
    while let entry = unsafe readdir(stream) {
      // `d_name` ends with NUL and lives until the next call.
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { field in
        unsafe Array(field.prefix { $0 != 0 })
      }
      if name == Array(".".utf8) || name == Array("..".utf8) { continue }
      if !includingHidden && name.first == UInt8(ascii: ".") { continue }
      var status = stat()
      let isKnown = unsafe CPath.with(name) { path in
        unsafe fstatat(copy, path, &status, AT_SYMLINK_NOFOLLOW) == 0 ? 0 : -1
      }
      guard isKnown == 0 else { continue }
      var identity = FileIdentity(status)
      var type = status.st_mode & S_IFMT
      if type == S_IFLNK {
        guard let target = follow(name) else { continue }
        identity = target.identity
        type = target.kind == .directory ? S_IFDIR : S_IFREG
      }
      guard type == S_IFREG || type == S_IFDIR else { continue }
      entries.append(
        DirectoryEntry(
          name: name, isDirectory: type == S_IFDIR, size: identity.byteCount, lastModified: identity.lastModified))
    }
    return entries.sorted { $0.name.lexicographicallyPrecedes($1.name) }
  }
}
