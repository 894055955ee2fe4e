import HostFuzzing
import MartletCore
import MartletWire
import Testing

/// LISTEN and CLOSED are states of a host, so these scripts speak to a whole one: from C to B's port 7 (a listener) and
/// port 9 (nobody).
@Suite("TCP: LISTEN and CLOSED")
struct TCPListenTests {
  /// What B answers to a segment from C's port 4000, which has number 1000 unless `change` says otherwise.
  private static func answers(
    _ version: IPVersion, to port: UInt16 = Bench.port, _ flags: UInt8, acknowledgment: UInt32 = 0, text: Int = 0,
    in bench: inout Bench, _ change: (inout TCPFrame) -> Void = { _ in }
  ) -> [WireSegment] {
    var segment = TCPFrame(from: 4_000, to: port, flags: flags)
    segment.acknowledgment = acknowledgment
    segment.payload = [UInt8](repeating: 0x61, count: text)
    change(&segment)
    return bench.inject(Bench.frame(version, segment)).segments
  }

  private static func connectionCount(_ bench: borrowing Bench) -> Int {
    bench.b.socketTable().count { $0.kind == .tcp }
  }

  // MARK: LISTEN

  @Test("LISTEN: a RST is ignored", .rfc(9293, section: "3.10.7.2"), arguments: IPVersion.allCases)
  func resetInListen(version: IPVersion) throws {
    var bench = try Bench()
    #expect(Self.answers(version, TCPFrame.rst, in: &bench).isEmpty)
    #expect(Self.answers(version, TCPFrame.rst | TCPFrame.ack, acknowledgment: 5, in: &bench).isEmpty)
  }

  @Test(
    "LISTEN: an ACK is answered by a RST with its number", .rfc(9293, section: "3.10.7.2"),
    arguments: IPVersion.allCases)
  func acknowledgmentInListen(version: IPVersion) throws {
    var bench = try Bench()
    let answer = try #require(Self.answers(version, TCPFrame.ack, acknowledgment: 777, in: &bench).first)
    #expect(answer.flags == .rst)
    #expect(answer.sequence == 777)
  }

  @Test("LISTEN: a SYN, ACK is answered by a RST", .rfc(9293, section: "3.10.7.2"), arguments: IPVersion.allCases)
  func synAckInListen(version: IPVersion) throws {
    var bench = try Bench()
    let answers = Self.answers(version, TCPFrame.syn | TCPFrame.ack, acknowledgment: 777, in: &bench)
    #expect(answers.map(\.flags) == [.rst])
    #expect(answers.map(\.sequence) == [777])
    #expect(Self.connectionCount(bench) == 0)
  }

  @Test("LISTEN: a SYN is answered by SYN, ACK", .rfc(9293, section: "3.10.7.2"), arguments: IPVersion.allCases)
  func synInListen(version: IPVersion) throws {
    var bench = try Bench()
    let answers = Self.answers(version, TCPFrame.syn, in: &bench)
    #expect(answers.map(\.flags) == [[.syn, .ack]])
    #expect(answers.map(\.acknowledgment) == [1_001])
    #expect(bench.b.socketTable().contains { $0.state == "SYN-RECEIVED" })
  }

  @Test(
    "LISTEN: text or FIN without SYN and ACK is dropped without a word", .rfc(9293, section: "3.10.7.2"),
    arguments: IPVersion.allCases, [TCPFrame.psh, TCPFrame.fin, 0])
  func textInListen(version: IPVersion, flags: UInt8) throws {
    var bench = try Bench()
    #expect(Self.answers(version, flags, text: 10, in: &bench).isEmpty)
    #expect(bench.b.drops[.tcpNoAcknowledgment] == 1)
  }

  @Test(
    "LISTEN: text that comes with the SYN is not lost", .rfc(9293, section: "3.10.7.2"), arguments: IPVersion.allCases)
  func textWithSYN(version: IPVersion) throws {
    var bench = try Bench()
    let answer = try #require(Self.answers(version, TCPFrame.syn, text: 3, in: &bench).first)
    // It may be taken then or when it comes again (section 3.4): either way the answer says which.
    #expect([1_001, 1_004].contains(answer.acknowledgment))
    let rest = answer.acknowledgment == 1_001 ? 3 : 0
    let echo = Self.answers(
      version, TCPFrame.ack | TCPFrame.psh, acknowledgment: answer.sequence &+ 1, text: rest, in: &bench
    ) { $0.sequence = answer.acknowledgment }
    #expect(echo.contains { $0.payload == [0x41, 0x41, 0x41] })
  }

