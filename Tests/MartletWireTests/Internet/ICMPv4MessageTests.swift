import MartletWire
import Testing

@Suite("ICMPv4 messages")
struct ICMPv4MessageTests {
  static let messages: [(String, ICMPv4Message)] = [
    ("00 00 0000 1234 0001", .echoReply(identifier: 0x1234, sequenceNumber: 1)),
    ("08 00 0000 1234 0001", .echoRequest(identifier: 0x1234, sequenceNumber: 1)),
    ("03 03 0000 0000 0000", .destinationUnreachable(code: .port, nextHopMTU: 0)),
    ("03 04 0000 0000 05b4", .destinationUnreachable(code: .fragmentationNeeded, nextHopMTU: 1460)),
    ("03 0f 0000 0000 0000", .destinationUnreachable(code: .precedenceCutoff, nextHopMTU: 0)),
    ("04 00 0000 0000 0000", .sourceQuench),
    ("05 01 0000 c0000201", .redirect(code: .host, gateway: IPv4Address(value: 0xc000_0201))),
    ("05 09 0000 c0000201", .unknown(type: 5, code: 9, rest: 0xc000_0201)),
    ("0b 00 0000 0000 0000", .timeExceeded(code: .inTransit)),
    ("0b 01 0000 0000 0000", .timeExceeded(code: .duringReassembly)),
    ("0c 00 0000 1400 0000", .parameterProblem(code: 0, pointer: 20)),
    (
      "0d 00 0000 0007 0008 00000001 00000000 00000000",
      .timestampRequest(.init(identifier: 7, sequenceNumber: 8, originate: 1, receive: 0, transmit: 0))
    ),
    (
      "0e 00 0000 0007 0008 00000001 00000002 00000003",
      .timestampReply(.init(identifier: 7, sequenceNumber: 8, originate: 1, receive: 2, transmit: 3))
    ),
    ("2a 01 0000 01020304", .unknown(type: 42, code: 1, rest: 0x0102_0304)),
  ]

  @Test("Messages of every type parse and write what they parse", arguments: messages)
  func parsesAndWrites(hex: String, message: ICMPv4Message) throws {
    let bytes = [UInt8](hex: hex)
    #expect(try bytes.parse(ICMPv4Message.init(parsing:)) == message)
    #expect(message.byteCount == bytes.count)
    #expect(written(bytes.count) { message.write(to: &$0) } == bytes)
  }

  @Test("Every prefix is refused", arguments: messages)
  func refusesEveryPrefix(hex: String, message: ICMPv4Message) {
    let bytes = [UInt8](hex: hex)
    #expect(bytes.acceptedPrefixes(below: bytes.count, ICMPv4Message.init(parsing:)) == [])
  }

  @Test("Errors and queries are told apart", arguments: messages)
  func tellsErrors(hex: String, message: ICMPv4Message) {
    #expect(message.isError == [3, 4, 5, 11, 12].contains([UInt8](hex: hex)[0]))
  }

  @Test("An echo request with sixteen bytes of data has its checksum")
  func checksum() {
    let bytes = [UInt8](hex: "0800 0000 1234 0001") + Array(0x61..<0x71)
    #expect(InternetChecksum.of(unsafe bytes.span.bytes) == 0xa27f)
  }
}
