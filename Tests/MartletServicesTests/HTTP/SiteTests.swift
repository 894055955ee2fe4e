import Glibc
import NIOCore
import NIOEmbedded
import Testing

@testable import MartletServices

@Suite("Several sites from one server")
struct SiteTests {
  let first = TemporaryDirectory()
  let docs = TemporaryDirectory()
  let wild = TemporaryDirectory()

  init() {
    for (directory, name) in [(first, "first"), (docs, "docs"), (wild, "wild")] { directory.file("a", name) }
  }

  private func conversation(_ change: (inout HTTPFileServerConfiguration) -> Void = { _ in }) throws -> Conversation {
    try Conversation(first) {
      $0.sites += [
        .init(name: "Docs.test", directory: docs.path), .init(name: "*.wild.test", directory: wild.path),
        .init(name: "192.0.2.3", directory: docs.path), .init(name: "[2001:db8::1]", directory: wild.path),
      ]
      change(&$0)
    }
  }

  @Test(
    "The Host field names the site, whatever its case, its port and a point at its end; other names get the first",
    arguments: [
      ("docs.test", "docs"), ("DOCS.Test", "docs"), ("docs.test:8080", "docs"), ("docs.test:", "docs"),
      ("docs.test.", "docs"), ("docs.test.:80", "docs"), ("192.0.2.3:80", "docs"), ("[2001:DB8::1]:80", "wild"),
      ("[2001:db8::1]", "wild"), ("x.wild.test", "wild"), ("y.x.wild.test:1", "wild"), ("wild.test", "first"),
      ("notwild.test", "first"), ("other.docs.test", "first"), ("docs.test.example", "first"), ("192.0.2.2", "first"),
      ("[2001:db8::2]", "first"), ("", "first"), ("*.wild.test", "wild"),
    ])
  func host(field: String, expected: String) throws {
    let conversation = try conversation()
    conversation.send("GET /a HTTP/1.1\r\nHost: \(field)\r\n\r\n")
    #expect(conversation.answers().map(\.text) == [expected])
  }

  @Test("A request of HTTP/1.0 without a Host field gets the first")
  func old() throws {
    let conversation = try conversation()
    conversation.send("GET /a HTTP/1.0\r\n\r\n")
    #expect(conversation.answers().map(\.text) == ["first"])
  }

  @Test("The absolute form names the site, whatever the Host field says")
  func absolute() throws {
    let conversation = try conversation()
    for (target, host) in [("http://DOCS.test:80/a", "x.wild.test"), ("http://elsewhere/a", "docs.test")] {
      conversation.send("GET \(target) HTTP/1.1\r\nHost: \(host)\r\n\r\n")
    }
    #expect(conversation.answers().map(\.text) == ["docs", "first"])
  }

  @Test(
    "An absolute form without a host, or with a malformed one, is refused",
    arguments: ["", ":80", "u@docs.test", "a:b"])
  func malformed(authority: String) throws {
    let conversation = try conversation()
    conversation.send("GET http://\(authority)/a HTTP/1.1\r\nHost: docs.test\r\n\r\n")
    #expect(conversation.answers().map(\.status) == [400])
  }

  static let authorities: [(String?, String?, Int, String)] = [
    ("docs.test", nil, 200, "docs"), ("DOCS.test:80", nil, 200, "docs"), ("elsewhere", nil, 200, "first"),
    ("x.wild.test", "x.wild.test", 200, "wild"), (nil, "docs.test", 200, "docs"), ("elsewhere", "docs.test", 400, ""),
    ("docs.test", "elsewhere", 400, ""),
  ]

