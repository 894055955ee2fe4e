import Martlet
import MartletCore
import MartletWire
import Testing

@testable import MartletLab

@Suite("Machines that fail")
struct MachineFaultTests {
  private func pair() throws -> Pair {
    try Pair(LinkDirection(delay: .milliseconds(1)), back: LinkDirection(delay: .milliseconds(1)))
  }

  @Test("A host that crashed answers nothing, and its programs begin anew when it restarts")
  func crash() throws {
    let pair = try pair()
    let (world, left) = (pair.world, pair.left)
    try world.application(on: "right") { host in
      let listener = try host.listen(on: 80)
      var count = 0
      for try await connection in listener {
        count += 1
        try await connection.write("\(count)")
        connection.close()
      }
    }
    let answers = try world.runAndWait { () -> [String] in
      func ask() async -> String {
        do {
          return try await left.loop.withTimeout(.seconds(2)) {
            let connection = try await left.connect(to: SocketAddress("192.0.2.2", port: 80))
            defer { connection.close() }
            return String(decoding: try await connection.readToEnd(), as: UTF8.self)
          }
        } catch { return "\(error)" }
      }
      var answers = [await ask(), await ask()]
      try world.apply(.crash("right"))
      answers.append(await ask())
      try world.apply(.restart("right"))
      answers.append(await ask())
      return answers
    }
    #expect(answers[0] == "1")
    #expect(answers[1] == "2")
    #expect(answers[2].contains("timed out") || answers[2].contains("time"))
    // It does not remember that it counted.
    #expect(answers[3] == "1")
    let recording = world.finish()
    #expect(recording.frames.contains { $0.lossReason == "nobody there" })
  }

  @Test("A connection to a host that crashed and restarted is reset when it is used")
  func reset() throws {
    let pair = try pair()
    let (world, left) = (pair.world, pair.left)
    try world.application(on: "right") { host in
      let listener = try host.listen(on: 80)
      for try await connection in listener {
        host.loop.task { while try await !connection.read().isEmpty {} }
      }
    }
    let error = try world.runAndWait { () -> SocketError? in
      let connection = try await left.connect(to: SocketAddress("192.0.2.2", port: 80))
      try await connection.write("hello")
      try await left.loop.clock.sleep(for: .seconds(1))
      try world.apply(.crash("right"))
      try await left.loop.clock.sleep(for: .seconds(1))
      try world.apply(.restart("right"))
      do throws(SocketError) {
        try await connection.write("are you there?")
        _ = try await connection.read()
        return nil
      } catch { return error }
    }
    #expect(error == .reset)
  }

  @Test("A program of a host that crashes is cancelled, and its sockets are dead")
  func programs() throws {
    let pair = try pair()
    let (world, right) = (pair.world, pair.right)
    let errors = try world.runAndWait { () -> [SocketError?] in
      let socket = try right.bindUDP(on: 9)
      let task = right.loop.task { () -> SocketError? in
        do throws(SocketError) {
          _ = try await socket.receive()
          return nil
        } catch { return error }
      }
      try await right.loop.clock.sleep(for: .seconds(1))
      try world.apply(.crash("right"))
      let waited = try await task.value
      do throws(SocketError) {
        try socket.send("x", to: SocketAddress("192.0.2.1", port: 9))
        return [waited, nil]
      } catch { return [waited, error] }
    }
    #expect(errors == [.cancelled, .notASocket])
  }

  @Test("A host that stands still answers when it goes on")
  func pause() throws {
    let pair = try pair()
    let (world, left) = (pair.world, pair.left)
    let times = try world.runAndWait { () -> [Duration] in
      let first = try await left.ping("192.0.2.2")
      try world.apply(.pause("right"))
      let wake = left.loop.task {
        try await left.loop.clock.sleep(for: .seconds(2))
        try world.apply(.resume("right"))
      }
      let second = try await left.ping("192.0.2.2")
      try await wake.value
      return [first, second]
    }
    #expect(times[0] < .milliseconds(10))
    #expect(times[1] == .milliseconds(2_001))
  }

  @Test("A partition keeps two from each other and no one else, until it heals")
  func partition() throws {
    var description = WorldDescription("three")
    for name in ["a", "b", "c"] { description.host(name) }
    description.switch("s")
    for name in ["a", "b", "c"] { description.wire(.init(name), "s", LinkDirection(delay: .milliseconds(1))) }
    let world = try World(description)
    let (a, c) = (try world.host("a"), try world.host("c"))
    let (b, third) = (try world.address(of: "b"), try world.address(of: "c"))
    let reached = try world.runAndWait { () -> [Bool] in
      func reach(_ host: VirtualHost, _ address: IPAddress) async -> Bool {
        (try? await host.ping(address, timeout: .seconds(1))) != nil
      }
      var reached = [await reach(a, b)]
      try world.apply(.partition(["a"], from: ["b"], isOneWay: false))
      reached += [await reach(a, b), await reach(a, third), await reach(c, b)]
      try world.apply(.heal)
      reached.append(await reach(a, b))
      return reached
    }
    #expect(reached == [true, false, true, true, true])
    #expect(world.finish().frames.contains { $0.lossReason == "partition" })
  }

  @Test("A one-way partition lets the other direction pass")
  func oneWay() throws {
    let pair = try pair()
    let (world, left, right) = (pair.world, pair.left, pair.right)
    let received = try world.runAndWait { () -> [Bool] in
      _ = try await left.ping("192.0.2.2")
      try world.apply(.partition(["left"], from: ["right"], isOneWay: true))
      let sockets = [try left.bindUDP(on: 9), try right.bindUDP(on: 9)]
      try sockets[0].send("there", to: SocketAddress("192.0.2.2", port: 9))
      try sockets[1].send("back", to: SocketAddress("192.0.2.1", port: 9))
      var received: [Bool] = []
      for socket in sockets {
        received.append((try? await left.loop.withTimeout(.seconds(1)) { try await socket.receive() }) != nil)
      }
      return received
    }
    #expect(received == [true, false])
  }

  @Test("A schedule does what it says when it says")
  func schedule() throws {
    var description = WorldDescription("scheduled")
    description.host("a")
    description.host("b")
    description.wire("a", "b", LinkDirection(delay: .milliseconds(1)), name: "line")
    description.schedule = [.init(at: .seconds(10), .down(link: "line")), .init(at: .seconds(20), .up(link: "line"))]
    let world = try World(description)
    let a = try world.host("a")
    let b = try world.address(of: "b")
    let reached = try world.runAndWait { () -> [Bool] in
      var reached: [Bool] = []
      for second in [5, 15, 25] {
        try await a.loop.clock.sleep(until: Instant(nanoseconds: Int64(second) * 1_000_000_000))
        reached.append((try? await a.ping(b, timeout: .seconds(1))) != nil)
      }
      return reached
    }
    #expect(reached == [true, false, true])
    let recording = world.finish()
    #expect(recording.events.filter { $0.kind == "fault" }.map(\.time) == [10_000_000_000, 20_000_000_000])
  }
}
