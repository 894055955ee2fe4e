import HostFuzzing
import MartletCore
import MartletWire
import Testing

/// Cuts a datagram as a test wants it.
enum Pieces {
  /// One fragment of `payload`, from byte `offset` on; `more` says whether others follow.
  static func piece(
    _ version: IPVersion, _ payload: ArraySlice<UInt8>, at offset: Int, more: Bool, protocol: UInt8 = 17,
    identification: UInt16 = 77
  ) -> [UInt8] {
    switch version {
    case .v4:
      var packet = IPv4Frame(from: Bench.c4, to: Bench.b4, protocol: `protocol`, Array(payload))
      packet.identification = identification
      packet.fragmentField = (more ? 0x2000 : 0) | UInt16(truncatingIfNeeded: offset / 8)
      return Bench.frame(packet)
    case .v6:
      var packet = IPv6Frame(from: Bench.c6, to: Bench.b6, protocol: `protocol`, Array(payload))
      packet.extensions = [
        (44, IPv6Frame.fragmentBody(offset: offset, more: more, identification: UInt32(identification)))
      ]
      return Bench.frame(packet)
    }
  }

  /// All fragments of a UDP datagram, `size` bytes each.
  static func datagram(_ version: IPVersion, _ payload: [UInt8], size: Int, identification: UInt16 = 77) -> [[UInt8]] {
    let whole = Good.udp(version, payload)
    return stride(from: 0, to: whole.count, by: size).map { start in
      let end = min(start + size, whole.count)
      return piece(version, whole[start..<end], at: start, more: end < whole.count, identification: identification)
    }
  }

  static let text = [UInt8](repeating: 0x61, count: 40)
  static let answer = [UInt8](repeating: 0x41, count: 40)
}

@Suite("Fragments, good and bad")
struct FragmentTests {
  /// The payload of the upper-case answer among `frames`.
  static func payload(_ frames: [[UInt8]]) -> [UInt8]? {
    frames.first.map { Array(SentFrame(bytes: $0).transport.dropFirst(8)) }
  }

  @Test(
    "Fragments in any order make the datagram", .rfc(1122, "HR3-9"), .rfc(1122, "HR3-35"),
    arguments: IPVersion.allCases, [[0, 1, 2], [2, 1, 0], [1, 2, 0], [0, 2, 1], [0, 0, 1, 1, 2]])
  func order(version: IPVersion, order: [Int]) throws {
    var bench = try Bench()
    let pieces = Pieces.datagram(version, Pieces.text, size: 16)
    #expect(pieces.count == 3)
    var answers: [[UInt8]] = []
    for index in order { answers += bench.inject(pieces[index]) }
    #expect(answers.count == 1)
    #expect(Self.payload(answers) == Pieces.answer)
    #expect(bench.b.drops[.fragmentDuplicate] == UInt64(order.count - 3))
    bench.expectHealth()
  }

  @Test("A fragment that is the whole packet waits for nobody", .rfc(6946, section: "4"))
  func atomic() throws {
    var bench = try Bench()
    // Others with the same identification wait, and do not matter.
    bench.inject(Pieces.piece(.v6, Good.udp(.v6)[8..<13], at: 8, more: false))
    let answers = bench.inject(Pieces.piece(.v6, Good.udp(.v6)[...], at: 0, more: false))
    #expect(Self.payload(answers) == Array("HELLO".utf8))
    bench.expectHealth()
  }

  @Test(
    "Overlapping fragments end their datagram", .rfc(5722, section: "4"), arguments: IPVersion.allCases, [8, 16, 24])
  func overlap(version: IPVersion, offset: Int) throws {
    var bench = try Bench()
    let pieces = Pieces.datagram(version, Pieces.text, size: 16)
    bench.inject(pieces[0])
    bench.inject(pieces[1])
    let bad = Pieces.piece(version, [UInt8](repeating: 0x62, count: 24)[...], at: offset, more: true)
    bench.inject(bad)
    #expect(bench.b.drops[.fragmentOverlap] >= 1)
    #expect(bench.inject(pieces[2]).icmp.isEmpty)
    bench.expectHealth()
  }

