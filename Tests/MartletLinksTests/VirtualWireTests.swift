import MartletCore
import MartletWire
import Testing

@testable import MartletLinks

@Suite("A virtual wire")
final class VirtualWireTests {
  let pool = PacketPool()

  @Test("A frame arrives after size over rate plus delay, to the nanosecond")
  func timing() {
    var configuration = VirtualWire.Configuration()
    configuration.bitsPerSecond = 100_000_000
    configuration.delay = .microseconds(250)
    let wire = VirtualWire(configuration)
    wire.left.send(frame(1000, from: pool), at: .ns(1_000))
    // 8,000 bits take 80,000 ns at 100 Mbit/s.
    #expect(wire.right.nextDeadline == .ns(1_000 + 80_000 + 250_000))
    #expect(wire.right.receiveAll(at: .ns(330_999)).isEmpty)
    #expect(wire.right.receiveAll(at: .ns(331_000)).count == 1)
    #expect(wire.right.nextDeadline == nil)
  }

  @Test("A train of frames takes as long as its bits, and each arrival is rounded up")
  func noDrift() {
    var configuration = VirtualWire.Configuration()
    configuration.bitsPerSecond = 3_000_000_000
    let wire = VirtualWire(configuration)
    var arrivals: [Int64] = []
    // 800 bits at 3 Gbit/s take 266 2/3 ns.
    for _ in 0..<4 { wire.left.send(frame(100, from: pool), at: .zero) }
    while let arrival = wire.right.nextDeadline {
      arrivals.append(arrival.nanoseconds)
      #expect(wire.right.receive(at: arrival, limit: 1) { _ in } == 1)
    }
    #expect(arrivals == [267, 534, 800, 1067])
  }

  @Test("An idle line forgets the remainder of the train before")
  func idleLine() {
    var configuration = VirtualWire.Configuration()
    configuration.bitsPerSecond = 3_000_000_000
    let wire = VirtualWire(configuration)
    wire.left.send(frame(100, from: pool), at: .zero)
    #expect(wire.right.receiveAll(at: .ns(1_000)).count == 1)
    wire.left.send(frame(100, from: pool), at: .ns(1_000))
    #expect(wire.right.nextDeadline == .ns(1_267))
  }

  @Test("Ethernet framing pads to 60 bytes and adds 24")
  func ethernetFraming() {
    var configuration = VirtualWire.Configuration()
    configuration.bitsPerSecond = 1_000_000_000
    configuration.framing = .ethernet
    let wire = VirtualWire(configuration)
    wire.left.send(frame(42, from: pool), at: .zero)
    // 84 bytes at 1 Gbit/s: the 672 ns behind the 1.488 million frames a second of gigabit Ethernet.
    #expect(wire.right.nextDeadline == .ns(672))
  }

  @Test("Frames arrive whole, in order, in both directions at once, by moving")
  func order() {
    let wire = VirtualWire()
    for index in 0..<10 {
      wire.left.send(frame(60, fill: UInt8(index), from: pool), at: .ns(Int64(index)))
      wire.right.send(frame(61, fill: UInt8(100 + index), from: pool), at: .ns(Int64(index)))
    }
    #expect(pool.statistics.blocksInUse == 20)
    #expect(wire.right.receiveAll(at: .ns(9)).map { [UInt8($0.count), $0[59]] } == (0..<10).map { [60, $0] })
    #expect(wire.left.receiveAll(at: .ns(9)).map { [UInt8($0.count), $0[59]] } == (100..<110).map { [61, $0] })
    #expect(pool.statistics.blocksInUse == 0)
  }

  @Test("The limit bounds a batch and the rest stays due")
  func limit() {
    let wire = VirtualWire()
    for _ in 0..<5 { wire.left.send(frame(60, from: pool), at: .zero) }
    #expect(wire.right.receive(at: .zero, limit: 3) { _ in } == 3)
    #expect(wire.right.nextDeadline == .zero)
    #expect(wire.right.receive(at: .zero, limit: 3) { _ in } == 2)
  }

