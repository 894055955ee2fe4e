import Testing

@testable import MartletServices

@Suite("Sites in memory")
struct MemoryTests {
  private static let large = pattern(200_000)

  private func conversation(hidden: Bool = false) throws -> Conversation {
    try Conversation(TemporaryDirectory()) { configuration in
      configuration.sites = [
        .init(files: [
          "index.html": Array("hello\n".utf8), "a/b/c.txt": Array("deep\n".utf8), "/a/large.bin": Self.large,
          ".hidden": [1], ".well-known/x": [2], "a/.git/config": [3],
        ])
      ]
      configuration.showsHiddenFiles = hidden
    }
  }

  @Test("Files are served by their paths, with dates and tags that follow from the configuration and the bytes")
  func files() throws {
    let conversation = try conversation()
    let index = try #require(conversation.get("/"))
    #expect(index.text == "hello\n")
    #expect(index["last-modified"] == "Thu, 01 Jan 2026 00:00:00 GMT")
    let tag = try #require(index["etag"])
    #expect(try self.conversation().get("/index.html")?["etag"] == tag)
    #expect(conversation.get("/", "If-None-Match: \(tag)")?.status == 304)
    #expect(conversation.get("/a/b/c.txt")?.text == "deep\n")
    #expect(conversation.get("/a/b/c.txt")?["etag"] != tag)
    let isWhole = conversation.get("/a/large.bin")?.content == Self.large
    #expect(isWhole)
  }

  @Test("Ranges of them are served, several with the same boundary each time")
  func ranges() throws {
    let first = try #require(conversation().get("/a/large.bin", "Range: bytes=0-1,199998-"))
    #expect(first.status == 206)
    #expect(
      first["content-type"] == (try conversation().get("/a/large.bin", "Range: bytes=0-1,199998-")?["content-type"]))
    let last = try #require(conversation().get("/a/large.bin", "Range: bytes=100000-"))
    #expect(last["content-range"] == "bytes 100000-199999/200000")
    let isRight = last.content == Array(Self.large[100_000...])
    #expect(isRight)
  }

  @Test("What is not there, hidden, or above is not found")
  func refusals() throws {
    let conversation = try conversation()
    for target in ["/b", "/a/b/c.txt/", "/a/b/c", "/.hidden", "/a/.git/config", "/a/.git/", "/index.html/x"] {
      #expect(conversation.get(target)?.status == 404, "\(target)")
    }
    #expect(conversation.get("/.well-known/x")?.content == [2])
    #expect(try self.conversation(hidden: true).get("/.hidden")?.content == [1])
  }

  @Test("Directories are listed in the order of the bytes of their names, and asked for without a slash named with one")
  func directories() throws {
    let conversation = try conversation()
    #expect(conversation.get("/a")?.status == 301)
    let text = try #require(conversation.get("/a/", "Accept: application/json")?.text)
    #expect(text.contains("\"b\"") && text.contains("\"large.bin\"") && !text.contains(".git"))
  }
}
