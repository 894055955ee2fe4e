/// The choice of a local port nobody asked for (RFC 6056 section 3.3.4, algorithm 4): each destination walks through the
/// range from its own secret offset, and of 16 counters that destinations share by another secret only one moves on.
package struct EphemeralPorts: Sendable, BitwiseCopyable {
  /// The dynamic ports (RFC 6335 section 6).
  package static let range: ClosedRange<UInt16> = 49_152...65_535

  private let hash: KeyedHash
  private var counters = InlineArray<16, UInt16>(repeating: 0)

  package init(hash: KeyedHash) { self.hash = hash }

  /// A port of ``range`` for a connection to `flow`'s remote end (its local port does not count) that is not taken, or nil if
  /// all are.
  package mutating func select(for flow: Flow, isTaken: (UInt16) -> Bool) -> UInt16? {
    var destination = flow
    destination.localPort = 0
    let digest = hash.hash(destination)
    let offset = UInt16(truncatingIfNeeded: digest)
    let counter = Int(digest >> 60)
    let count = UInt16(Self.range.count)
    for _ in 0..<count {
      let port = Self.range.lowerBound + (offset &+ counters[counter]) % count
      counters[counter] = counters[counter] &+ 1
      if !isTaken(port) { return port }
    }
    return nil
  }
}
