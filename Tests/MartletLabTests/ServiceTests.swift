import Foundation
import Martlet
import MartletCore
import MartletServices
import MartletWire
import Testing

@testable import MartletLab

@Suite("Services of a world")
struct ServiceTests {
  private static let site = [
    "index.html": Array("<h1>hello</h1>".utf8),
    "data/large.bin": (0..<300_000).map { UInt8(truncatingIfNeeded: $0 % 251) },
  ]

  private static func description(_ services: [WorldDescription.Service], loss: Double = 0) -> WorldDescription {
    var description = WorldDescription("services", seed: 3)
    description.host("client")
    description.host("server", services: services)
    var line = LinkDirection(rate: 10_000_000, delay: .milliseconds(10))
    if loss > 0 { line.loss = .random(loss) }
    description.wire(
      .init("client", addresses: ["192.0.2.1/24"]), .init("server", addresses: ["192.0.2.2/24"]), line, name: "line")
    return description
  }

  /// Sends `request` to a port of the server, and returns all that comes until it ends.
  private static func ask(_ client: VirtualHost, _ port: UInt16, _ request: String) async throws -> [UInt8] {
    let connection = try await client.connect(to: SocketAddress("192.0.2.2", port: port))
    defer { connection.close() }
    try await connection.write(request)
    try connection.shutdownWrite()
    return try await connection.readToEnd()
  }

  private static func get(_ path: String, _ fields: String = "") -> String {
    "GET \(path) HTTP/1.1\r\nHost: server\r\n\(fields)Connection: close\r\n\r\n"
  }

  private static func body(_ answer: [UInt8]) -> [UInt8] {
    let end = answer.indices.first { answer[$0...].starts(with: Array("\r\n\r\n".utf8)) }
    return end.map { Array(answer[($0 + 4)...]) } ?? []
  }

  @Test("Every small service answers on its port or on another, by the world's calendar")
  func simple() throws {
    let services = SimpleService.allCases.map { WorldDescription.Service($0.rawValue) }
    let world = try World(Self.description(services + [.init("upper-case", port: 1_234)]))
    let client = try world.host("client")
    let answers = try world.runAndWait { () -> [String] in
      var answers: [String] = []
      try await client.loop.clock.sleep(for: .seconds(86_399))
      for (port, text) in [(UInt16(7), "hello"), (9, "hello"), (13, ""), (12_000, "größe"), (1_234, "abc")] {
        answers.append(String(decoding: try await Self.ask(client, port, text), as: UTF8.self))
      }
      let connection = try await client.connect(to: SocketAddress("192.0.2.2", port: 19))
      answers.append(try await connection.readLine() ?? "")
      connection.abort()
      return answers
    }
    _ = world.finish()
    #expect(answers[0] == "hello")
    #expect(answers[1] == "")
    #expect(answers[2] == "Thursday, January 01, 2026 23:59:59-UTC\r\n")
    #expect(answers[3] == "GRÖSSE")
    #expect(answers[4] == "ABC")
    #expect(answers[5].hasPrefix(" !\"#$%&'()*+"))
  }

  @Test("HTTP serves files from memory, dated by the world's calendar, and again when its host restarts")
  func http() throws {
    let world = try World(Self.description([.http(files: Self.site), .init("echo")]))
    let client = try world.host("client")
    let answers = try world.runAndWait { () -> [[UInt8]] in
      try await client.loop.clock.sleep(for: .seconds(3_600))
      var answers = [
        try await Self.ask(client, 80, Self.get("/")), try await Self.ask(client, 80, Self.get("/data/large.bin")),
        try await Self.ask(client, 80, Self.get("/data/")), try await Self.ask(client, 80, Self.get("/other")),
        try await Self.ask(client, 80, Self.get("/data/large.bin", "Range: bytes=0-1,250-252\r\n")),
      ]
      try world.apply(.crash("server"))
      try await client.loop.clock.sleep(for: .seconds(1))
      try world.apply(.restart("server"))
      answers.append(try await Self.ask(client, 80, Self.get("/")))
      return answers
    }
    _ = world.finish()
    let first = String(decoding: answers[0], as: UTF8.self)
    #expect(first.hasPrefix("HTTP/1.1 200 OK\r\n"))
    #expect(first.contains("Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n"))
    #expect(first.contains("Date: Thu, 01 Jan 2026 01:00:00 GMT\r\n"))
    #expect(Self.body(answers[0]) == Self.site["index.html"])
    #expect(Self.body(answers[1]) == Self.site["data/large.bin"])
    #expect(String(decoding: answers[2], as: UTF8.self).contains("large.bin"))
    #expect(String(decoding: answers[3], as: UTF8.self).hasPrefix("HTTP/1.1 404"))
    #expect(String(decoding: answers[4], as: UTF8.self).contains("Content-Range: bytes 250-252/300000"))
    #expect(Self.body(answers[5]) == Self.site["index.html"])
  }

