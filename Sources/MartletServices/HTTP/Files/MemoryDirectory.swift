import NIOCore

/// A site in memory: files that are always the same, whoever asks and on whatever machine.
struct MemoryDirectory: ServedDirectory {
  private let files: [[UInt8]: OpenFile]
  /// The names in each directory, by its path, in the order of their bytes.
  private let directories: [[UInt8]: [DirectoryEntry]]
  private let date: HTTPDate
  private let showsHidden: Bool

  /// - Parameters:
  ///   - files: Bytes by path; slashes in front and at the end do not matter.
  ///   - date: When all of them were last changed.
  init(_ files: [String: [UInt8]], date: HTTPDate, showsHidden: Bool = false) {
    self.date = date
    self.showsHidden = showsHidden
    let slash = UInt8(ascii: "/")
    var made: [[UInt8]: OpenFile] = [:]
    var directories: [[UInt8]: [[UInt8]: DirectoryEntry]] = [[]: [:]]
    for (path, bytes) in files.sorted(by: { $0.key < $1.key }) {
      let segments = path.utf8.split(separator: slash).map { Array($0) }
      guard let name = segments.last else { continue }
      let file = OpenFile(
        .regular, content: ByteBuffer(bytes: bytes), lastModified: date,
        entityTag: EntityTag(opaque: "\(String(bytes.count, radix: 16))-\(String(Self.digest(bytes), radix: 16))"))
      made[Array(segments.joined(separator: [slash]))] = file
      var parent: [UInt8] = []
      for segment in segments.dropLast() {
        directories[parent, default: [:]][segment] =
          DirectoryEntry(name: segment, isDirectory: true, size: 0, lastModified: date)
        parent += (parent.isEmpty ? [] : [slash]) + segment
      }
      directories[parent, default: [:]][name] =
        DirectoryEntry(name: name, isDirectory: false, size: file.size, lastModified: date)
    }
    self.files = made
    self.directories = directories.mapValues { entries in
      entries.values.sorted { $0.name.lexicographicallyPrecedes($1.name) }
    }
  }

  /// Tells contents apart; nobody is to be kept from making two with the same (FNV-1a).
  private static func digest(_ bytes: [UInt8]) -> UInt64 {
    bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }

  func open(_ path: [UInt8]) throws(RootDirectory.Refusal) -> OpenFile {
    let segments = path.split(separator: UInt8(ascii: "/"))
    for (index, segment) in segments.enumerated() where !showsHidden && RootDirectory.isHidden(segment, at: index) {
      throw .notFound
    }
    let path = Array(segments.joined(separator: [UInt8(ascii: "/")]))
    if let file = files[path] { return file }
    guard directories[path] != nil else { throw .notFound }
    return OpenFile(.directory, content: ByteBuffer(), lastModified: date, entityTag: EntityTag(opaque: "directory"))
  }

  func entries(of directory: OpenFile, at path: [UInt8]) -> [DirectoryEntry] {
    (directories[path] ?? []).filter { showsHidden || $0.name.first != UInt8(ascii: ".") }
  }
}
