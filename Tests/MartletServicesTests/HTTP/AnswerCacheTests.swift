import Glibc
import NIOCore
import Testing

@testable import MartletServices

@Suite("Answers that are kept")
struct AnswerCacheTests {
  let directory = TemporaryDirectory()

  /// Until the system's clock for files has moved on, so that what is written now is known to be older than what follows.
  private func ripen() { usleep(UInt32(AnswerCache.ripeness / 1_000) + 20_000) }

  private func kept(_ name: String, _ content: String) throws -> Conversation {
    directory.file(name, content)
    ripen()
    let conversation = try Conversation(directory)
    _ = conversation.get("/\(name)")
    #expect(conversation.service.answers?.count == 0)
    _ = conversation.get("/\(name)")
    #expect(conversation.service.answers?.count == 1)
    return conversation
  }

  @Test("A request that comes again gets the same answer, and is logged alike")
  func same() throws {
    directory.file("a.txt", "hello\n")
    ripen()
    let conversation = try Conversation(directory)
    let answers = (0..<4).compactMap { _ in conversation.get("/a.txt", "User-Agent: u", "Referer: r") }
    #expect(answers.count == 4)
    #expect(conversation.service.answers?.count == 1)
    func withoutDate(_ answer: Answer) -> [String] {
      answer.fields.filter { $0.name != "date" }.map { "\($0.name): \($0.value)" } + [answer.text]
    }
    #expect(answers.allSatisfy { withoutDate($0) == withoutDate(answers[0]) })
    #expect(answers.allSatisfy { $0["date"] != nil && $0.text == "hello\n" })
    func withoutTime(_ line: String) -> String {
      String(line.prefix { $0 != "[" }) + String(line.drop { $0 != "]" })
    }
    #expect(conversation.accessLog.count == 4)
    #expect(Set(conversation.accessLog.map(withoutTime)).count == 1)
  }

  @Test("A file that was written, replaced, removed or hidden from us is not answered from memory")
  func changed() throws {
    let conversation = try kept("a", "one")
    directory.file("a", "two")
    #expect(conversation.get("/a")?.text == "two")

    directory.file("b", "one")
    ripen()
    for _ in 0..<3 { #expect(conversation.get("/b")?.text == "one") }
    directory.file("new", "two")
    directory.rename("new", to: "b")
    #expect(conversation.get("/b")?.text == "two")

    directory.file("c", "one")
    ripen()
    for _ in 0..<3 { #expect(conversation.get("/c")?.text == "one") }
    directory.rename("c", to: "d")
    #expect(conversation.get("/c")?.status == 404)
  }

  @Test("A file that was changed a moment ago is not kept: it could change again in the same tick of the clock")
  func unripe() throws {
    directory.file("a", "one")
    let conversation = try Conversation(directory)
    for _ in 0..<3 { _ = conversation.get("/a") }
    // The system may be slow, and then the file is old enough.
    if conversation.service.answers?.count == 0 { directory.file("a", "two") } else { directory.file("a", "two!") }
    #expect(conversation.get("/a")?.text.hasPrefix("two") == true)
  }

  @Test("What a link or a directory's name leads to is asked for again after a while")
  func renamedDirectory() throws {
    directory.directory("x")
    directory.directory("y")
    directory.file("x/f", "one")
    directory.file("y/f", "two")
    ripen()
    let conversation = try Conversation(directory)
    for _ in 0..<3 { #expect(conversation.get("/x/f")?.text == "one") }
    directory.rename("x", to: "z")
    directory.rename("y", to: "x")
    usleep(UInt32(AnswerCache.lifetime / 1_000) + 10_000)
    #expect(conversation.get("/x/f")?.text == "two")
  }

  @Test("Only plain answers are kept", arguments: ["Range: bytes=0-1", "Connection: close", "If-None-Match: *"])
  func others(field: String) throws {
    directory.file("a", "hello")
    ripen()
    let server = try Conversation.service(directory)
    for _ in 0..<3 {
      let conversation = try Conversation(server)
      #expect(conversation.get("/a", field)?.status ?? 0 >= 200)
    }
    #expect(server.0.answers?.count == 0)
  }

  @Test("Requests in a row, in pieces and behind kept ones are answered in order")
  func order() throws {
    let conversation = try kept("a", "one")
    directory.file("b", "two")
    let first = "GET /a HTTP/1.1\r\nHost: example\r\n\r\n"
    conversation.send(first + "GET /b HTTP/1.1\r\nHost: example\r\n\r\n" + first)
    conversation.send(String(first.prefix(20)))
    conversation.send(String(first.dropFirst(20)))
    conversation.send(first)
    #expect(conversation.answers().map(\.text) == ["one", "two", "one", "one", "one"])
    conversation.send("GET /a HTTP/1.1\r\nHost: example\r\nBad Field: x\r\n\r\n")
    #expect(conversation.answers().map(\.status) == [400])
  }

  @Test("Kept answers count towards the requests of a connection")
  func limit() throws {
    directory.file("a", "one")
    ripen()
    let conversation = try Conversation(directory) { $0.limits.requestsPerConnection = 5 }
    let answers = (0..<5).compactMap { _ in conversation.get("/a") }
    #expect(answers.map { $0["connection"] } == [nil, nil, nil, nil, "close"])
  }

  @Test("An idle connection is closed after a kept answer too")
  func idle() throws {
    let conversation = try kept("a", "one")
    _ = conversation.get("/a")
    conversation.advance(.seconds(50))
    #expect(conversation.get("/a")?.text == "one")
    conversation.advance(.seconds(50))
    #expect(conversation.isOpen)
    conversation.advance(.seconds(11))
    #expect(!conversation.isOpen)
  }

  @Test("What is kept is bounded, and closed when nobody comes")
  func bounds() throws {
    for index in 0..<300 { directory.file("f\(index)", "x") }
    ripen()
    let conversation = try Conversation(directory)
    for index in 0..<300 { for _ in 0..<2 { _ = conversation.get("/f\(index)") } }
    let count = try #require(conversation.service.answers?.count)
    #expect(count > 0 && count <= AnswerCache.Limits().count)
    conversation.advance(.seconds(6))
    #expect(conversation.service.answers?.count == 0)
  }

  @Test("Nothing is kept where that is not wanted")
  func off() throws {
    directory.file("a", "one")
    ripen()
    let conversation = try Conversation(directory) { $0.keepsAnswers = false }
    for _ in 0..<3 { #expect(conversation.get("/a")?.text == "one") }
    #expect(conversation.service.answers == nil)
  }
}
