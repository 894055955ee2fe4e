import ArgumentParser
import MartletCore
import Testing

@testable import MartletCommand

@Suite("The benches")
struct BenchTests {
  private static let path = BenchPath(megabitsPerSecond: 10, roundTripMilliseconds: 20, queueBytes: 50_000)

  @Test(
    "Jain's index is 1 for alike flows, 1/n for one that has it all, and what the formula says between",
    arguments: [
      ([5, 5, 5, 5], 1.0), ([8, 0, 0, 0], 0.25), ([1, 3], 0.8), ([7], 1.0), ([0, 0], 1.0),
      ([1, 2, 3, 4], 100.0 / 120.0),
    ])
  func index(values: [Int], expected: Double) {
    #expect(abs(fairnessIndex(values) - expected) < 1e-12)
  }

  @Test("The median is the value in the middle, or the mean of two")
  func medians() {
    #expect(median([3, 1, 2]) == 2)
    #expect(median([4, 1, 3, 2]) == 2.5)
    #expect(median([]).isNaN)
  }

  @Test("One segment over an empty path takes one round trip to connect and half of one to arrive, plus its bits")
  func exactTime() throws {
    let result = try BulkTransfer(path: Self.path, byteCount: 1_000, congestion: .newReno, seed: 1).run()
    // SYN: 60 bytes, 48 µs; data: 1,052 bytes, 841.6 µs, behind the acknowledgement's 52 bytes, 41.6 µs, at 10 Mbit/s.
    let bits = result.nanoseconds - 30_000_000
    #expect((48_000 + 841_600...48_000 + 841_600 + 41_600).contains(bits))
    #expect(result.retransmittedSegments == 0)
  }

  @Test("A short transfer is close to the rate when the path is short, and the same seed gives the same result")
  func deterministic() throws {
    var path = Self.path
    path.loss = 0.02
    let transfer = BulkTransfer(path: path, byteCount: 300_000, congestion: .newReno, seed: 7)
    let result = try transfer.run()
    #expect(try transfer.run() == result)
    #expect(result.lost > 0)
    #expect(result.retransmittedSegments > 0)
    #expect(result.megabitsPerSecond > 0.5)
    #expect(result.megabitsPerSecond < 10)
    var other = transfer
    other.seed = 8
    #expect(try other.run() != result)
  }

  @Test("A queue that holds the whole transfer drops nothing, and one of four packets does")
  func queue() throws {
    let drops = try [600_000, 6_000].map { queueBytes in
      var path = Self.path
      path.queueBytes = queueBytes
      return try BulkTransfer(path: path, byteCount: 500_000, congestion: .newReno, seed: 1).run().queueDrops
    }
    #expect(drops[0] == 0)
    #expect(drops[1] > 0)
  }

  @Test("A goodput table has a line for each row, in the order of the seeds and with what others reached")
  func goodputTable() throws {
    let row = GoodputRow(name: "T1", path: Self.path, byteCount: 20_000, references: [10.6, 51.9, 5.4, 0.75])
    let bare = GoodputRow(name: "T2", path: Self.path, byteCount: 10_000, references: [])
    let table = try Goodput.measure([row, bare], [.newReno], seeds: [1, 2, 3], showsProgress: false)
    #expect(table.lines.count == 3)
    #expect(table.lines[1].hasPrefix("T1"))
    #expect(table.lines[1].hasSuffix("10.6         51.9       5.40  0.75"))
    #expect(table.lines[2].hasPrefix("T2"))
    #expect(table.cells[0][0].results.count == 3)
    let direct = try BulkTransfer(path: Self.path, byteCount: 20_000, congestion: .newReno, seed: 2).run()
    #expect(table.cells[0][0].results[1] == direct)
    #expect(table.markdown.contains("| T2 | 0 MB, 10 Mbit/s, 20 ms, queue 50 KB |"))
    #expect(table.objects.count == 2)
    #expect(table.objects[0].line.hasPrefix(#"{"row":"T1""#))
    let again = try Goodput.measure([row, bare], [.newReno], seeds: [1, 2, 3], showsProgress: false)
    #expect(again.markdown == table.markdown)
  }

  @Test("The median of a cell is the run in the middle")
  func medianRun() {
    func result(_ nanoseconds: Int64) -> BulkTransfer.Result {
      BulkTransfer.Result(
        nanoseconds: nanoseconds, byteCount: 1_000_000, retransmittedSegments: 0, timeouts: 0, queueDrops: 0, lost: 0)
    }
    let cell = GoodputTable.Cell(results: [result(4_000_000_000), result(1_000_000_000), result(2_000_000_000)])
    #expect(cell.median.megabitsPerSecond == 4)
  }

  @Test("A spread has the median of its runs between the quartiles, beside what Linux reached")
  func spread() {
    let cell = GoodputTable.Cell(
      results: [4, 2, 8, 1].map { seconds in
        BulkTransfer.Result(
          nanoseconds: seconds * 1_000_000_000, byteCount: 1_000_000, retransmittedSegments: 0, timeouts: 0,
          queueDrops: 0, lost: 0)
      })
    #expect(GoodputSpread.quartiles(of: cell) == [2, 4, 8])
    let row = GoodputRow(name: "T1", path: Self.path, byteCount: 1_000_000, references: [10.6, 51.9, 5.4, 0.75])
    let spread = GoodputSpread(
      table: GoodputTable(rows: [row], congestions: [.cubic], seeds: [1, 2, 3, 4], cells: [[cell]]))
    #expect(spread.markdown.contains("| T1 | 4.00 (2.00–8.00) | 10.6 | 51.9 |"))
    #expect(spread.lines.last?.hasPrefix("T1") == true)
  }

