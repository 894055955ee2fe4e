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

  @Test("Thousands of damaged frames, into connections in many states too, are survived without a leak", arguments: 1...8 as ClosedRange<UInt64>)
  func mutations(seed: UInt64) {
    let result = FuzzBatch.run(seed: seed)
    #expect(
      result.complaint == nil,
      "again: swift run --package-path Fuzz -c release fuzz --replay \(seed)")
    #expect(result.cases >= 2_000)
  }

  @Test("The same seed gives the same frames")
  func determinism() {
    #expect(FuzzBatch.run(seed: 99, count: 200).cases == FuzzBatch.run(seed: 99, count: 200).cases)
  }
}
