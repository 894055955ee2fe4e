import Glibc
import Martlet
import MartletCore
import MartletWire
import Testing

@testable import MartletLab

@Suite("Bridges to the outside")
struct BridgeTests {
  /// client - 20 ms - server
  private func description() -> WorldDescription {
    var description = WorldDescription("bridged")
    description.host("client")
    description.host("server", services: [.init("uppercase"), .init("echo")])
    description.wire("client", "server", LinkDirection(delay: .milliseconds(20)), name: "line")
    return description
  }

  @Test(
    "A port or a TAP device in a world that does not keep real time is a mistake that says so",
    arguments: [
      WorldPace.virtual, .scaled(2),
    ])
  func needsRealTime(pace: WorldPace) throws {
    var published = description()
    published.published = [.init("127.0.0.1:0", to: "server", port: 12_000)]
    var tapped = description()
    tapped.switch("s")
    tapped.wire("client", "s")
    tapped.tap("martlet9", on: "s")
    for description in [published, tapped] {
      let error = #expect(throws: WorldError.self) { try World(description, pace: pace) }
      let words = error.map { "\($0)" } ?? ""
      #expect(words.contains("only in real time") && words.contains("--pace 1"))
    }
    let world = try World(description(), pace: pace)
    let error = #expect(throws: WorldError.self) {
      try world.publish(.init("127.0.0.1:0", to: "server", port: 12_000))
    }
    #expect(error.map { "\($0)" }?.contains("only in real time") == true)
    _ = world.finish()
  }

  @Test("A program of this machine talks to a service across the world, in real time", arguments: [true, false])
  func stream(isStream: Bool) async throws {
    var description = description()
    description.published = [
      .init("127.0.0.1:0", isStream ? .tcp : .udp, to: "server", port: 12_000, from: "client")
    ]
    let world = try World(description, pace: .realTime)
    let address = try #require(world.publishedAddresses.first)
    let start = ContinuousClock.now
    let answer = await onThread { SystemClient(isStream: isStream, port: address.port).ask("hello, world") }
    // There and back, and with TCP a handshake before.
    #expect(ContinuousClock.now - start >= .milliseconds(isStream ? 80 : 40))
    #expect(answer == "HELLO, WORLD")
    let recording = world.finish()
    #expect(!recording.isReplayable)
    let reason = try #require(recording.unrepeatable.first)
    #expect(
      reason
        == "\(isStream ? "TCP" : "UDP") port \(address) of this machine leads, by way of client, to server:12000")
    #expect(recording.events.contains { $0.kind == "bridge" && $0.text.hasSuffix(reason) })
    #expect(recording.frames.contains { recording.payload($0) == "hello, world" && $0.end == 0 })
    #expect(recording.frames.contains { recording.payload($0) == "HELLO, WORLD" && $0.end == 1 })
    // What came in did so at the time that it was.
    let first = try #require(recording.frames.first { recording.view($0).protocol == (isStream ? .tcp : .udp) })
    #expect(first.queued > 0)
  }

  @Test("A port that is published later leads to the host itself, and time passes without a run")
  func later() async throws {
    let world = try World(description(), pace: .realTime)
    let before = world.clock.now
    let publication = try world.publish(.init("127.0.0.1:0", to: "server", port: 7))
    let port = publication.address.port
    let answer = await onThread { SystemClient(isStream: true, port: port).ask("echo") }
    #expect(answer == "echo")
    #expect(world.clock.now > before)
    publication.close()
    #expect(!world.finish().isReplayable)
    #expect(throws: WorldError.self) { try world.publish(.init("127.0.0.1:0", to: "nobody", port: 7)) }
  }

  @Test(
    "What is to be published is read from text",
    arguments: [
      ("8080:server:80", WorldDescription.PublishedPort("127.0.0.1:8080", to: "server", port: 80)),
      ("0:server:53/udp", .init("127.0.0.1:0", .udp, to: "server", port: 53)),
      ("8080:client:server:80/tcp", .init("127.0.0.1:8080", to: "server", port: 80, from: "client")),
      ("0.0.0.0:8080:server:80", .init("0.0.0.0:8080", to: "server", port: 80)),
      ("[::1]:8080:server:80", .init("[::1]:8080", to: "server", port: 80)),
      ("8080", nil), ("server:80", nil), ("8080:server:0", nil), ("8080:server:80/sctp", nil), ("8080::80", nil),
      ("x:server:80", nil), ("70000:server:80", nil), ("[zz]:8080:server:80", nil), ("", nil),
    ] as [(String, WorldDescription.PublishedPort?)])
  func text(text: String, port: WorldDescription.PublishedPort?) {
    #expect(WorldDescription.PublishedPort(text) == port)
  }

  @Test("A file says the same as the builder, of machines, of time and of bridges")
  func file() throws {
    let read = try WorldDescription(
      yaml: """
        name: bridged
        pace: real
        hosts:
          client: {clock: {skew: -3 s, drift: 100.5 ppm}, tap: {martlet0: 192.0.2.1/24}}
          server: {services: [uppercase], cpu: {frame: 20 us, byte: 1.5 ns}, ring: 64, processing: 5 us}
        switches: {s: {tap: martlet1, cpu: {frame: 1 us}}}
        links:
          - wire: [client, s]
          - wire: [s, server]
        publish: ["8080:server:80", "0:client:server:53/udp"]
        schedule:
          - {at: 1 s, clock: {client: {drift: -20 ppm}}}
          - {at: 2 s, cpu: {server: {frame: 1 ms}}}
          - {at: 3 s, ring: {server: 4}}
          - {at: 4 s, ring: {server: unlimited}}
        """)
    var built = WorldDescription("bridged")
    built.pace = .realTime
    built.host("client") { $0.clock = ClockFault(skew: .seconds(-3), drift: 100.5) }
    built.host("server", services: [.init("uppercase")]) {
      $0.cpu = .init(perFrame: .microseconds(20), perByte: .nanoseconds(3) / 2)
      $0.ring = 64
      $0.processing = .microseconds(5)
    }
    built.switch("s") { $0.cpu.perFrame = .microseconds(1) }
    built.wire("client", "s")
    built.wire("s", "server")
    built.tap("martlet0", on: .init("client", addresses: ["192.0.2.1/24"]))
    built.tap("martlet1", on: "s")
    built.published = [
      .init("127.0.0.1:8080", to: "server", port: 80),
      .init("127.0.0.1:0", .udp, to: "server", port: 53, from: "client"),
    ]
    built.schedule = [
      .init(at: .seconds(1), .clock("client", ClockFault(drift: -20))),
      .init(at: .seconds(2), .cpu("server", .init(perFrame: .milliseconds(1)))),
      .init(at: .seconds(3), .ring("server", 4)), .init(at: .seconds(4), .ring("server", nil)),
    ]
    #expect(read == built)
  }

  @Test(
    "Mistakes about machines and bridges are told with their line",
    arguments: [
      ("hosts: {a: {clock: {drift: 100}}}", "1: \"100\" is no drift. Write a number and ppm"),
      ("hosts: {a: {clock: {drift: 2000000 ppm}}}", "A clock cannot drift by 2000000.0 ppm"),
      ("hosts: {a: {clok: {skew: 1 s}}}", "1: A host has no \"clok\". Did you mean \"clock\"?"),
      ("switches: {s: {clock: {skew: 1 s}}}", "1: \"s\" is a switch and has no clock"),
      ("hosts: {a: {ring: 0}}", "1: \"0\" is not a number from 1"),
      ("hosts: {a: {cpu: 3}}", "1: This is not a processor"),
      ("pace: fast", "1: Time does not pass \"fast\""),
      ("hosts: [a]\npublish: [8080]", "2: \"8080\" publishes nothing"),
      ("hosts: [a]\npublish: [\"8080:b:80\"]", "2: There is no node called \"b\""),
      ("hosts: [a]\nrouters: [r]\npublish: [\"8080:r:80\"]", "3: \"r\" is a router and has no ports"),
      ("hosts: [a]\nschedule: [{at: 1 s, clock: a}]", "2: Whose is it, and what?"),
      ("hosts: [a]\nschedule: [{at: 1 s, ring: {b: 4}}]", "2: There is no node called \"b\""),
    ])
  func mistakes(file: String, words: String) {
    let error = #expect(throws: WorldError.self) { try WorldDescription(yaml: file, file: "world.yaml") }
    #expect(error.map { "\($0)" }?.contains(words) == true, "\(error.map { "\($0)" } ?? "")")
  }
}

