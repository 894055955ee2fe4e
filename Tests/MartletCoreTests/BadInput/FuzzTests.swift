import HostFuzzing
import MartletCore
import Testing

@Suite("Fuzzing, a little")
struct FuzzTests {
  @Test("Every prefix of every kind of frame is survived without a leak, and the sockets go on")
  func prefixes() {
    let result = FuzzBatch.prefixes()
    #expect(result.complaint == nil)
    #expect(result.cases > 5_000)
  }

  @Test(
    "Thousands of damaged frames, into connections in many states too, are survived without a leak",
    arguments: 1...8 as ClosedRange<UInt64>)
  func mutations(seed: UInt64) {
    let result = FuzzBatch.run(seed: seed)
    #expect(
      result.complaint == nil,
      "again: swift run --package-path Fuzz -c release fuzz --replay \(seed)")
    #expect(result.cases >= 2_000)
  }

  @Test(
    "A router survives thousands of damaged frames for itself and for others, and serves on",
    arguments: 1...4 as ClosedRange<UInt64>
  )
  func router(seed: UInt64) throws {
    let result = FuzzBatch.run(seed: seed, forwards: true)
    #expect(
      result.complaint == nil,
      "again: swift run --package-path Fuzz -c release fuzz --forwards --replay \(seed)")
    let drops = try #require(result.drops)
    for reason in [.forwardHopLimit, .forwardDestination, .ipNoRoute, .neighborUnresolved] as [Drop.Reason] {
      #expect(drops[reason] > 0, "\(reason)")
    }
  }

  @Test("The short way through a router comes to the same as the long one", arguments: 11...13 as ClosedRange<UInt64>)
  func shortForwarding(seed: UInt64) {
    let short = FuzzBatch.run(seed: seed, forwards: true)
    let long = FuzzBatch.run(seed: seed, takesShortWays: false, forwards: true)
    #expect(short.digest == long.digest)
    #expect(short.drops == long.drops)
  }

  @Test("The same seed gives the same bytes, another seed others")
  func determinism() {
    let first = FuzzBatch.run(seed: 99, count: 500)
    let second = FuzzBatch.run(seed: 99, count: 500)
    #expect(first.digest == second.digest)
    #expect(first.cases == second.cases)
    #expect(FuzzBatch.run(seed: 100, count: 500).digest != first.digest)
  }

  @Test("The damage reaches every layer: nearly every reason to drop a received packet comes up")
  func reach() {
    var missing = Set(Drop.Reason.allCases)
    for seed in UInt64(1)...12 {
      let drops = FuzzBatch.run(seed: seed, count: 4_000).drops
      missing = missing.filter { drops?[$0] == 0 }
    }
    // What only a full table, a busy program or a broken link brings about.
    let elsewhere: Set<Drop.Reason> = [
      .payloadGone, .transmitQueueFull, .neighborTableFull, .neighborQueueFull, .ipNoSource,
      .icmpRateLimited, .udpNoChecksum, .udpReceiveBufferFull, .tcpBacklogFull, .tcpReceiveBufferFull,
      .tcpReassemblyFull, .poolExhausted,
      // What only a router has to do with.
      .forwardSource, .forwardDestination, .forwardBroadcast, .forwardReversePath, .forwardHopLimit,
    ]
    #expect(missing.subtracting(elsewhere).count <= 3, "\(missing)")
  }
}
