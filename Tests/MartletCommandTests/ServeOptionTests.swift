import ArgumentParser
import Martlet
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
      "/srv", "--site", "a.test=/a", "--site", "*.b.test=/b", "--error-page", "404=/404.html", "--listen", "[::1]:80",
    ])
    #expect(serve.sites.map(\.directory) == ["/a", "/b"])
    #expect(serve.errorPages.map(\.status) == [404])
    #expect(serve.listen?.address.description == "[::1]:80")
    for bad in [
      ["--site", "a"], ["--site", "=/a"], ["--site", "a:80=/a"], ["--site", "a.*=/a"], ["--error-page", "200=/x"],
      ["--error-page", "404=x"], ["--listen", "nowhere"], ["--port", "0"],
    ] {
      #expect(throws: (any Error).self) { try Serve.parse(["/srv"] + bad) }
    }
  }

  @Test("A certificate needs its key")
  func certificate() throws {
    #expect(throws: (any Error).self) { try Serve.parse(["/srv", "--tls-cert", "c.pem"]) }
    let server = ["/srv", "--tls-cert", "c.pem", "--tls-key", "k.pem"]
    #expect(throws: Never.self) { try Serve.parse(server) }
    let site = ["--site", "a.test=/a", "--site-cert", "a.test=a.pem:a.key"]
    #expect(try Serve.parse(server + site).siteCertificates.map(\.keyFile) == ["a.key"])
    #expect(throws: (any Error).self) { try Serve.parse(["/srv"] + site) }
    #expect(throws: (any Error).self) { try Serve.parse(server + ["--site-cert", "a.test=a.pem:a.key"]) }
    #expect(throws: (any Error).self) {
      try Serve.parse(server + ["--site", "a.test=/a", "--site-cert", "a.test=a.pem"])
    }
  }
}

@Suite("What martlet serve says when it cannot begin")
struct ServeFailureTests {
  private func failure(_ arguments: [String]) -> CommandFailure? {
    do {
      _ = try Serve.parse(arguments).makeServer()
      return nil
    } catch { return error as? CommandFailure }
  }

  @Test("A directory that is missing, or none, is named with the way out")
  func directory() throws {
    let missing = try #require(failure(["/nonexistent/www"]))
    #expect(missing.message == "there is no directory /nonexistent/www")
    #expect(missing.remedy?.contains("mkdir -p /nonexistent/www") == true)
    let file = try #require(failure(["/etc/passwd"]))
    #expect(file.message == "/etc/passwd is not a directory")
  }

  @Test("A site's directory that is missing is named with the site, and so is a site given twice")
  func site() throws {
    let missing = try #require(failure(["/tmp", "--site", "a.test=/nonexistent/a"]))
    #expect(missing.message == "--site a.test: there is no directory /nonexistent/a")
    #expect(missing.remedy == "Make it (mkdir -p /nonexistent/a), or name another: --site a.test=DIR")
    let file = try #require(failure(["/tmp", "--site", "a.test=/etc/passwd"]))
    #expect(file.message == "--site a.test: /etc/passwd is not a directory")
    let twice = try #require(failure(["/tmp", "--site", "a.test=/tmp", "--site", "A.test=/tmp"]))
    #expect(twice.message == "--site A.test is given twice")
  }

  @Test("A certificate or a key that is missing, or none, is named")
  func certificate() throws {
    let missing = try #require(failure(["/tmp", "--tls-cert", "/nonexistent/c.pem", "--tls-key", "/etc/passwd"]))
    #expect(missing.message == "there is no file /nonexistent/c.pem")
    #expect(missing.remedy?.contains("--help") == true)
    let none = try #require(failure(["/tmp", "--tls-cert", "/etc/passwd", "--tls-key", "/etc/passwd"]))
    #expect(none.message.contains("/etc/passwd has no certificate in PEM"))
    #expect(none.remedy != nil)
  }

  @Test("A port that another program has is named, with one to try")
  func port() throws {
    let network = try Serve.parse(["/tmp"]).network
    let computer = try CommandHost(network)
    defer { computer.finish() }
    let serve = try Serve.parse(["/tmp"])
    let any: SocketAddress = "127.0.0.1:0"
    let first = try serve.publish(any, of: computer, 80)
    let failure = #expect(throws: CommandFailure.self) { try serve.publish(first.address, of: computer, 80) }
    #expect(failure?.message == "\(first.address) is taken by another program")
    #expect(failure?.remedy?.contains("--listen 127.0.0.1:\(first.address.port &+ 1)") == true)
    first.close()
  }
}
