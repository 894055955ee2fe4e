import CMartletLinux
import Glibc

/// Where a site's files are.
protocol ServedDirectory: Sendable {
  /// Opens what lies at `path`, segments with `/` between; empty is the directory itself.
  func open(_ path: [UInt8]) throws(RootDirectory.Refusal) -> OpenFile

  /// What `directory`, which was opened here at `path`, has to show, in the order of the bytes of the names.
  func entries(of directory: OpenFile, at path: [UInt8]) -> [DirectoryEntry]
}

/// A directory whose files are served, and which nothing leads out of.
///
/// A path is resolved by the kernel below the directory's descriptor (`openat2` with `RESOLVE_BENEATH`): symbolic links are
/// followed as long as they stay inside. Where the system has no such call every component is opened for itself
/// and no link is followed at all.
final class RootDirectory: ServedDirectory {
  /// Why nothing is opened.
  enum Refusal: Error, Equatable {
    /// There is no such file, it is hidden, it leads outside, or it is neither file nor directory.
    case notFound
    /// The system does not allow it.
    case forbidden
    /// The process has no descriptor to spare.
    case exhausted
  }

  enum Resolution { case kernel, componentwise }

  private let descriptor: CInt
  private let showsHidden: Bool
  private let resolution: Resolution

  /// Opens the directory at `path`.
  ///
  /// - Parameter showsHidden: Whether names that begin with a point are served. `.well-known` always is (RFC 8615).
  /// - Throws: The system's error.
  init(path: String, showsHidden: Bool = false, resolution: Resolution? = nil) throws(SystemFailure) {
    descriptor = unsafe Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw SystemFailure(operation: "open", path: path, code: errno) }
    self.showsHidden = showsHidden
    if let resolution {
      self.resolution = resolution
    } else {
      let probe = unsafe martlet_open_beneath(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      if probe >= 0 { close(probe) }
      self.resolution = probe >= 0 ? .kernel : .componentwise
    }
  }

  deinit { close(descriptor) }

  /// Opens what lies at `path`, segments with `/` between; empty is the directory itself.
  func open(_ path: [UInt8]) throws(Refusal) -> OpenFile {
    for (index, segment) in path.split(separator: UInt8(ascii: "/")).enumerated() {
      // The targets of requests have none of these; this is the last door, so it asks again.
      if segment.elementsEqual("..".utf8) || segment.contains(0) || hides(segment, at: index) { throw .notFound }
    }
    // Without blocking: to open a FIFO for reading waits for a writer.
    let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY
    var result: CInt
    if path.isEmpty {
      result = unsafe openat(descriptor, ".", flags | O_DIRECTORY)
    } else {
      switch resolution {
      case .kernel:
        result = openBeneath(path, flags | O_NOFOLLOW)
        // There are links on the way: what they name must be neither hidden nor outside, as if it had been asked for.
        if result < 0, errno == ELOOP {
          guard let real = withoutLinks(path) else { throw .notFound }
          result = real.isEmpty ? openBeneath([UInt8(ascii: ".")], flags) : openBeneath(real, flags | O_NOFOLLOW)
        }
      case .componentwise: result = openComponents(path, flags)
      }
    }
    guard result >= 0 else { throw Self.refusal(errno) }
    guard let file = OpenFile(takingOver: result) else { throw .notFound }
    return file
  }

  /// What `directory`, which was opened here at `path`, has to show: neither hidden names nor links that lead to nothing
  /// that is served.
  func entries(of directory: OpenFile, at path: [UInt8]) -> [DirectoryEntry] {
    directory.entries(includingHidden: showsHidden) { name in
      try? self.open(path.isEmpty ? name : path + [UInt8(ascii: "/")] + name)
    }
  }

  private func hides(_ segment: some Collection<UInt8>, at index: Int) -> Bool {
    !showsHidden && Self.isHidden(segment, at: index)
  }

