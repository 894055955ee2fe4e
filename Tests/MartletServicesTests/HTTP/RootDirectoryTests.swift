import Glibc
import Testing

@testable import MartletServices

@Suite("The root as a prison", .serialized)
struct RootDirectoryTests {
  static let ways: [RootDirectory.Resolution] = [.kernel, .componentwise]

  let outside = TemporaryDirectory()
  let directory: TemporaryDirectory

  init() {
    directory = TemporaryDirectory()
    outside.file("secret", "secret")
    directory.directory("d")
    directory.file("d/f", "inside")
    directory.file(".hidden", "hidden")
    directory.directory(".well-known")
    directory.file(".well-known/x", "known")
    directory.directory("d/.git")
    directory.file("d/.git/config", "hidden")
  }

  private func open(_ path: String, _ way: RootDirectory.Resolution, hidden: Bool = false) throws -> OpenFile {
    try RootDirectory(path: directory.path, showsHidden: hidden, resolution: way).open(Array(path.utf8))
  }

  @Test("A file below the root opens", arguments: ways)
  func inside(way: RootDirectory.Resolution) throws {
    #expect(try open("d/f", way).size == 6)
    #expect(try open("", way).kind == .directory)
    #expect(try open("d", way).kind == .directory)
  }

  @Test("Neither .. nor a link leads out", arguments: ways)
  func escape(way: RootDirectory.Resolution) throws {
    directory.link("absolute", to: "\(outside.path)/secret")
    directory.link("up", to: "../../../../../../../../etc/passwd")
    directory.link("away", to: outside.path)
    directory.link("d/root", to: "/")
    directory.link("proc", to: "/proc/self/root")
    for path in [
      "absolute", "up", "away/secret", "d/root/etc/passwd", "d/root", "proc/etc/passwd", "../etc/passwd", "d/../../x",
    ] {
      #expect(throws: RootDirectory.Refusal.notFound) { try open(path, way) }
    }
  }

  @Test("A link that stays inside is followed by the kernel, and refused without its help")
  func innerLink() throws {
    directory.link("same", to: "d/f")
    #expect(try open("same", .kernel).size == 6)
    #expect(throws: RootDirectory.Refusal.notFound) { try open("same", .componentwise) }
  }

  @Test("Hidden names are not found unless they are asked for; .well-known is", arguments: ways)
  func hidden(way: RootDirectory.Resolution) throws {
    for path in [".hidden", "d/.git/config", "d/.git"] {
      #expect(throws: RootDirectory.Refusal.notFound) { try open(path, way) }
      _ = try open(path, way, hidden: true)
    }
    #expect(try open(".well-known/x", way).size == 5)
  }

  @Test("What is neither file nor directory is not found, and nothing waits for it", arguments: ways)
  func special(way: RootDirectory.Resolution) throws {
    unsafe _ = mkfifo("\(directory.path)/fifo", 0o644)
    #expect(throws: RootDirectory.Refusal.notFound) { try open("fifo", way) }
    #expect(throws: RootDirectory.Refusal.notFound) { try open("nothing", way) }
    #expect(throws: RootDirectory.Refusal.notFound) { try open("d/f/g", way) }
    #expect(throws: RootDirectory.Refusal.notFound) { try open(String(repeating: "x", count: 5_000), way) }
  }

  @Test("Requests cannot leave the root however they spell it")
  func requests() throws {
    directory.link("away", to: outside.path)
    let conversation = try Conversation(directory)
    for target in ["/../secret", "/%2e%2e/secret", "/d/%2e%2e/%2E./x", "/..%2fsecret", "/a%00b", "/%zz", "/%2"] {
      let answer = try #require(conversation.get(target))
      #expect(answer.status == 400, "\(target)")
    }
    #expect(conversation.get("/away/secret")?.status == 404)
    #expect(conversation.get("/d/../d/f")?.text == "inside")
    #expect(conversation.get("/.hidden")?.status == 404)
  }

  @Test("A missing root says which")
  func missingRoot() {
    #expect(throws: SystemFailure(operation: "open", path: "/nonexistent/root", code: ENOENT)) {
      try RootDirectory(path: "/nonexistent/root")
    }
  }
}
