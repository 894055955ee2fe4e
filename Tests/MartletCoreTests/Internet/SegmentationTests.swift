import MartletCore
import MartletWire
import Testing

@Suite("Segmentation in software")
struct SegmentationTests {
  private let ethernet: [UInt8] = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0]
  private let timestamps: [UInt8] = [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2]

  private func headers(_ version: IPVersion, _ flags: TCPFlags, payload: Int) -> [UInt8] {
    let segment = tcp(flags, sequence: 0xffff_f000, options: timestamps)
    var bytes = version == .v4 ? ipv4(segment, id: 0xfffe, protocol: .tcp) : ipv6(segment, next: .tcp)
    let place = version == .v4 ? 2 : 4
    let length = bytes.word(at: place) + payload
    bytes[place] = UInt8(length >> 8 & 0xff)
    bytes[place + 1] = UInt8(length & 0xff)
    return ethernet + bytes
  }

  @Test(
    "A checksum over odd pieces is completed across linear part and slices",
    arguments: [[0], [1, 3], [7, 1, 1, 5], [64, 63]])
  func completes(sizes: [Int]) throws {
    let pool = PacketPool()
    do {
      let slices = sizes.filter { $0 > 0 }.map { pattern($0) }
      let payload = Array(slices.joined())
      var datagram = ipv4([0x10, 0, 0x20, 0, 0, UInt8(8 + 3 + payload.count), 0, 0, 9, 8, 7] + payload)
      var pseudo = InternetChecksum()
      pseudo.addPseudoHeader(
        source: IPv4Address("192.0.2.1"), destination: IPv4Address("192.0.2.2"), protocol: .udp,
        length: 11 + payload.count)
      datagram[26] = UInt8(pseudo.foldedSum >> 8)
      datagram[27] = UInt8(pseudo.foldedSum & 0xff)
      var packet = try pool.make(Array(datagram[..<31]), slices: slices)
      packet.metadata.checksum = .partial
      packet.metadata.checksumStart = 20
      packet.metadata.checksumOffset = 6
      #expect(Segmentation.completeChecksum(&packet) == true)
      #expect(packet.metadata.checksum == .computed)
      #expect(hasValidTransportChecksum(packet.allBytes))
    }
    #expect(pool.isWhole == true)
  }

  @Test("UDP sends a checksum of zero as 0xffff, TCP as it is", arguments: [(6, 0xffff), (16, 0)])
  func zeroChecksum(offset: Int, expected: Int) throws {
    let pool = PacketPool()
    var bytes = [UInt8](repeating: 0, count: 20)
    bytes[0] = 0xff
    bytes[1] = 0xff
    var packet = try pool.make(bytes)
    packet.metadata.checksum = .partial
    packet.metadata.checksumOffset = UInt16(offset)
    Segmentation.completeChecksum(&packet)
    #expect(packet.allBytes.word(at: offset) == expected)
  }

  @Test("A checksum field outside the linear part is refused")
  func fieldOutside() throws {
    let pool = PacketPool()
    var packet = try pool.make(pattern(20))
    packet.metadata.checksum = .partial
    packet.metadata.checksumStart = 10
    packet.metadata.checksumOffset = 16
    #expect(Segmentation.completeChecksum(&packet) == false)
    #expect(packet.allBytes == pattern(20))
  }

  @Test(
    "A large TCP packet is split with headers put right and payload in order", arguments: IPVersion.allCases,
    [([3_000], 0), ([1_001, 999, 1_003], 0), ([500], 301), ([], 1_500)])
  func splits(version: IPVersion, payload: ([Int], Int)) throws {
    let pool = PacketPool()
    do {
      let slices = payload.0.enumerated().map { pattern($1, seed: $0 + 1) }
      let linear = pattern(payload.1)
      let all = linear + Array(slices.joined())
      let front = headers(version, [.ack, .psh, .fin, .cwr, .ece], payload: all.count)
      var packet = try pool.make(front + linear, slices: slices)
      packet.metadata.segmentSize = 600
      packet.metadata.checksum = .partial
      let blocks = pool.statistics.largeRegionsInUse + pool.statistics.smallRegionsInUse
      var queue = PacketQueue()
      #expect(Segmentation.segment(packet, linkHeaderByteCount: 14, pool: pool, into: &queue) == nil)
      // Payload was shared, not copied.
      #expect(pool.statistics.largeRegionsInUse + pool.statistics.smallRegionsInUse == blocks)
      let frames = queue.drain()
      #expect(frames.count == (all.count + 599) / 600)
      let network = version == .v4 ? 20 : 40
      var joined: [UInt8] = []
      for (index, frame) in frames.enumerated() {
        let bytes = Array(frame[14...])
        #expect(Array(frame[..<14]) == ethernet)
        #expect(hasValidTransportChecksum(bytes))
        let segment = Array(bytes[network...])
        let header = try TCPHeader(parsing: segment.rawBytes)
        #expect(header.sequenceNumber == SequenceNumber(0xffff_f000) + index * 600)
        let isLast = index == frames.count - 1
        #expect(header.flags.contains(.fin) == isLast)
        #expect(header.flags.contains(.psh) == isLast)
        #expect(header.flags.contains(.cwr) == (index == 0))
        #expect(header.flags.contains([.ack, .ece]))
        if version == .v4 {
          #expect(Array(bytes[..<20]).internetChecksum == 0)
          #expect(bytes.word(at: 2) == bytes.count)
          #expect(bytes.word(at: 4) == (0xfffe + index) & 0xffff)
        } else {
          #expect(bytes.word(at: 4) == bytes.count - 40)
        }
        #expect(Array(bytes[network + 20..<network + 32]) == timestamps)
        joined += bytes[(network + 32)...]
      }
      #expect(joined == all)
    }
    #expect(pool.isWhole == true)
  }

  @Test("A packet of one segment comes out as one, with its checksum")
  func single() throws {
    let pool = PacketPool()
    do {
      var packet = try pool.make(headers(.v4, [.ack, .psh], payload: 100), slices: [pattern(100)])
      packet.metadata.segmentSize = 1_448
      var queue = PacketQueue()
      #expect(Segmentation.segment(packet, linkHeaderByteCount: 14, pool: pool, into: &queue) == nil)
      let frames = queue.drain()
      #expect(frames.count == 1)
      #expect(hasValidTransportChecksum(Array(try #require(frames.first)[14...])))
    }
    #expect(pool.isWhole == true)
  }

  @Test("When the pool is exhausted the segments so far go out, and the rest has a name")
  func exhausted() throws {
    var bounds = PacketPool.Configuration()
    bounds.maximumBlocks = 3
    let pool = PacketPool(bounds)
    do {
      var packet = try pool.make(headers(.v4, .ack, payload: 3_000), slices: [pattern(3_000)])
      packet.metadata.segmentSize = 1_000
      var queue = PacketQueue()
      #expect(Segmentation.segment(packet, linkHeaderByteCount: 14, pool: pool, into: &queue) == .poolExhausted)
      #expect(queue.count == 2)
    }
    #expect(pool.isWhole == true)
  }

  @Test("Every prefix of the headers is refused without a trap", arguments: IPVersion.allCases)
  func prefixes(version: IPVersion) throws {
    let pool = PacketPool()
    let front = headers(version, .ack, payload: 0)
    for count in 0..<front.count {
      var packet = try pool.make(Array(front[..<count]))
      packet.metadata.segmentSize = 100
      var queue = PacketQueue()
      #expect(Segmentation.segment(packet, linkHeaderByteCount: 14, pool: pool, into: &queue) != nil)
      #expect(queue.isEmpty == true)
    }
    #expect(pool.isWhole == true)
  }
}
