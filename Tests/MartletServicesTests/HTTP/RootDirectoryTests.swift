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

  @Test("A link to what is hidden is as hidden as that")
  func hiddenLinks() throws {
    directory.link("file", to: ".hidden")
    directory.link("deep", to: "d/.git/config")
    directory.link("folder", to: "d/.git")
    directory.link("chain", to: "file")
    directory.link("d/up", to: "../.hidden")
    for path in ["file", "deep", "folder/config", "chain", "d/up"] {
      #expect(throws: RootDirectory.Refusal.notFound, "\(path)") { try open(path, .kernel) }
      _ = try open(path, .kernel, hidden: true)
    }
    directory.link("known", to: ".well-known/x")
    #expect(try open("known", .kernel).size == 5)
  }

  @Test("Links through links, folders and back are followed as long as they stay inside")
  func chains() throws {
    directory.link("here", to: ".")
    directory.link("d/back", to: "..")
    directory.link("to-d", to: "here/d/back/d/")
    directory.link("loop", to: "loop")
    #expect(try open("to-d/f", .kernel).size == 6)
    #expect(try open("d/back/here/d/f", .kernel).size == 6)
    #expect(try open("d/back", .kernel).kind == .directory)
    #expect(throws: RootDirectory.Refusal.notFound) { try open("loop", .kernel) }
    #expect(throws: RootDirectory.Refusal.notFound) { try open("loop/f", .kernel) }
    #expect(throws: RootDirectory.Refusal.notFound) { try open("here/nothing", .kernel) }
  }

  @Test("A listing shows links as what they lead to, and none that leads to nothing served")
  func listing() throws {
    directory.link("inner", to: "d/f")
    directory.link("folder", to: "d")
    directory.link("away", to: "\(outside.path)/secret")
    directory.link("hidden-link", to: ".hidden")
    directory.link("broken", to: "nothing")
    let root = try RootDirectory(path: directory.path, resolution: .kernel)
    let entries = root.entries(of: try root.open([]), at: [])
    #expect(entries.map(\.displayName) == ["d", "folder", "inner"])
    #expect(entries.map(\.isDirectory) == [true, true, false])
    #expect(entries.last?.size == 6)
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
    for target in ["/../secret", "/%2e%2e/secret", "/d/%2e%2e/%2E./x", "/..%2fsecret", "/a%00b", "/%zz", "/%2"] {
      let answer = try #require(Conversation(directory).get(target))
      #expect(answer.status == 400, "\(target)")
    }
    let conversation = try Conversation(directory)
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