  @Test("The rows are those of the table in git, in the units of the bottleneck")
  func rows() {
    #expect(GoodputRow.all.map(\.name) == ["S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8"])
    #expect(GoodputRow.all[0].path.text == "200 Mbit/s, 100 ms, queue 64 KB")
    #expect(GoodputRow.all[2].path.text == "200 Mbit/s, 100 ms, queue 2.5 MB, loss 0.1 %")
    #expect(GoodputRow.all[7].path.text == "100 Mbit/s, 20 ms, queue 250 KB, 5 % late by 10 ms")
    #expect(GoodputRow.all[1].path.bandwidthDelayProduct == 2_500_000)
  }

  @Test("Flows over one bottleneck: what they get adds up to what it gives, and each is counted")
  func fairness() throws {
    var far = Self.path
    far.roundTripMilliseconds = 40
    let scenario = FairnessScenario(
      paths: [Self.path, far],
      flows: [
        FairnessScenario.Flow(congestion: .newReno, startMilliseconds: 0),
        FairnessScenario.Flow(congestion: .newReno, path: 1, startMilliseconds: 0),
      ], fromSecond: 1, toSecond: 3)
    let result = try scenario.run(seed: 3)
    #expect(result.byteCounts.allSatisfy { $0 > 0 })
    #expect(result.utilization > 0.9)
    #expect(result.utilization <= 1.001)
    #expect(result.samples.count == 31)
    #expect(result.seconds == 2)
    // Payload is at most 1,448 of 1,500 bytes.
    #expect(result.megabitsPerSecond(0) + result.megabitsPerSecond(1) < 10)
    #expect(try scenario.run(seed: 3) == result)
  }

  @Test("A phase plot marks where the flows are: on the fair line when both get the same")
  func phasePlot() {
    // Each delivers 125,000 bytes in 100 ms, 10 Mbit/s.
    let samples = (0..<20).map { [$0 * 125_000, $0 * 125_000] }
    let plot = PhasePlot(samples: samples, sampleMilliseconds: 100, window: 5, step: 1, capacity: 20, title: "Two")
    #expect(plot.points.count == 15)
    #expect(plot.points.allSatisfy { abs($0.x - 10) < 1e-9 && $0.x == $0.y })
    #expect(plot.lines.contains { $0.contains("◆") })
    #expect(plot.svg.hasPrefix("<svg "))
    #expect(plot.svg.hasSuffix("</svg>\n"))
  }

  @Test("The events of a transfer are lines of JSON and a picture, and the same again with the same seed")
  func events() throws {
    var path = Self.path
    path.loss = 0.02
    let transfer = BulkTransfer(path: path, byteCount: 300_000, congestion: .newReno, seed: 7)
    let texts = try (0..<2).map { _ in
      let trace = TransferTrace(eventCapacity: 100_000)
      let result = try transfer.run(trace: trace)
      // Looking on changes nothing.
      #expect(try transfer.run() == result)
      let recorded = try #require(trace.events)
      #expect(recorded.trace.overwrittenCount == 0)
      let lines = EventLines(trace: recorded.trace, start: recorded.start).text
      let resent = lines.split(separator: "\n").count { $0.contains("\"sent\"") && !$0.contains("\"new\"") }
      #expect(resent > 0 && resent <= result.retransmittedSegments)
      #expect(lines.contains("\"end\":300001,"))
      #expect(lines.contains("\"event\":\"recovery_began\""))
      let plot = SequencePlot(events: recorded.trace.events, start: recorded.start, title: "a test").svg
      #expect(plot.hasPrefix("<svg ") && plot.hasSuffix("</svg>\n"))
      #expect(plot.contains("a test") && !plot.contains("nan") && !plot.contains("inf\""))
      // The last column says why the sender waits, the sixth what arrived.
      let samples = trace.text.split(separator: "\n").map {
        $0.split(separator: "\t", omittingEmptySubsequences: false)
      }
      #expect(samples.allSatisfy { $0.count == samples[0].count })
      #expect(samples.dropFirst().contains { $0.last == "congestionWindow" })
      return lines + plot + trace.text
    }
    #expect(texts[0] == texts[1])
  }

  @Test("Ticks are round numbers", arguments: [(1.43, 10, 0.2), (10_000_000, 8, 2_000_000), (0.007, 4, 0.002)])
  func ticks(end: Double, count: Int, step: Double) {
    let ticks = SequencePlot.ticks(to: end, about: count)
    #expect(ticks.count <= count + 1)
    #expect(ticks.count > 1 && abs(ticks[1] - step) < step * 1e-9)
  }

  @Test("A difference names the lines that go and those that come, in their places")
  func difference() {
    #expect(GoldenFile.difference(from: ["a", "b", "c"], to: ["a", "b", "c"]) == [])
    #expect(GoldenFile.difference(from: ["a", "b", "c"], to: ["a", "x", "c", "d"]) == ["-b", "+x", "+d"])
    #expect(GoldenFile.difference(from: ["a", "b"], to: []) == ["-a", "-b"])
  }

  @Test(
    "What cannot be measured is refused",
    arguments: [
      ["--only", "S9"], ["--seeds", "0"], ["--trace", "x.tsv"], ["--sequence-plot", "x.svg"],
      ["--check", "--only", "S1"], ["--congestion", "vegas"],
    ])
  func refuses(arguments: [String]) {
    #expect(throws: (any Error).self) { try Goodput.parse(arguments) }
  }
}
