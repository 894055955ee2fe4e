import MartletWire
import Testing

@testable import MartletCore

@Suite("TCP: memory")
struct TCPMemoryTests {
  @Test("In a steady state nothing is asked of the system, and nothing is held when all is read and acknowledged")
  func steadyState() {
    let t = TCPScript(.established(initialWindow: 10))
    var allocations = 0
    for round in 0..<200 {
      t.at(0.001 * Double(round)).write(5_000)
      t.receive(
        .data(seq: 1 + round * 2_000, count: 1_000, ack: 1 + round * 5_000 + 5_000),
        .data(seq: 1_001 + round * 2_000, count: 1_000, ack: 1 + round * 5_000 + 5_000))
      t.ignore()
      #expect(t.read() == .bytes(2_000))
      if round == 10 { allocations = t.pool.statistics.systemAllocations }
    }
    let statistics = t.pool.statistics
    #expect(statistics.systemAllocations == allocations)
    #expect(statistics.blocksInUse == 0)
    #expect(statistics.smallRegionsInUse == 0)
    #expect(statistics.largeRegionsInUse == 0)
  }

  @Test("A connection that ends gives everything back, whatever it held", arguments: [true, false])
  func end(byReset: Bool) {
    let t = TCPScript()
    t.write(100_000).receive(.data(seq: 1, count: 100, ack: 1), .data(seq: 5_000, count: 100, ack: 1))
    if byReset { t.receive(.rst(seq: 101)) } else { t.abort() }
    t.read()
    let statistics = t.pool.statistics
    #expect(statistics.blocksInUse == 0)
    #expect(statistics.smallRegionsInUse == 0)
    #expect(statistics.largeRegionsInUse == 0)
  }

  @Test("Without blocks nothing goes out, and all goes on when there are some again")
  func poolExhausted() {
    var configuration = PacketPool.Configuration()
    configuration.maximumBlocks = 2
    let pool = PacketPool(configuration)
    let t = TCPScript()
    t.change { connection in
      let first = pool.allocate()
      let second = pool.allocate()
      let bytes = (1...100).map { TCPScript.byte(at: $0) }
      _ = unsafe try? connection.write(bytes.span.bytes, from: pool, at: t.now)
      var output = PacketQueue()
      connection.transmit(from: pool, at: t.now, into: &output)
      let count = output.count
      #expect(count == 0)
      _ = consume first
      _ = consume second
    }
    t.expectNothing(until: 0.199)
    t.at(0.2).expect(.data(seq: 1, count: 100))
  }
}
