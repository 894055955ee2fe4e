import Foundation
import Testing

/// The two lowest floors need nothing but the standard library and swift-collections. Foundation costs a program
/// megabytes and start-up time, and does not exist for embedded systems.
@Suite("Foundation stays outside")
struct FoundationTests {
  static let targets = ["MartletWire", "MartletCore"]

  @Test("No source file imports Foundation", arguments: targets)
  func sources(target: String) throws {
    let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let files = try Self.files(under: package.appending(path: "Sources/\(target)"), withExtension: "swift")
    #expect(!files.isEmpty)
    for file in files {
      #expect(!Self.importsFoundation(try String(contentsOf: file, encoding: .utf8)), "\(file.lastPathComponent)")
    }
  }

  @Test("No object file asks the linker for Foundation or calls it", arguments: targets)
  func objects(target: String) throws {
    let objects = try Self.objects(of: target)
    #expect(!objects.isEmpty)
    for object in objects {
      // An object built while some other file of its target imported Foundation keeps the linker's option until it is
      // built again.
      #expect(
        !Self.mentionsFoundation(try Data(contentsOf: object)),
        "\(object.lastPathComponent); if no source imports Foundation any more, build the target afresh")
    }
  }

  @Test("Both checks see Foundation where it is: in this very test")
  func checksCanFail() throws {
    #expect(Self.importsFoundation(try String(contentsOfFile: #filePath, encoding: .utf8)))
    for line in [
      "package import Foundation", "  @testable import FoundationEssentials", "import struct Foundation.Data",
    ] {
      #expect(Self.importsFoundation(line), "\(line)")
    }
    #expect(!Self.importsFoundation("/// No import of Foundation.\nimport MartletWire"))
    let own = try Self.objects(of: "MartletWireTests").filter { object in
      Self.mentionsFoundation(try Data(contentsOf: object))
    }
    #expect(!own.isEmpty)
  }

  private static func importsFoundation(_ source: String) -> Bool {
    source.split(whereSeparator: \.isNewline).contains { line in
      guard !line.drop(while: \.isWhitespace).hasPrefix("//") else { return false }
      let words = line.split(separator: " ")
      guard let position = words.firstIndex(of: "import") else { return false }
      return words[position...].dropFirst().prefix(2).contains { $0.hasPrefix("Foundation") }
    }
  }

  /// The linker option that an import leaves in an object even if nothing is called, and the module's name as it stands
  /// in the symbols that are called.
  private static func mentionsFoundation(_ object: Data) -> Bool {
    ["-lFoundation", "10Foundation", "20FoundationEssentials"].contains { object.range(of: Data($0.utf8)) != nil }
  }

  /// The objects beside the program that runs this test.
  private static func objects(of target: String) throws -> [URL] {
    let program = try #require(Bundle.main.executableURL).resolvingSymlinksInPath()
    var folder = program.deletingLastPathComponent()
    for _ in 0..<4 {
      let build = folder.appending(path: "\(target).build")
      if FileManager.default.fileExists(atPath: build.path()) { return try files(under: build, withExtension: "o") }
      folder.deleteLastPathComponent()
    }
    return []
  }

  private static func files(under folder: URL, withExtension: String) throws -> [URL] {
    let paths = try FileManager.default.subpathsOfDirectory(atPath: folder.path())
    return paths.sorted().map { folder.appending(path: $0) }.filter { $0.pathExtension == withExtension }
  }
}
