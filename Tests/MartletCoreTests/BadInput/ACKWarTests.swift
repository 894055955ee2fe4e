import HostFuzzing
import MartletCore
import MartletWire
import Testing

@Suite("Two ends that disagree")
struct ACKWarTests {
  @Test(
    "Data forged into a connection does not make its ends acknowledge each other for ever", .rfc(5961, section: "7"))
  func forgedData() throws {
    var bench = try Bench()
    let server = SocketAddress(IPAddress(Bench.b4), port: Bench.port)
    let client = try bench.a.connect(to: server, at: bench.now)
    bench.exchange()
    _ = try bench.a.write(unsafe Array("hello".utf8).span.bytes, to: client, at: bench.now)
    bench.sent = []
    bench.exchange()
    let echoed = bench.sent.first { SentFrame(bytes: $0).transport.last == 0x4f }
    let seen = SentFrame(bytes: try #require(echoed)).transport
    func word(_ at: Int) -> UInt32 { seen[at..<at + 4].reduce(0) { $0 << 8 | UInt32($1) } }
    let local = bench.a.localAddress(of: client)
    let port = try #require(local).port
    var forged = TCPFrame(from: port, to: Bench.port, flags: TCPFrame.ack | TCPFrame.psh, sequence: word(8))
    forged.acknowledgment = word(4) &+ 5
    forged.options = [1, 1, 8, 10] + seen[28..<32] + seen[24..<28]
    forged.payload = Array("forged".utf8)
    let transport = forged.bytes(from: IPAddress(Bench.a4), to: IPAddress(Bench.b4))
    let packet = IPv4Frame(from: Bench.a4, to: Bench.b4, protocol: 6, transport)
    let answers = bench.inject(Bench.frame(packet))
    #expect(!answers.isEmpty, "the forgery was taken")
    #expect(bench.endlessTalk.isEmpty)
    #expect(answers.count <= bench.b.configuration.tcp.challengeAcknowledgmentsPerSecond + 8)
    bench.a.abort(client, at: bench.now)
    bench.expectHealth(after: .seconds(2_000))
  }
}
