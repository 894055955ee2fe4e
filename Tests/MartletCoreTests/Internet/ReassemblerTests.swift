import MartletCore
import MartletWire
import Testing

/// A reassembler and what came of what it was fed.
private struct Bench: ~Copyable {
  enum Result: Equatable {
    case complete([UInt8])
    case held
    case refused(Drop.Reason, pointer: UInt32?)
  }

  let pool = PacketPool()
  var reassembler: Reassembler
  var discarded = PacketQueue()

  init(_ change: (inout Host.Configuration.Internet) -> Void = { _ in }) {
    var configuration = Host.Configuration.Internet()
    change(&configuration)
    reassembler = Reassembler(configuration, hash: KeyedHash(key0: 3, key1: 4))
  }

  mutating func receive(_ bytes: [UInt8], at seconds: Int64 = 0, on interface: UInt16 = 1) throws -> Result {
    let packet = try pool.make(bytes)
    switch reassembler.receive(
      packet, on: InterfaceID(index: interface), at: .zero + .seconds(seconds), pool: pool, discarded: &discarded)
    {
    case .complete(let packet): return .complete(packet.allBytes)
    case .held: return .held
    case .refused(_, let reason, let pointer): return .refused(reason, pointer: pointer)
    }
  }

  mutating func timeout(at seconds: Int64) -> [UInt8]?? {
    guard var timeout = reassembler.nextTimeout(at: .zero + .seconds(seconds), discarded: &discarded) else {
      return nil
    }
    guard let first = timeout.first.take() else { return .some(.none) }
    return .some(first.allBytes)
  }
}

@Suite("Reassembly")
struct ReassemblerTests {
  private let data = pattern(64)

  @Test("Without its middle a datagram waits; with it, it is whole")
  func middleLast() throws {
    var bench = Bench()
    #expect(try bench.receive(ipv4(Array(data[..<16]), flags: .moreFragments)) == .held)
    #expect(try bench.receive(ipv4(Array(data[32...]), offset: 32)) == .held)
    let result = try bench.receive(ipv4(Array(data[16..<32]), flags: .moreFragments, offset: 16))
    #expect(result == .complete(ipv4(data)))
    #expect(bench.pool.isWhole == true)
  }

  @Test("Source, destination, protocol, identification and interface tell datagrams apart")
  func keys() throws {
    var bench = Bench()
    let tail = Array(data[16...])
    #expect(try bench.receive(ipv4(Array(data[..<16]), flags: .moreFragments)) == .held)
    #expect(try bench.receive(ipv4(tail, id: 2, offset: 16)) == .held)
    #expect(try bench.receive(ipv4(tail, offset: 16, protocol: .icmpv4)) == .held)
    #expect(try bench.receive(ipv4(tail, offset: 16, source: "192.0.2.7")) == .held)
    #expect(try bench.receive(ipv4(tail, offset: 16, destination: "192.0.2.7")) == .held)
    #expect(try bench.receive(ipv4(tail, offset: 16), on: 2) == .held)
    #expect(bench.reassembler.count == 6)
    #expect(try bench.receive(ipv4(tail, offset: 16)) == .complete(ipv4(data)))
  }

  @Test("An exact repetition is ignored")
  func duplicate() throws {
    var bench = Bench()
    let first = ipv4(Array(data[..<16]), flags: .moreFragments)
    #expect(try bench.receive(first) == .held)
    #expect(try bench.receive(first) == .refused(.fragmentDuplicate, pointer: nil))
    #expect(try bench.receive(ipv4(Array(data[16...]), offset: 16)) == .complete(ipv4(data)))
  }

  @Test("The same place with other bytes is an overlap, not a repetition")
  func forgedDuplicate() throws {
    var bench = Bench()
    #expect(try bench.receive(ipv4(Array(data[..<16]), flags: .moreFragments)) == .held)
    let forged = ipv4(pattern(16, seed: 99), flags: .moreFragments)
    #expect(try bench.receive(forged) == .refused(.fragmentOverlap, pointer: nil))
    #expect(bench.reassembler.count == 0)
    #expect(bench.discarded.count == 1)
  }

