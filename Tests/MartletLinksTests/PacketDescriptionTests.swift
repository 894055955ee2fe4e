import MartletWire
import Testing

@testable import MartletLinks

/// Frames between two stations, made by hand.
private enum Frames {
  static let client: MACAddress = "02:00:00:00:00:01"
  static let server: MACAddress = "02:00:00:00:00:02"

  static func bytes(_ text: String) -> [UInt8] {
    let digits = text.filter { !$0.isWhitespace }
    var result: [UInt8] = []
    var rest = Substring(digits)
    while let byte = UInt8(rest.prefix(2), radix: 16), rest.count >= 2 {
      result.append(byte)
      rest = rest.dropFirst(2)
    }
    return result
  }

  /// An Ethernet and an IPv4 header in front of `payload`, from 192.0.2.1 to 192.0.2.2 or back.
  static func ipv4(protocol number: UInt8, _ payload: [UInt8], back: Bool = false) -> [UInt8] {
    let stations = back ? "020000000001 020000000002" : "020000000002 020000000001"
    let addresses = back ? "c0000202 c0000201" : "c0000201 c0000202"
    let total = 20 + payload.count
    var frame = bytes("\(stations) 0800 4500")
    frame += [UInt8(total >> 8), UInt8(total & 0xff)]
    frame += bytes("0001 0000 40")
    frame += [number] + bytes("0000 \(addresses)")
    return frame + payload
  }
}

@Suite("Packets in words")
struct PacketDescriptionTests {
  private var describer = PacketDescriber(names: [Frames.client: "client", Frames.server: "server"])

  private mutating func describe(_ frame: [UInt8]) -> PacketDescription { unsafe describer.describe(frame.span.bytes) }

  @Test("An ARP request asks, and everyone hears it")
  mutating func arpRequest() {
    let frame = Frames.bytes(
      "ffffffffffff 020000000001 0806 0001 0800 06 04 0001 020000000001 c0000201 000000000000 c0000202")
    let words = describe(frame)
    #expect(words.source == "client")
    #expect(words.destination == "everyone")
    #expect(words.layer == "ARP")
    #expect(words.text == "who has 192.0.2.2? tell 192.0.2.1")
    #expect(words.byteCount == 42)
  }

  @Test("Bridges say whom they take for the root")
  mutating func spanningTree() {
    let header = "0180c2000000 020000000101 0026 424203 0000 00 00"
    let root = Frames.bytes(
      header + "00 8000020000000100 00000000 8000020000000100 8001 0000 1400 0200 0f00 0000000000000000")
    #expect(describe(root).layer == "STP")
    #expect(describe(root).text == "32768/02:00:00:00:01:00 is the root, port 1")
    let other = Frames.bytes(
      header + "81 1000020000000300 00000013 8000020000000100 8002 0100 1400 0200 0f00 0000000000000000")
    #expect(
      describe(other).text
        == "32768/02:00:00:00:01:00, root 4096/02:00:00:00:03:00 at 19, port 2, topology change, acknowledged")
    let change = Frames.bytes("0180c2000000 020000000101 0007 424203 0000 00 80" + String(repeating: "00", count: 39))
    #expect(describe(change).text == "topology change")
  }

  @Test("An ARP reply says where the address is")
  mutating func arpReply() {
    let frame = Frames.bytes(
      "020000000001 020000000002 0806 0001 0800 06 04 0002 020000000002 c0000202 020000000001 c0000201")
    #expect(describe(frame).text == "192.0.2.2 is at 02:00:00:00:00:02")
  }

  @Test("A neighbor advertisement says where the address is")
  mutating func neighborAdvertisement() {
    let frame = Frames.bytes(
      """
      020000000001 020000000002 86dd 60000000 0020 3a ff
      20010db8000000000000000000000002 20010db8000000000000000000000001
      88 00 0000 60000000 20010db8000000000000000000000002 02 01 020000000002
      """)
    let words = describe(frame)
    #expect(words.layer == "NDP")
    #expect(words.text == "2001:db8::2 is at 02:00:00:00:00:02")
  }

  @Test("A short datagram shows its text, and the minimum frame's padding is not part of it")
  mutating func datagram() {
    let datagram = Frames.bytes("c000 2ee0 000d 0000") + Array("hello".utf8)
    let padded = Frames.ipv4(protocol: 17, datagram) + [UInt8](repeating: 0, count: 13)
    #expect(describe(padded).text == "49152 → 12000  5 bytes: \"hello\"")
  }

  @Test("TCP's numbers count from the handshake on, in each direction for itself")
  mutating func relativeNumbers() {
    let syn = Frames.bytes("0393 0050 fffffffe 00000000 6002 ffff 0000 0000 020405b4")
    let synAck = Frames.bytes("0050 0393 00000064 ffffffff 5012 ffff 0000 0000")
    let data = Frames.bytes("0393 0050 ffffffff 00000065 5018 ffff 0000 0000") + Array("abc".utf8)
    let fin = Frames.bytes("0393 0050 00000002 00000065 5011 ffff 0000 0000")
    #expect(describe(Frames.ipv4(protocol: 6, syn)).text == "915 → 80  SYN  seq 0  window 65535  [MSS 1460]")
    #expect(
      describe(Frames.ipv4(protocol: 6, synAck, back: true)).text
        == "80 → 915  SYN ACK  seq 0  ack 1  window 65535  [no options]")
    #expect(
      describe(Frames.ipv4(protocol: 6, data)).text
        == "915 → 80  PSH ACK  seq 1  ack 1  window 65535  3 bytes: \"abc\"")
    #expect(describe(Frames.ipv4(protocol: 6, fin)).text == "915 → 80  FIN ACK  seq 4  ack 1  window 65535")
  }

  @Test("Every prefix of a frame is put into words without a trap")
  mutating func prefixes() {
    let segment = Frames.bytes("0393 0050 fffffffe 00000000 7002 ffff 0000 0000 020405b4 01030307")
    let frame = Frames.ipv4(protocol: 6, segment)
    for count in 0...frame.count {
      let words = describe(Array(frame.prefix(count)))
      #expect(!words.text.isEmpty)
      #expect(words.byteCount == count)
    }
  }
}
