import MartletCore
import MartletWire
import Testing

@testable import MartletLinks

@Suite("An impaired link")
final class ImpairedLinkTests {
  let pool = PacketPool()

  /// The numbers in the frames that come out of a wire behind an impaired link, one sent every microsecond.
  func run(
    _ impairment: ImpairedLink.Impairment, frames: Int = 10_000, seed: UInt64 = 1, inbound: Bool = false
  ) -> (received: [UInt32], counters: ImpairedLink.Counters) {
    let wire = VirtualWire()
    let link = ImpairedLink(
      inbound ? wire.right : wire.left, outbound: inbound ? .init() : impairment,
      inbound: inbound ? impairment : .init(), seed: seed, pool: pool)
    let (near, far): (any Link, any Link) = inbound ? (wire.left, link) : (link, wire.right)
    var received: [UInt32] = []
    func drain(at now: Instant) {
      near.flush(at: now)
      while far.receive(at: now, limit: 64, into: { received.append($0.bytes.bigEndian(at: 20)) }) > 0 {}
    }
    for index in 0..<frames {
      let now = Instant(nanoseconds: Int64(index) * 1_000)
      var packet = frame(60, type: .ipv4, from: pool)
      var bytes = packet.mutableBytes
      bytes.store(bigEndian: UInt32(index), at: 20)
      near.send(packet, at: now)
      drain(at: now)
    }
    drain(at: .ns(1 << 50))
    return (received, inbound ? link.inboundCounters : link.outboundCounters)
  }

  @Test("Without faults every frame passes, in order", arguments: [false, true])
  func clear(inbound: Bool) {
    let (received, counters) = run(.init(), inbound: inbound)
    #expect(received == Array(0..<10_000))
    #expect(counters.passed == 10_000)
  }

  @Test("About as many frames are lost as asked for, and none twice", arguments: [false, true])
  func loss(inbound: Bool) {
    let (received, counters) = run(.init(loss: 0.02), inbound: inbound)
    #expect((150...250).contains(counters.lost))
    #expect(received.count == 10_000 - Int(counters.lost))
    #expect(received == Set(received).sorted())
  }

  @Test("Duplicates arrive behind their originals")
  func duplication() {
    let (received, counters) = run(.init(loss: 0, duplication: 0.05))
    #expect((400...600).contains(counters.duplicated))
    #expect(received.count == 10_000 + Int(counters.duplicated))
    #expect(received == received.sorted())
    #expect(zip(received, received.dropFirst()).count { $0 == $1 } == Int(counters.duplicated))
  }

  @Test("Frames held back arrive later than those behind them, and none is missing")
  func reordering() {
    var impairment = ImpairedLink.Impairment(loss: 0, reordering: 0.03)
    impairment.reorderingDelay = .microseconds(10)
    let (received, counters) = run(impairment)
    #expect((200...400).contains(counters.reordered))
    #expect(received.sorted() == Array(0..<10_000))
    let late = zip(received, received.dropFirst()).count { $0 > $1 }
    #expect((150...400).contains(late))
  }

  @Test("Delay and jitter keep the order and stay within their bounds")
  func jitter() {
    var impairment = ImpairedLink.Impairment()
    impairment.delay = .milliseconds(1)
    impairment.jitter = .microseconds(100)
    let wire = VirtualWire()
    let link = ImpairedLink(wire.left, outbound: impairment, seed: 7, pool: pool)
    var delays: [Int64] = []
    for index in 0..<200 {
      let sent = Instant(nanoseconds: Int64(index) * 10_000_000)
      link.send(frame(60, from: pool), at: sent)
      guard let due = link.nextDeadline else { break }
      delays.append(due.nanoseconds - sent.nanoseconds)
      link.flush(at: due)
      #expect(wire.right.receiveAll(at: due).count == 1)
    }
    #expect(delays.allSatisfy { (1_000_000...1_100_000).contains($0) })
    #expect(Set(delays).count > 150)
    let (received, _) = run(impairment, frames: 1_000)
    #expect(received == Array(0..<1_000))
  }

