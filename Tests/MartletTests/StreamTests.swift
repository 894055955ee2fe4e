import Martlet
import MartletCore
import MartletWire
import Synchronization
import Testing

@Suite("A TCP socket")
struct StreamTests {
  static let cases = Network.times.flatMap { time in
    [Network.serverV4, Network.serverV6].map { (time, $0) }
  }

  @Test("The server answers in capitals", arguments: cases)
  func upperCase(time: Loop.Time, address: IPAddress) async throws {
    let net = try Network(time)
    let answer = try await net.loop.run {
      let listener = try net.server.listen(on: 12_000)
      net.loop.task {
        let connection = try await listener.accept()
        let question = try await connection.read()
        try await connection.write(String(decoding: question, as: UTF8.self).uppercased())
        connection.close()
      }
      let socket = try await net.client.connect(to: SocketAddress(address, port: 12_000))
      try await socket.write("hello, martlet")
      let answer = try await socket.readToEnd()
      socket.close()
      return String(decoding: answer, as: UTF8.self)
    }
    #expect(answer == "HELLO, MARTLET")
    net.loop.shutdown()
  }

  @Test("A socket tells its numbers and what its sender did", arguments: Network.times)
  func trace(time: Loop.Time) async throws {
    let net = try Network(time)
    let (trace, info, after) = try await net.loop.run {
      let listener = try net.server.listen(on: 12_000)
      let socket = try await net.client.connect(to: SocketAddress(Network.serverV4, port: 12_000))
      let connection = try await listener.accept()
      try socket.startTrace(capacity: 100)
      try await socket.write("hello")
      _ = try await connection.read()
      connection.close()
      _ = try await socket.readToEnd()
      let info = try socket.info()
      let trace = try socket.takeTrace()
      try socket.stopTrace()
      let after = try socket.takeTrace()
      socket.close()
      return (trace, info, after == nil)
    }
    #expect(trace?.events.first?.kind == .sent(.init(1, 6), .new))
    #expect(trace?.overwrittenCount == 0)
    #expect(info.deliveredByteCount == 5)
    #expect(info.waiting == .nothingToSend)
    #expect(after)
    net.loop.shutdown()
  }

  @Test("The same from another thread, by name", arguments: Network.times)
  func foreign(time: Loop.Time) async throws {
    let net = try Network(time)
    let listener = try net.server.listen(on: 12_000)
    async let served: Void = {
      let connection = try await listener.accept()
      while let line = try await connection.readLine() { try await connection.write(line.uppercased() + "\n") }
      connection.close()
    }()
    #expect(!net.loop.isCurrent)
    let socket = try await net.client.connect(to: "server:12000")
    #expect(socket.remoteAddress == "10.0.0.2:12000")
    try await socket.write("one\r\ntwo\nthree")
    try socket.shutdownWrite()
    let answer = try await socket.readToEnd()
    try await served
    #expect(String(decoding: answer, as: UTF8.self) == "ONE\nTWO\nTHREE\n")
    net.loop.shutdown()
  }

