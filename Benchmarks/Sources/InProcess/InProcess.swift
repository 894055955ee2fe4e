import MartletCore
import MartletWire

/// Martlet's own rows: both ends on one thread, MTU 1500, Ethernet, software checksums, every byte counted on arrival.
@main
struct InProcess {
  static func main() throws {
    let seconds = CommandLine.arguments.count > 1 ? Double(CommandLine.arguments[1]) ?? 1.5 : 1.5
    let only = CommandLine.arguments.count > 2 ? CommandLine.arguments[2] : ""
    var rows: [(String, Double)] = []
    func measure(_ name: String, _ body: (Double) throws -> Double) throws {
      if only.isEmpty || only == name { rows.append((name, try body(seconds))) }
    }
    try measure("tcp_bulk_gbps", bulk)
    try measure("tcp_rr_per_s", roundTrips)
    try measure("tcp_crr_per_s", connections)
    try measure("udp64_per_s") { try datagrams(byteCount: 64, seconds: $0) }
    try measure("udp1472_per_s") { try datagrams(byteCount: 1_472, seconds: $0) }
    try measure("bytes_per_connection") { _ in try idleConnections(20_000) }
    print("{" + rows.map { "\"\($0.0)\": \(($0.1 * 1_000).rounded() / 1_000)" }.joined(separator: ", ") + "}")
  }

  /// Runs `turn`, which returns what it counted, until the time is up; returns the count per second.
  static func rate(_ seconds: Double, _ turn: () throws -> Int) rethrows -> Double {
    let clock = ContinuousClock()
    let start = clock.now
    var count = 0
    var elapsed = Duration.zero
    repeat {
      count += try turn()
      elapsed = clock.now - start
    } while elapsed < .seconds(seconds)
    let (whole, atto) = elapsed.components
    return Double(count) / (Double(whole) + Double(atto) * 1e-18)
  }

  /// Gbit/s of payload through one connection.
  static func bulk(_ seconds: Double) throws -> Double {
    var pair = Pair()
    let listener = try pair.server.listen(on: SocketAddress(.any(.v4), port: 5_001))
    let (sender, receiver) = try pair.connect(to: listener, port: 5_001)
    let source = [UInt8](repeating: 0x5a, count: 256 << 10)
    var sink = [UInt8](repeating: 0, count: 256 << 10)
    let bytesPerSecond = try rate(seconds) {
      var total = 0
      for _ in 0..<64 {
        _ = try pair.client.write(source.span.bytes, to: sender, at: pair.now)
        pair.exchange()
        var span = sink.mutableSpan
        var buffer = span.mutableBytes
        while case .bytes(let count) = try pair.server.read(from: receiver, into: &buffer, at: pair.now) {
          total += count
        }
      }
      return total
    }
    return bytesPerSecond * 8 / 1e9
  }

  /// One byte there and one byte back, per second.
  static func roundTrips(_ seconds: Double) throws -> Double {
    var pair = Pair()
    let listener = try pair.server.listen(on: SocketAddress(.any(.v4), port: 5_002))
    var options = TCPSocketOptions()
    options.noDelay = true
    let (client, server) = try pair.connect(to: listener, port: 5_002)
    try pair.client.setOptions(options, of: client)
    try pair.server.setOptions(options, of: server)
    let byte: [UInt8] = [42]
    var sink: [UInt8] = [0]
    return try rate(seconds) {
      for _ in 0..<10_000 {
        _ = try pair.client.write(byte.span.bytes, to: client, at: pair.now)
        pair.now.nanoseconds += 1_000
        pair.client.transmit(from: pair.clientInterface, at: pair.now) { packet in
          pair.server.receive(packet, on: pair.serverInterface, at: pair.now)
        }
        var span = sink.mutableSpan
        var buffer = span.mutableBytes
        guard case .bytes(1) = try pair.server.read(from: server, into: &buffer, at: pair.now) else {
          throw SocketError.invalidState
        }
        _ = try pair.server.write(byte.span.bytes, to: server, at: pair.now)
        pair.server.transmit(from: pair.serverInterface, at: pair.now) { packet in
          pair.client.receive(packet, on: pair.clientInterface, at: pair.now)
        }
        guard case .bytes(1) = try pair.client.read(from: client, into: &buffer, at: pair.now) else {
          throw SocketError.invalidState
        }
        while pair.client.nextEvent() != nil {}
        while pair.server.nextEvent() != nil {}
      }
      return 10_000
    }
  }

  /// Connections opened, closed by both ends and out of TIME-WAIT, per second.
  static func connections(_ seconds: Double) throws -> Double {
    var configuration = Host.Configuration()
    configuration.tcp.maximumSegmentLifetime = .microseconds(10)
    var pair = Pair(configuration: configuration)
    let listener = try pair.server.listen(on: SocketAddress(.any(.v4), port: 5_003))
    return try rate(seconds) {
      for _ in 0..<1_000 {
        let (client, server) = try pair.connect(to: listener, port: 5_003)
        pair.client.close(client, at: pair.now)
        pair.exchange()
        pair.server.close(server, at: pair.now)
        pair.exchange()
        pair.now.nanoseconds += 50_000
        pair.client.advance(to: pair.now)
        while pair.client.nextEvent() != nil {}
        while pair.server.nextEvent() != nil {}
      }
      return 1_000
    }
  }

  /// Datagrams that arrived, per second.
  static func datagrams(byteCount: Int, seconds: Double) throws -> Double {
    var pair = Pair()
    let server = try pair.server.openDatagram(on: SocketAddress(.any(.v4), port: 5_004))
    let client = try pair.client.openDatagram(on: SocketAddress(.any(.v4), port: 0))
    try pair.client.connectDatagram(client, to: SocketAddress(IPAddress(Pair.serverAddress), port: 5_004))
    let payload = [UInt8](repeating: 0x17, count: byteCount)
    var sink = [UInt8](repeating: 0, count: 2_048)
    _ = try pair.client.send(payload.span.bytes, from: client, at: pair.now)
    pair.exchange()
    return try rate(seconds) {
      var received = 0
      for _ in 0..<200 {
        for _ in 0..<32 { try pair.client.send(payload.span.bytes, from: client, at: pair.now) }
        pair.exchange()
        var span = sink.mutableSpan
        var buffer = span.mutableBytes
        while let datagram = try pair.server.receiveDatagram(from: server, into: &buffer) {
          precondition(datagram.byteCount == byteCount)
          received += 1
        }
        while pair.server.nextEvent() != nil {}
      }
      return received
    }
  }

  /// Memory of one end of an established connection with nothing under way, in bytes.
  static func idleConnections(_ count: Int) throws -> Double {
    var pair = Pair()
    var options = ListenerOptions()
    options.backlog = 4_096
    var listeners: [SocketID] = []
    // A port for each thousand, so that the ephemeral ports of one peer do not run out.
    for port in 0..<((count + 999) / 1_000) {
      listeners.append(
        try pair.server.listen(on: SocketAddress(.any(.v4), port: UInt16(6_000 + port)), options: options))
    }
    let before = residentByteCount()
    for index in 0..<count {
      _ = try pair.connect(to: listeners[index / 1_000], port: UInt16(6_000 + index / 1_000))
    }
    return Double(residentByteCount() - before) / Double(2 * count)
  }
}
