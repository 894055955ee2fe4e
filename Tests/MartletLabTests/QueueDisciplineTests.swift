import Martlet
import MartletCore
import MartletWire
import Testing

@testable import MartletLab

@Suite("Queues that act early")
struct QueueDisciplineTests {
  /// A transfer for ten seconds over 2 Mbit/s with a queue; what waited on average, and what was dropped or marked.
  private func transfer(
    _ queue: LinkDirection.Queue, ecn: Bool = false
  ) throws -> (meanWait: Double, counters: World.LinkCounters, received: Int, early: Int) {
    var tuning = WorldDescription.Tuning()
    tuning.congestionControl = .newReno
    tuning.congestionNotification = ecn
    let pair = try Pair(
      LinkDirection(rate: 2_000_000, delay: .milliseconds(10), queue: queue),
      back: LinkDirection(delay: .milliseconds(10)),
      tuning: tuning)
    let (left, right) = (pair.left, pair.right)
    let received = try pair.world.runAndWait { () -> Int in
      let listener = try right.listen(on: 80)
      let reader = right.loop.task { () -> Int in
        let connection = try await listener.accept()
        var count = 0
        while let bytes = try? await connection.read(upTo: 65_536), !bytes.isEmpty { count += bytes.count }
        return count
      }
      try await Transfer.send(
        until: Instant(nanoseconds: 20_000_000_000), from: left, to: SocketAddress("192.0.2.2", port: 80))
      return try await reader.value
    }
    let counters = try pair.world.counters(of: "line")[0]
    let recording = pair.world.finish()
    let late = recording.frames.filter { $0.end == 0 && $0.departure > 5_000_000_000 && !$0.isLost }
    let wait = late.reduce(0.0) { $0 + Double($1.departure - $1.queued) } / Double(max(1, late.count))
    let early = recording.frames.count { $0.lossReason.map { $0.contains("(") } == true }
    return (wait / 1e6, counters, received, early)
  }

  @Test("CoDel keeps the wait short where drop-tail lets it grow, and the line stays busy")
  func coDel() throws {
    let tail = try transfer(.init(maximumFrames: 200))
    let coDel = try transfer(.init(maximumFrames: 200, .coDel()))
    #expect(tail.meanWait > 100)
    #expect(coDel.meanWait < 25)
    #expect(coDel.early > 0)
    #expect(coDel.received > 3_500_000)
  }

  @Test("RED drops before the queue is full")
  func red() throws {
    let red = try transfer(.init(maximumFrames: 200, .red(minimum: 15_000, maximum: 45_000)))
    #expect(red.early > 0)
    #expect(red.meanWait < 200)
    #expect(red.received > 3_000_000)
  }

  @Test("Marks take the place of drops for those who asked for them")
  func marks() throws {
    let marked = try transfer(.init(maximumFrames: 2_000, .coDel(), marks: true), ecn: true)
    #expect(marked.counters.marked > 0)
    #expect(marked.early == 0)
    #expect(marked.meanWait < 25)
    // A sender that did not ask is not marked.
    let deaf = try transfer(.init(maximumFrames: 2_000, .coDel(), marks: true))
    #expect(deaf.counters.marked == 0)
    #expect(deaf.early > 0)
  }
}
