import MartletLabTesting
import ReplicatedStore

@Suite("A replicated store")
struct ReplicatedStoreTests {
  static let orderly = Cluster.world(reordering: false)
  static let unruly = Cluster.world(reordering: true)

  @Test("Without faults all replicas have the same", .world(orderly, seeds: 1...20))
  func noFaults() async throws { try await Cluster(in: .current, .replaces).run(partition: false) }

  @Test("They do when frames overtake each other", .world(unruly, seeds: 1...20))
  func reordering() async throws { try await Cluster(in: .current, .replaces).run(partition: false) }

  @Test("They do when one was cut off for a while", .world(orderly, seeds: 1...20))
  func partition() async throws { try await Cluster(in: .current, .replaces).run(partition: true) }

  @Test(
    "In some of fifty runs they do not when one was cut off and frames overtake each other, and the seed shows it again"
  )
  func both() async throws {
    let scenario = { @Sendable (world: World) in try await Cluster(in: world, .replaces).run(partition: true) }
    let sweep = try await World.sweep(Self.unruly, seeds: 1...50, scenario)
    #expect(sweep.failures.count < 25)
    let found = try #require(sweep.failures.first)
    #expect(
      found.failure?.description == "Not within 10.0 seconds of the world's time: all replicas have the same")

    let seed = Int(found.seed)
    let again = try await World.sweep(Self.unruly, seeds: seed...seed, isRecorded: true, scenario).runs[0]
    let oncemore = try await World.sweep(Self.unruly, seeds: seed...seed, isRecorded: true, scenario).runs[0]
    #expect(again.failure?.snapshot == found.failure?.snapshot)
    #expect(again.fingerprint == oncemore.fingerprint)
  }

  @Test("Mended, they have the same after both, and not for want of trouble", .world(unruly, seeds: 1...50))
  func mended() async throws {
    let cluster = try Cluster(in: .current, .merges)
    try await cluster.run(partition: true)
    sometimes("a write overtook a table", await cluster.replicas[1].staleEntries > 0)
  }
}
