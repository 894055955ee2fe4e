import HostFuzzing
import MartletCore
import MartletWire
import Testing

@Suite("TCP: options")
struct TCPOptionScripts {
  /// B's answer to a SYN with `options`, and the segment size that it then uses.
  private static func open(_ version: IPVersion, _ options: [UInt8], in bench: inout Bench) -> WireSegment? {
    var syn = TCPFrame(from: 4_000, to: Bench.port, flags: TCPFrame.syn)
    syn.options = options
    return bench.inject(Bench.frame(version, syn)).segments.first
  }

  /// Sends what a client would: the ACK with `text`, and `options`.
  private static func send(
    _ version: IPVersion, _ answer: WireSegment, _ text: String, options: [UInt8] = [], into bench: inout Bench
  ) -> [WireSegment] {
    var segment = TCPFrame(from: 4_000, to: Bench.port, flags: TCPFrame.ack | TCPFrame.psh, sequence: 1_001)
    segment.acknowledgment = answer.sequence &+ 1
    segment.options = options
    segment.payload = Array(text.utf8)
    return bench.inject(Bench.frame(version, segment)).segments
  }

  @Test(
    "End of list, no operation and MSS are understood, wherever they begin", .rfc(9293, "MUST-4"),
    .rfc(9293, "MUST-64"), arguments: IPVersion.allCases,
    [
      [2, 4, 0x02, 0x58], [1, 2, 4, 0x02, 0x58, 1, 1, 1], [1, 1, 1, 2, 4, 0x02, 0x58, 0],
      [1, 1, 2, 4, 0x02, 0x58, 0, 9], [2, 4, 0x02, 0x58, 0, 99, 0, 0],
    ])
  func mandatoryOptions(version: IPVersion, options: [UInt8]) throws {
    var bench = try Bench()
    let answer = Self.open(version, options, in: &bench)
    let synAck = try #require(answer)
    #expect(synAck.flags == [.syn, .ack])
    // The MSS that B sends is there too, and B keeps to ours of 600.
    #expect(synAck.options.maximumSegmentSize == (version == .v4 ? 1_460 : 1_440))
    let echo = Self.send(version, synAck, String(repeating: "a", count: 1_000), into: &bench)
    #expect(echo.map(\.payload.count).max() == 600)
  }

  @Test(
    "An option that nobody knows is skipped by its length", .rfc(9293, "MUST-6"), .rfc(9293, "MUST-68"),
    arguments: IPVersion.allCases,
    [
      [253, 4, 1, 2, 2, 4, 0x02, 0x58], [99, 2, 2, 4, 0x02, 0x58, 1, 1],
      [200, 7, 2, 4, 0x05, 0xb4, 0, 2, 4, 0x02, 0x58, 0],
    ])
  func unknownOption(version: IPVersion, options: [UInt8]) throws {
    var bench = try Bench()
    let answer = Self.open(version, options, in: &bench)
    let synAck = try #require(answer)
    let echo = Self.send(version, synAck, String(repeating: "a", count: 1_000), into: &bench)
    #expect(echo.map(\.payload.count).max() == 600)
  }

  @Test(
    "An option may be in any segment", .rfc(9293, "MUST-5"), arguments: IPVersion.allCases,
    [[1, 1, 1, 1], [253, 4, 0, 0], [99, 6, 1, 2, 3, 4, 1, 0]])
  func optionInData(version: IPVersion, options: [UInt8]) throws {
    var bench = try Bench()
    let answer = Self.open(version, [2, 4, 0x05, 0xb4], in: &bench)
    let synAck = try #require(answer)
    let echo = Self.send(version, synAck, "abc", options: options, into: &bench)
    #expect(echo.contains { $0.payload == Array("ABC".utf8) })
  }

  @Test("An MSS option outside a SYN changes nothing", .rfc(9293, section: "3.2"), arguments: IPVersion.allCases)
  func segmentSizeInData(version: IPVersion) throws {
    var bench = try Bench()
    let answer = Self.open(version, [2, 4, 0x02, 0x58], in: &bench)
    let synAck = try #require(answer)
    let text = String(repeating: "a", count: 1_000)
    let echo = Self.send(version, synAck, text, options: [2, 4, 0, 100], into: &bench)
    #expect(echo.map(\.payload.count).max() == 600)
  }