  @Test("A port where nobody listens refuses", arguments: cases)
  func refused(time: Loop.Time, address: IPAddress) async throws {
    let net = try Network(time)
    await #expect(throws: SocketError.refused) {
      try await net.loop.run { _ = try await net.client.connect(to: SocketAddress(address, port: 9)) }
    }
    net.loop.shutdown()
  }

  @Test("A writer waits for a slow reader, and every byte arrives", arguments: Network.times)
  func backPressure(time: Loop.Time) async throws {
    var configuration = Host.Configuration()
    configuration.tcp.sendBufferByteCount = 65_536
    configuration.tcp.receiveBufferByteCount = 65_536
    let net = try Network(time, configuration)
    let total = 2_000_000
    let (writtenBeforeReading, same) = try await net.loop.run {
      let listener = try net.server.listen(on: 80)
      let socket = try await net.client.connect(to: SocketAddress(Network.serverV4, port: 80))
      let connection = try await listener.accept()
      let data = (0..<total).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 9) }
      let written = Shared(0)
      let writer = net.loop.task {
        var index = 0
        while index < total {
          let end = min(total, index + 10_000)
          try await socket.write(Array(data[index..<end]))
          index = end
          let done = index
          written.value.withLock { $0 = done }
        }
        try socket.shutdownWrite()
      }
      try await net.loop.clock.sleep(for: net.loop.isVirtual ? .seconds(5) : .milliseconds(20))
      let before = written.value.withLock { $0 }
      let received = try await connection.readToEnd()
      try await writer.value
      return (before, received == data)
    }
    #expect(writtenBeforeReading < 300_000)
    #expect(same)
    net.loop.shutdown()
  }

  @Test("Data goes along with the SYN once the server gave a cookie", arguments: Network.times)
  func fastOpen(time: Loop.Time) async throws {
    let net = try Network(time)
    let answers = try await net.loop.run {
      var options = ListenerOptions()
      options.fastOpen = true
      let listener = try net.server.listen(on: 80, options: options)
      net.loop.task {
        for try await connection in listener {
          try await connection.write(String(decoding: try await connection.read(), as: UTF8.self).uppercased())
          connection.close()
        }
      }
      var answers: [String] = []
      for text in ["one", "two"] {
        let socket = try await net.client.connect(
          to: SocketAddress(Network.serverV4, port: 80), sending: Array(text.utf8))
        answers.append(String(decoding: try await socket.readToEnd(), as: UTF8.self))
        socket.close()
      }
      return answers
    }
    #expect(answers == ["ONE", "TWO"])
    net.loop.shutdown()
  }

  @Test("Urgent data is read in its place, and a cork keeps small writes together", arguments: Network.times)
  func urgent(time: Loop.Time) async throws {
    let net = try Network(time)
    let (text, left) = try await net.loop.run {
      let listener = try net.server.listen(on: 80)
      let socket = try await net.client.connect(to: SocketAddress(Network.serverV4, port: 80))
      let connection = try await listener.accept()
      try socket.setCorked(true)
      try await socket.write("plain ")
      try await socket.writeUrgent(Array("urgent".utf8))
      try socket.setCorked(false)
      try socket.shutdownWrite()
      let text = String(decoding: try await connection.readToEnd(), as: UTF8.self)
      return (text, try connection.urgentByteCount())
    }
    #expect(text == "plain urgent")
    #expect(left == 0)
    net.loop.shutdown()
  }

  @Test("Half a connection goes on when the other half has ended", arguments: Network.times)
  func halfClose(time: Loop.Time) async throws {
    let net = try Network(time)
    let (asked, answered) = try await net.loop.run {
      let listener = try net.server.listen(on: 80)
      let socket = try await net.client.connect(to: "10.0.0.2:80" as SocketAddress)
      let connection = try await listener.accept()
      try await socket.write("what is the time?")
      try socket.shutdownWrite()
      let asked = try await connection.readToEnd()
      try await connection.write("late")
      connection.close()
      return (asked, try await socket.readToEnd())
    }
    #expect(String(decoding: asked, as: UTF8.self) == "what is the time?")
    #expect(String(decoding: answered, as: UTF8.self) == "late")
    net.loop.shutdown()
  }

  @Test("An abort reaches the peer as a reset", arguments: Network.times)
  func abort(time: Loop.Time) async throws {
    let net = try Network(time)
    await #expect(throws: SocketError.reset) {
      try await net.loop.run {
        let listener = try net.server.listen(on: 80)
        let socket = try await net.client.connect(to: "10.0.0.2:80" as SocketAddress)
        let connection = try await listener.accept()
        socket.abort()
        _ = try await connection.read()
      }
    }
    net.loop.shutdown()
  }

  @Test("Cancelling ends a read, an accept and a connect, and the sockets live on", arguments: Network.times)
  func cancellation(time: Loop.Time) async throws {
    let net = try Network(time)
    let errors = try await net.loop.run {
      var errors: [SocketError?] = []
      let listener = try net.server.listen(on: 80)
      let accepting = net.loop.task { _ = try await listener.accept() }
      // Nobody is at that address, so that this waits for an answer to ARP.
      let connecting = net.loop.task { _ = try await net.client.connect(to: "10.0.0.99:80" as SocketAddress) }
      await Task.yield()
      accepting.cancel()
      connecting.cancel()
      for result in await [accepting.result, connecting.result] { errors.append(result.socketError) }
      let socket = try await net.client.connect(to: "10.0.0.2:80" as SocketAddress)
      let connection = try await listener.accept()
      let reading = net.loop.task { _ = try await socket.read() }
      await Task.yield()
      reading.cancel()
      errors.append(await reading.result.socketError)
      try await connection.write("still here")
      #expect(String(decoding: try await socket.read(), as: UTF8.self) == "still here")
      return errors
    }
    #expect(errors == [.cancelled, .cancelled, .cancelled])
    net.loop.shutdown()
  }

  @Test("A read that nothing can end says so in virtual time")
  func stalled() async throws {
    let net = try Network()
    await #expect(throws: SocketError.stalled) {
      try await net.loop.run { _ = try await net.server.listen(on: 80).accept() }
    }
    net.loop.shutdown()
  }

  @Test("Many connections at once are served by one loop", arguments: Network.times)
  func many(time: Loop.Time) async throws {
    let net = try Network(time)
    let sum = try await net.loop.run {
      var options = ListenerOptions()
      options.backlog = 1_024
      let listener = try net.server.listen(on: 80, options: options)
      let server = net.loop.task {
        for try await connection in listener {
          net.loop.task {
            let bytes = try await connection.readToEnd()
            try await connection.write(bytes.reversed() + [])
            connection.close()
          }
        }
      }
      let sum = try await withThrowingTaskGroup(of: Int.self) { group in
        for number in 0..<300 {
          group.addTask {
            try await net.client.withTCP(to: "server:80") { socket in
              try await socket.write([UInt8(number & 0xff), UInt8(number >> 8)])
              try socket.shutdownWrite()
              let answer = try await socket.readToEnd()
              return answer.count == 2 ? Int(answer[0]) << 8 | Int(answer[1]) : -1
            }
          }
        }
        return try await group.reduce(0, +)
      }
      listener.close()
      _ = await server.result
      return sum
    }
    #expect(sum == 300 * 299 / 2)
    net.loop.shutdown()
  }
}

