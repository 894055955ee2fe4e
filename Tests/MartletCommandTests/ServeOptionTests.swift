import ArgumentParser
import MartletWire
import Testing

@testable import MartletCommand

@Suite("Options of martlet serve")
struct ServeOptionTests {
  @Test("Everything has a default but the directory")
  func defaults() throws {
    let serve = try Serve.parse(["/srv"])
    #expect(serve.directory == "/srv")
    #expect(serve.listing && serve.compress && !serve.hidden)
    #expect(throws: (any Error).self) { try Serve.parse([]) }
  }

  @Test("Names, pages and addresses are read, and what is none is refused")
  func values() throws {
    let serve = try Serve.parse([
      "/srv", "--name", "a.test=/a", "--name", "b.test=/b", "--error-page", "404=/404.html", "--listen", "[::1]:80",
    ])
    #expect(serve.names.map(\.directory) == ["/a", "/b"])
    #expect(serve.errorPages.map(\.status) == [404])
    #expect(serve.listen?.address.description == "[::1]:80")
    for bad in [
      ["--name", "a"], ["--error-page", "200=/x"], ["--error-page", "404=x"], ["--listen", "nowhere"], ["--port", "0"],
    ] {
      #expect(throws: (any Error).self) { try Serve.parse(["/srv"] + bad) }
    }
  }

  @Test("A certificate needs its key")
  func certificate() {
    #expect(throws: (any Error).self) { try Serve.parse(["/srv", "--tls-cert", "c.pem"]) }
    #expect(throws: Never.self) { try Serve.parse(["/srv", "--tls-cert", "c.pem", "--tls-key", "k.pem"]) }
  }
}
