import Testing

@testable import MartletCommand

@Suite("Services")
struct ServiceTests {
  @Test(
    "Upper case knows letters beyond ASCII, and leaves bytes alone that are no text",
    arguments: [
      (Array("hello, 1".utf8), Array("HELLO, 1".utf8)), (Array("größe".utf8), Array("GRÖSSE".utf8)),
      ([0xff, 0x61, 0x00], [0xff, 0x41, 0x00]), ([], []),
    ])
  func uppercase(_ request: [UInt8], _ answer: [UInt8]) {
    #expect(Service.uppercased(request) == answer)
    #expect(Service.uppercase.answer(to: request) == answer)
  }

  @Test("Echo answers with what it got, discard with nothing")
  func simple() {
    #expect(Service.echo.answer(to: [1, 2, 3]) == [1, 2, 3])
    #expect(Service.discard.answer(to: [1, 2, 3]) == nil)
  }

  @Test("The pattern's lines have 72 printing characters, each line one further on")
  func pattern() {
    let first = Service.patternLine(0)
    let second = Service.patternLine(1)
    #expect(first.count == 74)
    #expect(first.dropFirst().prefix(71) == second.prefix(71))
    #expect((0..<95).allSatisfy { Service.patternLine($0).prefix(72).allSatisfy { (32..<127).contains($0) } })
  }

  @Test("A table's columns are as wide as their widest cell, and lines end without blanks")
  func table() {
    var table = Table("a", "long")
    table.add("wide", "x")
    #expect(table.lines == ["a     long", "wide  x"])
  }
}
