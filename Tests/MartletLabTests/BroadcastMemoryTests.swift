import Martlet
import MartletCore
import MartletWire
import Testing

@testable import MartletLab

@Suite("The memory of many hosts")
struct BroadcastMemoryTests {
  @Test("What a hundred hosts tell all others when they begin takes memory only while it is under way")
  func announcements() throws {
    var description = WorldDescription("crowd")
    description.switch("switch")
    for number in 0..<100 {
      description.host("h\(number)")
      description.wire(.init("h\(number)"), "switch", LinkDirection(rate: 100_000_000, delay: .microseconds(50)))
    }
    let world = try World(description, isRecorded: false)
    let pool = { world.loop.withPool { $0.statistics } }
    try world.run(for: .milliseconds(10))
    #expect(pool().systemAllocations > 100)
    try world.run(for: .seconds(10))
    #expect(pool().blocksInUse == 0)
    #expect(pool().reservedBlocks <= 1_024)
  }
}
