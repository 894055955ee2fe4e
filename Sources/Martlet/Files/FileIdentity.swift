public import MartletCore

#if canImport(Glibc)
  package import Glibc
#elseif canImport(Musl)
  package import Musl
#elseif canImport(Darwin)
  package import Darwin
#endif

/// Which file a descriptor has, and which state of it: two that are equal have the same bytes, unless somebody set the time of
/// modification back or writes through a mapping of his own.
public struct FileIdentity: Hashable, Sendable {
  /// The device that has the file, as the system numbers it.
  public let device: UInt64
  /// The file's number on its device.
  public let inode: UInt64
  /// The size, in bytes.
  public let byteCount: Int64
  /// When the bytes were last changed: nanoseconds since 1970.
  public let modified: Int64

  /// Asks the system about an open file.
  ///
  /// - Throws: ``FileTransferError/system(errno:)``; ``FileTransferError/notAFile`` for anything but a regular file.
  public init(descriptor: CInt) throws(FileTransferError) {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw .system(errno: errno) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw .notAFile }
    self.init(status)
  }

  package init(_ status: stat) {
    device = UInt64(truncatingIfNeeded: status.st_dev)
    inode = UInt64(truncatingIfNeeded: status.st_ino)
    byteCount = Int64(status.st_size)
    #if canImport(Darwin)
      let time = status.st_mtimespec
    #else
      let time = status.st_mtim
    #endif
    modified = Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
  }

  /// Waits, a few milliseconds at most, until a change would show in ``modified``.
  ///
  /// The system stamps with a clock of coarse ticks: a file that was changed in this tick can change again in it and keep its
  /// time. That is so for files that somebody writes just now, and for no others.
  func outliveTick() {
    #if os(Linux)
      var tick = timespec()
      guard unsafe clock_getres(CLOCK_REALTIME_COARSE, &tick) == 0 else { return }
      let step = Int64(tick.tv_nsec)
      for _ in 0..<4 {
        var now = timespec()
        guard unsafe clock_gettime(CLOCK_REALTIME_COARSE, &now) == 0 else { return }
        let age = Int64(now.tv_sec) &* 1_000_000_000 &+ Int64(now.tv_nsec) &- modified
        // A time far ahead was set by hand: what is changed now gets another.
        guard age <= 0, age > -4 * step else { return }
        var rest = timespec(tv_sec: 0, tv_nsec: Int(clamping: step / 2))
        unsafe nanosleep(&rest, nil)
      }
    #endif
  }
}

/// Why a file was not sent to its end. The connection is reset then, so that nobody takes what arrived for all of it.
public enum FileTransferError: Error, Equatable, Sendable {
  /// The file was changed, cut or lengthened while it was being sent.
  case changed
  /// The descriptor has no regular file.
  case notAFile
  /// The file does not have the bytes that were to be sent.
  case outOfRange
  /// The system refused, with this error number.
  case system(errno: CInt)
  /// The connection failed.
  case socket(SocketError)
}
