internal import MartletLab
internal import Synchronization

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// The files about a run that failed.
struct FailureFiles: Sendable {
  let folder: String
  let name: String

  /// What is kept of it.
  static let formats: [Recording.Format] = [.html, .capture]

  init(folder: String, test: String, seed: UInt64) {
    self.folder = folder.count > 1 && folder.last == "/" ? String(folder.dropLast()) : folder
    // "Module.Suite/test()/File.swift:1:2"
    var path = test.split(separator: "/")
    if path.count > 1 { path.removeLast() }
    var name = ""
    for character in path.joined(separator: ".") where character != "(" && character != ")" {
      let isPlain = character.isASCII && (character.isLetter || character.isNumber || "._-".contains(character))
      name.append(isPlain ? character : "_")
    }
    self.name = Self.unused("\(name)-seed\(seed)", in: self.folder)
  }

  private static let used = Mutex<Set<String>>([])

  /// Cases of one test have one name.
  private static func unused(_ name: String, in folder: String) -> String {
    used.withLock { used in
      var candidate = name
      var number = 1
      while !used.insert("\(folder)/\(candidate)").inserted {
        number += 1
        candidate = "\(name)-\(number)"
      }
      return candidate
    }
  }

  func path(_ format: Recording.Format) -> String { "\(folder)/\(name).\(format.rawValue)" }

  func write(_ recording: Recording) throws(RecordingFileError) {
    // Whether it worked shows when files are put there.
    var end = folder.startIndex
    while end < folder.endIndex {
      end = folder[folder.index(after: end)...].firstIndex(of: "/") ?? folder.endIndex
      _ = unsafe mkdir(String(folder[..<end]), 0o755)
    }
    for format in Self.formats { try recording.write(format, to: path(format)) }
  }

  func attachments(_ recording: Recording) -> [(name: String, bytes: [UInt8])] {
    Self.formats.map { ("\(name).\($0.rawValue)", recording.bytes(as: $0)) }
  }
}
