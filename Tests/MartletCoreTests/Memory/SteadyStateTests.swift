import AllocationCounter
import HostFuzzing
import MartletCore
import MartletWire
import Testing

/// Two hosts that carry frames without looking at them: nothing here allocates, so that whatever is counted is theirs.
private struct SteadyPair: ~Copyable {
  let pool = PacketPool()
  var client: Host
  var server: Host
  let eth = InterfaceID(index: 1)
  var now = Instant.zero
  var frameCount = 0

  init() throws {
    client = Host(name: "client", pool: pool, seed: 1)
    server = Host(name: "server", pool: pool, seed: 2)
    _ = client.addInterface(InterfaceConfiguration(name: "eth0", macAddress: TwoHosts.macA))
    _ = server.addInterface(InterfaceConfiguration(name: "eth0", macAddress: TwoHosts.macB))
    try client.addAddress(AddressInSubnet(TwoHosts.a4, prefixLength: 24), to: eth)
    try server.addAddress(AddressInSubnet(TwoHosts.b4, prefixLength: 24), to: eth)
    exchange()
  }

  mutating func exchange() {
    var before = -1
    while before != frameCount {
      before = frameCount
      now.nanoseconds += 1_000
      client.advance(to: now)
      client.transmit(from: eth, at: now) { packet in
        server.receive(packet, on: eth, at: now)
        frameCount += 1
      }
      server.advance(to: now)
      server.transmit(from: eth, at: now) { packet in
        client.receive(packet, on: eth, at: now)
        frameCount += 1
      }
    }
    while client.nextEvent() != nil {}
    while server.nextEvent() != nil {}
  }

  /// How often `body`, called `count` times after a warm-up, asks the system for memory, and how many frames it moves.
  mutating func measure(
    _ count: Int, _ body: (inout SteadyPair) throws -> Void
  ) throws -> (allocations: UInt64, poolAllocations: Int, frames: Int) {
    for _ in 0..<count { try body(&self) }
    let frames = frameCount
    let pooled = pool.statistics.systemAllocations
    let before = allocation_counter_value()
    for _ in 0..<count { try body(&self) }
    let after = allocation_counter_value()
    return (after - before, pool.statistics.systemAllocations - pooled, frameCount - frames)
  }
}

@Suite("No memory is asked of the system for a packet")
struct SteadyStateTests {
  @Test("The counter counts")
  func counter() {
    guard allocation_counter_is_active() else { return }
    let before = allocation_counter_value()
    let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: 4_096)
    unsafe memory.initialize(repeating: 1, count: 4_096)
    unsafe memory.deallocate()
    #expect(allocation_counter_value() > before)
  }

  @Test("A TCP stream allocates nothing once it runs", arguments: [1, 1_000, 65_536])
  func stream(byteCount: Int) throws {
    var net = try SteadyPair()
    let listener = try net.server.listen(on: SocketAddress(.any(.v4), port: 5_001))
    let sender = try net.client.connect(to: SocketAddress(TwoHosts.b4, port: 5_001), at: net.now)
    net.exchange()
    let receiver = try #require(try net.server.accept(from: listener))
    let source = [UInt8](repeating: 0x5a, count: byteCount)
    var sink = [UInt8](repeating: 0, count: 1 << 17)
    var sent = 0
    var received = 0
    let result = try net.measure(byteCount > 10_000 ? 100 : 2_000) { net in
      sent += unsafe try net.client.write(source.span.bytes, to: sender, at: net.now)
      net.exchange()
      var span = sink.mutableSpan
      var buffer = unsafe span.mutableBytes
      while case .bytes(let count) = try net.server.read(from: receiver, into: &buffer, at: net.now) {
        received += count
      }
      // An ACK that waits goes out, so that a turn is like the one before.
      net.now.nanoseconds += 50_000_000
      net.exchange()
    }
    #expect(sent == received)
    #expect(result.frames >= 4_000)
    #expect(result.poolAllocations == 0)
    #expect(result.allocations == 0)
  }

  @Test("Datagrams and their answers allocate nothing", arguments: [0, 64, 1_472])
  func datagrams(byteCount: Int) throws {
    var net = try SteadyPair()
    let server = try net.server.openDatagram(on: SocketAddress(.any(.v4), port: 7))
    let client = try net.client.openDatagram(on: SocketAddress(.any(.v4), port: 0))
    try net.client.connectDatagram(client, to: SocketAddress(TwoHosts.b4, port: 7))
    let payload = [UInt8](repeating: 0x17, count: byteCount)
    var sink = [UInt8](repeating: 0, count: 2_048)
    var answered = 0
    let result = try net.measure(2_000) { net in
      unsafe try net.client.send(payload.span.bytes, from: client, at: net.now)
      net.exchange()
      var span = sink.mutableSpan
      var buffer = unsafe span.mutableBytes
      if let datagram = try net.server.receiveDatagram(from: server, into: &buffer) {
        unsafe try net.server.send(payload.span.bytes, to: datagram.source, from: server, at: net.now)
      }
      net.exchange()
      if try net.client.receiveDatagram(from: client, into: &buffer) != nil { answered += 1 }
    }
    #expect(answered == 4_000)
    #expect(result.frames == 4_000)
    #expect(result.poolAllocations == 0)
    #expect(result.allocations == 0)
  }

  @Test("A router allocates nothing for what it passes on", arguments: IPVersion.allCases, [true, false])
  func forwarding(version: IPVersion, takesShortWays: Bool) throws {
    var bench = try RouterBench()
    bench.router.takesShortWays = takesShortWays
    let frame = Frames.ethernet(
      to: RouterBench.macLeft, from: RouterBench.macA, type: version == .v4 ? 0x0800 : 0x86dd,
      version == .v4 ? Routed.v4(fragmentField: 0).bytes : Routed.v6().bytes)
    var forwarded = 0
    func pass(_ count: Int) throws {
      for _ in 0..<count {
        guard var packet = bench.pool.allocate() else { throw PacketPool.Exhausted() }
        packet.append(copying: frame.rawBytes)
        bench.router.receive(packet, on: RouterBench.left, at: bench.now)
        bench.router.transmit(from: RouterBench.right, at: bench.now) { _ in forwarded += 1 }
      }
    }
    try pass(10)
    let pooled = bench.pool.statistics.systemAllocations
    let before = allocation_counter_value()
    try pass(2_000)
    let after = allocation_counter_value()
    #expect(forwarded == 2_010)
    #expect(after - before == 0)
    #expect(bench.pool.statistics.systemAllocations == pooled)
  }
}
