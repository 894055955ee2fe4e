import MartletCore
import MartletWire
import Testing

@Suite("Fragmentation and reassembly")
struct FragmentationTests {
  private func split(
    _ linear: [UInt8], slices: [[UInt8]] = [], mtu: Int, pool: borrowing PacketPool
  ) throws -> (Drop.Reason?, [[UInt8]]) {
    var queue = PacketQueue()
    let packet = try pool.make(linear, slices: slices)
    let reason = Fragmentation.split(packet, mtu: mtu, identification: 0xdead_beef, pool: pool, into: &queue)
    return (reason, queue.drain())
  }

  @Test("An IPv4 packet is split at multiples of eight with the flag on all but the last")
  func ipv4Split() throws {
    let pool = PacketPool()
    let payload = pattern(1_000)
    let (reason, fragments) = try split(ipv4(payload, id: 7), mtu: 420, pool: pool)
    #expect(reason == nil)
    #expect(fragments.map(\.count) == [420, 420, 220])
    var joined: [UInt8] = []
    for (index, fragment) in fragments.enumerated() {
      let header = try IPv4Header(parsing: fragment.rawBytes)
      #expect(header.isChecksumValid(in: fragment.rawBytes) == true)
      #expect(header.identification == 7)
      #expect(Int(header.fragmentOffset) == joined.count)
      #expect(header.flags.contains(.moreFragments) == (index < 2))
      joined += fragment[20...]
    }
    #expect(joined == payload)
    #expect(pool.isWhole == true)
  }

  @Test("Don't Fragment forbids it, and what fits goes out as it is")
  func dontFragment() throws {
    let pool = PacketPool()
    let packet = ipv4(pattern(1_000), flags: .dontFragment)
    #expect(try split(packet, mtu: 999, pool: pool).0 == .ipTooBig)
    #expect(try split(packet, mtu: 1_020, pool: pool).1 == [packet])
    #expect(pool.isWhole == true)
  }

  @Test("Of the options later fragments carry those with the copied flag")
  func options() throws {
    let pool = PacketPool()
    // Record route (not copied), a no-operation, and router alert (copied).
    let packet = ipv4(pattern(100), options: [7, 3, 4, 1, 0x94, 4, 0, 0])
    let (_, fragments) = try split(packet, mtu: 68, pool: pool)
    #expect(fragments.map(\.count) == [68, 64, 44])
    #expect(Array(fragments[0][20..<28]) == [7, 3, 4, 1, 0x94, 4, 0, 0])
    for fragment in fragments[1...] {
      #expect(fragment[0] == 0x46)
      #expect(Array(fragment[20..<24]) == [0x94, 4, 0, 0])
      #expect(Array(fragment[..<24]).internetChecksum == 0)
    }
    #expect(pool.isWhole == true)
  }

  @Test("A fragment split again keeps its place and its flag")
  func fragmentOfFragment() throws {
    let pool = PacketPool()
    let (_, fragments) = try split(ipv4(pattern(96), flags: .moreFragments, offset: 800), mtu: 68, pool: pool)
    let headers = try fragments.map { try IPv4Header(parsing: $0.rawBytes) }
    #expect(headers.map(\.fragmentOffset) == [800, 848])
    #expect(headers.allSatisfy { $0.flags.contains(.moreFragments) })
  }

  @Test("An IPv6 packet gets a fragment header behind what every router must see")
  func ipv6Split() throws {
    let pool = PacketPool()
    let hop: [UInt8] = [IPProtocol.udp.value, 0, 1, 4, 0, 0, 0, 0]
    let payload = pattern(2_000)
    let linear = ipv6(hop + payload, next: .hopByHopOptions)
    let (reason, fragments) = try split(Array(linear[..<56]), slices: [Array(linear[56...])], mtu: 1_280, pool: pool)
    #expect(reason == nil)
    #expect(fragments.map(\.count) == [1_280, 832])
    #expect(fragments.allSatisfy { $0[6] == 0 && $0[40] == IPProtocol.fragment.value })
    #expect(fragments.allSatisfy { $0[48] == IPProtocol.udp.value && Array($0[52..<56]) == [0xde, 0xad, 0xbe, 0xef] })
    #expect(fragments.map { $0.word(at: 50) } == [1, 1_224])
    #expect(fragments.map { $0.word(at: 4) } == [1_240, 792])
    #expect(Array(fragments.map { $0[56...] }.joined()) == payload)
    #expect(pool.isWhole == true)
  }

  @Test("Payload in slices is shared by the fragments")
  func shares() throws {
    let pool = PacketPool()
    do {
      let packet = try pool.make(ipv4([], protocol: .udp), slices: [pattern(40_000)])
      var queue = PacketQueue()
      #expect(Fragmentation.split(packet, mtu: 1_500, identification: 1, pool: pool, into: &queue) == nil)
      #expect(queue.count == 28)
      #expect(pool.statistics.largeRegionsInUse == 1)
      #expect(pool.statistics.smallRegionsInUse == 0)
    }
    #expect(pool.isWhole == true)
  }

  @Test(
    "Whatever order fragments come in, the datagram is put together as it was", arguments: IPVersion.allCases,
    0..<6 as Range<UInt64>)
  func roundTrip(version: IPVersion, seed: UInt64) throws {
    var random = RandomStream(seed: seed)
    let pool = PacketPool()
    do {
      let sizes = [65_480, 17_000, 9_001, 3_000, 2_000, 1_300]
      let payload = pattern(sizes[Int(seed)])
      let whole = version == .v4 ? ipv4(payload) : ipv6(payload, next: .udp)
      let header = version == .v4 ? 20 : 40
      var (reason, fragments) = try split(
        Array(whole[..<header]), slices: [Array(whole[header...])], mtu: 1_280, pool: pool)
      #expect(reason == nil)
      fragments.shuffle(using: &random)
      var reassembler = Reassembler(.init(), hash: KeyedHash(key0: 1, key1: seed))
      var discarded = PacketQueue()
      var result: [UInt8]?
      for (index, fragment) in fragments.enumerated() {
        let packet = try pool.make(fragment)
        switch reassembler.receive(packet, on: .loopback, at: .zero, pool: pool, discarded: &discarded) {
        case .complete(let packet):
          #expect(index == fragments.count - 1)
          result = packet.allBytes
        case .held: #expect(index < fragments.count - 1)
        case .refused(_, let reason, _): Issue.record("refused: \(reason)")
        }
      }
      #expect(result == whole)
      #expect(discarded.isEmpty == true)
      #expect(reassembler.count == 0)
      #expect(reassembler.byteCount == 0)
      #expect(reassembler.nextDeadline == nil)
    }
    #expect(pool.isWhole == true)
  }
}