  @Test(
    "In HTTP/2 :authority names the site, or a Host field where there is none; two names are refused",
    arguments: authorities)
  func authority(name: String?, host: String?, status: Int, expected: String) throws {
    let conversation = try conversation()
    let peer = HTTP2Peer(conversation)
    peer.request("/a", on: 1, authority: name, fields: host.map { [("host", $0)] } ?? [])
    conversation.advance(.zero)
    let frames = peer.frames()
    #expect(frames.compactMap { peer.status($0) } == [status])
    let content = frames.filter { $0.kind == .data }.map { String(buffer: $0.payload) }.joined()
    if status == 200 { #expect(content == expected) }
  }

  @Test("In HTTP/2 a path that names another authority is refused")
  func pathWithAuthority() throws {
    let conversation = try conversation()
    let peer = HTTP2Peer(conversation)
    peer.request("http://docs.test/a", on: 1)
    conversation.advance(.zero)
    #expect(peer.frames().compactMap { peer.status($0) } == [400])
  }

  @Test("An answer that is kept for one site is not sent for another")
  func kept() throws {
    usleep(UInt32(AnswerCache.ripeness / 1_000) + 20_000)
    let conversation = try conversation()
    for _ in 0..<3 {
      for host in ["docs.test", "elsewhere", "x.wild.test"] {
        conversation.send("GET /a HTTP/1.1\r\nHost: \(host)\r\n\r\n")
      }
      conversation.send("GET http://docs.test/a HTTP/1.1\r\nHost: elsewhere\r\n\r\n")
      #expect(conversation.answers().map(\.text) == ["docs", "first", "wild", "docs"])
    }
    #expect(conversation.service.answers?.count == 4)
  }

  @Test("A name that no directory is served for is misdirected")
  func unknownName() throws {
    let conversation = try conversation { $0.sites.removeFirst() }
    #expect(conversation.get("/a")?.status == 421)
  }

  @Test("Pages for errors are the site's own", arguments: [("GET /none", 404), ("DELETE /a", 405)])
  func errorPages(request: String, status: Int) throws {
    first.file("e", "first")
    docs.file("e", "docs")
    let conversation = try conversation { $0.errorPages[status] = "/e" }
    conversation.send("\(request) HTTP/1.1\r\nHost: docs.test\r\n\r\n")
    #expect(conversation.answers().map(\.text) == ["docs"])
    conversation.send("\(request) HTTP/1.1\r\nHost: elsewhere\r\n\r\n")
    #expect(conversation.answers().map(\.text) == ["first"])
  }

  @Test("The access log in JSON has the name that was asked for and the site that answered")
  func log() throws {
    let conversation = try conversation { $0.accessLogFormat = .json }
    for host in ["DOCS.test:80", "x.wild.test", "elsewhere"] {
      conversation.send("GET /a HTTP/1.1\r\nHost: \(host)\r\n\r\n")
    }
    let lines = conversation.accessLog
    try #require(lines.count == 3)
    #expect(lines[0].contains("\"host\":\"DOCS.test:80\",\"site\":\"docs.test\""))
    #expect(lines[1].contains("\"host\":\"x.wild.test\",\"site\":\"*.wild.test\""))
    #expect(lines[2].contains("\"host\":\"elsewhere\"") && !lines[2].contains("\"site\""))
  }

  @Test("Names that no request could have, or that two sites have, are refused before anything is served")
  func names() {
    func error(_ sites: [HTTPFileServerConfiguration.Site]) -> HTTPFileServerError? {
      do {
        _ = try HTTPFileServer(HTTPFileServerConfiguration(sites: sites))
        return nil
      } catch { return error as? HTTPFileServerError }
    }
    let path = first.path
    for name in ["", "a:80", "a b", "*", "a.*", "a..b", "http://a", "[::1", "."] {
      #expect(error([.init(name: name, directory: path)]) == .notASiteName(name))
    }
    #expect(error([.init(name: "a", directory: path), .init(name: "A.", directory: path)]) == .siteNamedTwice("A."))
    #expect(error([.init(directory: path), .init(directory: path)]) == .siteNamedTwice(nil))
    let tls = HTTPFileServerConfiguration.TLS(certificateFile: "c", keyFile: "k")
    #expect(error([.init(name: "a", directory: path, tls: tls)]) == .certificateWithoutTLS("a"))
    #expect(error([.init(name: "a", directory: path), .init(name: "*.a", directory: path)]) == nil)
  }
}
