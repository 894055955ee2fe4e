import MartletCore
import MartletWire
import Testing

@testable import MartletLinks

@Suite("An output port")
final class OutputPortTests {
  let pool = PacketPool()

  /// A wire of 1 ms (or so) whose left end sends through `port`, in bytes of IP.
  private func wire(_ port: OutputPort, delay: Duration = .milliseconds(1)) -> VirtualWire {
    var configuration = VirtualWire.Configuration()
    configuration.delay = delay
    configuration.framing = .packetAlone
    return VirtualWire(configuration, leftPort: port)
  }

  @Test("A rate in bytes of IP leaves the Ethernet header out")
  func packetAlone() {
    // 1,500 bytes at 200 Mbit/s are 60 µs.
    let wire = wire(OutputPort(bitsPerSecond: 200_000_000))
    wire.left.send(frame(1_514, from: pool), at: .ns(5))
    #expect(wire.right.nextDeadline == .ns(5 + 60_000 + 1_000_000))
  }

  @Test("A thousand packets in a row take as long as their bits, to the nanosecond")
  func longTrain() {
    let port = OutputPort(bitsPerSecond: 7_000_000)
    let wire = wire(port, delay: .zero)
    for _ in 0..<1_000 { wire.left.send(frame(1_514, from: pool), at: .zero) }
    var last = Instant.zero
    while let arrival = wire.right.nextDeadline {
      last = arrival
      _ = wire.right.receive(at: arrival, limit: 1) { _ in }
    }
    // 12,000,000 bits at 7 Mbit/s: 1.714285714285… s, rounded up.
    #expect(last == .ns(1_714_285_715))
    #expect(port.counters.sentBytes == 1_500_000)
    #expect(port.counters.maximumQueuedBytes == 1_500_000)
  }

  @Test("The queue takes exactly its bound in bytes, drops what does not fit, and the line makes room again")
  func dropTail() {
    let port = OutputPort(bitsPerSecond: 12_000_000, maximumBytes: 4_500)
    let wire = wire(port)
    // 1,500 bytes take 1 ms: three fit, the one on the line included.
    for _ in 0..<5 { wire.left.send(frame(1_514, from: pool), at: .zero) }
    #expect(port.counters.sentFrames == 3)
    #expect(port.counters.drops == 2)
    #expect(wire.left.counters.queueDrops == 2)
    // A smaller one does not squeeze in before there is room for it.
    wire.left.send(frame(15, from: pool), at: .ns(999_999))
    #expect(port.counters.drops == 3)
    wire.left.send(frame(1_514, from: pool), at: .ns(1_000_000))
    #expect(port.counters.drops == 3)
    #expect(port.counters.maximumQueuedBytes == 4_500)
    #expect(wire.right.receiveAll(at: .ns(5_000_000)).count == 4)
  }

  @Test("Wires that share a port share its line and its queue, and each keeps its own delay")
  func shared() {
    let port = OutputPort(bitsPerSecond: 12_000_000, maximumBytes: 3_000)
    let near = wire(port, delay: .milliseconds(1))
    let far = wire(port, delay: .milliseconds(10))
    near.left.send(frame(1_514, from: pool), at: .zero)
    far.left.send(frame(1_514, from: pool), at: .zero)
    near.left.send(frame(1_514, from: pool), at: .zero)
    #expect(near.right.nextDeadline == .ns(2_000_000))
    #expect(far.right.nextDeadline == .ns(12_000_000))
    #expect(near.left.counters.queueDrops == 1)
    #expect(far.left.counters.queueDrops == 0)
    #expect(port.counters.drops == 1)
  }

  @Test("The ways back of wires that share a port do not meet")
  func waysBack() {
    let port = OutputPort(bitsPerSecond: 12_000_000)
    let near = wire(port)
    let far = wire(port)
    near.left.send(frame(1_514, from: pool), at: .zero)
    near.right.send(frame(1_514, from: pool), at: .zero)
    far.right.send(frame(1_514, from: pool), at: .zero)
    #expect(near.left.nextDeadline == .ns(1_000_000))
    #expect(far.left.nextDeadline == .ns(1_000_000))
  }

  @Test("Packets leave in the order they came, whatever their size")
  func order() {
    let wire = wire(OutputPort(bitsPerSecond: 1_000_000, maximumBytes: 10_000))
    for size in [1_514, 60, 700, 15, 1_000] { wire.left.send(frame(size, from: pool), at: .zero) }
    #expect(wire.right.receiveAll(at: .ns(1_000_000_000)).map(\.count) == [1_514, 60, 700, 15, 1_000])
  }

  @Test("A port without a rate takes no time and drops nothing")
  func noRate() {
    let port = OutputPort(bitsPerSecond: nil, maximumBytes: 100)
    let wire = wire(port)
    for _ in 0..<3 { wire.left.send(frame(1_514, from: pool), at: .zero) }
    #expect(wire.right.receiveAll(at: .ns(1_000_000)).count == 3)
    #expect(port.counters == OutputPort.Counters(sentFrames: 3, sentBytes: 4_500))
  }

  @Test("Behind a port, chance holds back single packets: 5 % come later by 10 ms, the rest in order")
  func reordering() {
    let wire = wire(OutputPort(bitsPerSecond: 200_000_000))
    var impairment = ImpairedLink.Impairment()
    impairment.reordering = 0.05
    impairment.reorderingDelay = .milliseconds(10)
    let late = ImpairedLink(wire.right, inbound: impairment, seed: 1, pool: pool)
    for index in 0..<1_000 { wire.left.send(frame(1_514, fill: UInt8(index % 200), from: pool), at: .zero) }
    var arrivals: [(time: Instant, fill: UInt8)] = []
    while let deadline = late.nextDeadline {
      _ = late.receive(at: deadline, limit: 64) { arrivals.append((deadline, bytes(of: $0)[100])) }
    }
    #expect(arrivals.count == 1_000)
    let behind = (1..<1_000).filter { arrivals[$0].fill != (arrivals[$0 - 1].fill + 1) % 200 }
    // About 50 packets are late; each is out of place twice, where it is missing and where it comes.
    #expect(late.inboundCounters.reordered > 25)
    #expect(late.inboundCounters.reordered < 80)
    #expect(behind.count > Int(late.inboundCounters.reordered))
    #expect(zip(arrivals, arrivals.dropFirst()).allSatisfy { $0.time <= $1.time })
  }
}