  @Test("IPv6 fragments that overlap end the datagram, with those still to come")
  func overlapIPv6() throws {
    var bench = Bench()
    #expect(try bench.receive(ipv6Fragment(Array(data[..<24]), offset: 0, more: true)) == .held)
    let overlapping = ipv6Fragment(Array(data[16..<32]), offset: 16, more: true)
    #expect(try bench.receive(overlapping) == .refused(.fragmentOverlap, pointer: nil))
    #expect(bench.discarded.drain().count == 1)
    #expect(
      try bench.receive(ipv6Fragment(Array(data[24...]), offset: 24, more: false))
        == .refused(.fragmentOverlap, pointer: nil))
    #expect(bench.reassembler.byteCount == 0)
    // Until the time is over, and then nobody is told.
    #expect(bench.timeout(at: 60) == nil)
    #expect(bench.reassembler.count == 0)
    #expect(bench.pool.isWhole == true)
  }

  @Test("An atomic IPv6 fragment passes by itself, whatever waits under its identification")
  func atomic() throws {
    var bench = Bench()
    #expect(try bench.receive(ipv6Fragment(Array(data[..<16]), offset: 0, more: true)) == .held)
    let atomic = ipv6Fragment(Array(data[..<24]), offset: 0, more: false)
    #expect(try bench.receive(atomic) == .complete(ipv6(Array(data[..<24]), next: .udp)))
    #expect(bench.reassembler.count == 1)
  }

  @Test("A piece that is not the last and not a multiple of eight is refused; IPv6 points at the payload length")
  func unaligned() throws {
    var bench = Bench()
    #expect(try bench.receive(ipv4(pattern(20), flags: .moreFragments)) == .refused(.fragmentMalformed, pointer: nil))
    let fragment = ipv6Fragment(pattern(20), offset: 0, more: true)
    #expect(try bench.receive(fragment) == .refused(.fragmentMalformed, pointer: 4))
    #expect(try bench.receive(ipv4([], flags: .moreFragments, offset: 8)) == .refused(.fragmentMalformed, pointer: nil))
  }

  @Test("What would reach past 65,535 bytes is refused; IPv6 points at the fragment offset")
  func tooBig() throws {
    var bench = Bench()
    #expect(try bench.receive(ipv4(pattern(24), offset: 65_512)) == .refused(.fragmentTooBig, pointer: nil))
    #expect(
      try bench.receive(ipv6Fragment(pattern(24), offset: 65_512, more: false))
        == .refused(.fragmentTooBig, pointer: 42))
    #expect(try bench.receive(ipv6Fragment(pattern(23), offset: 65_512, more: false)) == .held)
  }

  @Test("A first fragment must show the transport header, and a later one may not write over it")
  func tiny() throws {
    var bench = Bench()
    #expect(
      try bench.receive(ipv4(pattern(16), flags: .moreFragments, protocol: .tcp))
        == .refused(.fragmentTiny, pointer: nil))
    #expect(try bench.receive(ipv4(pattern(16), offset: 8, protocol: .tcp)) == .refused(.fragmentTiny, pointer: nil))
    let tiny = ipv6Fragment(pattern(16), offset: 0, more: true, next: .tcp)
    #expect(try bench.receive(tiny) == .refused(.fragmentTiny, pointer: nil))
    let options: [UInt8] = [IPProtocol.udp.value, 1, 1, 12, 0, 0, 0, 0]
    let hidden = ipv6Fragment(options, offset: 0, more: true, next: .destinationOptions)
    #expect(try bench.receive(hidden) == .refused(.fragmentTiny, pointer: nil))
    #expect(bench.pool.isWhole == true)
  }

  @Test("A piece behind the last one is refused")
  func behindLast() throws {
    var bench = Bench()
    #expect(try bench.receive(ipv4(pattern(16), offset: 16)) == .held)
    #expect(
      try bench.receive(ipv4(pattern(16), flags: .moreFragments, offset: 32))
        == .refused(.fragmentMalformed, pointer: nil))
    #expect(bench.reassembler.count == 0)
  }

  @Test("After sixty seconds a datagram is given up, with its first fragment to quote")
  func timeout() throws {
    var bench = Bench()
    let first = ipv4(Array(data[..<16]), flags: .moreFragments)
    #expect(try bench.receive(first, at: 5) == .held)
    #expect(try bench.receive(ipv4(Array(data[32...]), offset: 32), at: 9) == .held)
    #expect(bench.reassembler.nextDeadline == .zero + .seconds(65))
    #expect(bench.timeout(at: 64) == nil)
    #expect(bench.timeout(at: 65) == .some(.some(first)))
    #expect(bench.timeout(at: 65) == nil)
    #expect(bench.discarded.drain().count == 1)
    #expect(bench.pool.isWhole == true)
  }

  @Test("Without the first fragment there is nothing to quote")
  func timeoutWithoutFirst() throws {
    var bench = Bench()
    #expect(try bench.receive(ipv4(pattern(16), offset: 16)) == .held)
    #expect(bench.timeout(at: 60) == .some(.none))
  }

  @Test("A new datagram pushes out the oldest when there are too many")
  func tooMany() throws {
    var bench = Bench { $0.maximumReassemblies = 2 }
    for id in 1...3 as ClosedRange<UInt16> {
      #expect(try bench.receive(ipv4(pattern(16), id: id, flags: .moreFragments), at: Int64(id)) == .held)
    }
    #expect(bench.reassembler.count == 2)
    #expect(bench.discarded.drain().map { $0.word(at: 4) } == [1])
  }

  @Test("Blocks count whole against the bound of bytes")
  func tooManyBytes() throws {
    var bench = Bench { $0.maximumReassemblyBytes = 3 * 2_048 }
    for id in 1...5 as ClosedRange<UInt16> {
      #expect(try bench.receive(ipv4(pattern(16), id: id, flags: .moreFragments), at: Int64(id)) == .held)
    }
    #expect(bench.reassembler.count == 3)
    #expect(bench.reassembler.byteCount == 3 * 2_048)
    #expect(bench.discarded.count == 2)
  }

  @Test("A datagram in too many pieces is given up")
  func tooManyPieces() throws {
    var bench = Bench { $0.maximumFragments = 3 }
    for index in 0..<3 {
      #expect(try bench.receive(ipv4(pattern(8), flags: .moreFragments, offset: index * 8)) == .held)
    }
    #expect(try bench.receive(ipv4(pattern(8), offset: 24)) == .refused(.fragmentTableFull, pointer: nil))
    #expect(bench.reassembler.count == 0)
    #expect(bench.discarded.count == 3)
  }

  @Test("A congestion mark on one fragment marks the datagram")
  func congestionMark() throws {
    var bench = Bench()
    #expect(try bench.receive(ipv4(Array(data[..<16]), flags: .moreFragments, tos: 2)) == .held)
    #expect(try bench.receive(ipv4(Array(data[16...]), offset: 16, tos: 3)) == .complete(ipv4(data, tos: 3)))
    #expect(try bench.receive(ipv4(Array(data[..<16]), id: 2, flags: .moreFragments, tos: 0)) == .held)
    #expect(
      try bench.receive(ipv4(Array(data[16...]), id: 2, offset: 16, tos: 3))
        == .refused(.fragmentMalformed, pointer: nil))
  }

  @Test("Random fragments neither trap nor leak", arguments: 0..<20 as Range<UInt64>)
  func fuzz(seed: UInt64) throws {
    var random = RandomStream(seed: seed)
    var bench = Bench { $0.maximumReassemblies = 4 }
    for step in 0..<500 {
      let payload = pattern(Int.random(in: 0..<40, using: &random))
      let offset = Int.random(in: 0..<8, using: &random) * 8
      let more = Bool.random(using: &random)
      var bytes =
        Bool.random(using: &random)
        ? ipv4(payload, id: UInt16.random(in: 0..<6, using: &random), flags: more ? .moreFragments : [], offset: offset)
        : ipv6Fragment(payload, id: UInt32.random(in: 0..<6, using: &random), offset: offset, more: more)
      if Bool.random(using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      if Int.random(in: 0..<8, using: &random) == 0 {
        bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
      }
      _ = try bench.receive(bytes, at: Int64(step / 4))
      while bench.timeout(at: Int64(step / 4)) != nil {}
      bench.discarded.removeAll()
      #expect(bench.reassembler.count <= 4)
    }
    while bench.timeout(at: 10_000) != nil {}
    bench.discarded.removeAll()
    #expect(bench.reassembler.byteCount == 0)
    #expect(bench.pool.isWhole == true)
  }
}
