import Testing

@testable import MartletCommand

@Suite("Tables")
struct TableTests {
  @Test("A table's columns are as wide as their widest cell, and lines end without blanks")
  func table() {
    var table = Table("a", "long")
    table.add("wide", "x")
    #expect(table.lines == ["a     long", "wide  x"])
  }
}
