import Martlet
import MartletCore
import MartletWire
import Testing

@testable import MartletLab

@Suite("A link's faults")
struct LinkFaultTests {
  @Test("A rate puts frames behind each other, exactly as long as their bits take")
  func rate() throws {
    let frames = try Pair(LinkDirection(rate: 1_000_000, delay: .milliseconds(3))).send(10, size: 958, every: .zero)
    #expect(frames.count == 10)
    for (index, frame) in frames.enumerated() {
      #expect(frame.bytes.count == 1_000)
      #expect(frame.departure == frames[0].queued + Int64(index) * 8_000_000)
      #expect(frame.arrival == frame.departure + 8_000_000 + 3_000_000)
      #expect(frame.queued == frames[0].queued)
    }
  }

  @Test("A queue takes as many frames as it may, beside the one on the line, and drops the newest")
  func frames() throws {
    let queue = LinkDirection.Queue(maximumFrames: 3)
    let frames = try Pair(LinkDirection(rate: 1_000_000, queue: queue)).send(10, size: 958, every: .zero)
    #expect(frames.filter { !$0.isLost }.map(Pair.number).sorted() == [0, 1, 2, 3])
    #expect(frames.filter(\.isLost).allSatisfy { $0.lossReason == "queue full" })
  }

  @Test("A queue in bytes takes as many bytes as it may")
  func bytes() throws {
    let queue = LinkDirection.Queue(maximumBytes: 2_999)
    let frames = try Pair(LinkDirection(rate: 1_000_000, queue: queue)).send(10, size: 958, every: .zero)
    #expect(frames.filter { !$0.isLost }.map(Pair.number).sorted() == [0, 1, 2])
  }

  @Test("A rate that changes holds from its time on, and a rate of 0 stops the line")
  func changes() throws {
    var way = LinkDirection(rate: 1_000_000)
    way.rateChanges = [.init(at: .seconds(1), rate: 0), .init(at: .seconds(2), rate: 8_000)]
    let pair = try Pair(way)
    try pair.world.run(for: .milliseconds(990))
    let frames = try pair.send(4, size: 58, every: .milliseconds(10))
    let times = frames.map(\.departure)
    // 100 bytes: 0.8 ms at first, 100 ms at last.
    #expect(frames[0].arrival - times[0] == 800_000)
    #expect(times[1...].first.map { $0 >= 990_000_000 } == true)
    let late = frames.filter { $0.departure >= 2_000_000_000 }
    #expect(late.count >= 2)
    #expect(late[0].departure == 2_000_000_000)
    #expect(late[0].arrival - late[0].departure == 100_000_000)
    #expect(late[1].departure == 2_100_000_000)
    #expect(!frames.contains { $0.departure > 1_000_000_000 && $0.departure < 2_000_000_000 })
  }

  @Test("Delay is added to every frame")
  func delay() throws {
    for frame in try Pair(LinkDirection(delay: .milliseconds(7))).send(5) {
      #expect(frame.arrival - frame.departure == 7_000_000)
    }
  }

