import Testing

@testable import MartletServices

@Suite("Simple services")
struct SimpleServiceTests {
  @Test(
    "Upper case knows letters beyond ASCII, and leaves bytes alone that are no text",
    arguments: [
      (Array("hello, 1".utf8), Array("HELLO, 1".utf8)), (Array("größe".utf8), Array("GRÖSSE".utf8)),
      ([0xff, 0x61, 0x00], [0xff, 0x41, 0x00]), ([], []),
    ])
  func uppercase(_ request: [UInt8], _ answer: [UInt8]) {
    #expect(SimpleService.uppercased(request) == answer)
    #expect(SimpleService.uppercase.answer(to: request, at: 0) == answer)
  }

  @Test("Echo answers with what it got, discard with nothing")
  func simple() {
    #expect(SimpleService.echo.answer(to: [1, 2, 3], at: 0) == [1, 2, 3])
    #expect(SimpleService.discard.answer(to: [1, 2, 3], at: 0) == nil)
  }

  @Test("The pattern's lines have 72 printing characters, each line one further on")
  func pattern() {
    let first = SimpleService.patternLine(0)
    let second = SimpleService.patternLine(1)
    #expect(first.count == 74)
    #expect(first.dropFirst().prefix(71) == second.prefix(71))
    #expect((0..<95).allSatisfy { SimpleService.patternLine($0).prefix(72).allSatisfy { (32..<127).contains($0) } })
  }

  @Test("Daytime says the date in words, in UTC")
  func daytime() {
    let words = SimpleService.daytime.answer(to: [], at: 1_767_225_600_999_999_999) ?? []
    #expect(String(decoding: words, as: UTF8.self) == "Thursday, January 01, 2026 00:00:00-UTC\r\n")
    let before = SimpleService.daytime.answer(to: [], at: -1) ?? []
    #expect(String(decoding: before, as: UTF8.self) == "Wednesday, December 31, 1969 23:59:59-UTC\r\n")
  }
}