  @Test("A full queue drops the newest frame and counts it; a frame that has left the line makes room")
  func queueBound() {
    var configuration = VirtualWire.Configuration()
    configuration.bitsPerSecond = 8_000_000
    configuration.delay = .seconds(1)
    configuration.queuedFrames = 2
    let wire = VirtualWire(configuration)
    // 100 bytes take 100 µs.
    for _ in 0..<3 { wire.left.send(frame(100, from: pool), at: .zero) }
    #expect(wire.left.counters.sentFrames == 2)
    #expect(wire.left.counters.queueDrops == 1)
    wire.left.send(frame(100, from: pool), at: .ns(99_999))
    #expect(wire.left.counters.queueDrops == 2)
    wire.left.send(frame(100, from: pool), at: .ns(100_000))
    #expect(wire.left.counters.queueDrops == 2)
    #expect(wire.right.receiveAll(at: .ns(2_000_000_000)).count == 3)
    #expect(wire.left.counters.deliveredBytes == 300)
  }

  @Test("A queue bounded in bytes drops what does not fit")
  func byteBound() {
    var configuration = VirtualWire.Configuration()
    configuration.bitsPerSecond = 8_000_000
    configuration.queuedBytes = 250
    let wire = VirtualWire(configuration)
    for size in [100, 100, 100, 50] { wire.left.send(frame(size, from: pool), at: .zero) }
    #expect(wire.right.receiveAll(at: .ns(1_000_000)).map(\.count) == [100, 100, 50])
    #expect(wire.left.counters.queueDrops == 1)
  }

  @Test("A frame beyond the MTU is dropped, a VLAN tag not counted")
  func sizes() {
    var configuration = VirtualWire.Configuration()
    configuration.mtu = 100
    let wire = VirtualWire(configuration)
    wire.left.send(frame(114, from: pool), at: .zero)
    wire.left.send(frame(115, from: pool), at: .zero)
    wire.left.send(frame(118, type: .vlan, from: pool), at: .zero)
    wire.left.send(frame(119, type: .vlan, from: pool), at: .zero)
    wire.left.send(frame(13, from: pool), at: .zero)
    #expect(wire.right.receiveAll(at: .zero).map(\.count) == [114, 118])
    #expect(wire.left.counters.sizeDrops == 3)
  }

  @Test("A cut wire drops what is sent and delivers what was under way")
  func cut() {
    var configuration = VirtualWire.Configuration()
    configuration.delay = .milliseconds(1)
    let wire = VirtualWire(configuration)
    wire.left.send(frame(60, from: pool), at: .zero)
    wire.isConnected = false
    wire.left.send(frame(60, from: pool), at: .zero)
    #expect(wire.right.receiveAll(at: .ns(1_000_000)).count == 1)
    #expect(wire.left.counters.cutDrops == 1)
  }

  @Test("The receiving end's loop is woken once for a train of frames, and again after it")
  func wakes() {
    let wire = VirtualWire()
    var count = 0
    wire.right.attach { count += 1 }
    for _ in 0..<3 { wire.left.send(frame(60, from: pool), at: .zero) }
    #expect(count == 1)
    _ = wire.right.receiveAll(at: .zero)
    wire.left.send(frame(60, from: pool), at: .zero)
    #expect(count == 2)
  }

  @Test("Without offloads the receiver has to verify; with them it is told")
  func checksums() {
    for (offloads, expected) in [
      (LinkOffloads(), Packet.ChecksumState.unknown), (.transmitChecksum, .verified),
    ] {
      var configuration = VirtualWire.Configuration()
      configuration.offloads = offloads
      let wire = VirtualWire(configuration)
      var packet = frame(60, from: pool)
      packet.metadata.checksum = .computed
      wire.left.send(packet, at: .zero)
      var seen: Packet.ChecksumState?
      _ = wire.right.receive(at: .zero, limit: 1) { seen = $0.metadata.checksum }
      #expect(seen == expected)
    }
  }

  @Test("A super-segment takes the line as long as the frames it stands for")
  func superSegment() {
    var configuration = VirtualWire.Configuration()
    configuration.bitsPerSecond = 8_000_000_000
    configuration.offloads = [.transmitChecksum, .segmentTCPv4]
    let wire = VirtualWire(configuration)
    wire.left.send(tcpFrame(payload: 3_000, segmentSize: 1_460, from: pool), at: .zero)
    // One byte a nanosecond: 2 · 1,514 bytes, then 54 + 80.
    #expect(wire.right.nextDeadline == .ns(3_162))
    var seen: Packet.ChecksumState?
    _ = wire.right.receive(at: .ns(3_162), limit: 1) { seen = $0.metadata.checksum }
    #expect(seen == .partial)
    // Segments beyond the MTU.
    wire.left.send(tcpFrame(payload: 3_000, segmentSize: 1_461, from: pool), at: .zero)
    #expect(wire.left.counters.sizeDrops == 1)
  }
}