  @Test(
    "Jitter stays within its spread and keeps the order, unless it may overtake",
    arguments: [
      LinkDirection.Jitter.Distribution.uniform, .normal, .longTailed,
    ])
  func jitter(_ distribution: LinkDirection.Jitter.Distribution) throws {
    var way = LinkDirection(delay: .milliseconds(1))
    way.jitter = .init(.milliseconds(10), distribution)
    let ordered = try Pair(way).send(300)
    #expect(ordered.allSatisfy { (1_000_000...21_000_000).contains($0.arrival - $0.departure) })
    #expect(ordered.map(\.arrival) == ordered.map(\.arrival).sorted())
    way.jitter?.keepsOrder = false
    let free = try Pair(way).send(300)
    #expect(free.allSatisfy { (1_000_000...11_000_000).contains($0.arrival - $0.departure) })
    if distribution != .longTailed { #expect(free.map(\.arrival) != free.map(\.arrival).sorted()) }
    let mean = free.reduce(0.0) { $0 + Double($1.arrival - $1.departure) } / 300 / 1e6
    switch distribution {
    case .uniform, .normal: #expect(mean > 5 && mean < 7)
    case .longTailed: #expect(mean > 1.5 && mean < 3)
    }
  }

  @Test("Random loss is as frequent as it is said to be, and the same for the same seed")
  func loss() throws {
    var way = LinkDirection()
    way.loss = .random(0.2)
    let first = try Pair(way).send(1_000)
    let lost = first.count(where: \.isLost)
    #expect((150...250).contains(lost))
    let second = try Pair(way).send(1_000)
    #expect(first.map(\.isLost) == second.map(\.isLost))
    let third = try Pair(way, seed: 2).send(1_000)
    #expect(first.map(\.isLost) != third.map(\.isLost))
  }

  @Test("Gilbert and Elliott's losses come in bursts of the length that the probabilities say")
  func bursts() throws {
    var way = LinkDirection()
    way.loss = .gilbertElliott(toBad: 0.02, toGood: 0.25)
    let lost = try Pair(way).send(3_000).map(\.isLost)
    var bursts = 0
    for index in lost.indices where lost[index] && (index == 0 || !lost[index - 1]) { bursts += 1 }
    let count = lost.count { $0 }
    // One in 13.5 is lost, four in a row.
    #expect((120...360).contains(count))
    #expect(Double(count) / Double(bursts) > 2.5 && Double(count) / Double(bursts) < 6)
  }

  @Test("Each n-th frame is lost")
  func every() throws {
    var way = LinkDirection()
    way.loss = .every(5)
    let frames = try Pair(way).send(50)
    let lost = frames.filter(\.isLost).map(Pair.number)
    #expect(lost.count == 10)
    #expect(zip(lost, lost.dropFirst()).allSatisfy { $1 - $0 == 5 })
  }

  @Test("A script loses, doubles and delays the frames that it names, and no others")
  func script() throws {
    var way = LinkDirection(delay: .milliseconds(1))
    let datagrams = FramePattern(.udp, destinationPort: 9)
    way.script = [
      ScriptedFault(.lose, [3], of: datagrams), ScriptedFault(.duplicate, [5], of: datagrams),
      ScriptedFault(.delay(.milliseconds(10)), [7], of: datagrams),
      ScriptedFault(.lose, [1], of: FramePattern(.tcp)),
    ]
    let frames = try Pair(way).send(10)
    #expect(frames.filter(\.isLost).map(Pair.number) == [2])
    #expect(frames.count { Pair.number($0) == 4 } == 2)
    #expect(frames.count == 11)
    #expect(frames.filter { $0.arrival - $0.departure == 11_000_000 }.map(Pair.number) == [6])
    #expect(frames.filter { !$0.isLost && $0.arrival - $0.departure == 1_000_000 }.count == 9)
  }

  @Test("A script loses the third data segment of a connection, and TCP repairs it")
  func segment() throws {
    var way = LinkDirection(delay: .milliseconds(5))
    way.script = [ScriptedFault(.lose, [3], of: FramePattern(.tcpData, destinationPort: 80))]
    let pair = try Pair(way, back: LinkDirection(delay: .milliseconds(5)))
    let (left, right) = (pair.left, pair.right)
    let got = try pair.world.runAndWait { () -> Int in
      let listener = try right.listen(on: 80)
      let reader = right.loop.task { try await listener.accept().readToEnd().count }
      let connection = try await left.connect(to: SocketAddress("192.0.2.2", port: 80))
      try await connection.write([UInt8](repeating: 1, count: 20_000))
      try connection.shutdownWrite()
      return try await reader.value
    }
    #expect(got == 20_000)
    let recording = pair.world.finish()
    let data = recording.dataSegments(of: "left", on: "line", size: 1_460).map(\.frame)
    #expect(data.enumerated().filter { $0.element.isLost }.map(\.offset) == [2])
    let again = recording.frames.filter { $0.comment.hasPrefix("retransmission") }
    #expect(again.count == 1)
    #expect(again.first?.cause.map { recording.events[$0].kind } == "retransmitted")
  }

  @Test("A predicate loses what it says")
  func predicate() throws {
    let pair = try Pair(LinkDirection())
    try pair.world.lose(on: "line", from: "left") { $0.protocol == .udp && $0.payloadByteCount == 100 }
    #expect(try pair.send(5).allSatisfy(\.isLost))
    let other = try Pair(LinkDirection())
    try other.world.lose(on: "line", from: "left") { $0.protocol == .udp && $0.payloadByteCount != 100 }
    #expect(try other.send(5).allSatisfy { !$0.isLost })
  }

  @Test("Duplicates arrive twice")
  func duplication() throws {
    var way = LinkDirection()
    way.duplication = 0.5
    let frames = try Pair(way).send(200)
    #expect((260...340).contains(frames.count))
  }

  @Test("Damage that the check sequence finds is loss; damage that it does not find reaches the checksum")
  func corruption() throws {
    var way = LinkDirection()
    way.corruption = .init(0.3)
    let lost = try Pair(way).send(200).filter(\.isLost)
    #expect((35...85).contains(lost.count))
    #expect(lost.allSatisfy { $0.lossReason == "damaged: check sequence" })

    way.corruption = .init(1, isDetected: false)
    let pair = try Pair(LinkDirection())
    let right = pair.right
    _ = try pair.world.runAndWait { [left = pair.left] in try await left.ping("192.0.2.2") }
    try pair.world.change("line", there: way)
    let left = pair.left
    let got = try pair.world.runAndWait { () -> Int in
      let inbox = try right.bindUDP(on: 9)
      let outbox = try left.bindUDP()
      for _ in 0..<50 { try outbox.send([UInt8](repeating: 7, count: 500), to: SocketAddress("192.0.2.2", port: 9)) }
      return (try? await right.loop.withTimeout(.seconds(1)) { try await inbox.receive().bytes.count }) ?? 0
    }
    let drops = right.drops
    #expect(got == 0)
    #expect(drops[.udpChecksum] > 30)
    #expect(drops.total >= 50)
  }

  @Test("Truncated frames arrive short, and the host notices")
  func truncation() throws {
    let pair = try Pair(LinkDirection())
    _ = try pair.world.runAndWait { [left = pair.left] in try await left.ping("192.0.2.2") }
    var way = LinkDirection()
    way.truncation = .init(1, to: 60)
    try pair.world.change("line", there: way)
    let (left, right) = (pair.left, pair.right)
    try pair.world.runAndWait {
      let outbox = try left.bindUDP()
      for _ in 0..<10 { try outbox.send([UInt8](repeating: 7, count: 500), to: SocketAddress("192.0.2.2", port: 9)) }
      try await left.loop.clock.sleep(for: .seconds(1))
    }
    #expect(right.drops[.ipTruncated] == 10)
    #expect(try pair.world.counters(of: "line")[0].damaged == 10)
  }

  @Test("Frames that are held back arrive later, and others pass them")
  func reordering() throws {
    var way = LinkDirection(delay: .milliseconds(1))
    way.reordering = .init(0.2, by: .milliseconds(5))
    let frames = try Pair(way).send(200)
    let late = frames.filter { $0.arrival - $0.departure == 6_000_000 }
    #expect((20...65).contains(late.count))
    #expect(frames.count { $0.arrival - $0.departure == 1_000_000 } == 200 - late.count)
  }

  @Test("What is longer than the MTU goes in fragments; a smaller MTU on the wire than at its end drops it")
  func mtu() throws {
    let frames = try Pair(LinkDirection(mtu: 600)).send(1, size: 1_000)
    #expect(frames.count == 1 || frames.count == 2)
    #expect(frames.allSatisfy { $0.bytes.count <= 614 && !$0.isLost })
    let pair = try Pair(LinkDirection())
    try pair.world.change("line", there: LinkDirection(mtu: 600))
    #expect(try pair.send(1, size: 1_000).map(\.lossReason) == ["longer than the MTU"])
  }

  @Test("An outage loses what is sent while it lasts")
  func outage() throws {
    var way = LinkDirection()
    way.outages = [.init(from: .milliseconds(1_010), to: .milliseconds(1_020))]
    let pair = try Pair(way)
    try pair.world.run(for: .seconds(1))
    let frames = try pair.send(40)
    for frame in frames {
      let isOut = frame.queued >= 1_010_000_000 && frame.queued < 1_020_000_000
      #expect(frame.lossReason == (isOut ? "link down" : nil))
    }
    #expect(frames.count(where: \.isLost) == 10)
  }

  @Test("A link that holds keeps what it carries, in order, until it lets go")
  func hold() throws {
    let pair = try Pair(
      LinkDirection(delay: .milliseconds(1)),
      schedule: [.init(at: .seconds(2), .hold(link: "line")), .init(at: .seconds(3), .release(link: "line"))])
    try pair.world.run(for: .milliseconds(1_990))
    let frames = try pair.send(20)
    let held = frames.filter { $0.arrival - $0.departure > 1_000_000 }
    #expect(held.count >= 9)
    #expect(held.allSatisfy { $0.arrival == 3_000_000_000 && !$0.isLost })
  }
}