  @Test("The same seed brings the same faults, another seed others; one fault moves no other")
  func seeds() {
    let weather = ImpairedLink.Impairment(loss: 0.1, reordering: 0.1, duplication: 0.1)
    #expect(run(weather, frames: 1_000).received == run(weather, frames: 1_000).received)
    #expect(run(weather, frames: 1_000).received != run(weather, frames: 1_000, seed: 2).received)
    let lossAlone = Set(run(.init(loss: 0.1), frames: 1_000).received)
    #expect(Set(run(weather, frames: 1_000).received) == lossAlone)
  }

  @Test("Corruption flips one bit of an IP packet behind the link header, and the receiver has to verify")
  func corruption() {
    let wire = VirtualWire()
    let link = ImpairedLink(wire.left, outbound: .init(loss: 0, corruption: 1), seed: 3, pool: pool)
    for _ in 0..<100 {
      let original = frame(60, type: .ipv4, from: pool)
      let before = bytes(of: original)
      link.send(original, at: .zero)
      link.flush(at: .zero)
      var after: [UInt8] = []
      _ = wire.right.receive(at: .zero, limit: 1) {
        after = bytes(of: $0)
        #expect($0.metadata.checksum == .unknown)
      }
      #expect(zip(before, after).reduce(0) { $0 + ($1.0 ^ $1.1).nonzeroBitCount } == 1)
      #expect(before.prefix(14) == after.prefix(14))
    }
    link.send(frame(60, type: .arp, from: pool), at: .zero)
    link.flush(at: .zero)
    #expect(link.outboundCounters.corrupted == 100)
  }

  @Test(
    "A payload that somebody else refers to stays as it is, and a partial checksum is completed before the bit flips")
  func sharedSlices() {
    let wire = VirtualWire()
    let link = ImpairedLink(wire.left, outbound: .init(loss: 0, corruption: 1), seed: 3, pool: pool)
    let kept = tcpFrame(payload: 1_400, segmentSize: 0, from: pool)
    let before = bytes(of: kept)
    var damagedPayloads = 0
    for _ in 0..<50 {
      guard let copy = kept.duplicate(from: pool) else { break }
      link.send(copy, at: .zero)
      link.flush(at: .zero)
      for after in wire.right.receiveAll(at: .zero) {
        #expect(!isTCPChecksumValid(after))
        if after[54...] != before[54...] { damagedPayloads += 1 }
      }
    }
    #expect(damagedPayloads > 40)
    #expect(bytes(of: kept) == before)
  }

  @Test("What arrives for several segments is split before the faults")
  func segments() {
    var configuration = VirtualWire.Configuration()
    configuration.offloads = [.transmitChecksum, .segmentTCPv4]
    let wire = VirtualWire(configuration)
    let link = ImpairedLink(wire.right, seed: 1, pool: pool)
    #expect(link.offloads == [])
    wire.left.send(tcpFrame(payload: 3_000, segmentSize: 1_000, from: pool), at: .zero)
    let received = link.receiveAll(at: .zero)
    #expect(received.map(\.count) == [1_054, 1_054, 1_054])
    #expect(received.allSatisfy(isTCPChecksumValid))
    #expect(link.inboundCounters.frames == 3)
  }

  @Test("Frames beyond the bound are refused and counted; waiting frames are given back with the link")
  func bound() {
    var impairment = ImpairedLink.Impairment()
    impairment.delay = .seconds(1)
    impairment.maximumWaitingFrames = 3
    do {
      let link = ImpairedLink(VirtualWire().left, outbound: impairment, seed: 1, pool: pool)
      var wakes = 0
      link.attach { wakes += 1 }
      for _ in 0..<5 { link.send(frame(60, from: pool), at: .zero) }
      #expect(link.outboundCounters.refused == 2)
      #expect(wakes == 1)
      #expect(link.nextDeadline == .ns(1_000_000_000))
    }
    #expect(pool.statistics.blocksInUse == 0)
  }
}