  @Test("HTTP over a lossy line leaves the same behind for the same seed, however busy the machine is")
  func determinism() throws {
    let busy = Busy()
    defer { busy.stop() }
    var fingerprints: Set<UInt64> = []
    var captures: Set<[UInt8]> = []
    for _ in 0..<4 {
      let world = try World(Self.description([.http(files: Self.site)], loss: 0.02))
      let client = try world.host("client")
      try world.runAndWait {
        _ = try await Self.ask(client, 80, Self.get("/data/large.bin"))
        _ = try await Self.ask(client, 80, Self.get("/data/large.bin", "Range: bytes=0-1,250-252\r\n"))
        _ = try await Self.ask(client, 80, Self.get("/data/", "Accept-Encoding: gzip\r\n"))
      }
      let recording = world.finish()
      #expect(recording.frames.contains { $0.isLost })
      fingerprints.insert(recording.fingerprint)
      captures.insert(Capture(recording).bytes)
    }
    #expect(fingerprints.count == 1)
    #expect(captures.count == 1)
  }

  @Test("A file says what is served: the directory is found beside it, and read when the world is put up")
  func file() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("martlet-\(UUID().uuidString)")
    try FileManager.default.createDirectory(
      at: folder.appendingPathComponent("site/a"), withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try Data("one".utf8).write(to: folder.appendingPathComponent("site/a/b.txt"))
    let text = """
      hosts:
        client:
        server: {services: [echo, {uppercase: 99}, {http: {root: site, port: 8080}}]}
      links:
        - {wire: [{client: 192.0.2.1/24}, {server: 192.0.2.2/24}], delay: 1 ms}
      """
    let description = try WorldDescription(yaml: text, file: folder.path + "/world.yaml")
    #expect(
      description.nodes[1].services == [
        .init("echo"), .init("uppercase", port: 99), .http(root: folder.path + "/site", port: 8_080),
      ])
    let world = try World(description)
    try Data("two".utf8).write(to: folder.appendingPathComponent("site/a/b.txt"))
    let client = try world.host("client")
    let answer = try world.runAndWait { try await Self.ask(client, 8_080, Self.get("/a/b.txt")) }
    #expect(Self.body(answer) == Array("one".utf8))
    _ = world.finish()
  }

  @Test(
    "What a service cannot do is said, and what to write instead",
    arguments: [
      ("[http]", "world.yaml:2: http has nothing to serve. Write `http: {root: directory}`."),
      ("[{echo: {root: x}}]", "world.yaml:2: echo serves no files. Only http takes a root."),
      ("[{echo: {prt: 1}}]", "world.yaml:2: A service has no \"prt\". Did you mean \"port\"?"),
      (
        "[gopher]",
        "world.yaml:2: There is no service called \"gopher\". Known are echo, discard, daytime, chargen, uppercase, http."
      ),
    ])
  func mistakes(_ services: String, _ words: String) {
    #expect {
      _ = try WorldDescription(yaml: "hosts:\n  server: {services: \(services)}\n", file: "world.yaml")
    } throws: { "\($0)" == words }
  }

  @Test("A directory that is not there is named when the world is put up")
  func missing() {
    #expect {
      _ = try World(Self.description([.http(root: "/nonexistent/site")]))
    } throws: { "\($0)".contains("cannot open /nonexistent/site") }
  }
}

/// Threads that keep all cores busy.
final class Busy: @unchecked Sendable {
  private let lock = NSLock()
  private var isOver = false

  init() {
    for _ in 0..<ProcessInfo.processInfo.activeProcessorCount {
      Thread.detachNewThread { [self] in
        var value: UInt64 = 1
        while !lock.withLock({ isOver }) {
          for _ in 0..<100_000 { value = value &* 6_364_136_223_846_793_005 &+ 1 }
        }
      }
    }
  }

  func stop() { lock.withLock { isOver = true } }
}