  @Test("The same place with other bytes is an overlap, not a repetition", arguments: IPVersion.allCases)
  func differentBytes(version: IPVersion) throws {
    var bench = try Bench()
    let pieces = Pieces.datagram(version, Pieces.text, size: 16)
    bench.inject(pieces[1])
    bench.inject(Pieces.piece(version, [UInt8](repeating: 0x62, count: 16)[...], at: 16, more: true))
    #expect(bench.b.drops[.fragmentOverlap] >= 1)
    bench.expectHealth()
  }

  struct Refused: Sendable, CustomTestStringConvertible {
    var name: String
    var reason: Drop.Reason
    var frame: [UInt8]
    var testDescription: String { name }
  }

  static let refused: [BadFrame] =
    IPVersion.allCases.flatMap { version in
      let zeros = [UInt8](repeating: 0, count: 64)
      return [
        BadFrame(
          "12 bytes and more to come, IP\(version)", .fragmentMalformed,
          Pieces.piece(version, zeros[..<12], at: 64, more: true)),
        BadFrame(
          "no bytes and more to come, IP\(version)", .fragmentMalformed,
          Pieces.piece(version, zeros[..<0], at: 64, more: true)),
        BadFrame(
          "past the largest packet, IP\(version)", .fragmentTooBig,
          Pieces.piece(version, zeros[..<64], at: 65_512, more: false)),
        BadFrame(
          "a first fragment with half a TCP header, IP\(version)", .fragmentTiny,
          Pieces.piece(version, zeros[..<8], at: 0, more: true, protocol: 6)),
      ]
    } + [
      BadFrame(
        "a fragment inside the TCP header", .fragmentTiny,
        Pieces.piece(.v4, [UInt8](repeating: 0, count: 16)[...], at: 8, more: true, protocol: 6))
    ]

  @Test(
    "Is dropped by name, and the host goes on", .rfc(1858, section: "3"), .rfc(7112, section: "5"), arguments: refused)
  func refuse(frame: BadFrame) throws { try frame.expectDrop() }

  @Test("IPv6 tells of a bad length at the payload length, of a size at the offset", .rfc(8200, section: "4.5"))
  func told() throws {
    for (frame, pointer) in [
      (Pieces.piece(.v6, [UInt8](repeating: 0, count: 12)[...], at: 64, more: true), UInt32(4)),
      (Pieces.piece(.v6, [UInt8](repeating: 0, count: 64)[...], at: 65_512, more: false), 42),
    ] {
      var bench = try Bench()
      let messages = bench.inject(frame).icmp
      #expect(messages.map(\.type) == [4])
      #expect(messages.first?.code == 0)
      #expect(messages.first?.word == pointer)
      bench.expectHealth()
    }
  }

  @Test("A datagram that grows past 65,535 bytes piece by piece is dropped", arguments: IPVersion.allCases)
  func growsTooBig(version: IPVersion) throws {
    var bench = try Bench()
    let chunk = [UInt8](repeating: 0, count: 1_024)
    for index in 0..<63 { bench.inject(Pieces.piece(version, chunk[...], at: index * 1_024, more: true)) }
    bench.inject(Pieces.piece(version, chunk[...], at: 63 * 1_024 + 512, more: false))
    #expect(bench.b.drops[.fragmentTooBig] + bench.b.drops[.fragmentOverlap] >= 1)
    bench.expectHealth()
  }

