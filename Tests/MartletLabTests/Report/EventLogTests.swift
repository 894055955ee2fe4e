import MartletLab
import Testing

@Suite("What is said of a run, line by line")
struct EventLogTests {
  private func recording() -> Recording {
    var recording = Recording(name: "two", seed: 1)
    recording.nodes = [
      .init(name: "a", kind: .host, interfaces: [.init(name: "eth0", mac: "", addresses: [], link: 0)]),
      .init(name: "b", kind: .host),
    ]
    recording.events = [
      .init(time: 0, node: 0, kind: "said", text: "\"<hello>\"\n\u{1}"),
      .init(time: 1_000_000_001, node: 0, interface: 0, kind: "timeout", text: "the timer ran out", cause: 0),
    ]
    return recording
  }

  @Test("Each event is one JSON object, and text is escaped")
  func lines() {
    #expect(
      EventLog(recording()).lines == [
        #"{"id":0,"time":0,"host":"a","kind":"said","event":"\"\u003chello>\"\n\u0001"}"#,
        #"{"id":1,"time":1000000001,"host":"a","interface":"eth0","kind":"timeout","event":"the timer ran out","cause":0}"#,
      ])
  }

  @Test("The file is the lines with their ends")
  func file() {
    let log = EventLog(recording())
    #expect(String(decoding: log.bytes, as: UTF8.self) == log.lines.map { $0 + "\n" }.joined())
  }

  @Test("A number that refers to nothing is left out")
  func holes() {
    var recording = recording()
    recording.events = [.init(time: 5, node: 9, interface: 3, flow: 7, frame: 2, kind: "sent", text: "x", cause: 88)]
    #expect(EventLog(recording).lines == [#"{"id":0,"time":5,"kind":"sent","event":"x","frame":2,"cause":88}"#])
    #expect(
      EventDescriber.lines(of: recording) == ["0.000000005  ?                sent           x  #0 because of #88"])
    #expect(HTMLReport(recording).bytes.count > 10_000)
  }

  @Test("A line for a terminal has time, place, what the packet says, and why")
  func describer() {
    let lines = EventDescriber.lines(of: TransferFixture.recording())
    #expect(
      lines[0]
        == "0.000000000  client    eth0   route          198.51.100.80 is reached by 192.0.2.1 on eth0  #0")
    #expect(
      lines[1]
        == "0.000000000  client    eth0   sent           ARP   who has 192.0.2.1? tell 192.0.2.10  (60 bytes)  #1 because of #0"
    )
    #expect(
      lines.contains { $0.contains("dropped") && $0.contains("lost on r1-r2: loss: TCP 80 → 49152  ACK  seq 13141") })
    #expect(lines.contains { $0.contains("retransmission: three duplicate acknowledgments") })
  }
}
