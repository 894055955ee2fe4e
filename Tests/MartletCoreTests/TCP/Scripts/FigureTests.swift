import HostFuzzing
import MartletCore
import MartletWire
import Testing

/// The exchanges that RFC 9293 draws, between two whole hosts where it draws two.
@Suite("TCP: the figures of RFC 9293")
struct TCPFigureTests {
  private static func remote(_ version: IPVersion, port: UInt16 = 80) -> SocketAddress {
    SocketAddress(version == .v4 ? TwoHosts.b4 : TwoHosts.b6, port: port)
  }

  private static func states(_ host: borrowing Host) -> [String] { host.socketTable().compactMap(\.state).sorted() }

  @Test("Figure 6: the basic handshake", .rfc(9293, section: "3.5"), arguments: IPVersion.allCases)
  func figure6(version: IPVersion) throws {
    var net = try TwoHosts()
    let pair = try net.connection(version)
    let a = net.segments(fromA: true)
    let b = net.segments(fromA: false)
    #expect(a.map(\.flags) == [.syn, .ack])
    #expect(b.map(\.flags) == [[.syn, .ack]])
    #expect(b[0].acknowledgment == a[0].sequence &+ 1)
    #expect(a[1].sequence == a[0].sequence &+ 1)
    #expect(a[1].acknowledgment == b[0].sequence &+ 1)
    // Line 5: data begins with the number that the ACK had, for an ACK takes no number.
    net.frames = []
    try net.a.write("data", to: pair.client, at: net.now)
    net.exchange()
    #expect(net.segments(fromA: true).first?.sequence == a[1].sequence)
  }

  @Test("Figure 7: both open at once", .rfc(9293, "MUST-10"), arguments: IPVersion.allCases)
  func figure7(version: IPVersion) throws {
    var net = try TwoHosts()
    let a = SocketAddress(version == .v4 ? TwoHosts.a4 : TwoHosts.a6, port: 1_000)
    let b = Self.remote(version, port: 2_000)
    // So that the neighbours know each other.
    _ = try net.connection(version)
    let before = (Self.states(net.a), Self.states(net.b))
    net.frames = []
    // Both SYNs are on their way before either arrives.
    let atA = try net.a.connect(to: b, from: a, at: net.now)
    let atB = try net.b.connect(to: a, from: b, at: net.now)
    let crossing = net.cross()
    #expect(crossing.fromA.map(\.flags) == [.syn])
    #expect(crossing.fromB.map(\.flags) == [.syn])
    #expect(try net.a.info(of: atA).state == .synReceived)
    #expect(try net.b.info(of: atB).state == .synReceived)
    let answers = net.cross()
    #expect(answers.fromA.map(\.flags) == [[.syn, .ack]])
    #expect(answers.fromB.map(\.flags) == [[.syn, .ack]])
    #expect(try net.a.info(of: atA).state == .established)
    #expect(try net.b.info(of: atB).state == .established)
    // One connection, not two.
    #expect(Self.states(net.a).count == before.0.count + 1)
    #expect(Self.states(net.b).count == before.1.count + 1)
    try net.a.write("from A", to: atA, at: net.now)
    try net.b.write("from B", to: atB, at: net.now)
    net.exchange()
    #expect(try net.a.readText(atA, at: net.now) == "from B")
    #expect(try net.b.readText(atB, at: net.now) == "from A")
  }

  @Test(
    "Figure 8: an old SYN in front of the new one, at the end that listens", .rfc(9293, section: "3.5"),
    arguments: IPVersion.allCases)
  func figure8(version: IPVersion) throws {
    var bench = try Bench()
    func inject(_ flags: UInt8, _ sequence: UInt32, _ acknowledgment: UInt32 = 0) -> [WireSegment] {
      var segment = TCPFrame(from: 4_000, to: Bench.port, flags: flags, sequence: sequence)
      segment.acknowledgment = acknowledgment
      return bench.inject(Bench.frame(version, segment)).segments
    }
    // Line 3: the duplicate; B cannot know and answers it. Line 5: A finds that wrong.
    let wrong = inject(TCPFrame.syn, 90)
    #expect(wrong.map(\.acknowledgment) == [91])
    #expect(inject(TCPFrame.rst, 91).isEmpty)
    // Lines 6 to 8: the SYN that is meant.
    let right = inject(TCPFrame.syn, 100)
    #expect(right.map(\.flags) == [[.syn, .ack]])
    #expect(right.map(\.acknowledgment) == [101])
    let answer = try #require(right.first)
    #expect(inject(TCPFrame.ack, 101, answer.sequence &+ 1).isEmpty)
    #expect(bench.accepted.count == 1)
  }

  @Test(
    "Figure 9: an end that forgot the connection opens it anew", .rfc(9293, section: "3.5.1"),
    arguments: IPVersion.allCases)
  func figure9(version: IPVersion) throws {
    var net = try TwoHosts()
    let pair = try net.connection(version)
    let local = net.a.localAddress(of: pair.client)
    // The crash: nothing that A says of it arrives.
    net.delivers = { _, _ in false }
    net.a.abort(pair.client, at: net.now)
    net.exchange()
    net.delivers = { _, _ in true }
    net.frames = []
    let anew = try net.a.connect(to: Self.remote(version), from: local, at: net.now)
    net.exchange()
    // SYN; the ACK of one who thinks the connection stands; RST; abort.
    #expect(net.segments(fromA: true).map(\.flags) == [.syn, .rst])
    #expect(net.segments(fromA: false).map(\.flags) == [.ack])
    #expect(net.b.takeError(of: pair.server) == .reset)
    net.b.close(pair.server, at: net.now)
    // The SYN comes again and finds the listener.
    net.run(for: .seconds(2))
    let accepted = try net.b.accept(from: pair.listener)
    #expect(accepted != nil)
    #expect(try net.a.info(of: anew).state == .established)
  }

