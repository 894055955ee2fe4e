import Glibc

/// What tells one state of a file from another: if any of it is different, the bytes may be.
struct FileIdentity: Hashable, Sendable {
  var device: UInt64
  var inode: UInt64
  var size: Int64
  var modificationSeconds: Int64
  var modificationNanoseconds: Int64

  init(_ status: stat) {
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
    size = Int64(status.st_size)
    modificationSeconds = Int64(status.st_mtim.tv_sec)
    modificationNanoseconds = Int64(status.st_mtim.tv_nsec)
  }

  /// A strong validator: inode, size and time of the last change, the last in nanoseconds.
  var entityTag: EntityTag {
    let time = modificationSeconds &* 1_000_000_000 &+ modificationNanoseconds
    return EntityTag(
      opaque: "\(String(inode, radix: 16))-\(String(size, radix: 16))-\(String(UInt64(bitPattern: time), radix: 16))")
  }

  var lastModified: HTTPDate { HTTPDate(secondsSinceEpoch: modificationSeconds) }
}
