package import MartletWire

/// Where a connection's numbers begin (RFC 6528 section 3; RFC 9293 section 3.4.1): ISN = M + F(flow, secret), with M a clock
/// that ticks every 4 µs.
package struct InitialSequenceNumber: Sendable, BitwiseCopyable {
  private let hash: KeyedHash

  package init(hash: KeyedHash) { self.hash = hash }

  /// What a new incarnation of `flow` begins with: both numbers from one hash, whose halves say nothing of each other.
  package func start(of flow: Flow, at now: Instant) -> (sequence: SequenceNumber, timestampOffset: UInt32) {
    let digest = hash.hash(flow)
    let clock = UInt32(truncatingIfNeeded: now.nanoseconds / 4_000)
    return (
      SequenceNumber(clock &+ UInt32(truncatingIfNeeded: digest)), UInt32(truncatingIfNeeded: digest >> 32)
    )
  }

  /// The initial sequence number of a new incarnation of `flow` (MUST-8, MUST-9).
  package func value(for flow: Flow, at now: Instant) -> SequenceNumber { start(of: flow, at: now).sequence }

  /// What is added to the timestamp clock of `flow` (RFC 7323 section 5.4): the same for every incarnation.
  package func timestampOffset(for flow: Flow) -> UInt32 {
    start(of: flow, at: .zero).timestampOffset
  }
}
