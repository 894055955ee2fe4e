import HostFuzzing
import MartletCore
import MartletWire
import Testing

@Suite("Packets that are too large for the next link")
struct ForwardingSizeTests {
  @Test(
    "One that must not be fragmented is answered with the next link's size", .rfc(1812, "RR-3"),
    .rfc(1191, section: "4"), .rfc(4443, section: "3.2"), .rfc(8200, section: "5"), arguments: IPVersion.allCases)
  func tooBig(version: IPVersion) throws {
    var bench = try RouterBench(mtu: 1_280)
    let headers = version == .v4 ? 28 : 48
    // One that just fits, and makes the way known.
    #expect(bench.send(version, pattern(1_280 - headers), dontFragment: true).map(\.interface) == [RouterBench.right])
    let payload = pattern(1_281 - headers)
    let errors = bench.send(version, payload, dontFragment: true).errors
    #expect(errors.map(\.type) == [version == .v4 ? 3 : 2])
    #expect(errors.map(\.code) == [version == .v4 ? 4 : 0])
    #expect(errors.map(\.word) == [1_280])
    #expect(errors.first?.interface == RouterBench.left)
    let quote = version == .v4 ? Routed.v4(payload, fragmentField: 0x4000).bytes : Routed.v6(payload).bytes
    #expect(errors.first.map { Array(quote.prefix($0.body.count)) == $0.body } == true)
    #expect(bench.dropReasons == [.ipTooBig])
  }

  @Test(
    "An IPv4 packet that may be is fragmented, and its fragments again", .rfc(1812, "RR-3"),
    .rfc(791, section: "3.2"))
  func fragments() throws {
    var bench = try RouterBench(mtu: 576)
    let packet = Routed.v4(pattern(1_400)).bytes
    let sent = bench.send(.v4, pattern(1_400))
    #expect(sent.count == 3)
    expectParts(sent, of: packet, mtu: 576, base: 0, isLast: true)
    #expect(bench.router.forwardingCounters.fragmentedPackets == 1)
    #expect(bench.router.forwardingCounters.forwardedPackets == 1)

    // A fragment from the middle of a larger packet.
    let part = Routed.v4(pattern(1_000), fragmentField: 0x2000 | 100)
    expectParts(bench.fromLeft(part), of: part.bytes, mtu: 576, base: 800, isLast: false)
    #expect(bench.dropReasons == [])
    #expect(bench.pool.statistics.blocksInUse == 0)
  }

  private func expectParts(_ sent: [RouterBench.Sent], of packet: [UInt8], mtu: Int, base: Int, isLast: Bool) {
    var payload: [UInt8] = []
    for (index, part) in sent.map(\.packet).enumerated() {
      #expect(part.count <= mtu)
      #expect(Frames.checksum(Array(part.prefix(20))) == 0)
      #expect(part[8] == 63)
      let field = part.word(at: 6)
      #expect((field & 0x1fff) * 8 == base + payload.count)
      #expect(field & 0x2000 == (index == sent.count - 1 && isLast ? 0 : 0x2000))
      #expect(part[4..<6] == packet[4..<6])
      payload += part[20...]
    }
    #expect(payload == Array(packet[20...]))
  }

  @Test(
    "A packet that stands for several segments, checksum still open, crosses whole where the next link splits it",
    arguments: IPVersion.allCases)
  func superSegment(version: IPVersion) throws {
    let offloads: LinkOffloads = [.transmitChecksum, .segmentTCPv4, .segmentTCPv6]
    var bench = try RouterBench(offloads: offloads)
    for _ in 0..<2 {
      let sent = bench.inject(try superSegment(version, bench.pool, segmentSize: 1_440), on: RouterBench.left)
      #expect(sent.count == 1)
      #expect(sent.first?.packet.count == (version == .v4 ? 5_040 : 5_060))
    }
    #expect(bench.router.forwardingCounters.forwardedPackets == 2)
    #expect(bench.dropReasons == [])
  }