  @Test("LISTEN: a SYN with RST is ignored", .rfc(9293, section: "3.10.7.2"), arguments: IPVersion.allCases)
  func synWithReset(version: IPVersion) throws {
    var bench = try Bench()
    #expect(Self.answers(version, TCPFrame.syn | TCPFrame.rst, in: &bench).isEmpty)
    #expect(Self.connectionCount(bench) == 0)
  }

  @Test(
    "SYN-RECEIVED of a listener: a RST brings it back to LISTEN", .rfc(9293, "MUST-11"), arguments: IPVersion.allCases)
  func backToListen(version: IPVersion) throws {
    var bench = try Bench()
    _ = Self.answers(version, TCPFrame.syn, in: &bench)
    #expect(Self.connectionCount(bench) == 1)
    #expect(Self.answers(version, TCPFrame.rst, in: &bench, { $0.sequence = 1_001 }).isEmpty)
    #expect(Self.connectionCount(bench) == 0)
    #expect(Self.answers(version, TCPFrame.syn, in: &bench, { $0.sequence = 5_000 }).map(\.flags) == [[.syn, .ack]])
  }

  @Test("CLOSE in LISTEN resets what is half open", .rfc(9293, section: "3.10.4"), arguments: IPVersion.allCases)
  func closeOfListener(version: IPVersion) throws {
    var bench = try Bench()
    let listener = try bench.b.listen(on: SocketAddress(.any(.v6), port: 70))
    let answer = try #require(Self.answers(version, to: 70, TCPFrame.syn, in: &bench).first)
    let before = bench.sent.count
    bench.b.close(listener, at: bench.now)
    bench.exchange()
    let sent = Array(bench.sent[before...]).segments
    #expect(sent.map(\.flags) == [[.rst, .ack]])
    #expect(sent.map(\.sequence) == [answer.sequence &+ 1])
    #expect(
      Self.answers(version, to: 70, TCPFrame.syn, in: &bench, { $0.sourcePort = 4_001 }).map(\.flags) == [[.rst, .ack]])
  }

  // MARK: CLOSED

  @Test("CLOSED: a RST is ignored", .rfc(9293, section: "3.10.7.1"), arguments: IPVersion.allCases)
  func resetInClosed(version: IPVersion) throws {
    var bench = try Bench()
    #expect(Self.answers(version, to: 9, TCPFrame.rst, in: &bench).isEmpty)
    #expect(Self.answers(version, to: 9, TCPFrame.rst | TCPFrame.ack, acknowledgment: 5, in: &bench).isEmpty)
  }

  @Test(
    "CLOSED: without an ACK the RST has number 0 and acknowledges all of the segment", .rfc(9293, section: "3.10.7.1"),
    arguments: IPVersion.allCases,
    [(TCPFrame.syn, 0, 1), (0, 10, 10), (TCPFrame.fin, 5, 6), (TCPFrame.syn, 7, 8)] as [(UInt8, Int, UInt32)])
  func withoutAcknowledgmentInClosed(version: IPVersion, row: (flags: UInt8, text: Int, length: UInt32)) throws {
    var bench = try Bench()
    let answers = Self.answers(version, to: 9, row.flags, text: row.text, in: &bench)
    #expect(answers.map(\.flags) == [[.rst, .ack]])
    #expect(answers.map(\.sequence) == [0])
    #expect(answers.map(\.acknowledgment) == [1_000 + row.length])
  }

  @Test(
    "CLOSED: with an ACK the RST has the number that was acknowledged", .rfc(9293, section: "3.10.7.1"),
    arguments: IPVersion.allCases, [TCPFrame.ack, TCPFrame.ack | TCPFrame.fin, TCPFrame.ack | TCPFrame.syn])
  func acknowledgmentInClosed(version: IPVersion, flags: UInt8) throws {
    var bench = try Bench()
    let answers = Self.answers(version, to: 9, flags, acknowledgment: 4_242, text: 3, in: &bench)
    #expect(answers.map(\.flags) == [.rst])
    #expect(answers.map(\.sequence) == [4_242])
  }

  // MARK: OPEN

  @Test(
    "One port has a listener and connections in other states at once", .rfc(9293, "MUST-41"), .rfc(9293, "MUST-42"),
    arguments: IPVersion.allCases)
  func manyStatesOnOnePort(version: IPVersion) throws {
    var bench = try Bench()
    let server = SocketAddress(Bench.ip(version).b, port: Bench.port)
    let client = try bench.a.connect(to: server, at: bench.now)
    bench.exchange()
    _ = Self.answers(version, TCPFrame.syn, in: &bench)
    // Another passive open fails, and leaves all that is there as it is.
    #expect(throws: SocketError.addressInUse) { try bench.b.listen(on: server) }
    let states = Set(bench.b.socketTable().filter { $0.local.port == Bench.port }.compactMap(\.state))
    #expect(states == ["LISTEN", "SYN-RECEIVED", "ESTABLISHED"])
    _ = try bench.a.write("abc", to: client, at: bench.now)
    bench.exchange()
    #expect(try bench.a.readText(client, at: bench.now) == "ABC")
    bench.a.close(client, at: bench.now)
    bench.expectHealth()
  }

  @Test(
    "A port may listen while a connection from it is in SYN-SENT", .rfc(9293, "MUST-42"), arguments: IPVersion.allCases)
  func listenBesideSYNSent(version: IPVersion) throws {
    var bench = try Bench()
    let ends = Bench.ip(version)
    _ = try bench.b.connect(
      to: SocketAddress(ends.c, port: 4_000), from: SocketAddress(ends.b, port: 70), at: bench.now)
    bench.exchange()
    _ = try bench.b.listen(on: SocketAddress(.any(.v6), port: 70))
    #expect(
      Self.answers(version, to: 70, TCPFrame.syn, in: &bench, { $0.sourcePort = 4_001 }).map(\.flags) == [[.syn, .ack]])
    let states = bench.b.socketTable().filter { $0.local.port == 70 }.compactMap(\.state).sorted()
    #expect(states == ["LISTEN", "SYN-RECEIVED", "SYN-SENT"])
  }

  @Test("An active OPEN takes the local address it is given", .rfc(9293, "MUST-43"), arguments: IPVersion.allCases)
  func openFromAddress(version: IPVersion) throws {
    var net = try TwoHosts()
    let second: IPAddress = version == .v4 ? "192.0.2.77" : "2001:db8::77"
    try net.a.addAddress(AddressInSubnet(second, prefixLength: version == .v4 ? 24 : 64), to: net.eth)
    let listener = try net.b.listen(on: SocketAddress(.any(.v6), port: 80))
    let remote = SocketAddress(version == .v4 ? TwoHosts.b4 : TwoHosts.b6, port: 80)
    let client = try net.a.connect(to: remote, from: SocketAddress(second, port: 1_234), at: net.now)
    net.exchange()
    let foundServer = try net.b.accept(from: listener)
    let server = try #require(foundServer)
    #expect(net.b.remoteAddress(of: server) == SocketAddress(second, port: 1_234))
    #expect(net.a.localAddress(of: client) == SocketAddress(second, port: 1_234))
  }

  @Test("A passive OPEN takes one too, and then no other", .rfc(9293, "MUST-43"), arguments: IPVersion.allCases)
  func listenOnAddress(version: IPVersion) throws {
    var bench = try Bench()
    let second: IPAddress = version == .v4 ? "192.0.2.77" : "2001:db8::77"
    try bench.b.addAddress(AddressInSubnet(second, prefixLength: version == .v4 ? 24 : 64), to: Bench.eth)
    _ = try bench.b.listen(on: SocketAddress(second, port: 70))
    #expect(Self.answers(version, to: 70, TCPFrame.syn, in: &bench).map(\.flags) == [[.rst, .ack]])
    let syn = TCPFrame(from: 4_000, to: 70, flags: TCPFrame.syn).bytes(from: Bench.ip(version).c, to: second)
    let frame =
      if let address = second.v4 {
        Bench.frame(IPv4Frame(from: Bench.c4, to: address, protocol: 6, syn))
      } else {
        Bench.frame(IPv6Frame(from: Bench.c6, to: second.v6, protocol: 6, syn))
      }
    #expect(bench.inject(frame).segments.map(\.flags) == [[.syn, .ack]])
  }

  @Test(
    "Without one the address towards the peer is chosen before the SYN, and every later segment has it",
    .rfc(9293, "MUST-44"), .rfc(9293, "MUST-45"), arguments: IPVersion.allCases)
  func chosenAddress(version: IPVersion) throws {
    var net = try TwoHosts()
    let other: IPAddress = version == .v4 ? "198.51.100.1" : "2001:db8:1::1"
    try net.a.addAddress(AddressInSubnet(other, prefixLength: version == .v4 ? 24 : 64), to: net.eth)
    let pair = try net.connection(version)
    let chosen = version == .v4 ? TwoHosts.a4 : TwoHosts.a6
    #expect(net.a.localAddress(of: pair.client)?.address == chosen)
    // An address that would do as well comes up later: the connection keeps its own.
    let better: IPAddress = version == .v4 ? "192.0.2.3" : "2001:db8::3"
    try net.a.addAddress(AddressInSubnet(better, prefixLength: version == .v4 ? 24 : 64), to: net.eth)
    try net.a.write("hello", to: pair.client, at: net.now)
    net.exchange()
    net.a.close(pair.client, at: net.now)
    net.exchange()
    let range = version == .v4 ? 12..<16 : 8..<24
    let sources = Set(net.segments(fromA: true).map { Array($0.packet[range]) })
    #expect(sources == [Frames.bytes(of: chosen)])
  }

  @Test(
    "OPEN to an address that is not one host's is refused", .rfc(9293, "MUST-46"),
    arguments: ["224.0.0.1", "192.0.2.255", "255.255.255.255", "ff02::1", "ff0e::1234"] as [IPAddress])
  func openToMany(address: IPAddress) throws {
    var net = try TwoHosts()
    #expect(throws: SocketError.invalidAddress) {
      try net.a.connect(to: SocketAddress(address, port: 80), at: net.now)
    }
    #expect(throws: SocketError.self) { try net.a.listen(on: SocketAddress(address, port: 80)) }
    net.exchange()
    #expect(net.segments(fromA: true).isEmpty)
  }

  @Test(
    "A second OPEN of a connection that exists is refused", .rfc(9293, section: "3.10.1"), arguments: IPVersion.allCases
  )
  func openTwice(version: IPVersion) throws {
    var net = try TwoHosts()
    let pair = try net.connection(version)
    let foundLocal = net.a.localAddress(of: pair.client)
    let local = try #require(foundLocal)
    let foundRemote = net.a.remoteAddress(of: pair.client)
    let remote = try #require(foundRemote)
    #expect(throws: SocketError.addressInUse) { try net.a.connect(to: remote, from: local, at: net.now) }
    #expect(throws: SocketError.addressInUse) { try net.b.listen(on: SocketAddress(.any(.v6), port: 80)) }
  }

  @Test(
    "A SYN from an address that is not one host's is dropped without a word", .rfc(9293, "MUST-63"),
    arguments: [
      "224.0.0.1", "255.255.255.255", "0.0.0.0", "127.0.0.1", "192.0.2.255", "192.0.2.2", "ff02::1", "::", "::1",
      "2001:db8::2",
    ]
      as [IPAddress])
  func invalidSource(source: IPAddress) throws {
    var bench = try Bench()
    let version = source.version
    let syn = TCPFrame(from: 4_000, to: Bench.port, flags: TCPFrame.syn).bytes(from: source, to: Bench.ip(version).b)
    let frame =
      if let address = source.v4 {
        Bench.frame(IPv4Frame(from: address, to: Bench.b4, protocol: 6, syn))
      } else {
        Bench.frame(IPv6Frame(from: source.v6, to: Bench.b6, protocol: 6, syn))
      }
    #expect(bench.inject(frame).isEmpty)
    #expect(Self.connectionCount(bench) == 0)
  }
}
