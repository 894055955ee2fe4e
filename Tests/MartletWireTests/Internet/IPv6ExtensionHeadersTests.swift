import MartletWire
import Testing

@Suite("IPv6 extension headers")
struct IPv6ExtensionHeadersTests {
  func packet(first: UInt8, _ hex: String) -> [UInt8] {
    let payload = [UInt8](hex: hex)
    let header = IPv6Header(
      payloadLength: UInt16(payload.count), nextHeader: IPProtocol(value: first), hopLimit: 64,
      source: IPv6Address(high: 1, low: 1), destination: IPv6Address(high: 1, low: 2))
    return written(40) { header.write(to: &$0) } + payload
  }

  func walk(first: UInt8, _ hex: String, limits: IPv6ExtensionHeaders.Limits = .init()) throws(WireError)
    -> IPv6ExtensionHeaders
  {
    try packet(first: first, hex).parse { (bytes) throws(WireError) in
      let header = try IPv6Header(parsing: bytes)
      return try IPv6ExtensionHeaders(of: header, in: bytes, limits: limits)
    }
  }

  @Test("Without extension headers the upper layer follows at once")
  func none() throws {
    let chain = try walk(first: 17, "0000")
    #expect(chain.upperProtocol == .udp)
    #expect(chain.upperOffset == 40)
    #expect(chain.upperProtocolFieldOffset == 6)
    #expect(chain.problem == nil)
  }

  @Test("A whole chain is walked over: hop-by-hop, destination, routing, fragment, destination")
  func whole() throws {
    let chain = try walk(
      first: 0,
      "3c 00 05020000 0100  2b 00 010400000000  2c 00 02 00 00000000  3c 00 0001 89abcdef  06 00 010400000000  ffff")
    #expect(chain.upperProtocol == .tcp)
    #expect(chain.upperOffset == 80)
    #expect(chain.upperProtocolFieldOffset == 72)
    #expect(chain.routerAlert == 0)
    #expect(chain.routing == IPv6RoutingHeader(type: 2, segmentsLeft: 0, offset: 56))
    #expect(chain.fragmentHeaderOffset == 64)
    #expect(chain.fragmentFieldOffset == 56)
    #expect(
      chain.fragment
        == IPv6FragmentHeader(
          nextHeader: .destinationOptions, fragmentOffset: 0, hasMoreFragments: true, identification: 0x89ab_cdef))
    #expect(chain.problem == nil)
  }

  @Test("The walk ends at the header of a later fragment")
  func laterFragment() throws {
    let chain = try walk(first: 44, "3c 00 05a8 00000001 ffffffff")
    #expect(chain.fragment?.fragmentOffset == 1448)
    #expect(chain.fragment?.hasMoreFragments == false)
    #expect(chain.upperProtocol == .destinationOptions)
    #expect(chain.upperOffset == 48)
  }

  @Test(
    "The two high bits of an unknown option say what to do",
    arguments: [
      ("11 00 1e00 01020000", nil), ("11 00 0100 5e00 0100", .discard), ("11 00 9e04 00000000", .discardAndReport),
      ("11 00 c204 00010000", .discardAndReportUnlessMulticast),
    ] as [(String, IPv6HeaderProblem.Action?)])
  func unknownOptions(hex: String, action: IPv6HeaderProblem.Action?) throws {
    let chain = try walk(first: 0, hex)
    #expect(chain.problem?.action == action)
    if action != nil {
      #expect(chain.problem?.code == .unrecognizedOption)
      #expect(chain.problem?.pointer == (action == .discard ? 44 : 42))
    }
  }

  @Test("A source route with segments left is a problem of its type; without, it is passed over")
  func sourceRoute() throws {
    let bad = try walk(first: 43, "11 02 00 01 00000000 20010db8000000000000000000000003")
    #expect(bad.routing?.isDeprecatedSourceRoute == true)
    #expect(
      bad.problem
        == IPv6HeaderProblem(code: .erroneousHeaderField, pointer: 42, action: .discardAndReportUnlessMulticast))
    let good = try walk(first: 43, "11 02 00 00 00000000 20010db8000000000000000000000003")
    #expect(good.problem == nil)
    #expect(good.upperOffset == 64)
  }

  @Test("Hop-by-hop options that are not first are an unrecognized next header")
  func lateHopByHop() throws {
    let chain = try walk(first: 60, "00 00 010400000000 11 00 010400000000")
    #expect(chain.problem?.code == .unrecognizedNextHeader)
    #expect(chain.problem?.pointer == 40)
  }

  @Test("Chains and lists of options beyond the limits are refused")
  func limits() throws {
    let header = "3c 00 010400000000"
    let long = try walk(first: 60, String(repeating: header, count: 20))
    #expect(long.problem?.code == .tooManyExtensionHeaders)
    #expect(long.problem?.pointer == 40 + 8 * 8)
    let options = try walk(first: 60, "11 01" + String(repeating: "1e00", count: 7), limits: .init(options: 6))
    #expect(options.problem?.code == .tooManyOptions)
    #expect(options.problem?.pointer == 42 + 12)
  }

  @Test("A header that runs past the end is truncated", arguments: ["11", "1100 0104 0000", "1101 0104 00000000"])
  func truncated(hex: String) {
    for first in [0, 43, 60] as [UInt8] {
      #expect(throws: WireError.truncated) { try walk(first: first, hex) }
    }
    #expect(throws: WireError.truncated) { try walk(first: 44, "1100 0000 0000") }
  }

  @Test("An option that runs past its header is refused", arguments: ["1100 0105 00000000", "1100 0103 000000 1e"])
  func optionPastEnd(hex: String) {
    #expect(throws: WireError.malformed(field: "option length")) { try walk(first: 60, hex) }
  }

  @Test("A fragment header writes what it parses, and refuses every prefix")
  func fragmentHeader() throws {
    let bytes = [UInt8](hex: "11 00 0b51 12345678")
    let header = try bytes.parse(IPv6FragmentHeader.init(parsing:))
    #expect(header.fragmentOffset == 2896)
    #expect(header.hasMoreFragments)
    #expect(!header.isAtomic)
    #expect(written(8) { header.write(to: &$0) } == bytes)
    #expect(bytes.acceptedPrefixes(below: 8, IPv6FragmentHeader.init(parsing:)) == [])
  }

  @Test("Random chains end in a value or an error, inside the packet")
  func random() {
    var generator = SplitMix64(seed: 8200)
    let kinds: [UInt8] = [0, 43, 44, 60]
    for _ in 0..<2000 {
      var bytes = packet(first: kinds[Int(generator.next() % 4)], "") + generator.bytes(Int(generator.next() % 120))
      let length = bytes.count - 40
      bytes[4] = 0
      bytes[5] = UInt8(length)
      for offset in stride(from: 40, to: bytes.count - 1, by: 8) {
        bytes[offset] = kinds[Int(generator.next() % 4)]
        bytes[offset + 1] = UInt8(generator.next() % 3)
      }
      let chain = try? bytes.parse { (bytes) throws(WireError) in
        try IPv6ExtensionHeaders(of: IPv6Header(parsing: bytes), in: bytes)
      }
      if let chain { #expect(chain.upperOffset <= bytes.count) }
    }
  }
}
