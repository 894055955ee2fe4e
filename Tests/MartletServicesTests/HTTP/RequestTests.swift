import NIOCore
import Testing

@testable import MartletServices

@Suite("HTTP/1.1 to the letter")
struct RequestTests {
  let directory = TemporaryDirectory()

  init() { directory.file("a", "hello") }

  /// The status of the answer to `request`, and whether the connection stays.
  private func status(_ request: String) throws -> (Int?, isOpen: Bool) {
    let conversation = try Conversation(directory)
    conversation.send(request)
    return (conversation.answers().first?.status, conversation.isOpen)
  }

  @Test(
    "What RFC 9112 forbids is 400 and ends the connection",
    arguments: [
      "GET /a HTTP/1.1\r\n\r\n",
      "GET /a HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
      "GET /a HTTP/1.1\r\nHost: a b\r\n\r\n",
      "GET /a HTTP/1.1\r\nHost: a:99999\r\n\r\n",
      "GET /a HTTP/1.1\r\nHost: a%zzb\r\n\r\n",
      "GET /a HTTP/1.1\r\nHost: a%2\r\n\r\n",
      "GET /a HTTP/1.1\r\nHost : a\r\n\r\n",
      "GET /a HTTP/1.1\r\n Host: a\r\n\r\n",
      "GET /a HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n",
      "GET /a HTTP/1.1\nHost: a\n\n",
      "GET /a HTTP/1.1\r\nHost: a\n\r\n",
      "GET /a HTTP/1.1\r\nHost: a\rX: b\r\n\r\n",
      "GET /a HTTP/1.1\r\nHost: a\r\nX: \u{0}\r\n\r\n",
      "GET /a HTTP/1.1\r\nHost: a\r\nX: \u{7}\r\n\r\n",
      "GET /a HTTP/1.1\r\nHost: a\r\nX\r\n\r\n",
      "GET /a HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n",
      "GET /a HTTP/1.1\r\nHost: a\r\nX(y): x\r\n\r\n",
      "GET  /a HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /a  HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET\t/a HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /a\r\nHost: a\r\n\r\n",
      "GET example:80 HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /a http/1.1\r\nHost: a\r\n\r\n",
      "GET /a HTTP/1.1 \r\nHost: a\r\n\r\n",
      "GET /a HTTP/11\r\nHost: a\r\n\r\n",
      " GET /a HTTP/1.1\r\nHost: a\r\n\r\n",
      "G(T /a HTTP/1.1\r\nHost: a\r\n\r\n",
      "\u{16}\u{3}\u{1}\u{2}",
      "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
      "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
      "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n",
      "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n",
      "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
      "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n",
      "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
      "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
      "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n",
      "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n",
      "POST /a HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    ])
  func badRequests(request: String) throws {
    let (status, isOpen) = try status(request)
    #expect(status == 400)
    #expect(!isOpen)
  }

  @Test(
    "A malformed chunk is 400 and ends the connection",
    arguments: [
      "x\r\n", "\r\n", "-1\r\n", "0x1\r\na\r\n", "1 \r\na\r\n", "1\na\r\n", "1\r\nab\r\n", "1\r\na\n0\r\n\r\n",
      "1;\u{1}\r\na\r\n", "fffffffffffffffff\r\n", "0\r\nX : y\r\n\r\n", "0\r\n X: y\r\n\r\n", "0\r\nX: y\n\r\n",
    ])
  func badChunks(chunks: String) throws {
    let (status, isOpen) = try status("POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
    #expect(status == 400)
    #expect(!isOpen)
  }

  @Test("A well-formed content in chunks is taken, and the next request answered")
  func chunks() throws {
    let conversation = try Conversation(directory)
    conversation.send(
      "GET /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n5;x=\"y\"\r\nhello\r\n00\r\nTrailer: x\r\n\r\n"
        + "GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(conversation.answers().map(\.status) == [200, 200])
    #expect(conversation.isOpen)
  }

  @Test(
    "Other refusals have their own status",
    arguments: [
      ("BREW /a HTTP/1.1\r\nHost: a\r\n\r\n", 501), ("get /a HTTP/1.1\r\nHost: a\r\n\r\n", 501),
      ("POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
      ("POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
      ("GET /a HTTP/2.0\r\nHost: a\r\n\r\n", 505), ("GET /a HTTP/0.9\r\nHost: a\r\n\r\n", 505),
      ("CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 405),
      ("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n", 413),
      ("POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10001\r\n", 413),
      ("GET /" + String(repeating: "x", count: 8_200) + " HTTP/1.1\r\nHost: a\r\n\r\n", 414),
      ("GET /" + String(repeating: "x", count: 9_000), 414),
      ("GET /a HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "x", count: 33_000), 431),
      ("GET /a HTTP/1.1\r\nHost: a\r\n" + String(repeating: "X: y\r\n", count: 101) + "\r\n", 431),
    ])
  func refusals(request: String, expected: Int) throws {
    let (status, isOpen) = try status(request)
    #expect(status == expected)
    #expect(!isOpen)
  }

  @Test(
    "Targets that name no file here are 400 and end the connection",
    arguments: ["*", "http://", "http:///a", "http://u@h/a", "ftp://h/a", "/a#b", "/a%", "/a%0", "/%00"])
  func badTargets(target: String) throws {
    let (status, isOpen) = try status("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(status == 400)
    #expect(!isOpen)
  }

  @Test(
    "What RFC 9112 allows is answered",
    arguments: [
      "GET /a HTTP/1.1\r\nHost: a\r\n\r\n", "GET /a HTTP/1.1\r\nhOsT:a\r\n\r\n",
      "GET /a HTTP/1.1\r\nHost:\r\n\r\n", "GET /a HTTP/1.1\r\nHost: a%2Db:\r\n\r\n",
      "GET /a HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
      "GET http://h/a HTTP/1.1\r\nHost: a\r\n\r\n", "GET HTTP://h/a HTTP/1.1\r\nHost: a\r\n\r\n",
      "\r\n\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n", "GET /a HTTP/1.2\r\nHost: a\r\n\r\n",
      "GET /%61 HTTP/1.1\r\nHost: a\r\n\r\n", "GET /./x/../a?q=%zz HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /a HTTP/1.1\r\nHost: a\r\nX: \t a\u{e9}b \t\r\n\r\n", "GET /a HTTP/1.1\r\nHost: a\r\nX:\r\n\r\n",
      "GET /a HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n\r\n",
      "GET /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
    ])
  func allowed(request: String) throws {
    let conversation = try Conversation(directory)
    conversation.send(request)
    let answers = conversation.answers()
    #expect(answers.map(\.text) == ["hello"])
    #expect(conversation.isOpen)
    // And the connection is still in step.
    #expect(conversation.get("/a")?.text == "hello")
  }

  @Test("A request is the same in whatever pieces it comes")
  func pieces() throws {
    let conversation = try Conversation(directory)
    let request =
      "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: x\r\n\r\n"
      + "GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
    for byte in request.utf8 { conversation.send(ByteBuffer(bytes: [byte])) }
    #expect(conversation.answers().map(\.status) == [405, 200])
  }

  @Test("Requests sent together are answered in their order, and a bad one comes last")
  func pipelining() throws {
    directory.file("b", "world")
    let conversation = try Conversation(directory)
    conversation.send(
      "GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: a\r\n\r\nHEAD /a HTTP/1.1\r\nHost: a\r\n\r\n"
        + "GET /b HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\n\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n")
    let answers = conversation.answers(to: ["GET", "GET", "HEAD", "GET", "GET"])
    #expect(answers.map(\.status) == [200, 404, 200, 200, 400])
    #expect(answers[3].text == "world")
    #expect(answers[4]["connection"] == "close")
    #expect(!conversation.isOpen)
  }

  @Test("HTTP/1.0 is closed after the answer, unless it asks to be kept")
  func oldVersion() throws {
    let conversation = try Conversation(directory)
    conversation.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    #expect(conversation.answers().first?["connection"] == "keep-alive")
    #expect(conversation.isOpen)
    conversation.send("GET /a HTTP/1.0\r\n\r\n")
    let last = try #require(conversation.answers().first)
    #expect(last.text == "hello")
    #expect(last["connection"] == "close")
    #expect(!conversation.isOpen)
  }

  @Test("Connection: close is honoured")
  func close() throws {
    let conversation = try Conversation(directory)
    #expect(conversation.get("/a", "Connection: close")?["connection"] == "close")
    #expect(!conversation.isOpen)
  }

  @Test("An expectation other than 100-continue cannot be met")
  func expectation() throws {
    let conversation = try Conversation(directory)
    #expect(conversation.get("/a", "Expect: tea")?.status == 417)
    #expect(conversation.get("/a", "Expect: 100-continue")?.status == 200)
  }

  @Test("A client that waits for 100-continue before its content gets the final answer")
  func waitingClient() throws {
    let conversation = try Conversation(directory)
    conversation.send("PUT /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
    let answer = try #require(conversation.answers().first)
    #expect(answer.status == 405)
    #expect(answer["connection"] == "close")
    #expect(!conversation.isOpen)
  }
}