  @Test("A datagram of too many fragments is refused at the bound")
  func tooMany() throws {
    var configuration = Host.Configuration()
    configuration.internet.maximumFragments = 16
    var bench = try Bench(configuration: configuration)
    let eight = [UInt8](repeating: 0, count: 8)
    // Every other place, so that they never join up.
    for index in 1...64 { bench.inject(Pieces.piece(.v4, eight[...], at: index * 16, more: true)) }
    #expect(bench.b.drops[.fragmentTableFull] >= 1)
    #expect(bench.pool.statistics.blocksInUse <= 16)
    bench.expectHealth()
  }

  @Test(
    "A flood of fragments stays within its bounds, and new datagrams still come through", arguments: IPVersion.allCases)
  func flood(version: IPVersion) throws {
    var configuration = Host.Configuration()
    configuration.internet.maximumReassemblies = 32
    configuration.internet.maximumReassemblyBytes = 256 << 10
    var bench = try Bench(configuration: configuration)
    let chunk = [UInt8](repeating: 0, count: 1_024)
    var random = RandomStream(seed: 3)
    var most = 0
    for _ in 0..<20_000 {
      let identification = UInt16.random(in: 0...UInt16.max, using: &random)
      let offset = Int.random(in: 1..<60, using: &random) * 1_024
      bench.deliver(Pieces.piece(version, chunk[...], at: offset, more: true, identification: identification))
      most = max(most, bench.pool.statistics.blocksInUse)
    }
    #expect(most <= 32 * 4)
    #expect(most * Packet.blockByteCount <= 256 << 10)
    #expect(bench.b.drops[.fragmentTableFull] > 19_000)
    var answers: [[UInt8]] = []
    for piece in Pieces.datagram(version, Pieces.text, size: 16, identification: 9) { answers += bench.inject(piece) }
    #expect(Self.payload(answers) == Pieces.answer)
    bench.expectHealth()
  }

  @Test(
    "What does not come in time is given up, and the sender told if the first fragment came", .rfc(1122, "HR3-36"),
    .rfc(8200, section: "4.5"), arguments: IPVersion.allCases, [true, false])
  func timeout(version: IPVersion, hasFirst: Bool) throws {
    var bench = try Bench()
    let pieces = Pieces.datagram(version, Pieces.text, size: 16)
    let held = hasFirst ? pieces[0] : pieces[1]
    bench.inject(held)
    bench.run(for: .seconds(59))
    #expect(bench.b.drops[.fragmentTimeout] == 0)
    bench.sent = []
    bench.run(for: .seconds(2))
    #expect(bench.b.drops[.fragmentTimeout] == 1)
    let messages = bench.sent.icmp
    #expect(messages.count == (hasFirst ? 1 : 0))
    if let message = messages.first {
      #expect(message.type == (version == .v4 ? 11 : 3))
      #expect(message.code == 1)
      #expect(message.body == Array(held.dropFirst(14)))
    }
    bench.expectHealth()
  }

  @Test("Two fragment headers in one packet are refused", .rfc(8200, section: "4.5"))
  func twoFragmentHeaders() throws {
    let body = IPv6Frame.fragmentBody(offset: 0, more: false, identification: 7)
    let frame = BadFrame("", .ipExtensionUnknown, Good.udp6) { $0.extensions = [(44, body), (44, body)] }
    try frame.expectDrop()
  }

  @Test("A fragment hidden in a reassembled packet does not come out")
  func nestedFragment() throws {
    var bench = try Bench()
    // The inner chain is itself a fragment header with an offset, which nobody may take for a header chain that ends.
    let inner = [17] + IPv6Frame.fragmentBody(offset: 64, more: true, identification: 9) + Good.udp(.v6)
    let padded = inner + [UInt8](repeating: 0, count: 32 - inner.count)
    var answers = bench.inject(Pieces.piece(.v6, padded[..<16], at: 0, more: true, protocol: 44))
    answers += bench.inject(Pieces.piece(.v6, padded[16...], at: 16, more: false, protocol: 44))
    #expect(answers.allSatisfy { SentFrame(bytes: $0).protocol != 17 })
    bench.expectHealth()
  }
}