  @Test(
    "Figure 10: the end that remembers finds out by sending", .rfc(9293, section: "3.5.1"),
    arguments: IPVersion.allCases)
  func figure10(version: IPVersion) throws {
    var net = try TwoHosts()
    let pair = try net.connection(version)
    net.delivers = { _, _ in false }
    net.a.abort(pair.client, at: net.now)
    net.exchange()
    net.delivers = { _, _ in true }
    net.frames = []
    try net.b.write("anybody there?", to: pair.server, at: net.now)
    net.exchange()
    let sent = net.segments(fromA: false)
    let answers = net.segments(fromA: true)
    #expect(answers.map(\.flags) == [.rst])
    #expect(answers.map(\.sequence) == sent.map(\.acknowledgment))
    #expect(net.b.takeError(of: pair.server) == .reset)
  }

  @Test(
    "Figure 11: an old SYN between two ends that listen ends in LISTEN", .rfc(9293, section: "3.5.1"),
    arguments: IPVersion.allCases)
  func figure11(version: IPVersion) throws {
    var net = try TwoHosts()
    _ = try net.a.listen(on: SocketAddress(.any(.v6), port: 1_000))
    _ = try net.b.listen(on: SocketAddress(.any(.v6), port: 80))
    // A's SYN of long ago.
    let source = version == .v4 ? TwoHosts.a4 : TwoHosts.a6
    let syn = TCPFrame(from: 1_000, to: 80, flags: TCPFrame.syn).bytes(from: source, to: Self.remote(version).address)
    let frame =
      if let address = source.v4 {
        Frames.ethernet(
          to: TwoHosts.macB, from: TwoHosts.macA, type: 0x0800,
          IPv4Frame(from: address, to: "192.0.2.2", protocol: 6, syn).bytes)
      } else {
        Frames.ethernet(
          to: TwoHosts.macB, from: TwoHosts.macA, type: 0x86dd,
          IPv6Frame(from: source.v6, to: "2001:db8::2", protocol: 6, syn).bytes)
      }
    net.inject(frame)
    let answer = net.segments(fromA: false)
    let reset = net.segments(fromA: true)
    #expect(answer.map(\.flags) == [[.syn, .ack]])
    #expect(reset.map(\.flags) == [.rst])
    #expect(reset.map(\.sequence) == answer.map(\.acknowledgment))
    #expect(Self.states(net.a) == ["LISTEN"])
    #expect(Self.states(net.b) == ["LISTEN"])
  }

  @Test(
    "Figure 12: the normal close", .rfc(9293, "MUST-12"), .rfc(9293, "MUST-13"), arguments: IPVersion.allCases)
  func figure12(version: IPVersion) throws {
    var net = try TwoHosts()
    let pair = try net.connection(version)
    net.frames = []
    try net.a.shutdownWrite(pair.client, at: net.now)
    net.exchange()
    #expect(Self.states(net.a) == ["FIN-WAIT-2"])
    #expect(Self.states(net.b) == ["CLOSE-WAIT", "LISTEN"])
    #expect(try net.b.readText(pair.server, at: net.now) == nil)
    #expect(net.b.takeError(of: pair.server) == nil)
    try net.b.shutdownWrite(pair.server, at: net.now)
    net.exchange()
    #expect(Self.states(net.a) == ["TIME-WAIT"])
    #expect(try net.b.info(of: pair.server).state == .closed)
    #expect(net.segments(fromA: true).map(\.flags) == [[.fin, .ack], .ack])
    #expect(net.segments(fromA: false).map(\.flags) == [.ack, [.fin, .ack]])
    net.run(for: .seconds(59))
    #expect(Self.states(net.a) == ["TIME-WAIT"])
    net.run(for: .seconds(2))
    #expect(try net.a.info(of: pair.client).state == .closed)
    #expect(net.a.takeError(of: pair.client) == nil)
  }

  @Test("Figure 13: both close at once", .rfc(9293, section: "3.6"), arguments: IPVersion.allCases)
  func figure13(version: IPVersion) throws {
    var net = try TwoHosts()
    let pair = try net.connection(version)
    net.frames = []
    // Both FINs are on their way before either arrives.
    try net.a.shutdownWrite(pair.client, at: net.now)
    try net.b.shutdownWrite(pair.server, at: net.now)
    let crossing = net.cross()
    #expect(crossing.fromA.map(\.flags) == [[.fin, .ack]])
    #expect(crossing.fromB.map(\.flags) == [[.fin, .ack]])
    #expect(Self.states(net.a) == ["CLOSING"])
    #expect(Self.states(net.b) == ["CLOSING", "LISTEN"])
    net.exchange()
    #expect(Self.states(net.a) == ["TIME-WAIT"])
    #expect(Self.states(net.b) == ["LISTEN", "TIME-WAIT"])
    #expect(net.segments(fromA: true).map(\.flags) == [.ack])
    #expect(net.segments(fromA: false).map(\.flags) == [.ack])
  }
}
