internal import MartletWire

/// The keyed hash that places flows in a table: multiplications by secrets whose 128-bit products are folded.
///
/// Nobody who does not know the secrets can choose flows that collide, which is all that a table needs; what must not be
/// foretold (sequence numbers, cookies) takes ``KeyedHash``, which costs several times as much.
struct FlowHash: Sendable, BitwiseCopyable {
  private let secret0, secret1, secret2, secret3: UInt64

  init(_ secret0: UInt64, _ secret1: UInt64, _ secret2: UInt64, _ secret3: UInt64) {
    self.secret0 = secret0
    self.secret1 = secret1
    self.secret2 = secret2
    self.secret3 = secret3
  }

  @inline(__always)
  private static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let product = left.multipliedFullWidth(by: right)
    return product.high ^ product.low
  }

  /// The hash of two words.
  @inline(__always)
  func hash(_ a: UInt64, _ b: UInt64) -> UInt64 {
    Self.fold(Self.fold(a ^ secret0, b ^ secret1) ^ secret2, secret3)
  }

  /// The hash of a word and two addresses.
  @inline(__always)
  func hash(_ word: UInt64, _ local: IPAddress, _ remote: IPAddress) -> UInt64 {
    // Two IPv4 addresses are one word together.
    if local.isIPv4, remote.isIPv4 { return hash(local.v6.low << 32 | remote.v6.low & 0xffff_ffff, word) }
    let first = Self.fold(local.v6.high ^ secret0, local.v6.low ^ secret1)
    let second = Self.fold(remote.v6.high ^ first, remote.v6.low ^ secret2)
    return Self.fold(second ^ word, secret3)
  }
}
