import ArgumentParser
import MartletLab
import Testing

@testable import MartletCommand

@Suite("The laboratory's commands")
struct LabTests {
  private let files = [Array("{\"id\":0}\n{\"id\":1}\n".utf8), [UInt8](1...9), Array("<html>".utf8)]
  private let told = Array("0123\nok\n".utf8)

  @Test("Two runs that left the same behind have no difference")
  func same() {
    #expect(TwinRuns.difference([told, told], [files, files]) == nil)
  }

  @Test("Of two logs that differ the first line that does is told")
  func log() throws {
    var other = files
    other[0] = Array("{\"id\":0}\n{\"id\":7}\n".utf8)
    let words = try #require(TwinRuns.difference([told, told], [files, other]))
    #expect(words.contains("line 2:") && words.contains("{\"id\":1}") && words.contains("{\"id\":7}"))
    other[0] = Array("{\"id\":0}\n".utf8)
    #expect(TwinRuns.difference([told, told], [files, other])?.contains("line 2:") == true)
  }

  @Test("Captures, pages and words that differ are told by their place")
  func others() {
    var other = files
    other[1][4] = 0
    #expect(TwinRuns.difference([told, told], [files, other])?.hasSuffix("the captures differ at byte 4") == true)
    other = files
    other[2].removeLast()
    #expect(TwinRuns.difference([told, told], [files, other])?.hasSuffix("the reports differ at byte 5") == true)
    #expect(TwinRuns.difference([told, told + [0x78]], [files, files])?.contains("what was told") == true)
  }

  @Test("The end of a run says what each link and each flow carried, and how fast the world was")
  func summary() throws {
    let result = try #require(Scenario.named("fast-retransmit")).run()
    let lines = LabRunReport(result: result, wall: 0.25, files: [("report", "x.html")]).lines
    #expect(lines[0].hasPrefix("link  frames  bytes  lost"))
    #expect(lines[1].hasPrefix("line  "))
    #expect(lines.contains { $0.hasPrefix("flow") && $0.hasSuffix("goodput") })
    #expect(lines.contains { $0.contains("TCP 10.0.0.1:") && $0.hasSuffix("kbit/s") })
    #expect(lines.contains { $0.contains("s of the world's time, 0.25 s of ours, ") && $0.hasSuffix(" times as fast") })
    #expect(lines.last == "report: x.html")
  }

  @Test("Of many links the first are told and the others counted, and of a world without a recording none")
  func manyLinks() {
    var recording = Recording(name: "many", seed: 1)
    recording.nodes = [.init(name: "a", kind: .host), .init(name: "b", kind: .host)]
    for number in 0..<50 {
      recording.links.append(.init(name: "link\(number)", ends: [], rate: nil, delay: 0, mtu: 1_500))
    }
    func lines() -> [String] {
      LabRunReport(
        result: .init(recording: recording, transcript: "", failures: []), wall: 1, files: [], mostRows: 5
      ).lines
    }
    #expect(!lines().contains { $0.hasPrefix("link") })
    recording.frames = [
      .init(
        link: 0, end: 0, queued: 0, departure: 0, arrival: 1, fate: .delivered, bytes: [UInt8](repeating: 0, count: 60))
    ]
    #expect(lines().count { $0.hasPrefix("link") } == 6)
    #expect(lines().contains("and 45 more links"))
  }

  @Test("A scenario that is not there is a mistake of whoever asked, and the answer names those that are")
  func unknown() {
    let error = #expect(throws: CommandFailure.self) { try LabRun.parse(["sawteeth"]).play() }
    #expect(error?.code == .usage)
    #expect(error?.remedy?.contains("sawtooth") == true)
  }
}
