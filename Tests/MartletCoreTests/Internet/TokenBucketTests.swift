import MartletCore
import Testing

@Suite("Token bucket")
struct TokenBucketTests {
  private func count(_ bucket: inout TokenBucket, at milliseconds: Int64, tries: Int = 100) -> Int {
    var granted = 0
    for _ in 0..<tries where bucket.take(at: .zero + .milliseconds(milliseconds)) { granted += 1 }
    return granted
  }

  @Test("A burst is granted at once, then one token each period")
  func burstThenRate() {
    var bucket = TokenBucket(perSecond: 10, burst: 3)
    #expect(count(&bucket, at: 0) == 3)
    #expect(count(&bucket, at: 99) == 0)
    #expect(count(&bucket, at: 100) == 1)
    #expect(count(&bucket, at: 300) == 2)
  }

  @Test("Quiet times save up no more than the burst")
  func savesUpBurst() {
    var bucket = TokenBucket(perSecond: 10, burst: 3)
    #expect(count(&bucket, at: 100_000) == 3)
  }

  @Test("A rate of zero grants nothing")
  func zero() {
    var bucket = TokenBucket(perSecond: 0, burst: 5)
    #expect(count(&bucket, at: 1_000) == 0)
  }
}
