@testable import MartletLab
import Testing

@Suite("A run for other programs")
struct ExportTests {
  @Test("A flow's diagram goes from end to end and shows what died")
  func diagram() {
    let text = SequenceDiagram(TransferFixture.recording(), flow: 0).text
    let lines = text.split(separator: "\n").map(String.init)
    #expect(lines[0] == "sequenceDiagram")
    #expect(
      lines.filter { $0.hasPrefix("  participant") } == [
        "  participant n0 as client", "  participant n2 as r1", "  participant n4 as server",
      ])
    #expect(lines.contains { $0.hasPrefix("  n0->>n4: ") && $0.contains("TCP 49152 → 80  SYN  seq 0") })
    #expect(lines.count { $0.contains("n4-xn2: ") && $0.hasSuffix("lost: loss") } == 1)
  }

  @Test("A diagram that is too long says how much is missing")
  func longDiagram() {
    let recording = TransferFixture.recording()
    let text = SequenceDiagram(recording, maximumCount: 10).text
    #expect(text.split(separator: "\n").count { $0.contains("->>") } == 10)
    #expect(text.hasSuffix("and \(recording.frames.count - 10) more\n"))
  }

  @Test("A time-sequence graph marks what was lost and what was sent again")
  func graph() {
    let text = SequenceGraph(TransferFixture.recording()).text
    #expect(text.hasPrefix("timeval double\ntitle\nTCP 192.0.2.10:49152 > 198.51.100.80:80, bytes of server\n"))
    let lines = text.split(separator: "\n").map(String.init)
    #expect(lines.count { $0.hasPrefix("x ") } == 1)
    #expect(lines.count { $0 == "R" } == 1)
    #expect(lines.last == "go")
  }

  @Test("A cell with commas or quotation marks is quoted")
  func table() {
    var recording = Recording(name: "x", seed: 0)
    recording.nodes = [.init(name: "a,b", kind: .host)]
    recording.events = [.init(time: 7, node: 0, kind: "said", text: "\"hi\"")]
    #expect(
      CSVTables(recording).events
        == "id,time,host,interface,flow,kind,event,frame,cause\r\n0,7,\"a,b\",,,said,\"\"\"hi\"\"\",,\r\n")
  }

  @Test("Tables have a line for each frame, sample and change of a queue")
  func tables() {
    let recording = TransferFixture.recording()
    let tables = CSVTables(recording)
    func count(_ text: String) -> Int { text.split(separator: "\r\n").count - 1 }
    #expect(count(tables.frames) == recording.frames.count)
    #expect(count(tables.samples) == recording.flows[0].samples.count)
    #expect(count(tables.queues) == recording.queues.count)
    #expect(tables.samples.contains("TCP 192.0.2.10:49152 > 198.51.100.80:80,server,"))
  }

  @Test("A file that cannot be written is an error that names it")
  func unwritable() {
    #expect(throws: RecordingFileError(path: "/nowhere/at/all.html", number: 2)) {
      try TransferFixture.recording().writeReport(to: "/nowhere/at/all.html")
    }
  }
}
