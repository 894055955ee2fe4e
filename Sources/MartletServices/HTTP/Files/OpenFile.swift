import Glibc
import Martlet
import NIOCore

/// An open file or directory of this machine, closed with its last reference, or one that is in memory.
final class OpenFile: Sendable {
  enum Kind { case regular, directory }

  /// Owns the descriptor; regions of it can be written to a channel. Nil for what is in memory.
  let handle: NIOFileHandle?
  let kind: Kind
  let size: Int64
  let lastModified: HTTPDate
  let entityTag: EntityTag
  /// As it was when it was opened; nil for what is in memory and never changes.
  let identity: FileIdentity?
  private let descriptor: CInt
  private let content: ByteBuffer

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
    let identity = FileIdentity(status)
    self.identity = identity
    size = identity.byteCount
    lastModified = identity.lastModified
    entityTag = identity.entityTag
    content = ByteBuffer()
  }

  /// What is in memory: `content` of a file, nothing of a directory.
  init(_ kind: Kind, content: ByteBuffer, lastModified: HTTPDate, entityTag: EntityTag) {
    self.kind = kind
    self.content = content
    self.lastModified = lastModified
    self.entityTag = entityTag
    size = Int64(content.readableBytes)
    handle = nil
    identity = nil
    descriptor = -1
  }

  deinit { try? handle?.close() }

  /// What the system says of the file now; nil for what is in memory.
  var status: stat? {
    var status = stat()
    return unsafe descriptor >= 0 && fstat(descriptor, &status) == 0 ? status : nil
  }

  /// Whether the file is still what it was when it was opened.
  var isUnchanged: Bool { identity == nil || status.map(FileIdentity.init) == identity }

  /// Reads `count` bytes at `offset` behind what is in `buffer`; false if there are not as many.
  func read(_ count: Int, at offset: Int64, into buffer: inout ByteBuffer) -> Bool {
    guard identity != nil else {
      guard let slice = content.getSlice(at: content.readerIndex + Int(offset), length: count) else { return false }
      buffer.writeImmutableBuffer(slice)
      return true
    }
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
      let identity = FileIdentity(status)
      var (size, lastModified) = (identity.byteCount, identity.lastModified)
      var type = status.st_mode & S_IFMT
      if type == S_IFLNK {
        guard let target = follow(name) else { continue }
        (size, lastModified) = (target.size, target.lastModified)
        type = target.kind == .directory ? S_IFDIR : S_IFREG
      }
      guard type == S_IFREG || type == S_IFDIR else { continue }
      entries.append(
        DirectoryEntry(
          name: name, isDirectory: type == S_IFDIR, size: size, lastModified: lastModified))
    }
    return entries.sorted { $0.name.lexicographicallyPrecedes($1.name) }
  }
}
