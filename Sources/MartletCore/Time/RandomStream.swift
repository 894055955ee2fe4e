/// A stream of random numbers (xoshiro256++) that a seed and a name determine.
///
/// Not for secrets: keys come from the system's generator on a real loop.
public struct RandomStream: RandomNumberGenerator, Sendable {
  private var s0, s1, s2, s3: UInt64

  /// The stream of `seed`.
  public init(seed: UInt64) {
    var mixer = seed
    func next(_ mixer: inout UInt64) -> UInt64 {
      mixer &+= 0x9e37_79b9_7f4a_7c15
      var z = mixer
      z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
      z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
      return z ^ (z >> 31)
    }
    s0 = next(&mixer)
    s1 = next(&mixer)
    s2 = next(&mixer)
    s3 = next(&mixer)
  }

  /// A stream of its own for `name`, so that one more draw here moves nothing there.
  public init(seed: UInt64, forkedFor name: some StringProtocol) {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    self.init(seed: seed ^ hash)
  }

  public mutating func next() -> UInt64 {
    let sum = s0 &+ s3
    let result = (sum << 23 | sum >> 41) &+ s0
    let shifted = s1 << 17
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= shifted
    s3 = s3 << 45 | s3 >> 19
    return result
  }
}

extension RandomStream {
  /// Evenly from 0 up to, and without, 1.
  package mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// Whether something of this probability happens: one draw, whatever the probability.
  package mutating func happens(_ probability: Double) -> Bool { unit() < probability }
}
