import MartletWire
import Testing

@Suite("Bridge protocol data units")
struct BPDUTests {
  /// A root's own word at the usual times, byte by byte as IEEE 802.1D-1998 section 9.3.1 has it.
  let root = [UInt8](
    hex: """
      42 42 03 0000 00 00 00 8000020000000100 00000000 8000020000000100 8001 0000 1400 0200 0f00
      """)
  /// Passed on over a link of cost 19, with both flags.
  let passedOn = [UInt8](
    hex: """
      42 42 03 0000 00 00 81 1000020000000300 00000013 8000020000000100 8002 0100 1400 0200 0f00
      """)
  let change = [UInt8](hex: "42 42 03 0000 00 80")

  private func parse(_ bytes: RawSpan) throws(WireError) -> BPDU { try BPDU(parsing: bytes) }

  @Test("A configuration parses")
  func parses() throws {
    let first = BridgeID(priority: 0x8000, address: "02:00:00:00:01:00")
    #expect(
      try root.parse(parse)
        == .configuration(
          BPDU.Configuration(
            root: first, rootPathCost: 0, bridge: first, port: 0x8001, messageAge: 0, maximumAge: 20 * 256,
            helloTime: 2 * 256, forwardDelay: 15 * 256)))
    #expect(
      try passedOn.parse(parse)
        == .configuration(
          BPDU.Configuration(
            isTopologyChange: true, acknowledgesTopologyChange: true,
            root: BridgeID(priority: 4_096, address: "02:00:00:00:03:00"), rootPathCost: 19, bridge: first,
            port: 0x8002, messageAge: 256, maximumAge: 20 * 256, helloTime: 2 * 256, forwardDelay: 15 * 256)))
    #expect(try change.parse(parse) == .topologyChange)
  }

  @Test("A unit writes what it parses")
  func writesWhatItParses() throws {
    for bytes in [root, passedOn, change] {
      let unit = try bytes.parse(parse)
      #expect(unit.byteCount == bytes.count)
      #expect(written(unit.byteCount) { unit.write(to: &$0) } == bytes)
    }
  }

  @Test("Every prefix is refused")
  func refusesEveryPrefix() {
    #expect(root.acceptedPrefixes(below: 38, parse) == [])
    #expect(change.acceptedPrefixes(below: 7, parse) == [])
  }

  @Test(
    "Another protocol, another type and an age beyond the greatest are refused",
    arguments: [
      (0, WireError.malformed(field: "service access point")), (2, .malformed(field: "control")),
      (4, .malformed(field: "protocol identifier")), (6, .malformed(field: "BPDU type")),
      (30, .malformed(field: "message age")),
    ])
  func refusesOthers(offset: Int, error: WireError) {
    #expect(throws: error) { try root.replacing(at: offset, with: 0x14).parse(parse) }
  }

  @Test("Of two bridges the lesser priority is the better, then the lesser address")
  func order() {
    let low = BridgeID(priority: 4_096, address: "ff:00:00:00:00:00")
    let middle = BridgeID(priority: 32_768, address: "02:00:00:00:01:00")
    let high = BridgeID(priority: 32_768, address: "02:00:00:00:02:00")
    #expect(low < middle)
    #expect(middle < high)
    #expect("\(middle)" == "32768/02:00:00:00:01:00")
  }
}
