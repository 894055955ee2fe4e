import Testing

@testable import MartletServices

@Suite("Files over HTTP/1.1")
struct FilesTests {
  let directory = TemporaryDirectory()

  @Test("A file arrives whole, with its length, type, tag and date")
  func wholeFile() throws {
    directory.file("a.txt", "hello\n")
    directory.touch("a.txt", secondsSinceEpoch: 784_111_777)
    let answer = try #require(Conversation(directory).get("/a.txt"))
    #expect(answer.status == 200)
    #expect(answer.text == "hello\n")
    #expect(answer["content-type"] == "text/plain; charset=utf-8")
    #expect(answer["content-length"] == "6")
    #expect(answer["last-modified"] == "Sun, 06 Nov 1994 08:49:37 GMT")
    #expect(answer["accept-ranges"] == "bytes")
    let tag = try #require(answer["etag"])
    #expect(tag.hasPrefix("\"") && tag.hasSuffix("\""))
    #expect(answer["date"] != nil)
  }

  @Test(
    "A file arrives whole whatever its size is to the sizes of chunk, region and tail",
    arguments: [0, 1, 4_095, 4_096, 4_097, 65_536, 1_048_576, 1_052_672, 1_052_673, 3_000_001])
  func sizes(count: Int) throws {
    directory.file("f", pattern(count))
    let answer = try #require(Conversation(directory).get("/f"))
    #expect(answer.status == 200)
    // Not compared inside the macro: it would describe a million differences.
    let isSame = answer.content == pattern(count)
    #expect(isSame)
  }

  @Test("HEAD answers with the fields of GET and without content")
  func head() throws {
    directory.file("a.txt", "hello\n")
    let conversation = try Conversation(directory)
    let get = try #require(conversation.get("/a.txt"))
    let head = try #require(conversation.get("/a.txt", method: "HEAD"))
    #expect(head.status == 200)
    #expect(head.content.isEmpty)
    for name in ["content-length", "etag", "content-type", "last-modified", "vary"] { #expect(head[name] == get[name]) }
    // Nothing of a content may be left between the answers.
    #expect(conversation.get("/a.txt")?.text == "hello\n")
  }

  @Test("Methods other than GET and HEAD are told what is allowed", arguments: ["POST", "PUT", "DELETE", "OPTIONS"])
  func methods(method: String) throws {
    directory.file("a.txt", "hello\n")
    let conversation = try Conversation(directory)
    let answer = try #require(conversation.get("/a.txt", method: method))
    #expect(answer.status == 405)
    #expect(answer["allow"] == "GET, HEAD")
    #expect(conversation.isOpen)
  }

  @Test("A missing file is not found, and a file is no directory")
  func missing() throws {
    directory.file("a.txt", "hello\n")
    let conversation = try Conversation(directory)
    #expect(conversation.get("/b.txt")?.status == 404)
    #expect(conversation.get("/a.txt/")?.status == 404)
    #expect(conversation.get("/a.txt/b")?.status == 404)
  }

  @Test("A directory is redirected to its slash, with the query")
  func redirect() throws {
    directory.directory("a b")
    let conversation = try Conversation(directory)
    let answer = try #require(conversation.get("/a%20b?x=1"))
    #expect(answer.status == 301)
    #expect(answer["location"] == "/a%20b/?x=1")
    // Two slashes in front would be another host's address.
    #expect(conversation.get("//a%20b")?["location"] == "/a%20b/")
  }

  @Test("index.html stands for its directory")
  func index() throws {
    directory.directory("d")
    directory.file("d/index.html", "<p>hi")
    let answer = try #require(Conversation(directory).get("/d/"))
    #expect(answer.text == "<p>hi")
    #expect(answer["content-type"] == "text/html; charset=utf-8")
  }

  @Test("A page of its own is sent for a status, with that status")
  func errorPage() throws {
    directory.file("404.html", "<p>gone fishing")
    let answer = try #require(Conversation(directory) { $0.errorPages = [404: "/404.html"] }.get("/nowhere"))
    #expect(answer.status == 404)
    #expect(answer.text == "<p>gone fishing")
  }

  @Test(
    "A page of its own is sent for what never reached a file as well",
    arguments: [
      ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx", 405), ("GET / HTTP/1.1\r\n\r\n", 400),
      ("GET /#x HTTP/1.1\r\nHost: a\r\n\r\n", 400), ("BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    ])
  func errorPages(request: String, status: Int) throws {
    directory.file("e.html", "<p>so sorry")
    let conversation = try Conversation(directory) { $0.errorPages[status] = "/e.html" }
    conversation.send(request)
    let answer = try #require(conversation.answers().first)
    #expect(answer.status == status)
    #expect(answer.text == "<p>so sorry")
    #expect(answer["allow"] == (status == 405 ? "GET, HEAD" : nil))
  }

  @Test("Conditions are answered with 304 and 412")
  func conditions() throws {
    directory.file("a", "hello")
    directory.touch("a", secondsSinceEpoch: 784_111_777)
    let conversation = try Conversation(directory)
    let tag = try #require(conversation.get("/a")?["etag"])
    let unmodified = try #require(conversation.get("/a", "If-None-Match: \(tag)"))
    #expect(unmodified.status == 304)
    #expect(unmodified["etag"] == tag)
    #expect(unmodified["content-length"] == nil)
    #expect(conversation.get("/a", "If-Match: \"other\"")?.status == 412)
    #expect(conversation.get("/a", "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT")?.status == 304)
    #expect(conversation.get("/a", "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT")?.status == 412)
    #expect(conversation.get("/a", "If-None-Match: \"x\"")?.text == "hello")
  }

  @Test("A change gives a file another tag")
  func tags() throws {
    directory.file("a", "hello")
    let conversation = try Conversation(directory)
    let first = try #require(conversation.get("/a")?["etag"])
    directory.file("a", "HELLO!")
    #expect(conversation.get("/a")?["etag"] != first)
  }

  @Test("The access log tells of an answer in Combined format and in JSON")
  func log() throws {
    directory.file("a", "hello")
    let plain = try Conversation(directory)
    _ = plain.get("/a", "User-Agent: test \"1\"", "Referer: http://x/")
    let line = try #require(plain.accessLog.first)
    #expect(line.hasPrefix("192.0.2.1 - - ["))
    #expect(line.hasSuffix("] \"GET /a HTTP/1.1\" 200 5 \"http://x/\" \"test \\\"1\\\"\""))
    let json = try Conversation(directory) { $0.accessLogFormat = .json }
    _ = json.get("/a")
    let object = try #require(json.accessLog.first)
    #expect(object.contains("\"status\":200,\"bytes\":5"))
    #expect(object.contains("\"copied\":5,\"copiesPerByte\":1.0"))
  }
}
