import MartletWire
import Testing

@Suite("ICMPv6 messages")
struct ICMPv6MessageTests {
  static let messages: [(String, ICMPv6Message)] = [
    ("01 04 0000 00000000", .destinationUnreachable(code: .port)),
    ("02 00 0000 00000500", .packetTooBig(mtu: 1280)),
    ("03 01 0000 00000000", .timeExceeded(code: 1)),
    ("04 02 0000 0000002a", .parameterProblem(code: 2, pointer: 42)),
    ("80 00 0000 1234 0001", .echoRequest(identifier: 0x1234, sequenceNumber: 1)),
    ("81 00 0000 1234 0001", .echoReply(identifier: 0x1234, sequenceNumber: 1)),
    ("8f 00 0000 00000001", .other(type: .multicastListenerReport2, code: 0, rest: 1)),
    ("64 03 0000 00000001", .other(type: ICMPv6Type(value: 100), code: 3, rest: 1)),
  ]

  @Test("Messages of every type parse and write what they parse", arguments: messages)
  func parsesAndWrites(hex: String, message: ICMPv6Message) throws {
    let bytes = [UInt8](hex: hex)
    #expect(try bytes.parse(ICMPv6Message.init(parsing:)) == message)
    #expect(written(8) { message.write(to: &$0) } == bytes)
    #expect(message.isError == (bytes[0] < 128))
  }

  @Test("Every prefix is refused", arguments: messages)
  func refusesEveryPrefix(hex: String, message: ICMPv6Message) {
    #expect([UInt8](hex: hex).acceptedPrefixes(below: 8, ICMPv6Message.init(parsing:)) == [])
  }
}
