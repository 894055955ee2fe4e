import MartletWire
import Testing

@Suite("IPv4 options")
struct IPv4OptionsTests {
  func all(_ hex: String) throws(WireError) -> [IPv4Option] {
    try [UInt8](hex: hex).parse { (bytes) throws(WireError) in
      var options = IPv4Options(parsing: bytes)
      var found: [IPv4Option] = []
      while let option = try options.nextOption() { found.append(option) }
      return found
    }
  }

  @Test("Options of every kind parse, up to the end of the list")
  func parses() throws {
    #expect(
      try all("01 07 07 04 00000000 94 04 0000 44 08 05 31 00000000 83 07 08 c0000201 89 03 04 99 03 aa 00 ff")
        == [
          .recordRoute(.init(length: 7, pointer: 4)), .routerAlert(0),
          .timestamp(.init(length: 8, pointer: 5, overflow: 3, flag: 1)),
          .looseSourceRoute(.init(length: 7, pointer: 8)), .strictSourceRoute(.init(length: 3, pointer: 4)),
          .unknown(type: 0x99, length: 3),
        ])
  }

  @Test(
    "Lengths that cannot be are refused",
    arguments: ["94", "94 00", "94 01", "94 05 0000", "94 03 00", "07 02", "07 08 04 00000000", "44 03 05"])
  func refusesLengths(hex: String) {
    #expect(throws: WireError.malformed(field: "option length")) { try all(hex) }
  }

  @Test(
    "Pointers that cannot be are refused",
    arguments: ["07 07 03 00000000", "07 07 05 00000000", "44 04 04 00"])
  func refusesPointers(hex: String) {
    #expect(throws: WireError.malformed(field: "option pointer")) { try all(hex) }
  }

  @Test("After a failure the offset tells where, and the list is over")
  func tellsWhere() throws {
    try [UInt8](hex: "01 01 07 00 00").parse { (bytes) throws(WireError) in
      var options = IPv4Options(parsing: bytes)
      do throws(WireError) {
        _ = try options.nextOption()
        Issue.record("a length of 0 was accepted")
      } catch {
        #expect(options.offset == 2)
      }
      #expect(try options.nextOption() == nil)
    }
  }
}
