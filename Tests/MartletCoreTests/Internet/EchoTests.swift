import HostFuzzing
import MartletCore
import MartletWire
import Testing

@Suite("Echo")
struct EchoTests {
  static let sizes = [0, 1, 7, 56, 1_472, 1_473, 4_000, 65_507]

  @Test(
    "A request comes back with the same data from the address that was asked", .rfc(1122, "HR3-26"),
    .rfc(4443, section: "4.2"), arguments: IPVersion.allCases, sizes)
  func reply(version: IPVersion, size: Int) throws {
    var bench = try Bench()
    let socket = try bench.a.openEcho(version: version)
    let payload = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    try bench.a.sendEcho(
      unsafe payload.span.bytes, sequence: 3, to: SocketAddress(Bench.ip(version).b, port: 0), from: socket,
      at: bench.now)
    bench.exchange()
    var buffer = [UInt8](repeating: 0, count: 65_536)
    var span = buffer.mutableSpan
    var bytes = unsafe span.mutableBytes
    let received = try bench.a.receiveEcho(from: socket, into: &bytes)
    let reply = try #require(received)
    #expect(reply.kind == .reply)
    #expect(reply.sequence == 3)
    #expect(reply.source.address == Bench.ip(version).b)
    #expect(reply.byteCount == size)
    #expect(Array(buffer.prefix(size)) == payload)
    bench.expectHealth()
  }

  @Test("One byte more than fits is refused, not sent")
  func tooLong() throws {
    var bench = try Bench()
    let socket = try bench.a.openEcho(version: .v4)
    let payload = [UInt8](repeating: 0, count: 65_508)
    #expect(throws: SocketError.messageTooLong) {
      try bench.a.sendEcho(
        unsafe payload.span.bytes, sequence: 1, to: SocketAddress(IPAddress(Bench.b4), port: 0), from: socket,
        at: bench.now)
    }
    bench.expectHealth()
  }

  @Test(
    "A request to everybody is not answered", .rfc(1122, "HR3-27"),
    arguments: ["192.0.2.255", "255.255.255.255", "224.0.0.1"] as [IPv4Address])
  func broadcast(destination: IPv4Address) throws {
    let request = Good.echo(.v4).bytes(from: IPAddress(Bench.c4), to: IPAddress(destination))
    let packet = IPv4Frame(from: Bench.c4, to: destination, protocol: 1, request)
    let mac: MACAddress = destination == "224.0.0.1" ? "01:00:5e:00:00:01" : .broadcast
    #expect(try BadFrame("", .icmpBroadcastEcho, Bench.frame(packet, to: mac)).expectDrop().isEmpty)
  }

  @Test("A request to all IPv6 nodes is answered from an address of the host's own", .rfc(4443, section: "4.2"))
  func allNodes() throws {
    var bench = try Bench()
    let request = Good.echo(.v6).bytes(from: IPAddress(Bench.c6), to: "ff02::1")
    let packet = IPv6Frame(from: Bench.c6, to: "ff02::1", protocol: 58, request)
    let answers = bench.inject(Bench.frame(packet, to: "33:33:00:00:00:01"))
    #expect(answers.icmp.map(\.type) == [129])
    #expect(answers.first.map { Array($0[22..<38]) } == Frames.bytes(of: IPAddress(Bench.b6)))
    bench.expectHealth()
  }

  @Test("Replies that nobody reads fill a socket up to its bound and no further", arguments: [0, 4_000])
  func replyFlood(size: Int) throws {
    var configuration = Host.Configuration()
    configuration.datagrams.receiveBufferByteCount = 64 << 10
    var bench = try Bench(configuration: configuration)
    let socket = try bench.b.openEcho(version: .v4)
    for sequence in UInt16(0)..<300 {
      try bench.b.sendEcho(
        unsafe [UInt8](repeating: 0, count: size).span.bytes, sequence: sequence,
        to: SocketAddress(IPAddress(Bench.a4), port: 0),
        from: socket, at: bench.now)
      bench.exchange()
    }
    let use = bench.pool.statistics
    let held =
      use.blocksInUse * Packet.blockByteCount + use.smallRegionsInUse * PacketPool.smallRegionByteCount
      + use.largeRegionsInUse * PacketPool.largeRegionByteCount
    // Regions are held whole though only their bytes are counted.
    #expect(held <= 2 * (64 << 10))
    #expect(bench.b.drops[.udpReceiveBufferFull] > 0)
    bench.b.close(socket, at: bench.now)
    bench.expectHealth()
  }
}
