import ArgumentParser
import Martlet
import Testing

@testable import MartletCommand

@Suite("The bench of the file server")
struct FileServerBenchTests {
  @Test("Each way sends the whole file, and copies as often as its name says")
  func copies() throws {
    let file = try ServedFile(path: nil, byteCount: 4 << 20)
    let course = try WireCourse(software: false)
    defer { course.end() }
    var rows: [FileServerRow] = []
    for way in FileWayChoice.allCases {
      let result = try course.measure(file, way: way, repeats: 2)
      #expect(result.statistics.bytesSent == 8 << 20)
      #expect(result.frames > 0)
      rows.append(FileServerRow(way: way, results: [result]))
    }
    #expect(rows.map { ($0.copiesPerByte * 10).rounded() } == [20, 10, 0, 0])
    #expect(rows[0].systemCalls > rows[2].systemCalls)
    #expect(rows[3].systemCalls == 0)
    #expect(FileServerRow.table(rows).count == rows.count + 1)
  }

  @Test("Numbers that make no measurement are refused", arguments: ["--size", "--amount", "--turns"])
  func refusals(option: String) {
    #expect(throws: (any Error).self) { try FileServerBench.parse([option, "0"]) }
  }
}
