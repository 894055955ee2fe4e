package import MartletWire

/// Where a connection's numbers begin (RFC 6528 section 3; RFC 9293 section 3.4.1): ISN = M + F(flow, secret), with M a clock
/// that ticks every 4 µs.
package struct InitialSequenceNumber: Sendable, BitwiseCopyable {
  private let hash: KeyedHash

  package init(hash: KeyedHash) { self.hash = hash }

  /// The initial sequence number of a new incarnation of `flow` (MUST-8, MUST-9).
  package func value(for flow: TCPFlow, at now: Instant) -> SequenceNumber {
    let clock = UInt32(truncatingIfNeeded: now.nanoseconds / 4_000)
    return SequenceNumber(clock &+ UInt32(truncatingIfNeeded: hash.hash(flow, salt: 1)))
  }

  /// What is added to the timestamp clock of `flow` (RFC 7323 section 5.4): the same for every incarnation.
  package func timestampOffset(for flow: TCPFlow) -> UInt32 {
    UInt32(truncatingIfNeeded: hash.hash(flow, salt: 2))
  }
}
