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
    try measure("forward_ipv4_per_s") { try forwarding(.v4, destinations: 32, seconds: $0) }
    try measure("forward_ipv6_per_s") { try forwarding(.v6, destinations: 32, seconds: $0) }
    // More destinations than a router keeps in mind: each packet asks every question again.
    try measure("forward_ipv4_strangers_per_s") { try forwarding(.v4, destinations: 4_000, seconds: $0) }
    // Before a row that leaves memory behind for others.
    try measure("bytes_per_connection") { _ in try idleConnections(20_000) }
    try measure("tcp_64k_sum_gbps") { try superSegments($0, mtu: 65_535, offloads: []) }
    try measure("tcp_64k_gbps") {
      try superSegments($0, mtu: 1_500, offloads: [.transmitChecksum, .segmentTCPv4, .segmentTCPv6])
    }
    try measure("tcp_rr_idle_ratio") { try roundTripsBesideIdle($0, idle: 100_000) }
    print("{" + rows.map { "\"\($0.0)\": \(($0.1 * 1_000).rounded() / 1_000)" }.joined(separator: ", ") + "}")
  }

  /// Runs `turn`, which returns what it counted, until the time is up; returns the count per second of processor time.
  static func rate(_ seconds: Double, _ turn: () throws -> Int) rethrows -> Double {
    let start = processorSeconds()
    var count = 0
    var elapsed = 0.0
    repeat {
      count += try turn()
      elapsed = processorSeconds() - start
    } while elapsed < seconds
    return Double(count) / elapsed
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

  /// Gbit/s of payload through one connection in packets of up to 64 KB, given and taken by reference. A link without
  /// offloads carries such packets whole, and the hosts compute and check every checksum; one with offloads takes them in
  /// place of segments, and nobody computes a checksum.
  static func superSegments(_ seconds: Double, mtu: Int, offloads: LinkOffloads) throws -> Double {
    var configuration = Host.Configuration()
    configuration.tcp.sendBufferByteCount = 1 << 20
    configuration.tcp.receiveBufferByteCount = 1 << 20
    var pair = Pair(configuration: configuration, mtu: mtu, offloads: offloads)
    let listener = try pair.server.listen(on: SocketAddress(.any(.v4), port: 5_005))
    let (sender, receiver) = try pair.connect(to: listener, port: 5_005)
    let source = UnsafeMutableRawPointer.allocate(byteCount: 64_000, alignment: 64)
    defer { source.deallocate() }
    source.initializeMemory(as: UInt8.self, repeating: 0x5a, count: 64_000)
    return try rate(seconds) {
      var total = 0
      for _ in 0..<64 {
        while try pair.client.write(
          Slice(Region(bytes: source, byteCount: 64_000, context: nil) { _, _, _ in }, offset: 0, count: 64_000),
          to: sender, at: pair.now)
        {}
        pair.exchange()
        var isIntact = true
        while case .bytes(let count) = try pair.server.read(
          from: receiver, upTo: 1 << 20, at: pair.now,
          { run in
            let first = unsafe run.unsafeLoad(fromByteOffset: 0, as: UInt8.self)
            let last = unsafe run.unsafeLoad(fromByteOffset: run.byteCount - 1, as: UInt8.self)
            if first != 0x5a || last != 0x5a { isIntact = false }
          })
        {
          total += count
        }
        guard isIntact else { throw SocketError.invalidState }
        pair.exchange()
        while pair.client.nextEvent() != nil {}
        while pair.server.nextEvent() != nil {}
      }
      return total
    } * 8 / 1e9
  }

  /// One byte there and one byte back, per second.
  static func roundTrips(_ seconds: Double) throws -> Double {
    var pair = Pair()
    let ends = try talkers(&pair)
    return try roundTrips(seconds, &pair, ends)
  }

  /// The round trips with `idle` connections beside, as a part of those with none: 1 if they cost no time.
  static func roundTripsBesideIdle(_ seconds: Double, idle: Int) throws -> Double {
    var alone = Pair()
    var crowded = Pair()
    try connect(idle, &crowded)
    let aloneEnds = try talkers(&alone)
    let crowdedEnds = try talkers(&crowded)
    var best = (alone: 0.0, crowded: 0.0)
    // In turns, and the best of each: another program on the machine disturbs both.
    for _ in 0..<5 {
      best.alone = max(best.alone, try roundTrips(seconds / 10, &alone, aloneEnds))
      best.crowded = max(best.crowded, try roundTrips(seconds / 10, &crowded, crowdedEnds))
    }
    return best.crowded / best.alone
  }

  /// A connection whose small segments go out at once.
  static func talkers(_ pair: inout Pair) throws -> (client: SocketID, server: SocketID) {
    let listener = try pair.server.listen(on: SocketAddress(.any(.v4), port: 5_002))
    var options = TCPSocketOptions()
    options.noDelay = true
    let ends = try pair.connect(to: listener, port: 5_002)
    try pair.client.setOptions(options, of: ends.client)
    try pair.server.setOptions(options, of: ends.server)
    return ends
  }

  static func roundTrips(
    _ seconds: Double, _ pair: inout Pair, _ ends: (client: SocketID, server: SocketID)
  ) throws -> Double {
    let byte: [UInt8] = [42]
    var sink: [UInt8] = [0]
    return try rate(seconds) {
      for _ in 0..<10_000 {
        _ = try pair.client.write(byte.span.bytes, to: ends.client, at: pair.now)
        pair.now.nanoseconds += 1_000
        pair.client.transmit(from: pair.clientInterface, at: pair.now) { packet in
          pair.server.receive(packet, on: pair.serverInterface, at: pair.now)
        }
        var span = sink.mutableSpan
        var buffer = span.mutableBytes
        guard case .bytes(1) = try pair.server.read(from: ends.server, into: &buffer, at: pair.now) else {
          throw SocketError.invalidState
        }
        _ = try pair.server.write(byte.span.bytes, to: ends.server, at: pair.now)
        pair.server.transmit(from: pair.serverInterface, at: pair.now) { packet in
          pair.client.receive(packet, on: pair.clientInterface, at: pair.now)
        }
        guard case .bytes(1) = try pair.client.read(from: ends.client, into: &buffer, at: pair.now) else {
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
    // Not an array: changing one whose bytes were lent copies it.
    let payload = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 64)
    defer { payload.deallocate() }
    payload.initializeMemory(as: UInt8.self, repeating: 0x17)
    _ = try pair.client.send(payload.bytes, from: client, at: pair.now)
    pair.exchange()
    _ = try pair.server.receiveDatagram(from: server)
    var sent: UInt64 = 0
    var next: UInt64 = 0
    var isDamaged = false
    return try rate(seconds) {
      var received = 0
      for _ in 0..<200 {
        for _ in 0..<32 {
          payload.storeBytes(of: sent, as: UInt64.self)
          try pair.client.send(payload.bytes, from: client, at: pair.now)
          sent += 1
        }
        pair.exchange()
        // By reference, as the peer's callback gets it.
        while let datagram = try pair.server.receiveDatagram(from: server) {
          isDamaged = isDamaged || !isIntact(datagram, byteCount: byteCount, number: next)
          next += 1
          received += 1
        }
        precondition(!isDamaged, "a datagram arrived damaged or out of order")
        precondition(next == sent, "datagrams were lost")
        while pair.server.nextEvent() != nil {}
      }
      return received
    }
  }

  /// Looks at the length, the number in front and the last eight bytes, as the peer does.
  static func isIntact(_ datagram: borrowing DatagramPacket, byteCount: Int, number: UInt64) -> Bool {
    let bytes = datagram.payload.bytes
    guard bytes.byteCount == byteCount else { return false }
    return bytes.unsafeLoadUnaligned(fromByteOffset: 0, as: UInt64.self) == number
      && bytes.unsafeLoadUnaligned(fromByteOffset: byteCount - 8, as: UInt64.self)
        == 0x1717_1717_1717_1717
  }

  /// Memory of one end of an established connection with nothing under way, in bytes.
  static func idleConnections(_ count: Int) throws -> Double {
    var pair = Pair()
    let before = residentByteCount()
    try connect(count, &pair)
    return Double(residentByteCount() - before) / Double(2 * count)
  }

  /// Connects `count` times, to a port for each thousand, so that the ephemeral ports of one peer do not run out.
  static func connect(_ count: Int, _ pair: inout Pair) throws {
    for first in stride(from: 0, to: count, by: 1_000) {
      let port = UInt16(6_000 + first / 1_000)
      let listener = try pair.server.listen(on: SocketAddress(.any(.v4), port: port))
      for _ in first..<min(count, first + 1_000) { _ = try pair.connect(to: listener, port: port) }
    }
    while pair.client.nextEvent() != nil {}
    while pair.server.nextEvent() != nil {}
  }
}