extension Result {
  var socketError: SocketError? {
    guard case .failure(let error) = self else { return nil }
    return error as? SocketError
  }
}

/// A service that lives on its host's loop as an actor.
private actor Echo {
  let host: VirtualHost
  private(set) var hops = 0
  nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe host.loop.executor.asUnownedSerialExecutor() }

  init(_ host: VirtualHost) { self.host = host }

  private func note() { if !host.loop.isCurrent { hops += 1 } }

  func serve(_ listener: TCPListener) async throws {
    let connection = try await listener.accept()
    note()
    while let line = try await connection.readLine() {
      note()
      try await host.loop.clock.sleep(for: .milliseconds(1))
      note()
      try await connection.write("\(line)\n")
      note()
    }
    connection.close()
  }
}

extension StreamTests {
  @Test("An actor on the loop uses sockets without leaving it", arguments: Network.times)
  func actor(time: Loop.Time) async throws {
    let net = try Network(time)
    let echo = Echo(net.server)
    let listener = try net.server.listen(on: 7)
    async let served: Void = echo.serve(listener)
    let answer = try await net.client.withTCP(to: "six:echo") { socket in
      try await socket.write("a\nb\n")
      try socket.shutdownWrite()
      return try await socket.readToEnd()
    }
    try await served
    #expect(String(decoding: answer, as: UTF8.self) == "a\nb\n")
    #expect(await echo.hops == 0)
    net.loop.shutdown()
  }
}