  @Test(
    "A length that cannot be drops the segment and harms nobody", .rfc(9293, "MUST-7"), arguments: IPVersion.allCases,
    [[2, 0, 0, 0], [2, 1, 0, 0], [1, 1, 1, 2], [99, 200, 0, 0], [1, 2, 4, 5], [8, 11, 0, 0]])
  func impossibleLength(version: IPVersion, options: [UInt8]) throws {
    var bench = try Bench()
    var answer = Self.open(version, options, in: &bench)
    #expect(answer == nil)
    #expect(bench.b.drops[.tcpOptionMalformed] == 1)
    // Inside a connection too; and the same text without it is taken.
    let syn = TCPFrame(from: 4_000, to: Bench.port, flags: TCPFrame.syn)
    answer = bench.inject(Bench.frame(version, syn)).segments.first
    let synAck = try #require(answer)
    #expect(Self.send(version, synAck, "abc", options: options, into: &bench).isEmpty)
    #expect(bench.b.drops[.tcpOptionMalformed] == 2)
    #expect(Self.send(version, synAck, "abc", into: &bench).contains { $0.payload == Array("ABC".utf8) })
    bench.expectHealth(after: .seconds(2_000))
  }

  @Test(
    "Options fill whole words, and what is behind them is zero or no operation", .rfc(9293, "MUST-69"),
    arguments: IPVersion.allCases,
    [
      [], [2, 4, 0x05, 0xb4], [3, 3, 7, 0], [4, 2, 3, 3, 7, 0, 0, 0],
      [8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 3, 3, 7, 0, 0, 0],
    ])
  func padding(version: IPVersion, options: [UInt8]) throws {
    var bench = try Bench()
    let answer = Self.open(version, options, in: &bench)
    let synAck = try #require(answer)
    let frame = try #require(bench.sent.last)
    let sent = SentFrame(bytes: frame).transport
    #expect(Int(sent[12] >> 4) * 4 == Int(synAck.header.headerByteCount))
    // Walk the list: every option has its length, and after the end only zeros come.
    var rest = sent[20..<Int(synAck.header.headerByteCount)]
    while let kind = rest.first {
      if kind == 0 {
        #expect(rest.allSatisfy { $0 == 0 })
        break
      }
      let length = kind == 1 ? 1 : Int(rest[rest.startIndex + 1])
      #expect(length >= 1 && length <= rest.count)
      rest = rest.dropFirst(max(1, length))
    }
  }

  @Test(
    "The MSS option is sent in every SYN, and follows from the link's MTU less the fixed headers",
    .rfc(9293, "MUST-14"),
    .rfc(9293, "MUST-67"), .rfc(9293, "SHLD-5"), .rfc(9293, "MAY-3"),
    arguments: [(.v4, 576), (.v4, 1_500), (.v4, 9_000), (.v6, 1_280), (.v6, 1_500), (.v6, 9_000)] as [(IPVersion, Int)])
  func offeredSegmentSize(version: IPVersion, mtu: Int) throws {
    var net = try TwoHosts(mtu: mtu)
    _ = try net.connection(version)
    let expected = UInt16(mtu - (version == .v4 ? 40 : 60))
    let syn = net.segments(fromA: true).first
    let synAck = net.segments(fromA: false).first
    #expect(syn?.options.maximumSegmentSize == expected)
    #expect(synAck?.options.maximumSegmentSize == expected)
  }

  @Test("The MSS option is in no segment without SYN", .rfc(9293, "MUST-65"), arguments: IPVersion.allCases)
  func onlyInSYN(version: IPVersion) throws {
    var net = try TwoHosts()
    let pair = try net.connection(version)
    try net.a.write("hello", to: pair.client, at: net.now)
    net.exchange()
    net.a.close(pair.client, at: net.now)
    net.exchange()
    net.b.abort(pair.server, at: net.now)
    net.exchange()
    let all = net.segments(fromA: true) + net.segments(fromA: false)
    #expect(all.count > 5)
    #expect(all.contains { $0.flags.contains(.rst) } && all.contains { $0.flags.contains(.fin) })
    for segment in all {
      #expect((segment.options.maximumSegmentSize != nil) == segment.flags.contains(.syn), "\(segment)")
    }
  }
}