  /// Whether segment `index` of a path is a hidden name.
  static func isHidden(_ segment: some Collection<UInt8>, at index: Int) -> Bool {
    segment.first == UInt8(ascii: ".") && !(index == 0 && segment.elementsEqual(".well-known".utf8))
  }

  private func openBeneath(_ path: [UInt8], _ flags: CInt) -> CInt {
    unsafe CPath.with(path) { unsafe martlet_open_beneath(descriptor, $0, flags) }
  }

  /// As many links as the kernel follows for one path.
  private static let maximumLinks = 40

  /// `path` with every symbolic link replaced by what it names; nil if that is hidden or leads outside.
  ///
  /// What is found may have changed until it is opened, but then it is opened without following anything.
  private func withoutLinks(_ path: [UInt8]) -> [UInt8]? {
    let slash = UInt8(ascii: "/")
    var rest = Array(path.split(separator: slash).map(Array.init).reversed())
    var real: [[UInt8]] = []
    var linkCount = 0
    while let segment = rest.popLast() {
      if segment.elementsEqual(".".utf8) { continue }
      if segment.elementsEqual("..".utf8) {
        guard real.popLast() != nil else { return nil }
        continue
      }
      if hides(segment, at: real.count) { return nil }
      guard let target = link(at: Array((real + [segment]).joined(separator: [slash]))) else {
        real.append(segment)
        continue
      }
      linkCount += 1
      guard linkCount <= Self.maximumLinks, target.first != slash, !target.isEmpty else { return nil }
      rest += target.split(separator: slash).map(Array.init).reversed()
    }
    return Array(real.joined(separator: [slash]))
  }

  /// What the symbolic link at `path` says; nil if there is none.
  private func link(at path: [UInt8]) -> [UInt8]? {
    var target = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = unsafe target.withUnsafeMutableBytes { room in
      // The kernel writes into the array and no more than its size.
      unsafe CPath.with(path) { path in
        guard let start = room.baseAddress else { return -1 }
        return unsafe CInt(readlinkat(descriptor, path, start.assumingMemoryBound(to: CChar.self), room.count))
      }
    }
    return count < 0 ? nil : Array(target.prefix(Int(count)))
  }

  private func openComponents(_ path: [UInt8], _ flags: CInt) -> CInt {
    let segments = path.split(separator: UInt8(ascii: "/"))
    var directory = descriptor
    for (index, segment) in segments.enumerated() {
      let isLast = index == segments.count - 1
      let next = unsafe CPath.with(Array(segment)) {
        unsafe openat(directory, $0, isLast ? flags | O_NOFOLLOW : flags | O_NOFOLLOW | O_DIRECTORY)
      }
      let failure = errno
      if directory != descriptor { close(directory) }
      errno = failure
      if next < 0 || isLast { return next }
      directory = next
    }
    errno = ENOENT
    return -1
  }

  private static func refusal(_ code: CInt) -> Refusal {
    switch code {
    case EACCES, EPERM: .forbidden
    case EMFILE, ENFILE, ENOMEM: .exhausted
    default: .notFound
    }
  }
}

/// A system call that failed on a file.
public struct SystemFailure: Error, Equatable, Sendable, CustomStringConvertible {
  public var operation: String
  public var path: String
  /// The value of `errno`.
  public var code: CInt

  public var description: String {
    // The text belongs to the C library and is copied at once.
    "cannot \(operation) \(path): \(unsafe String(cString: strerror(code)))"
  }
}

/// A path as system calls take it.
enum CPath {
  /// Runs `body` with `path` and a NUL behind it; `path` holds none.
  static func with(_ path: [UInt8], _ body: (UnsafePointer<CChar>) -> CInt) -> CInt {
    // The pointer is used for the one call.
    unsafe (path + [0]).withUnsafeBufferPointer { bytes in
      unsafe bytes.withMemoryRebound(to: CChar.self) { chars in
        guard let start = chars.baseAddress else { return -1 }
        return unsafe body(start)
      }
    }
  }
}