  @Test("It is split where the next link does not, and every segment is right", arguments: IPVersion.allCases)
  func splits(version: IPVersion) throws {
    var bench = try RouterBench()
    for _ in 0..<2 {
      let sent = bench.inject(try superSegment(version, bench.pool, segmentSize: 1_440), on: RouterBench.left)
      #expect(sent.count == 4)
      for part in sent {
        #expect(part.packet.count <= 1_500)
        #expect(hasValidTransportChecksum(part.packet))
        #expect(part.packet[version == .v4 ? 8 : 7] == 63)
      }
    }
    #expect(bench.pool.statistics.blocksInUse == 0)
  }

  @Test("If its segments are too large its sender hears of the next link's size", arguments: IPVersion.allCases)
  func segmentsTooBig(version: IPVersion) throws {
    var bench = try RouterBench(mtu: 1_400, offloads: [.transmitChecksum, .segmentTCPv4, .segmentTCPv6])
    for _ in 0..<2 {
      let errors = bench.inject(try superSegment(version, bench.pool, segmentSize: 1_440), on: RouterBench.left).errors
      #expect(errors.map(\.type) == [version == .v4 ? 3 : 2])
      #expect(errors.map(\.word) == [1_400])
    }
    #expect(bench.dropReasons == [.ipTooBig, .ipTooBig])
  }

  @Test("Over IPv4 without the don't-fragment flag its segments are fragmented")
  func segmentsInFragments() throws {
    var bench = try RouterBench(mtu: 1_000)
    let packet = try superSegment(.v4, bench.pool, segmentSize: 1_440, dontFragment: false)
    let sent = bench.inject(packet, on: RouterBench.left)
    #expect(sent.count == 7)
    #expect(sent.allSatisfy { $0.packet.count <= 1_000 })
    let payload = sent.reduce(0) { $0 + $1.packet.count - 20 }
    #expect(payload == 5_080)
  }

  /// A segment of 5,000 bytes from A to B whose checksum has the pseudo-header's sum alone.
  private func superSegment(
    _ version: IPVersion, _ pool: borrowing PacketPool, segmentSize: UInt16, dontFragment: Bool = true
  ) throws -> Packet {
    var segment = TCPFrame(from: 1_000, to: 80, flags: TCPFrame.ack)
    segment.payload = pattern(5_000)
    let source = version == .v4 ? IPAddress(RouterBench.a4) : IPAddress(RouterBench.a6)
    let destination = version == .v4 ? IPAddress(RouterBench.b4) : IPAddress(RouterBench.b6)
    var transport = segment.bytes(from: source, to: destination)
    var sum = InternetChecksum()
    sum.addPseudoHeader(source: source, destination: destination, protocol: .tcp, length: transport.count)
    transport.replaceSubrange(16..<18, with: Frames.bytes(sum.foldedSum))
    let bytes: [UInt8]
    if version == .v4 {
      var packet = IPv4Frame(from: RouterBench.a4, to: RouterBench.b4, protocol: 6, transport)
      packet.fragmentField = dontFragment ? 0x4000 : 0
      bytes = packet.bytes
    } else {
      bytes = IPv6Frame(from: RouterBench.a6, to: RouterBench.b6, protocol: 6, transport).bytes
    }
    let frame = Frames.ethernet(
      to: RouterBench.macLeft, from: RouterBench.macA, type: version == .v4 ? 0x0800 : 0x86dd, bytes)
    let headers = frame.count - 5_000
    var packet = try pool.make(Array(frame.prefix(headers)), slices: [Array(frame.dropFirst(headers))])
    packet.metadata.segmentSize = segmentSize
    packet.metadata.checksum = .partial
    packet.metadata.checksumStart = UInt16(headers - 20)
    packet.metadata.checksumOffset = 16
    return packet
  }
}
