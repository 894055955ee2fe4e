import Testing

@testable import MartletCore

@Suite("TCP: send queue")
struct SendQueueTests {
  private static func bytes(_ range: Range<Int>) -> [UInt8] { range.map { TCPScript.byte(at: $0) } }

  private static func contents(of packet: borrowing Packet) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: packet.count)
    unsafe bytes.withUnsafeMutableBytes { target in
      if let start = target.baseAddress { unsafe packet.copyBytes(from: 0, count: target.count, to: start) }
    }
    return bytes
  }

  @Test("A first small write takes a small region, and what follows shares it")
  func smallRegion() {
    let pool = PacketPool()
    var queue = SendQueue()
    for place in 0..<100 {
      let taken = unsafe queue.append(copying: Self.bytes(place..<place + 1).span.bytes, from: pool)
      #expect(taken == 1)
    }
    let statistics = pool.statistics
    #expect(statistics.smallRegionsInUse == 1)
    #expect(statistics.largeRegionsInUse == 0)
    queue.removeFirst(100)
    let after = pool.statistics
    #expect(after.smallRegionsInUse == 0)
  }

  @Test("Bytes come out where they went in, however they are asked for and acknowledged", arguments: 0..<20)
  func random(seed: Int) throws {
    let pool = PacketPool()
    var queue = SendQueue()
    var random = RandomStream(seed: UInt64(seed))
    var start = 0
    var end = 0
    for _ in 0..<300 {
      switch Int.random(in: 0..<4, using: &random) {
      case 0:
        let count = Int.random(in: 1...5_000, using: &random)
        unsafe end += queue.append(copying: Self.bytes(end..<end + count).span.bytes, from: pool)
      case 1:
        guard let region = pool.allocateRegion(large: false) else { break }
        let count = Int.random(in: 1...2_000, using: &random)
        for index in 0..<count {
          unsafe region.bytes.storeBytes(of: TCPScript.byte(at: end + index), toByteOffset: index, as: UInt8.self)
        }
        let taken = queue.append(Slice(region, offset: 0, count: count), from: pool)
        #expect(taken)
        end += count
      case 2:
        let count = Int.random(in: 0...queue.byteCount, using: &random)
        queue.removeFirst(count)
        start += count
      default:
        guard var packet = pool.allocate(), queue.byteCount > 0 else { break }
        let offset = Int.random(in: 0..<queue.byteCount, using: &random)
        let count = Int.random(in: 1...(queue.byteCount - offset), using: &random)
        let place = start + offset
        if count <= 1_000, Bool.random(using: &random) {
          queue.copy(from: offset, count: count, into: &packet)
          #expect(Self.contents(of: packet) == Self.bytes(place..<place + count))
        } else {
          let shared = queue.share(from: offset, count: count, into: &packet)
          #expect(shared > 0 && shared <= count)
          #expect(Self.contents(of: packet) == Self.bytes(place..<place + shared))
        }
      }
      let count = queue.byteCount
      try #require(count == end - start)
    }
    queue.removeAll()
    let statistics = pool.statistics
    #expect(statistics.smallRegionsInUse + statistics.largeRegionsInUse == 0)
  }

  @Test("What the pool refuses is not taken")
  func poolExhausted() {
    var configuration = PacketPool.Configuration()
    configuration.maximumLargeRegions = 1
    configuration.maximumSmallRegions = 1
    let pool = PacketPool(configuration)
    var queue = SendQueue()
    let taken = unsafe queue.append(copying: [UInt8](repeating: 1, count: 200_000).span.bytes, from: pool)
    #expect(taken == PacketPool.largeRegionByteCount + PacketPool.smallRegionByteCount)
  }
}