/// Runs `body`, which blocks, on a thread of its own.
private func onThread<T: Sendable>(_ body: @escaping @Sendable () -> T) async -> T {
  await withCheckedContinuation { continuation in
    let thread = Loop()
    thread.task {
      continuation.resume(returning: body())
      thread.shutdown()
    }
  }
}

/// A client as any program has it: a blocking socket of the system.
private final class SystemClient {
  private let descriptor: CInt

  init(isStream: Bool, port: UInt16) {
    descriptor = socket(AF_INET, CInt((isStream ? SOCK_STREAM : SOCK_DGRAM).rawValue), 0)
    var raw = sockaddr_in()
    raw.sin_family = sa_family_t(AF_INET)
    raw.sin_port = port.bigEndian
    raw.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let descriptor = descriptor
    _ = unsafe withUnsafePointer(to: raw) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }

  deinit { close(descriptor) }

  func ask(_ text: String) -> String {
    let bytes = Array(text.utf8)
    guard unsafe bytes.withUnsafeBytes({ unsafe write(descriptor, $0.baseAddress, bytes.count) }) == bytes.count else {
      return ""
    }
    let answer = unsafe [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
      count = unsafe max(0, read(descriptor, buffer.baseAddress, buffer.count))
    }
    return String(decoding: answer, as: UTF8.self)
  }
}
