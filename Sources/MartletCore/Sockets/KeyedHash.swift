/// SipHash-1-3 with a 128-bit key over 64-bit words: what an attacker chooses cannot be made to collide, and an initial
/// sequence number or cookie made with it cannot be foretold (RFC 6528 section 3, RFC 4987 section 3.6).
package struct KeyedHash: Sendable, BitwiseCopyable {
  private let key0: UInt64
  private let key1: UInt64

  package init(key0: UInt64, key1: UInt64) {
    self.key0 = key0
    self.key1 = key1
  }

  /// The hash of two words.
  @inline(__always)
  package func hash(_ a: UInt64, _ b: UInt64) -> UInt64 {
    var state = State(key0, key1)
    state.absorb(a)
    state.absorb(b)
    return state.finish()
  }

  /// The hash of five words.
  @inline(__always)
  package func hash(_ a: UInt64, _ b: UInt64, _ c: UInt64, _ d: UInt64 = 0, _ e: UInt64 = 0) -> UInt64 {
    var state = State(key0, key1)
    state.absorb(a)
    state.absorb(b)
    state.absorb(c)
    state.absorb(d)
    state.absorb(e)
    return state.finish()
  }

  private struct State {
    var v0, v1, v2, v3: UInt64

    @inline(__always) init(_ k0: UInt64, _ k1: UInt64) {
      v0 = k0 ^ 0x736f_6d65_7073_6575
      v1 = k1 ^ 0x646f_7261_6e64_6f6d
      v2 = k0 ^ 0x6c79_6765_6e65_7261
      v3 = k1 ^ 0x7465_6462_7974_6573
    }

    @inline(__always) mutating func round() {
      v0 = v0 &+ v1
      v1 = (v1 << 13 | v1 >> 51) ^ v0
      v0 = v0 << 32 | v0 >> 32
      v2 = v2 &+ v3
      v3 = (v3 << 16 | v3 >> 48) ^ v2
      v0 = v0 &+ v3
      v3 = (v3 << 21 | v3 >> 43) ^ v0
      v2 = v2 &+ v1
      v1 = (v1 << 17 | v1 >> 47) ^ v2
      v2 = v2 << 32 | v2 >> 32
    }

    @inline(__always) mutating func absorb(_ word: UInt64) {
      v3 ^= word
      round()
      v0 ^= word
    }

    @inline(__always) mutating func finish() -> UInt64 {
      v2 ^= 0xff
      round()
      round()
      round()
      return v0 ^ v1 ^ v2 ^ v3
    }
  }
}
