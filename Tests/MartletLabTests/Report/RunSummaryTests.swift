import MartletLab
import MartletWire
import Testing

@Suite("What a run comes to")
struct RunSummaryTests {
  @Test("A transfer's bytes count once, however often they were sent and whatever they crossed")
  func transfer() {
    let recording = TransferFixture.recording()
    let summary = RunSummary(recording)
    let flow = summary.flows[0]
    #expect(flow.toClient == 40 * 1460)
    #expect(flow.toServer > 0 && flow.toServer < 1_000)
    #expect(flow.lost == 1)
    #expect(flow.retransmissions == 1)
    #expect(flow.packets == recording.frames.count { $0.flow == 0 && $0.origin == nil })
    #expect(abs(flow.goodput - Double(flow.toServer + flow.toClient) * 8e9 / Double(flow.duration)) < 1)
  }

  @Test("A link's frames add up to those of the recording, and the slow one is the busy one")
  func links() {
    let recording = TransferFixture.recording()
    let summary = RunSummary(recording)
    #expect(summary.links.reduce(0) { $0 + $1.frames } == recording.frames.count)
    #expect(summary.links.map(\.lost) == [0, 0, 1, 0])
    #expect(summary.links[2].mostWaiting > 0)
    let busiest = summary.links.map { $0.busy.max() ?? 0 }
    #expect(busiest[2] == busiest.max() && busiest[2] > 0.1 && busiest[2] <= 1)
  }

  @Test("A byte is copied once from the program that sends it, and once to the one that reads it")
  func copies() throws {
    let recording = try #require(Scenario.named("slow-reader")).run().recording
    func count(_ name: String, of node: String) -> UInt64? {
      recording.counters.first { $0.name == name && recording.nodes[$0.node].name == node }?.value
    }
    let flow = try #require(RunSummary(recording).flows.first { $0.toServer > 10_000 })
    #expect(count("bytes copied from programs", of: "sender") == UInt64(flow.toServer))
    #expect(count("bytes copied to programs", of: "reader") == UInt64(flow.toServer))
    #expect(count("bytes copied to programs", of: "sender") == 0)
  }

  @Test("Nothing comes of nothing")
  func nothing() {
    let summary = RunSummary(Recording(name: "nothing", seed: 1))
    #expect(summary.links.isEmpty && summary.flows.isEmpty)
  }
}
